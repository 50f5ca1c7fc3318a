//! What is said about a mail.

use crate::texts::{Card, CardRepeats, CardStep, Mail};

pub(super) fn mail(text: &Mail) -> String {
    match text {
        Mail::Spam => {
            "⚠ The spam filter took this mail for spam. Open its links and files only if you know the sender.".into()
        }
        Mail::Unverified => {
            "⚠ Nobody could verify who sent this mail. Ask the sender in another way before you act on it.".into()
        }
        Mail::Disowned { domain } => format!(
            "⚠ This mail is probably forged: {domain} says that it was not sent from there. Do not act on it."
        ),
        Mail::NameShowsAddress { shown, from } => format!(
            "⚠ The sender goes by the name {shown}, but this mail comes from {from}. Check who it is before you answer."
        ),
        Mail::Empty => "(A mail without text.)".into(),
        Mail::Automatic => "Automatic reply:".into(),
        Mail::CanBeAnswered => "Answer with /accept, /decline or /maybe.".into(),
        Mail::CanBeLeft => "/unsubscribe leaves this list.".into(),
        Mail::Appointment(card) => appointment(card),
    }
}

fn appointment(card: &Card) -> String {
    let kind = match card.step {
        CardStep::Announced => "Appointment",
        CardStep::Asked => "Invitation",
        CardStep::Cancelled => "Cancelled",
        CardStep::Answered => "Answer to an invitation",
    };
    let mut lines = vec![format!("📅 {kind}: {}", card.title)];
    let repeats = card.repeats.map_or("", |repeats| match repeats {
        CardRepeats::Daily => ", repeated in days",
        CardRepeats::Weekly => ", repeated in weeks",
        CardRepeats::Monthly => ", repeated in months",
        CardRepeats::Yearly => ", repeated in years",
    });
    lines.push(format!("When: {}{repeats}", card.when));
    lines.extend(card.place.as_ref().map(|place| format!("Where: {place}")));
    lines.extend(card.organiser.as_ref().map(|name| format!("From: {name}")));
    lines.join("\n")
}
