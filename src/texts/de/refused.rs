//! Why something is not sent.

use transom_adapter::Network;

use super::size;
use crate::texts::{
    Cap, Content, Membership, Recipient,
    quantity::{date, time},
};

pub(super) fn membership(text: &Membership) -> String {
    use Membership as M;
    match text {
        M::NotRegistered { gateway } => format!(
            "Du bist bei {gateway} nicht angemeldet. Schreib „register“ an {gateway} und sende dies dann noch einmal."
        ),
        M::HasToChoose { gateway, network } => format!(
            "Du hast noch keine {}. Schreib „register“ an {gateway}, um eine auszusuchen, und sende dies dann noch einmal.",
            our_address(*network)
        ),
        M::RegistrationClosed => {
            "Du bist hier nicht angemeldet. Das können nur die Administratoren ändern: frag einen von ihnen.".into()
        }
        M::AwaitingApproval => "Ein Administrator muss dich freischalten und ist gefragt worden. \
             Diese Nachricht wurde nicht aufbewahrt: sende sie noch einmal, sobald du freigeschaltet bist."
            .into(),
        M::NotAllowed { gateway } => {
            format!("Dein Konto darf {gateway} nicht benutzen. Frag die Administratoren.")
        }
        M::Disabled { gateway, until } => format!(
            "Du hast {gateway} aus deinen Kontakten entfernt, deshalb wird nichts gesendet. \
             Füge {gateway} bis zum {} wieder hinzu, dann ist alles wie vorher.",
            date(until)
        ),
        M::NoLine { gateway } => format!(
            "Du hast keine Nummer, von der gesendet werden kann. Schreib „register“ an {gateway}, um eine zu bekommen."
        ),
        M::LineRetired => "Deine Nummer ist hier nicht mehr in Betrieb, deshalb wird von ihr nichts gesendet. \
             Bitte einen Administrator um eine andere."
            .into(),
        M::AccountRefused { address } => format!(
            "Das wurde nicht gesendet: Die Server von {address} lehnen das Passwort ab. Schreib dem Gateway „mailbox-add“, gib das neue ein und sende es noch einmal."
        ),
        M::Unproved { gateway } => format!(
            "Das wurde nicht gesendet: Du musst erst eine eigene Handynummer nachweisen. \
             Schreib „register“ an {gateway}, falls noch nicht geschehen, und dann „verify“ und deine Nummer."
        ),
        M::LineConflict => "Jemand anderes schreibt dieser Person gerade von der gemeinsamen Nummer aus, \
             und die Antworten gingen dorthin. Versuch es in einer Woche wieder oder bitte um eine eigene Nummer."
            .into(),
    }
}

pub(super) fn recipient(text: &Recipient) -> String {
    use Recipient as R;
    match text {
        R::InvalidAddress {
            network,
            suggestion: Some(jid),
        } => format!("So wird eine {} hier nicht geschrieben. Schreib an {jid}.", their_address(*network)),
        R::InvalidAddress {
            network: Network::Sms,
            suggestion: None,
        } => "Das ist keine Telefonnummer. Schreib sie mit Pluszeichen und Ländervorwahl, etwa +12025550147.".into(),
        R::InvalidAddress {
            network: Network::Email,
            suggestion: None,
        } => "Das ist keine E-Mail-Adresse. Schreib sie als name\\40example.com.".into(),
        R::CountryNotAllowed {
            region: Some(region),
        } => format!(
            "Nachrichten in dieses Land ({region}) sind hier nicht erlaubt. Frag einen Administrator."
        ),
        R::CountryNotAllowed { region: None } => {
            "Es ist nicht zu erkennen, in welches Land diese Nummer gehört, deshalb wird nichts gesendet. Prüfe die Nummer.".into()
        }
        R::PremiumNumber => "An teure Sondernummern wird nichts gesendet.".into(),
        R::EmergencyNumber => "DAS HAT NIEMANDEN ERREICHT. Der Notruf ist von hier aus nicht zu erreichen. \
             Ruf ihn jetzt mit dem Telefon an."
            .into(),
        R::CannotBeAnswered => "Dieser Absender kann keine Antworten empfangen.".into(),
        R::UnsupportedAddress => {
            "Das Netz kann an eine Adresse mit diesen Zeichen nichts zustellen. Frag nach einer anderen Adresse.".into()
        }
        R::OptedOut => "Diese Person möchte keine Nachrichten bekommen (STOP). \
             Du kannst wieder schreiben, sobald sie START sendet."
            .into(),
        R::Blocked => "Ein Administrator hat diese Adresse gesperrt.".into(),
        R::BlockedByUser => "Du hast diesen Kontakt gesperrt. Heb die Sperre auf, um ihm zu schreiben.".into(),
        R::Colleague { jid } => {
            format!("Diese Adresse gehört {jid}. Schreib direkt an {jid}.")
        }
    }
}

pub(super) fn content(text: &Content) -> String {
    use Content as C;
    match text {
        C::TooLong {
            segments,
            segments_max,
        } => format!(
            "Das ist zu lang: es braucht {segments} SMS, erlaubt sind {segments_max}. Kürze oder teile es."
        ),
        C::TooLarge { bytes_max } => format!(
            "Das ist zu groß; erlaubt sind höchstens {}. Kürze oder teile es.",
            size(*bytes_max)
        ),
        C::Empty => "Es steht kein Text darin, deshalb wurde nichts gesendet.".into(),
        C::Encrypted(encryption) => {
            let what = encryption.name().map_or_else(
                || "verschlüsselte Nachrichten".to_owned(),
                |name| format!("mit {name} verschlüsselte Nachrichten"),
            );
            format!(
                "Dieser Kontakt kann {what} nicht lesen. Schalte die Verschlüsselung für diesen Chat aus und sende es noch einmal."
            )
        }
        C::AttachmentsNotSupported => {
            "Das Netz befördert solche Dateien nicht zu diesem Kontakt, oder nicht so viele auf einmal. Sende nur den Text.".into()
        }
        C::TooManyRecipients { recipients_max } => format!(
            "Eine Nachricht kann an höchstens {recipients_max} Personen gehen. Schreib an weniger auf einmal."
        ),
        C::ReactionKept => "Reaktionen werden nicht weitergegeben, damit sie nichts kosten. Soll jede als Text gesendet werden, wähle in deinen Einstellungen bei Reaktionen \"yes\".".into(),
        C::AlreadySent => {
            "Diese Nachricht ist schon gesendet und kann nicht zurückgeholt werden.".into()
        }
        C::Call => {
            "Dieser Kontakt kann nicht angerufen werden. Schreib stattdessen eine Nachricht.".into()
        }
    }
}

pub(super) fn cap(text: &Cap) -> String {
    use Cap as C;
    match text {
        C::MessagesPerDay { max, until } => format!(
            "Du hast die {max} Nachrichten gesendet, die an einem Tag erlaubt sind. Sende dies nach {} noch einmal.",
            time(until)
        ),
        C::SegmentsPerDay { max, until } => format!(
            "Damit wären es mehr als die {max} SMS-Teile, die dir an einem Tag erlaubt sind. Sende es nach {} noch einmal.",
            time(until)
        ),
        C::GatewayPerDay { until } => format!(
            "Von hier ist alles gesendet worden, was an einem Tag erlaubt ist. Sende dies nach {} noch einmal.",
            time(until)
        ),
        C::NewPeersPerHour { max, until } => format!(
            "Du hast in einer Stunde {max} neuen Personen geschrieben; mehr sind nicht erlaubt. Sende dies nach {} noch einmal.",
            time(until)
        ),
        C::NoRoute => {
            "Von hier führt kein Weg dorthin. Das müssen die Administratoren ändern.".into()
        }
        C::Busy => {
            "Hier wartet zu viel, deshalb wurde dies nicht angenommen. Sende es in ein paar Minuten noch einmal.".into()
        }
    }
}

fn our_address(network: Network) -> &'static str {
    match network {
        Network::Sms => "Nummer",
        Network::Email => "E-Mail-Adresse",
    }
}

fn their_address(network: Network) -> &'static str {
    match network {
        Network::Sms => "Telefonnummer",
        Network::Email => "E-Mail-Adresse",
    }
}
