//! Mail accounts that users bring.

use super::duration;
use transom_adapter::Unproven;

use crate::texts::{Own, OwnPage};

pub(super) fn own(text: &Own) -> String {
    match text {
        Own::NotHere => "Dieses Gateway nimmt keine E-Mail-Konten seiner Benutzer.".into(),
        Own::NoKeys => {
            "Dieses Gateway hat keinen Schlüssel, um Passwörter sicher aufzubewahren, und nimmt deshalb kein E-Mail-Konto. Bitte einen Administrator, store.key_file einzutragen.".into()
        }
        Own::BadAddress { typed } => format!("„{typed}“ ist keine E-Mail-Adresse. Schreib sie wie alice@example.com."),
        Own::GatewaysOwn { address } => format!("{address} ist eine Adresse dieses Gateways und braucht kein Konto. Schreib eine andere."),
        Own::TooMany { most } => format!("Du hast hier {most} E-Mail-Konten, mehr sind nicht erlaubt. Entferne zuerst eines davon."),
        Own::TooOften => "Das wurde zu oft versucht. Versuch es in einer Stunde wieder.".into(),
        Own::Taken { address } => format!("{address} ist hier schon von jemand anderem verbunden. Wenn es deine ist, frag einen Administrator."),
        Own::NotYours { address } => format!("Du hast hier kein E-Mail-Konto {address}. Schreib „mailbox“, um deine zu sehen."),
        Own::Link { address, url, works_for } => format!(
            "Gib das Passwort von {address} innerhalb von {} auf dieser Seite ein, schreib es niemals hierher. Die Seite gilt einmal:\n{url}",
            duration(*works_for)
        ),
        Own::None => "Du hast hier kein E-Mail-Konto. Schreib „mailbox-add“, um eines zu verbinden.".into(),
        Own::Works => "funktioniert".into(),
        Own::Connecting => "wird verbunden".into(),
        Own::OutOfReach { problem } => format!("ist gerade nicht zu erreichen und wird weiter versucht: {problem}"),
        Own::RefusedState { problem } => format!("lehnt das Passwort ab: {problem}"),
        Own::Connected { address } => format!(
            "{address} ist verbunden. Neue E-Mails dorthin kommen hier an, und was du jemandem schreibst, der dorthin schrieb, geht von dort ab."
        ),
        Own::Removed { address } => format!("{address} ist nicht mehr verbunden. Das Passwort und alles, was davon gespeichert war, ist gelöscht."),
        Own::LoginRefused { address, problem } => format!(
            "Die Server von {address} lehnen das Passwort ab: {problem}. Deine E-Mails bleiben dort, und von dort wird nichts gesendet. Schreib „mailbox-add“, um das neue Passwort einzugeben."
        ),
        Own::ConfirmRemove { address } => format!("Das Passwort von {address} wird gelöscht und was hier von den E-Mails gespeichert ist. Die E-Mails selbst bleiben, wo sie sind. Wirklich?"),
        Own::Page(text) => page(text),
        Own::Unproven(text) => unproven(text),
        Own::LoginNotStored => "Es lässt sich gerade nicht speichern. Versuch es in einer Minute wieder.".into(),
    }
}

fn page(text: &OwnPage) -> String {
    match text {
        OwnPage::Title => "Dein E-Mail-Konto".into(),
        OwnPage::About { address } => format!(
            "{address} verbinden: Neue E-Mails kommen in deine Chats, deine Antworten gehen von dieser Adresse ab. Das Passwort wird geprüft und dann verschlüsselt aufbewahrt; entferne es jederzeit, indem du dem Gateway „mailbox-remove“ schreibst."
        ),
        OwnPage::Servers { inward, outward } => format!("Gelesen wird bei {inward}, gesendet über {outward}."),
        OwnPage::NotFound => "Die Server dieser Adresse waren nicht zu finden. Sie stehen in der Hilfe deines Anbieters.".into(),
        OwnPage::Password => "Passwort".into(),
        OwnPage::Wait => "Einen Moment: Die Server werden gefragt. Diese Seite geht von selbst weiter.".into(),
        OwnPage::AppPassword => "Viele Anbieter wollen statt des üblichen ein eigens dafür gemachtes Passwort (App-Passwort).".into(),
        OwnPage::UserName => "Benutzername".into(),
        OwnPage::Inward => "Server für eingehende E-Mails (IMAP)".into(),
        OwnPage::Outward => "Server für ausgehende E-Mails (SMTP)".into(),
        OwnPage::ServerHint => "wie imap.example.com, oder mit Port: imap.example.com:143".into(),
        OwnPage::Connect => "Verbinden".into(),
        OwnPage::ByProvider { provider } => format!("Bei {provider} meldest du dich auf dessen eigener Seite an; das Passwort wird nicht hier eingegeben."),
        OwnPage::SignInThere { provider } => format!("Bei {provider} anmelden"),
    }
}

fn unproven(text: &Unproven) -> String {
    match text {
        Unproven::Login { problem } => format!(
            "Die Anmeldung wurde abgelehnt: {problem}. Prüf das Passwort und versuch es noch einmal."
        ),
        Unproven::Unreachable { server, problem } => format!(
            "{server} ist nicht zu erreichen: {problem}. Prüf den Server, oder versuch es später wieder."
        ),
        Unproven::Forbidden { server } => format!(
            "{server} steht nicht im öffentlichen Internet und wird deshalb nicht angesprochen. Bitte einen Administrator, es zu erlauben."
        ),
        Unproven::BadServer => {
            "Das ist nicht der Name eines Servers. Schreib ihn wie imap.example.com.".into()
        }
        Unproven::Unfit { server, problem } => {
            format!("{server} ist nicht zu gebrauchen: {problem}. Frag deinen Anbieter.")
        }
        Unproven::Provider { problem } => format!(
            "Der Anbieter hat nicht zugestimmt: {problem}. Melde dich dort noch einmal an, oder hol dir einen neuen Link."
        ),
    }
}
