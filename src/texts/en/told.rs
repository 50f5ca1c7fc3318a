//! What came of a command.

use super::duration;
use crate::texts::{
    Told,
    quantity::{in_a_row, time},
};

pub(super) fn told(text: &Told) -> String {
    use Told as T;
    match text {
        T::NoUsers => "There are no users.".into(),
        T::NoLines => "There are no lines.".into(),
        T::NothingWaits => "Nothing waits.".into(),
        T::NobodyBlocked => "Nobody is blocked.".into(),
        T::Imported { contacts, left_out } => imported(*contacts, *left_out),
        T::NobodyOptedOut => "Nobody has said STOP.".into(),
        T::NoContacts => "You have not written with anybody yet.".into(),
        T::NoMessages => "There are no messages of yours any more.".into(),
        T::UserAdded { .. } | T::UserRemoved { .. } | T::UserDeclined { .. } | T::UserRenamed { .. } => {
            user(text)
        }
        T::LineAssigned { number, user } => format!("{number} is {user}'s."),
        T::LineReleased {
            number,
            rests_until: Some(until),
        } => format!("{number} is nobody's and rests until {until}."),
        T::LineReleased { number, .. } => format!("{number} is free: nobody ever talked on it."),
        T::Retried(count) => format!("{} tried again now.", are(*count, "message")),
        T::Delivered { texts, to } => format!("{} on the way to {to}.", are(*texts, "text")),
        T::GivenUp { messages, told } => {
            let who = match told {
                0 => "nobody is told".to_owned(),
                1 => "one sender is told".to_owned(),
                told => format!("{told} senders are told"),
            };
            format!("{} given up; {who}.", are(*messages, "message"))
        }
        T::Released(0) => "Nothing is held since a copy was put back.".into(),
        T::Released(count) => format!("{} sent now.", are(*count, "message")),
        T::Blocked { peer, gateways } => format!("{peer} is blocked{}.", led(" at ", gateways)),
        T::Unblocked { peer, gateways } => format!("{peer} is not blocked any more{}.", led(" at ", gateways)),
        T::SettingsKept => "Your settings are kept.".into(),
        T::Renamed { peer, name } => format!("{peer} is \"{name}\" from now on."),
        T::Forgotten { peer } => {
            format!("{peer} is forgotten, with everything that was kept of the conversation.")
        }
        T::Cost { .. } => cost(text),
        T::NoCost => "Mail costs nothing.".into(),
        T::ExportLink { url, works_for } => format!(
            "Everything that is kept about you is here, for one download within {}:\n{url}",
            duration(*works_for)
        ),
        T::NoLinks => {
            "This gateway cannot make links, because its public address is not configured. Ask an administrator.".into()
        }
        T::LimitsEnd { until } => format!("The counts begin anew at {}.", time(until)),
        T::More(count) => format!("{count} more are not shown."),
        other => service(other),
    }
}

fn imported(contacts: usize, left_out: usize) -> String {
    let rest = match left_out {
        0 => String::new(),
        1 => " One card has no address for this gateway.".into(),
        many => format!(" {many} cards have no address for this gateway."),
    };
    format!("{} known now.{rest}", are(contacts, "contact"))
}

/// About the service as a whole.
fn service(text: &Told) -> String {
    use Told as T;
    match text {
        T::Resealed {
            logins,
            unreadable: 0,
        } => format!("{} sealed with the newest key.", are(*logins, "login")),
        T::Resealed { logins, unreadable } => format!(
            "{} sealed with the newest key. {unreadable} could not be opened and stay as they are; the log names them, and their owners have to enter them again.",
            are(*logins, "login")
        ),
        T::Announcing { users } => {
            format!("Your message goes out to {users} users now, little by little.")
        }
        T::Announcement { text } => format!("From the administrators of this gateway: {text}"),
        T::TrialText { gateway } => {
            format!(
                "This is a test of {gateway}. Whoever looks after it wanted to see whether messages arrive; there is nothing to do."
            )
        }
        T::Tried { id } => format!("The message was taken; `transom trace {id}` follows it."),
        T::LogLevel(level) => format!("The log's level is {level} until the next start."),
        T::PageLink { url, works_for } => format!(
            "This opens the operator's page once, within {}:\n{url}",
            duration(*works_for)
        ),
        other => part(other),
    }
}

fn user(text: &Told) -> String {
    match text {
        Told::UserAdded {
            user,
            gateway,
            address,
            before,
        } => {
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
        Told::UserRemoved { user, gateways } => {
            format!("{user} is no user of {gateways} any more.")
        }
        Told::UserDeclined { user } => format!("{user} is declined and has been told."),
        Told::UserRenamed {
            old,
            new,
            gateways,
            lines,
            named_by,
        } => {
            let warning = led(
                &format!(
                    "\nThe configuration file still names {old} and wins at the next start; change it there: "
                ),
                named_by,
            );
            format!(
                "Everything of {old} is {new}'s{}{}.{warning}",
                led(", at ", gateways),
                led(", with ", lines)
            )
        }
        _ => String::new(),
    }
}

/// What stands in a cell or behind a name: no sentence.
fn part(text: &Told) -> String {
    use Told as T;
    match text {
        T::Commits(true) => "commits".into(),
        T::Commits(false) => "does not commit".into(),
        T::ForCorrections => "for corrections".into(),
        T::RestoredCopy => "restored copy".into(),
        T::NoOwnerOn(line) => format!("no owner on {line}"),
        T::ItsTurn => "its turn".into(),
        T::In(length) => format!("in {length}"),
        T::Now => "now".into(),
        T::TextKept(true) => "still kept".into(),
        T::TextKept(false) => "no longer kept".into(),
        T::PartsThrough { done, of } => format!("{done} of {of} parts through"),
        T::LastBy(account) => format!("the last by {account}"),
        T::Used { messages, segments } => format!("{messages} messages, {segments} segments"),
        T::Ways { out, inward } => format!("{out} outwards, {inward} inwards"),
        T::WantsReceipt => "wants a receipt".into(),
        T::NoId => "(no id)".into(),
        T::AsLine { user, line } => format!("{user}, as {line}"),
        T::OnLine { user, line } => format!("{user}, on {line}"),
        T::Else(whom) => format!("else {whom}"),
        T::SinceWhen { state, since } => format!("{state}, since {since}"),
        T::Part(number) => format!("part {number}"),
        _ => String::new(),
    }
}

/// The names behind their lead, or nothing.
fn led(lead: &str, names: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("{lead}{names}")
    }
}

/// `1 message is`, `2 messages are`.
fn are(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun} is")
    } else {
        format!("{count} {noun}s are")
    }
}

fn cost(text: &Told) -> String {
    let Told::Cost {
        characters,
        segments,
        segments_max,
        left,
        unicode,
        costly,
        replaced,
    } = text
    else {
        return String::new();
    };
    let plural = if *segments == 1 { "" } else { "s" };
    let mut said = vec![format!(
        "{characters} characters take {segments} segment{plural}. {left} more would fit in."
    )];
    if *unicode {
        let costly = in_a_row(costly);
        said.push(format!(
            "It goes as Unicode, 70 characters to a segment instead of 160, because of: {costly}"
        ));
    }
    if !replaced.is_empty() {
        let replaced = in_a_row(replaced);
        said.push(format!(
            "Sent as plainer characters, which is cheaper: {replaced}"
        ));
    }
    if segments > segments_max {
        said.push(format!(
            "That is too long: {segments_max} segments are allowed."
        ));
    }
    said.join(" ")
}
