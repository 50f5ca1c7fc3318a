//! The operator's page, and the pages behind one-time links.

use crate::texts::Page;

pub(super) fn page(text: &Page) -> String {
    use Page as P;
    match text {
        P::Operator => "transom",
        P::Overview => "Überblick",
        P::Trace => "Nachricht suchen",
        P::Queue => "Warteschlange",
        P::Users => "Benutzer",
        P::Lines => "Nummern",
        P::Blocks => "Blockaden",
        P::HowToSignIn => {
            "Zum Anmelden führe auf dem Server „transom admin-link“ aus und öffne den Link, oder schreib dem Gateway als Administrator „page“."
        }
        P::Token => "Token (http.admin_token)",
        P::SignIn => "Anmelden",
        P::SignOut => "Abmelden",
        P::LinkSignsIn => "Dieser Link meldet dich auf der Verwaltungsseite an. Er gilt einmal.",
        P::Open => "Seite öffnen",
        P::LinkDownloads => {
            "Dieser Link gibt dir eine Datei mit allem, was über dich gespeichert ist. Er gilt einmal."
        }
        P::Download => "Herunterladen",
        P::LinkIsOver => {
            "Dieser Link gilt nicht mehr: Er gilt einmal und zehn Minuten lang. Frag nach einem neuen."
        }
        P::WrongToken => "Das ist nicht das Token.",
        P::TooManyTries => "Zu viele Versuche. Warte eine Minute.",
        P::FormIsOld => "Dieses Formular ist zu alt. Lade die Seite neu und wiederhole es.",
        P::Nothing => "Hier ist nichts.",
        P::Retry => "Jetzt versuchen",
        P::GiveUp => "Aufgeben",
        P::Release => "Senden",
        P::Approve => "Zulassen",
        P::Decline => "Ablehnen",
        P::Unblock => "Aufheben",
        P::Block => "Blockieren",
        P::Find => "Suchen",
        P::FindWhat => "Stanza-Kennung, Kennung des Anbieters, Message-ID oder Kennung aus der Warteschlange",
        P::BlockWhat => "Telefonnummer oder E-Mail-Adresse",
        P::Up => "verbunden",
        P::Down => "nicht verbunden",
        P::WaitingOut => "warten hinaus",
        P::WaitingIn => "warten herein",
        P::Oldest => "älteste",
        P::Unowned => "ohne Besitzer",
        P::Pending => "warten auf Zustimmung",
        P::Today => "Nachrichten heute",
    }
    .into()
}
