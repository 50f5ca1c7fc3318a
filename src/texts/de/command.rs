//! Commands: their names and labels, and what is said while they are walked through.

use crate::texts::{Dialogue, Label, Topic};

pub(super) fn dialogue(text: &Dialogue) -> String {
    use Dialogue as D;
    match text {
        D::Title(topic) => title(*topic).into(),
        D::About(topic) => about(*topic).into(),
        D::Help {
            gateway,
            network,
            commands,
            admin,
        } => {
            let line = |(name, topic): &(&str, Topic)| format!("\n{name}: {}", about(*topic));
            let mut text = format!(
                "Hier ist {gateway}. Um jemandem zu schreiben, füge {} als Kontakt hinzu und sende eine Nachricht.\n\
                 Das kannst du hier schreiben:",
                super::service::a_contact_at(gateway, *network)
            );
            text.extend(commands.iter().map(line));
            if !admin.is_empty() {
                text.push_str("\nFür Administratoren:");
                text.extend(admin.iter().map(line));
            }
            text.push_str("\nhelp NAME: mehr über einen davon\ncancel: Begonnenes abbrechen");
            text
        }
        D::HelpFor { usage, topic } => format!("{usage}\n{}: {}.", title(*topic), about(*topic)),
        D::Ask(name) => format!("{}?", label(name)),
        D::Choose(name) => format!("{}? Antworte mit einer Zahl:", label(name)),
        D::YesOrNo => "Antworte „ja“ oder „nein“.".into(),
        D::MayBeSkipped { now: Some(now) } => {
            format!("Jetzt: „{now}“; mit „-“ bleibt es so.")
        }
        D::MayBeSkipped { now: None } => "Mit „-“ bleibt das leer.".into(),
        D::OrCancel => "„cancel“ bricht ab.".into(),
        D::Cancelled => "Abgebrochen. Nichts wurde geändert.".into(),
        D::NothingToCancel => "Es gibt nichts abzubrechen.".into(),
        D::NotAsked => {
            "Ich weiß nicht mehr, worauf das antwortet; die Frage ist zu lange her. \
             Schreib den Befehl noch einmal, oder „help“."
                .into()
        }
        D::BadValue(name) => format!("Das passt nicht zu „{}“. Versuch es noch einmal.", label(name)),
        D::Missing(name) => format!("„{}“ darf nicht leer bleiben.", label(name)),
        D::ConfirmUnregister => {
            "Deine Nummer oder Adresse wird aufgegeben und alles, was über dich gespeichert ist, gelöscht. Wirklich?".into()
        }
        D::ConfirmAnnounce { users } => format!("Das geht an so viele Benutzer: {users}. Wirklich?"),
        D::TooMany => {
            "Zu viele Formulare sind offen. Schließe eines ab oder brich es ab, dann beginne neu.".into()
        }
        D::TooFast => "Das war zu viel auf einmal, und diese Nachricht habe ich nicht gelesen. Warte eine Minute, dann schreib sie noch einmal.".into(),
        D::Expired => "Dieses Formular ist zu alt. Beginne neu.".into(),
        D::NotForYou => "Das dürfen nur Administratoren.".into(),
        D::Done => "Erledigt.".into(),
    }
}

fn title(topic: Topic) -> &'static str {
    use Topic as T;
    match topic {
        T::Register => "Anmelden",
        T::Verify => "Meine Handynummer nachweisen",
        T::Code => "Code eingeben",
        T::Unregister => "Abmelden",
        T::Status => "Meine Anmeldung",
        T::Settings => "Einstellungen",
        T::Contacts => "Kontakte",
        T::Messages => "Meine letzten Nachrichten",
        T::Trace => "Was aus einer Nachricht wurde",
        T::Usage => "Was ich heute verbraucht habe",
        T::Cost => "Was ein Text kostet",
        T::Block => "Jemanden blockieren",
        T::Unblock => "Jemanden wieder zulassen",
        T::Blocks => "Wen ich blockiere",
        T::Import => "Kontakte importieren",
        T::Optouts => "Wer STOP gesagt hat",
        T::Export => "Meine Daten exportieren",
        T::Mailboxes => "Meine E-Mail-Konten",
        T::MailboxAdd => "Mein E-Mail-Konto verbinden",
        T::MailboxRemove => "Ein E-Mail-Konto trennen",
        T::Aliases => "Meine Adressen für einen Zweck",
        T::Alias => "Eine Adresse für einen Zweck anlegen",
        T::AliasDrop => "Eine solche Adresse aufgeben",
        T::Original => "Die letzte E-Mail, wie sie kam",
        T::Strangers => "Wer mir schreiben möchte",
        T::Accept => "E-Mails eines Fremden annehmen",
        T::Discard => "E-Mails eines Fremden wegwerfen",
        T::Allow => "Jemandem immer erlauben",
        T::Disallow => "Jemandem nicht mehr immer erlauben",
        T::Allowed => "Wem ich immer erlaube",
        T::Users => "Benutzer",
        T::UserShow => "Ein Benutzer",
        T::UserAdd => "Benutzer zulassen",
        T::UserDecline => "Benutzer ablehnen",
        T::UserRemove => "Benutzer entfernen",
        T::UserRename => "Benutzer umbenennen",
        T::Lines => "Unsere Nummern",
        T::LineAssign => "Nummer vergeben",
        T::LineRelease => "Nummer zurücknehmen",
        T::Queue => "Was wartet",
        T::QueueRetry => "Nachrichten erneut versuchen",
        T::QueueCancel => "Nachrichten aufgeben",
        T::QueueRelease => "Zurückgehaltenes senden",
        T::State => "Zustand des Gateways",
        T::Announce => "Allen Benutzern schreiben",
        T::Bar => "Jemanden für alle blockieren",
        T::Unbar => "Jemanden für alle wieder zulassen",
        T::Barred => "Wer für alle blockiert ist",
        T::LogLevel => "Wie viel das Protokoll sagt",
        T::Page => "Link zur Verwaltungsseite",
    }
}

fn about(topic: Topic) -> &'static str {
    use Topic as T;
    match topic {
        T::Register => "anmelden, oder eine Nummer oder Adresse aussuchen",
        T::Verify => "schickt einen Code an deine Handynummer, den du mit „code“ eingibst",
        T::Code => "der Code, der an deine Handynummer geschickt wurde",
        T::Unregister => "abmelden; alles über dich wird gelöscht",
        T::Status => "deine Nummer oder Adresse, und wie es um dich steht",
        T::Settings => "deine Sprache, Empfangsbestätigungen und die Nummer, von der du schreibst",
        T::Contacts => "mit wem du schreibst; benennen, blockieren oder vergessen",
        T::Messages => "was aus deinen letzten Nachrichten wurde",
        T::Trace => "alles über eine Nachricht, mit ihrer Kennung",
        T::Usage => "wie viel du heute gesendet hast, und wie viel du darfst",
        T::Cost => "wie viele SMS-Segmente ein Text braucht",
        T::Block => "jemand erreicht dich nicht mehr",
        T::Unblock => "jemand erreicht dich wieder",
        T::Blocks => "wen du blockiert hast",
        T::Aliases => "die Adressen, die du angelegt hast, und wer dorthin schreibt",
        T::Alias => "eine Adresse, die du wieder aufgeben kannst, etwa für einen Laden",
        T::AliasDrop => "E-Mails an eine solche Adresse werden danach abgelehnt",
        T::Import => "Namen für deine Kontakte, aus den vCards eines Adressbuchs",
        T::Optouts => "wer STOP gesagt hat und bis START nichts mehr bekommt",
        T::Original => "jemandes letzte E-Mail, wie sie kam; im Chat mit ihm schreib /original",
        T::Strangers => "wessen E-Mails auf dein Wort warten; zustellen, wegwerfen, sperren",
        T::Accept => "was jemand schrieb, der auf dein Wort wartet, wird zugestellt",
        T::Discard => "was jemand schrieb, der auf dein Wort wartet, wird weggeworfen",
        T::Allow => "jemandes E-Mails warten nie auf dein Wort",
        T::Disallow => "jemandes E-Mails werden wieder behandelt wie die von anderen",
        T::Allowed => "wessen E-Mails nie auf dein Wort warten",
        T::Export => "alles, was über dich gespeichert ist, als Datei",
        T::Mailboxes => "deine eigenen E-Mail-Konten, und ob sie funktionieren",
        T::MailboxAdd => {
            "lies und schreib hier die E-Mails deines eigenen Kontos, oder gib sein neues Passwort ein"
        }
        T::MailboxRemove => "lösch das Passwort eines Kontos und alles, was davon gespeichert ist",
        T::Users => "wer dieses Gateway benutzt",
        T::UserShow => "Nummern, Gespräche und Wartendes eines Benutzers",
        T::UserAdd => "jemanden zulassen",
        T::UserDecline => "jemanden ablehnen, der gefragt hat",
        T::UserRemove => "jemanden abmelden, sofort und vollständig",
        T::UserRename => "alles eines Kontos einem anderen geben",
        T::Lines => "unsere Nummern und wem sie gehören",
        T::LineAssign => "einem Benutzer eine freie Nummer geben",
        T::LineRelease => "den Besitzern eine Nummer nehmen",
        T::Queue => "was wartet, und warum",
        T::QueueRetry => "Wartendes jetzt noch einmal versuchen",
        T::QueueCancel => "Wartendes aufgeben; die Absender erfahren es",
        T::QueueRelease => "senden, was nach dem Zurückspielen einer Kopie zurückgehalten wird",
        T::State => "ob Verbindungen und Datenbank arbeiten",
        T::Announce => "allen Benutzern eine Nachricht schreiben",
        T::Bar => "eine Nummer oder Adresse für alle blockieren",
        T::Unbar => "das wieder aufheben",
        T::Barred => "welche Nummern und Adressen für alle blockiert sind",
        T::LogLevel => "ändern, wie viel das Protokoll bis zum nächsten Start sagt",
        T::Page => "ein Link zur Verwaltungsseite, für einmal",
    }
}

pub(super) fn label(text: &Label) -> String {
    use Label as L;
    match text {
        L::User => "Benutzer",
        L::NewUser => "Neues Konto",
        L::Gateway => "Gateway",
        L::State => "Zustand",
        L::Since => "Seit",
        L::Addresses => "Nummern und Adressen",
        L::Address => "Nummer oder Adresse",
        L::MailAddress => "E-Mail-Adresse",
        L::Kind => "Art",
        L::Providers => "Anbieter",
        L::Source => "Herkunft",
        L::Owners => "Besitzer",
        L::Id => "Kennung",
        L::Way => "Richtung",
        L::Age => "Alter",
        L::Mobile => "Handynummer",
        L::ProofCode => "Code",
        L::Rename | L::Name => "Name",
        L::Tries | L::Attempts => "Versuche",
        L::Next => "Nächster",
        L::Why | L::Reason => "Grund",
        L::Language => "Sprache",
        L::Registered => "Angemeldet",
        L::Today => "Heute",
        L::Waiting => "Wartend",
        L::Conversations => "Gespräche",
        L::Line => "Leitung",
        L::LastActive => "Zuletzt",
        L::From => "Von",
        L::To => "An",
        L::Contact | L::Peer => "Kontakt",
        L::Accepted => "Angenommen",
        L::LastAttempt => "Letzter Versuch",
        L::Ended => "Beendet",
        L::CanGoBy => "Möglich über",
        L::Segments => "Segmente",
        L::Told => "Gemeldet",
        L::ToBeTold => "Noch zu melden",
        L::Text => "Text",
        L::Stanza => "Stanza",
        L::NetworkId => "Netzkennung",
        L::Database => "Datenbank",
        L::Link => "Verbindung",
        L::Account => "Zugang",
        L::LogLevel => "Stufe des Protokolls",
        L::Receipts => "Empfangsbestätigungen",
        L::DefaultLine => "Neue Gespräche von",
        L::Action => "Was tun",
        L::Sure => "Wirklich",
        L::Messages => "Nachrichten",
        L::NewPeers => "Neue Leute in der letzten Stunde",
        L::Everybody => "Alle Benutzer zusammen",
        L::Limit => "Verbraucht und erlaubt",
        L::Ids => "Kennungen",
        L::Time => "Zeit",
        L::Remove => "Vergessen",
        L::Block => "Blockieren",
        L::Unblock => "Wieder zulassen",
        L::AsConfigured => "Wie das Gateway es hält",
        L::Purpose => "Wofür",
        L::Yes => "ja",
        L::No => "nein",
        L::Nobody => "niemand",
        L::Word(word) => return self::word(word).into(),
        other => setting(other),
    }
    .into()
}

/// What a user can choose for texts.
fn setting(text: &Label) -> &'static str {
    use Label as L;
    match text {
        L::AddressBook => "Adressbuch (vCards)",
        L::Quotes => "Zitat in Antworten (kostet mehr)",
        L::ReactionsAsText => "Reaktionen als Text (jede kostet einen Text)",
        L::FileLinks => "Dateien als Links, wo sie nicht gesendet werden können",
        other => super::post::label(other),
    }
}

/// The words of the database.
fn word(word: &str) -> &str {
    match word {
        "active" => "aktiv",
        "pending" => "wartet auf Zustimmung",
        "disabled" => "stillgelegt",
        "owned" => "vergeben",
        "pool" => "Vorrat",
        "shared" => "geteilt",
        "retired" => "außer Dienst",
        "resting" => "ruht",
        "file" => "Datei",
        "command" => "Befehl",
        "registration" => "Anmeldung",
        "held" => "zurückgehalten",
        "queued" => "wartet",
        "sending" => "wird gesendet",
        "unknown" => "ungewiss",
        "accepted" => "vom Netz angenommen",
        "sent" => "gesendet",
        "delayed" => "verzögert",
        "expired" => "aufgegeben",
        "failed" => "gescheitert",
        "delivered" => "zugestellt",
        "read" => "gelesen",
        "cancelled" => "abgebrochen",
        "restored" => "zurückgespielt",
        "unowned" => "ohne Besitzer",
        "out" => "hinaus",
        "in" => "herein",
        "up" => "verbunden",
        other => other,
    }
}
