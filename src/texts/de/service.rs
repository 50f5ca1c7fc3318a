//! To the admins, about registration, and from the gateway itself.

use transom_adapter::Network;

use super::{duration, size};
use crate::texts::{Admin, Chat, Registration, Trouble, quantity::date};

pub(super) fn admin(text: &Admin) -> String {
    match text {
        Admin::Trouble(trouble) => format!("⚠ {}", trouble_text(trouble)),
        Admin::AllClear(trouble) => format!("✓ {}", all_clear(trouble)),
        Admin::ApprovalRequest { user, gateway } => format!(
            "{user} möchte {gateway} benutzen. Schreib „user add {user}“ an {gateway}, um es zu erlauben; \
             um abzulehnen, musst du nichts tun."
        ),
        Admin::UserAdded { user } => {
            format!("{user} darf dieses Gateway jetzt benutzen und weiß es.")
        }
        Admin::UserDeclined { user } => format!("{user} ist abgelehnt und weiß es."),
        Admin::WhichUser => {
            "Schreib die Adresse der Person dahinter, etwa „user add alice@example.org“.".into()
        }
        Admin::NotAdmitted { user } => {
            format!(
                "Die Konfiguration lässt {user} nicht zu. Trag zuerst die Adresse oder ihre Domain in „allow“ ein."
            )
        }
        Admin::NothingToDecline { user } => format!("{user} wartet auf keine Antwort."),
        Admin::UserUnreachable { user, messages } => format!(
            "⚠ Der Server von {user} hat Nachrichten an dieses Konto abgewiesen; nicht zugestellt heute: {messages}."
        ),
    }
}

pub(super) fn registration(text: &Registration) -> String {
    use Registration as R;
    match text {
        R::Proof(text) => super::proof::proof(text),
        R::Instructions {
            network: Network::Sms,
        } => "Melde dich an, um SMS zu senden und zu empfangen. Du bekommst eine Nummer oder teilst eine mit anderen.".into(),
        R::Instructions {
            network: Network::Email,
        } => "Melde dich an, um E-Mails zu senden und zu empfangen. Du bekommst hier eine E-Mail-Adresse.".into(),
        R::AlreadyRegistered { address } => format!("Du bist mit {address} angemeldet."),
        R::Registered {
            address: Some(address),
            network,
        } => format!(
            "Du bist mit {address} angemeldet. Um jemandem zu schreiben, füge {} als Kontakt hinzu.",
            a_contact(*network)
        ),
        R::Registered {
            address: None,
            network,
        } => format!(
            "Du bist angemeldet und teilst eine Nummer mit anderen. Um jemandem zu schreiben, füge {} als Kontakt hinzu.",
            a_contact(*network)
        ),
        R::RequestSent => "Ein Administrator ist gefragt worden. Die Antwort erfährst du hier.".into(),
        R::Approved => "Ein Administrator hat dich freigeschaltet. Du kannst jetzt schreiben.".into(),
        R::Declined => "Ein Administrator hat deine Anmeldung abgelehnt.".into(),
        R::NoFreeLine => "Zurzeit ist keine Nummer frei. Frag einen Administrator.".into(),
        R::Taken { address } => {
            format!("{address} gehört schon jemand anderem. Such etwas anderes aus.")
        }
        R::BadAlias { alias } => format!(
            "{alias} kann hier keine E-Mail-Adresse sein. Nimm Buchstaben a bis z, Ziffern, Punkte und Bindestriche, höchstens 64."
        ),
        R::Disabled { until } => format!(
            "Du hast dieses Gateway entfernt, deshalb wird nichts mehr gesendet. Was hereinkommt, wird bis zum {} aufbewahrt; \
             füge das Gateway bis dahin wieder hinzu, dann ist alles wie vorher. Danach wird deine Nummer oder Adresse aufgegeben.",
            date(until)
        ),
        R::Restored => {
            "Willkommen zurück. Alles ist wie vorher; was inzwischen ankam, folgt jetzt.".into()
        }
        R::Unregistered => {
            "Du bist nicht mehr angemeldet, und was über dich gespeichert war, ist gelöscht. Auf Wiedersehen.".into()
        }
    }
}

pub(super) fn chat(text: &Chat) -> String {
    match text {
        Chat::Name {
            network: Network::Sms,
        } => "SMS".into(),
        Chat::Name {
            network: Network::Email,
        } => "E-Mail".into(),
        Chat::UnknownCommand { command } => {
            format!("„{command}“ ist kein Befehl. Schreib „help“, um die Befehle zu sehen.")
        }
        Chat::SearchDescription {
            network: Network::Sms,
        } => "Such jemanden, mit dem du geschrieben hast, nach Name oder Telefonnummer.".into(),
        Chat::SearchDescription {
            network: Network::Email,
        } => "Such jemanden, mit dem du geschrieben hast, nach Name oder E-Mail-Adresse.".into(),
        Chat::SearchField {
            network: Network::Sms,
        } => "Name oder Telefonnummer".into(),
        Chat::SearchField {
            network: Network::Email,
        } => "Name oder E-Mail-Adresse".into(),
        Chat::NameLabel => "Name".into(),
        Chat::PromptDescription {
            network: Network::Sms,
        } => "Gib die Telefonnummer der Person ein, der du schreiben möchtest, mit Ländervorwahl."
            .into(),
        Chat::PromptDescription {
            network: Network::Email,
        } => "Gib die E-Mail-Adresse der Person ein, der du schreiben möchtest.".into(),
        Chat::Prompt {
            network: Network::Sms,
        } => "Telefonnummer".into(),
        Chat::Prompt {
            network: Network::Email,
        } => "E-Mail-Adresse".into(),
    }
}

fn trouble_text(trouble: &Trouble) -> String {
    match trouble {
        Trouble::LinkRefused {
            gateway,
            problem,
            remedy,
        } => format!("Der XMPP-Server weist {gateway} ab: {problem}. {remedy}"),
        Trouble::Account { account, problem } => format!(
            "Der Zugang {account} funktioniert nicht: {problem}. Bis das behoben ist, warten Nachrichten oder scheitern."
        ),
        Trouble::BalanceLow { account, balance } => {
            format!("Der Zugang {account} hat noch ein Guthaben von {balance}. Lade es auf.")
        }
        Trouble::Waiting {
            gateway,
            age,
            messages,
        } => format!(
            "In {gateway} wartet die älteste Nachricht seit {}; wartende insgesamt: {messages}. Siehe „transom queue list“.",
            duration(*age)
        ),
        Trouble::Disk { bytes_free } => format!(
            "Auf der Festplatte sind nur noch {} frei. Ist sie voll, wird nichts mehr angenommen.",
            size(*bytes_free)
        ),
        Trouble::Unowned { line, messages } => format!(
            "An {line} kamen heute SMS, die niemandem gehören: {messages}. \
             Siehe „transom queue list“; „transom queue retry --to JID“ stellt sie zu."
        ),
    }
}

fn all_clear(trouble: &Trouble) -> String {
    match trouble {
        Trouble::LinkRefused { gateway, .. } => format!("{gateway} ist wieder verbunden."),
        Trouble::Account { account, .. } => format!("Der Zugang {account} funktioniert wieder."),
        Trouble::BalanceLow { account, .. } => {
            format!("Der Zugang {account} hat wieder genug Guthaben.")
        }
        Trouble::Waiting { gateway, .. } => {
            format!("In {gateway} wartet keine Nachricht mehr seit Langem.")
        }
        Trouble::Disk { .. } => "Auf der Festplatte ist wieder genug frei.".into(),
        Trouble::Unowned { line, .. } => {
            format!("An {line} warten keine Nachrichten mehr, die niemandem gehören.")
        }
    }
}

fn a_contact(network: Network) -> &'static str {
    match network {
        Network::Sms => "die Telefonnummer (etwa +12025550147) bei diesem Gateway",
        Network::Email => "die E-Mail-Adresse (etwa name\\40example.com) bei diesem Gateway",
    }
}

pub(super) fn a_contact_at(gateway: &str, network: Network) -> String {
    match network {
        Network::Sms => format!("+12025550147@{gateway} (mit der Nummer der Person)"),
        Network::Email => format!("name\\40example.com@{gateway} (mit der Adresse der Person)"),
    }
}
