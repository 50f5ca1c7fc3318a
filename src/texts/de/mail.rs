//! Was zu einer E-Mail gesagt wird.

use crate::texts::{Card, CardRepeats, CardStep, Mail};

pub(super) fn mail(text: &Mail) -> String {
    match text {
        Mail::Spam => {
            "⚠ Der Spamfilter hält diese E-Mail für Spam. Öffne Links und Dateien darin nur, wenn du den Absender kennst.".into()
        }
        Mail::Unverified => {
            "⚠ Wer diese E-Mail gesendet hat, ließ sich nicht prüfen. Frag den Absender auf anderem Weg, bevor du dich danach richtest.".into()
        }
        Mail::Disowned { domain } => format!(
            "⚠ Diese E-Mail ist wahrscheinlich gefälscht: {domain} sagt, dass sie nicht von dort kommt. Richte dich nicht danach."
        ),
        Mail::NameShowsAddress { shown, from } => format!(
            "⚠ Der Absender nennt sich {shown}, aber diese E-Mail kommt von {from}. Prüfe, wer es ist, bevor du antwortest."
        ),
        Mail::Empty => "(Eine E-Mail ohne Text.)".into(),
        Mail::Automatic => "Automatische Antwort:".into(),
        Mail::CanBeAnswered => "Antworte mit /accept (zusagen), /decline (absagen) oder /maybe (vielleicht).".into(),
        Mail::CanBeLeft => "/unsubscribe meldet dich von dieser Liste ab.".into(),
        Mail::Appointment(card) => appointment(card),
    }
}

fn appointment(card: &Card) -> String {
    let kind = match card.step {
        CardStep::Announced => "Termin",
        CardStep::Asked => "Einladung",
        CardStep::Cancelled => "Abgesagt",
        CardStep::Answered => "Antwort auf eine Einladung",
    };
    let mut lines = vec![format!("📅 {kind}: {}", card.title)];
    let repeats = card.repeats.map_or("", |repeats| match repeats {
        CardRepeats::Daily => ", wiederholt nach Tagen",
        CardRepeats::Weekly => ", wiederholt nach Wochen",
        CardRepeats::Monthly => ", wiederholt nach Monaten",
        CardRepeats::Yearly => ", wiederholt nach Jahren",
    });
    lines.push(format!("Wann: {}{repeats}", card.when));
    lines.extend(card.place.as_ref().map(|place| format!("Wo: {place}")));
    lines.extend(card.organiser.as_ref().map(|name| format!("Von: {name}")));
    lines.join("\n")
}
