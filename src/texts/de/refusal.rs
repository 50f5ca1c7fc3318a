//! Why a command came to nothing, without a full stop as in English.

use crate::texts::{Lang, Refusal};

pub(super) fn refusal(text: &Refusal) -> String {
    use Refusal as R;
    match text {
        R::NoCards => "Darin steht kein Kontakt; gib vCards an, wie Adressbücher sie exportieren (eine Datei, die auf .vcf endet)".into(),
        R::NoSuchGateway { name, known } => {
            format!(
                "Es gibt kein Gateway „{name}“; es gibt {}",
                known.join(", ")
            )
        }
        R::WhichGateway { known } => format!(
            "Es gibt mehrere Gateways; nenne eines mit --gateway: {}",
            known.join(", ")
        ),
        R::NotAPerson { text } => {
            format!("„{text}“ ist nicht die Adresse einer Person wie alice@example.org")
        }
        R::NoSuchUser { user, gateway } => match gateway {
            Some(gateway) => format!("{user} ist bei {gateway} nicht angemeldet"),
            None => format!("{user} ist nicht angemeldet"),
        },
        R::UserExists { user, gateway } => format!("{user} ist bei {gateway} schon angemeldet"),
        R::NotAdmitted { user, gateway } => format!(
            "{user} darf {gateway} nicht benutzen: Trag die Adresse oder ihre Domain in xmpp.allow ein, \
             und in gateway.{gateway}.allow, falls es das gibt"
        ),
        R::BadAlias { address } => format!(
            "„{address}“ kann kein Alias sein: Buchstaben a bis z, Ziffern, Punkte und Striche, \
             kein reservierter Name, keine andere Domain"
        ),
        R::Taken { address, owner } => format!("{address} gehört {owner}"),
        R::BadAddress { gateway } => {
            format!("Das ist keine Adresse, die {gateway} kennt; schreib Nummern wie +12025550100")
        }
        R::HasToChoose {
            user,
            gateway,
            free,
        } => format!(
            "{gateway} hat von sich aus keine Nummer oder Adresse für {user}{}",
            among(free)
        ),
        R::NotFree {
            address,
            gateway,
            free,
        } => format!("{address} ist bei {gateway} nicht frei{}", among(free)),
        R::BadPeer { peer } => format!(
            "„{peer}“ ist keine Telefonnummer und keine E-Mail-Adresse, die ein Gateway hier kennt"
        ),
        R::NotBlocked { peer } => format!("{peer} ist nicht blockiert"),
        R::NotAllowed => "Das dürfen nur Administratoren".into(),
        R::NoSuchContact { peer } => format!("Mit {peer} hast du kein Gespräch"),
        R::BadSetting { name } => {
            format!("Eine Einstellung „{name}“ gibt es nicht, oder nicht mit diesem Wert")
        }
        R::NotYourLine { address } => format!("{address} ist keine Nummer oder Adresse von dir"),
        R::NoLinks => {
            "Dazu braucht es einen Link, und http.public_url ist nicht eingetragen".into()
        }
        R::NotRunning => "Dazu muss transom laufen, und keines läuft".into(),
        R::Said(text) => text.render(Lang::De),
        R::Changed => {
            "Jemand anderes hat es im selben Moment geändert; sieh noch einmal nach".into()
        }
        R::BadRequest(why) => format!("Die Anfrage ergibt keinen Sinn: {why}"),
        R::Busy(why) => format!("Die Datenbank ist gerade nicht zu benutzen: {why}"),
        other => of_thing(other),
    }
}

/// About a line or a message.
fn of_thing(text: &Refusal) -> String {
    use Refusal as R;
    match text {
        R::NoSuchLine { number } => format!("{number} ist keine unserer Nummern"),
        R::LineOfFile { number, owner } => {
            format!("Die Konfigurationsdatei sagt, wem {number} gehört ({owner}); ändere es dort")
        }
        R::LineRetired { number } => format!(
            "{number} steht nicht mehr in der Konfigurationsdatei und ist außer Dienst; trag sie zuerst wieder ein"
        ),
        R::LineRests { number, until } => format!(
            "{number} wurde zurückgegeben und ruht bis {until}: \
             Wer dem letzten Besitzer schrieb, soll keinen anderen erreichen"
        ),
        R::LineOfRegistration { number, owner } => {
            format!("{number} gehört zur Anmeldung von {owner}; „user-remove“ beendet beides")
        }
        R::LineIsFree { number } => format!("Niemand hat {number}"),
        R::NoSuchMessage { id } => format!("Es gibt keine Nachricht „{id}“"),
        R::NotWaiting { id, state } => {
            let state = super::command::label(&crate::texts::Label::Word(state.clone()));
            format!("Die Nachricht {id} wartet nicht: {state}")
        }
        R::Held { id } => format!(
            "Die Nachricht {id} wird zurückgehalten, weil die Datenbank aus einer Kopie stammt: \
             Sie könnte schon gesendet sein; „queue-release {id}“ sendet sie"
        ),
        R::NotHeld { id } => {
            format!(
                "Die Nachricht {id} wird nicht seit dem Zurückspielen einer Kopie zurückgehalten"
            )
        }
        R::BelongsToNobody { id } => {
            format!("Die SMS {id} gehört niemandem: Sag mit „queue-retry“, wer sie bekommt")
        }
        R::BelongsToSomebody { id, user } => format!("Die Nachricht {id} gehört schon {user}"),
        R::StillWaits { peer } => {
            format!(
                "Nachrichten an oder von {peer} warten noch; versuch es wieder, wenn sie durch sind"
            )
        }
        R::NotTaken { why } => format!("Die Nachricht wurde nicht angenommen: {why}"),
        R::NoKeys => "Anmeldedaten von Benutzern werden hier nicht aufbewahrt: store.key_file ist nicht eingetragen".into(),
        R::KeyFile(problem) => format!("Die Schlüsseldatei ist nicht zu gebrauchen: {problem}"),
        R::OtherKeys { file } => format!(
            "Das laufende transom liest seine Schlüssel aus {file}, und dort fehlt der neue: Leg ihn dort ab oder starte transom neu, dann wiederhole es"
        ),
        _ => String::new(),
    }
}

fn among(free: &[String]) -> String {
    if free.is_empty() {
        String::new()
    } else {
        format!("; frei sind {}", free.join(", "))
    }
}
