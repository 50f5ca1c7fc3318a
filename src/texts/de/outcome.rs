//! What became of a message.

use transom_adapter::{Network, Reason};

use super::{duration, size};
use crate::texts::{Failed, Lang, Notice, quantity::time};

pub(super) fn failed(text: &Failed) -> String {
    match text {
        Failed::Network { reason, network } => reason_of(*reason, *network).into(),
        Failed::Partly { reason } => format!(
            "Nur ein Teil ist angekommen. {}",
            reason_of(*reason, Network::Sms)
        ),
        Failed::GaveUp { after } => format!(
            "Es ließ sich in {} nicht zustellen. Sende es noch einmal, wenn es noch wichtig ist.",
            duration(*after)
        ),
        Failed::Unknown => {
            "Es ist vielleicht angekommen, vielleicht nicht. Sende es noch einmal, wenn du sicher sein musst.".into()
        }
        Failed::Internal => {
            "Hier ist etwas schiefgegangen. Sende es in ein paar Minuten noch einmal.".into()
        }
    }
}

pub(super) fn notice(text: &Notice) -> String {
    use Notice as N;
    match text {
        N::NotDelivered { excerpt, reason } => {
            format!(
                "⚠ Nicht zugestellt: „{excerpt}“: {}",
                reason.render(Lang::De)
            )
        }
        N::MayHaveArrived { excerpt } => format!(
            "⚠ „{excerpt}“ ist vielleicht angekommen, vielleicht nicht. Sende es noch einmal, wenn du sicher sein musst."
        ),
        N::DeliveredAfterAll { excerpt } => format!("✓ „{excerpt}“ ist doch noch angekommen."),
        N::NoReport { excerpt, after } => format!(
            "⚠ „{excerpt}“ wurde gesendet, aber seit {} ist nicht bekannt, ob es ankam.",
            duration(*after)
        ),
        N::Delayed { excerpt, remaining } => format!(
            "⚠ „{excerpt}“ ist noch nicht zugestellt. Weiter versucht wird es in den nächsten {}; noch einmal senden musst du es nicht.",
            duration(*remaining)
        ),
        N::Waits { excerpt, until } => format!(
            "Um diese Zeit wird dieser Person nichts gesendet. „{excerpt}“ geht um {} hinaus; noch einmal senden musst du es nicht.",
            time(until)
        ),
        N::TookBack { excerpt } => {
            format!("„{excerpt}“ wurde zurückgenommen, bevor es gesendet war.")
        }
        N::Stopped => "Diese Person möchte keine Nachrichten mehr bekommen (STOP). \
             Bis sie START sendet, wird nichts an sie gesendet."
            .into(),
        N::Started => "Dieser Person kann wieder geschrieben werden (START).".into(),
        N::ByOwner { name, text } => format!("{name}: {text}"),
        N::MailSigned => {
            "Diese E-Mail ist signiert; ob die Signatur stimmt, wurde hier nicht geprüft.".into()
        }
        N::MailEncrypted => {
            "⚠ Eine verschlüsselte E-Mail kam an, die hier nicht gelesen werden kann. \
             Bitte den Absender um unverschlüsselten Text."
                .into()
        }
        N::MailTooLarge { bytes } => format!(
            "⚠ Eine E-Mail mit {} kam an; das ist zu groß, um hier gezeigt zu werden. Bitte den Absender um eine kürzere.",
            size(*bytes)
        ),
        N::MailUnreadable { bytes } => format!(
            "⚠ Eine E-Mail mit {} kam an, die beschädigt und nicht lesbar ist. Bitte den Absender, sie noch einmal zu senden.",
            size(*bytes)
        ),
        N::Attachment { name, bytes } if name.is_empty() => format!(
            "📎 Dazu kam eine Datei mit {}, die hier nicht gezeigt wird.",
            size(*bytes)
        ),
        N::Attachment { name, bytes: 0 } => {
            format!("📎 Dazu kam eine Datei ({name}), die hier nicht gezeigt wird.")
        }
        N::Attachment { name, bytes } => format!(
            "📎 Dazu kam die Datei {name} ({}), die hier nicht gezeigt wird.",
            size(*bytes)
        ),
        N::SentElsewhere { text } => format!("Du hast von anderswo geschrieben: {text}"),
        N::GoesOn { name } => {
            format!("📎 Der Text ist zu lang für den Chat; ganz steht er in der Datei {name}.")
        }
        N::FileLost { name } => format!(
            "📎 Dazu kam eine Datei ({name}), die nicht zu holen war. Bitte den Absender, sie noch einmal zu senden."
        ),
    }
}

fn reason_of(reason: Reason, network: Network) -> &'static str {
    use Network::{Email, Sms};
    match (reason, network) {
        (Reason::NoSuchRecipient, Sms) => "Diese Nummer ist nicht vergeben. Prüfe sie.",
        (Reason::NoSuchRecipient, Email) => "Dieses Postfach gibt es nicht. Prüfe die Adresse.",
        (Reason::Unreachable, Sms) => {
            "Das Telefon war nicht zu erreichen; vielleicht ist es aus oder im Ausland. Sende es später noch einmal."
        }
        (Reason::Unreachable, Email) => {
            "Der Mailserver des Empfängers war nicht zu erreichen. Sende es später noch einmal."
        }
        (Reason::NotATextNumber, _) => {
            "Diese Nummer kann keine SMS empfangen; vielleicht ist es ein Festnetzanschluss."
        }
        (Reason::MailboxFull, Sms) => {
            "Der Speicher des Telefons ist voll. Sende es später noch einmal."
        }
        (Reason::MailboxFull, Email) => {
            "Das Postfach des Empfängers ist voll. Erreiche ihn auf einem anderen Weg."
        }
        (Reason::Filtered, Sms) => {
            "Der Netzbetreiber hielt es für unerwünscht und wies es ab. Schreib es mit anderen Worten."
        }
        (Reason::Filtered, Email) => {
            "Der Mailserver des Empfängers hielt es für unerwünscht und wies es ab. Schreib es mit anderen Worten."
        }
        (Reason::OptedOut, _) => "Diese Person möchte keine Nachrichten bekommen (STOP).",
        (Reason::NotPermitted, Sms) => {
            "Der Netzbetreiber erlaubt keine Nachrichten an diese Nummer. Frag einen Administrator."
        }
        (Reason::NotPermitted, Email) => {
            "Der Mailserver des Empfängers nimmt von hier keine Post an. Frag einen Administrator."
        }
        (Reason::TooLarge, Sms) => "Es ist zu lang für den Netzbetreiber. Kürze oder teile es.",
        (Reason::TooLarge, Email) => "Es ist zu groß für den Mailserver des Empfängers. Kürze es.",
        (Reason::Unsupported, _) => {
            "Das Netz kann diesen Inhalt nicht befördern. Sende einfachen Text."
        }
        (Reason::FileGone, _) => "Die Datei war nicht zu holen. Häng sie noch einmal an.",
        (Reason::FileForbidden, _) => {
            "Die Datei liegt an einem Ort, von dem nichts geholt werden darf. Häng sie mit deinem XMPP-Programm an."
        }
        (Reason::FileTooLarge, _) => {
            "Die Datei ist größer, als gesendet werden kann. Sende eine kleinere."
        }
        (Reason::FileNotTaken, _) => {
            "Das Netz befördert keine Dateien dieser Art. Sende eine andere Art, oder beschreib sie mit Worten."
        }
        (Reason::RateLimited, _) => {
            "In kurzer Zeit wurden zu viele Nachrichten gesendet. Sende es später noch einmal."
        }
        (Reason::NetworkDown, Sms) => {
            "Der Netzbetreiber war nicht zu erreichen. Sende es später noch einmal."
        }
        (Reason::NetworkDown, Email) => {
            "Der Mailserver war nicht zu erreichen. Sende es später noch einmal."
        }
        (Reason::Expired, _) => {
            "Es ließ sich nicht rechtzeitig zustellen. Sende es noch einmal, wenn es noch wichtig ist."
        }
        (Reason::OurAccount, _) => {
            "Von hier kann gerade nicht gesendet werden. Die Administratoren wissen Bescheid."
        }
        (Reason::Unspecified, Sms) => "Der Netzbetreiber wies es ohne Angabe eines Grundes ab.",
        (Reason::Unspecified, Email) => "Der Mailserver wies es ohne Angabe eines Grundes ab.",
    }
}
