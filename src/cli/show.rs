//! Replies for people: tables, facts, sentences.

use jiff::{Timestamp, Unit};

use super::table::{Facts, Table, plain};
use crate::operations::{
    Blocked, Direction, Life, Line, Now, Renamed, Reply, User, UserAdded, UserShown, Waiting,
    WaitingState,
};

/// A reply in words; `now` is what ages count from.
pub(super) fn words(reply: &Reply, now: Timestamp) -> String {
    match reply {
        Reply::Users(users) => users_table(users),
        Reply::User(user) => user_facts(user, now),
        Reply::UserAdded(added) => user_added(added),
        Reply::UserRemoved { user, gateways } => {
            format!("{user} is no user of {} any more.", gateways.join(", "))
        }
        Reply::UserRenamed(renamed) => user_renamed(renamed),
        Reply::Lines(lines) => lines_table(lines),
        Reply::LineAssigned { number, user } => format!("{number} is {user}'s."),
        Reply::LineReleased {
            number,
            rests_until: Some(until),
        } => format!("{number} is nobody's and rests until {}.", day(*until)),
        Reply::LineReleased { number, .. } => {
            format!("{number} is free: nobody ever talked on it.")
        }
        Reply::Queue(waiting) => queue_table(waiting, now),
        Reply::Retried(count) => format!("{} tried again now.", are(*count, "message")),
        Reply::Delivered { texts, to } => format!("{} on the way to {to}.", are(*texts, "text")),
        Reply::Cancelled { messages, told } => {
            format!("{} given up; {told} of them are told to their senders.", are(*messages, "message"))
        }
        Reply::Released(count) => {
            format!("{} sent now.", are(usize::try_from(*count).unwrap_or(0), "message"))
        }
        Reply::Messages(lives) => {
            let lives: Vec<String> = lives.iter().map(|life| life_facts(life, now)).collect();
            lives.join("\n")
        }
        Reply::Block {
            peer,
            gateways,
            blocked,
        } => {
            let word = if *blocked { "is blocked" } else { "is not blocked any more" };
            format!("{peer} {word} at {}.", gateways.join(", "))
        }
        Reply::Blocks(blocks) => blocks_table(blocks),
        Reply::Now(now) => now_table(now),
    }
}

fn users_table(users: &[User]) -> String {
    if users.is_empty() {
        return "There are no users.".to_owned();
    }
    let mut table = Table::new(&["USER~", "GATEWAY~", "STATE", "SINCE", "NUMBERS AND ADDRESSES~"]);
    for user in users {
        table.row([
            user.user.clone(),
            user.gateway.clone(),
            user.state.clone(),
            day(user.since),
            user.lines.join(", "),
        ]);
    }
    table.to_string()
}

fn user_facts(shown: &UserShown, now: Timestamp) -> String {
    let mut text = String::new();
    for at in &shown.registrations {
        let mut facts = Facts::default();
        facts.add("user", &shown.user);
        facts.add("gateway", &at.gateway);
        facts.add("state", format!("{}, since {}", at.state, minute(at.changed)));
        facts.add("registered", minute(at.since));
        facts.add_some("language", at.lang.as_ref());
        for (place, (line, state)) in at.lines.iter().enumerate() {
            let name = if place == 0 { "lines" } else { "" };
            let state = if state == "active" { String::new() } else { format!(" ({state})") };
            facts.add(name, format!("{line}{state}"));
        }
        facts.add(
            "today",
            format!("{} messages, {} segments", at.messages_today, at.segments_today),
        );
        facts.add(
            "waiting",
            format!("{} outwards, {} inwards", at.waiting_out, at.waiting_in),
        );
        facts.add("conversations", at.conversations_total.to_string());
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&facts.to_string());
        if !at.conversations.is_empty() {
            let mut table = Table::new(&["PEER~", "LINE~", "LAST ACTIVE"]);
            for talk in &at.conversations {
                let active = format!("{} ago", age(talk.active, now));
                table.row([talk.peer.clone(), talk.line.clone(), active]);
            }
            text.push('\n');
            text.push_str(&table.to_string());
        }
    }
    text
}

fn user_added(added: &UserAdded) -> String {
    let UserAdded {
        user,
        gateway,
        address,
        before,
    } = added;
    let how = match address {
        Some(address) => format!("with {address}"),
        None => "on the shared lines".to_owned(),
    };
    let before = match before.as_deref() {
        Some(before) if before != "active" => format!(" It was {before}."),
        _ => String::new(),
    };
    format!("{user} is a user of {gateway}, {how}.{before}")
}

fn user_renamed(renamed: &Renamed) -> String {
    let Renamed { old, new, gateways, lines, named_by } = renamed;
    let mut text = format!("Everything of {old} is {new}'s");
    if !gateways.is_empty() {
        text.push_str(&format!(", at {}", gateways.join(", ")));
    }
    if !lines.is_empty() {
        text.push_str(&format!(", with {}", lines.join(", ")));
    }
    text.push('.');
    if !named_by.is_empty() {
        text.push_str(&format!(
            "\nThe configuration file still names {old} and wins at the next start; change it there: {}",
            named_by.join(", ")
        ));
    }
    text
}

fn lines_table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "There are no lines.".to_owned();
    }
    let mut table = Table::new(&["NUMBER~", "GATEWAY~", "KIND", "STATE", "PROVIDERS~", "FROM", "OWNERS~"]);
    for line in lines {
        let whose = match &line.fallback {
            Some(fallback) => format!("else {fallback}"),
            None => line.owners.join(", "),
        };
        table.row([
            line.number.clone(),
            line.gateway.clone(),
            line.kind.clone(),
            line.state.clone(),
            line.providers.join(", "),
            line.source.clone(),
            whose,
        ]);
    }
    table.to_string()
}

fn queue_table(waiting: &[Waiting], now: Timestamp) -> String {
    if waiting.is_empty() {
        return "Nothing waits.".to_owned();
    }
    let mut table = Table::new(&["ID", "WAY", "AGE", "USER~", "PEER~", "TRIES", "NEXT", "WHY~"]);
    for one in waiting {
        let next = match (one.state, one.due) {
            (WaitingState::Queued, Some(due)) if due > now => format!("in {}", age(now, due)),
            (WaitingState::Queued, _) => "now".to_owned(),
            (WaitingState::Sending, _) => "sending".to_owned(),
            (WaitingState::Held | WaitingState::Restored | WaitingState::Unowned, _) => "held".to_owned(),
        };
        table.row([
            one.id.clone(),
            way(one.direction).to_owned(),
            age(one.accepted, now),
            one.user.clone().unwrap_or_else(|| "nobody".to_owned()),
            one.peer.clone(),
            one.attempts.to_string(),
            next,
            why(one),
        ]);
    }
    table.to_string()
}

fn why(one: &Waiting) -> String {
    match one.state {
        WaitingState::Held => "for corrections".to_owned(),
        WaitingState::Restored => "restored copy".to_owned(),
        WaitingState::Unowned => format!("no owner on {}", one.line),
        WaitingState::Queued | WaitingState::Sending => {
            let parts = [one.reason.as_deref(), one.code.as_deref()];
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            if parts.is_empty() { "its turn".to_owned() } else { parts.join(" ") }
        }
    }
}

fn life_facts(life: &Life, now: Timestamp) -> String {
    let mut facts = Facts::default();
    facts.add("id", format!("{} ({})", life.id, life.key));
    let user = life.user.as_deref().unwrap_or("nobody");
    let (from, to) = match life.direction {
        Direction::Out => (format!("{user}, as {}", life.line), life.peer.clone()),
        Direction::In => (life.peer.clone(), format!("{user}, on {}", life.line)),
    };
    facts.add("from", from);
    facts.add("to", to);
    facts.add("gateway", &life.gateway);
    facts.add_some("contact", life.contact.as_ref());
    facts.add("accepted", second(life.accepted));
    facts.add_some("last attempt", life.started.map(second));
    facts.add_some("ended", life.ended.map(second));
    let parts = if life.units > 1 {
        format!(", {} of {} parts through", life.units_done, life.units)
    } else {
        String::new()
    };
    facts.add("state", format!("{}{parts}", life.state));
    facts.add_some("next", life.due.map(|due| next(due, now)));
    let by = life.account.as_ref().map_or_else(String::new, |account| format!(", the last by {account}"));
    facts.add("attempts", format!("{}{by}", life.attempts));
    if !life.providers.is_empty() {
        facts.add("can go by", life.providers.join(", "));
    }
    if life.segments > 0 {
        facts.add("segments", life.segments.to_string());
    }
    let failed = [life.reason.as_deref(), life.code.as_deref()];
    let failed: Vec<&str> = failed.into_iter().flatten().collect();
    if !failed.is_empty() {
        facts.add("reason", failed.join(", code "));
    }
    facts.add_some("told", life.told.as_ref());
    facts.add_some("to be told", life.to_tell.as_ref());
    facts.add("text", if life.text_is_kept { "still kept" } else { "no longer kept" });
    for stanza in &life.stanzas {
        let receipt = if stanza.wants_receipt { ", wants a receipt" } else { "" };
        let id = if stanza.id.is_empty() { "(no id)" } else { &stanza.id };
        facts.add("stanza", format!("{id} of {}{receipt}", stanza.jid));
    }
    for id in &life.network_ids {
        let part = if life.units > 1 { format!(", part {}", id.part + 1) } else { String::new() };
        facts.add("network id", format!("{} {}{part}: {}", id.kind, id.value, id.progress));
    }
    facts.to_string()
}

fn blocks_table(blocks: &[Blocked]) -> String {
    if blocks.is_empty() {
        return "Nobody is blocked.".to_owned();
    }
    let mut table = Table::new(&["PEER~", "GATEWAY~", "SINCE"]);
    for block in blocks {
        table.row([block.peer.clone(), block.gateway.clone(), day(block.since)]);
    }
    table.to_string()
}

fn now_table(now: &Now) -> String {
    let mut facts = Facts::default();
    facts.add("database", if now.store_commits { "commits" } else { "does not commit" });
    for link in &now.links {
        facts.add("link", format!("{}: {}", link.gateway, link.detail));
    }
    facts.to_string()
}

fn way(direction: Direction) -> &'static str {
    direction.as_str()
}

/// `1 message is`, `2 messages are`.
fn are(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun} is")
    } else {
        format!("{count} {noun}s are")
    }
}

fn next(due: Timestamp, now: Timestamp) -> String {
    if due > now {
        format!("in {} ({})", age(now, due), second(due))
    } else {
        "now".to_owned()
    }
}

/// The length of time in its largest unit: `59s`, `4m`, `3h`, `12d`.
fn age(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second().saturating_sub(from.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn second(time: Timestamp) -> String {
    let whole = time.round(Unit::Second).unwrap_or(time);
    whole.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A refusal, fit for a terminal.
pub(super) fn refusal(text: &str) -> String {
    plain(text)
}
