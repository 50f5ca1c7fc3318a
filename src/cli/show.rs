//! Replies for people: tables, facts, sentences.

mod life;

use jiff::{Timestamp, Unit};

use super::table::{Facts, Table, plain};
use crate::operations::{
    Blocked, Direction, Line, Now, Renamed, Reply, User, UserAdded, UserShown, Waiting,
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
            let who = match told {
                0 => "nobody is told".to_owned(),
                1 => "one sender is told".to_owned(),
                told => format!("{told} senders are told"),
            };
            format!("{} given up; {who}.", are(*messages, "message"))
        }
        Reply::Released(0) => "Nothing is held since a copy was put back.".to_owned(),
        Reply::Released(count) => {
            format!(
                "{} sent now.",
                are(usize::try_from(*count).unwrap_or(0), "message")
            )
        }
        Reply::Messages(lives) => {
            let lives: Vec<String> = lives.iter().map(|life| life::facts(life, now)).collect();
            lives.join("\n")
        }
        Reply::Block {
            peer,
            gateways,
            blocked,
        } => {
            let word = if *blocked {
                "is blocked"
            } else {
                "is not blocked any more"
            };
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
    let mut table = Table::new(&[
        "USER~",
        "GATEWAY~",
        "STATE",
        "SINCE",
        "NUMBERS AND ADDRESSES~",
    ]);
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
        facts.add(
            "state",
            format!("{}, since {}", at.state, minute(at.changed)),
        );
        facts.add("registered", minute(at.since));
        facts.add_some("language", at.lang.as_ref());
        for (place, (line, state)) in at.lines.iter().enumerate() {
            let name = if place == 0 { "lines" } else { "" };
            let state = if state == "active" {
                String::new()
            } else {
                format!(" ({state})")
            };
            facts.add(name, format!("{line}{state}"));
        }
        facts.add(
            "today",
            format!(
                "{} messages, {} segments",
                at.messages_today, at.segments_today
            ),
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
    let Renamed {
        old,
        new,
        gateways,
        lines,
        named_by,
    } = renamed;
    let listed = |lead: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("{lead}{}", names.join(", ")),
    };
    let (at, with) = (listed(", at ", gateways), listed(", with ", lines));
    let warning = format!(
        "\nThe configuration file still names {old} and wins at the next start; change it there: "
    );
    format!(
        "Everything of {old} is {new}'s{at}{with}.{}",
        listed(&warning, named_by)
    )
}

fn lines_table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "There are no lines.".to_owned();
    }
    let mut table = Table::new(&[
        "NUMBER~",
        "GATEWAY~",
        "KIND",
        "STATE",
        "PROVIDERS~",
        "FROM",
        "OWNERS~",
    ]);
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
    let mut table = Table::new(&[
        "ID", "WAY", "AGE", "USER~", "PEER~", "TRIES", "NEXT", "WHY~",
    ]);
    for one in waiting {
        let next = match (one.state, one.due) {
            (WaitingState::Queued, Some(due)) if due > now => format!("in {}", age(now, due)),
            (WaitingState::Queued, _) => "now".to_owned(),
            (WaitingState::Sending, _) => "sending".to_owned(),
            (WaitingState::Held | WaitingState::Restored | WaitingState::Unowned, _) => {
                "held".to_owned()
            }
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
            if parts.is_empty() {
                "its turn".to_owned()
            } else {
                parts.join(" ")
            }
        }
    }
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
    facts.add(
        "database",
        if now.store_commits {
            "commits"
        } else {
            "does not commit"
        },
    );
    for link in &now.links {
        facts.add("link", format!("{}: {}", link.gateway, link.detail));
    }
    for account in &now.accounts {
        let state = if account.up { "up" } else { &account.detail };
        facts.add("account", format!("{}: {state}", account.account));
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
