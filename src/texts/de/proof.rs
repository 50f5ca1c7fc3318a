//! Proving a mobile number.

use super::duration;
use crate::texts::Proof;

pub(super) fn proof(text: &Proof) -> String {
    use Proof as P;
    match text {
        P::Code { gateway, code } => format!(
            "{code} ist dein Code für {gateway}. Wenn du keinen angefordert hast, hat sich jemand vertippt; es ist nichts zu tun."
        ),
        P::Sent { number, works_for } => format!(
            "Ein Code ist auf dem Weg an {number}. Er gilt {}: schreib „code“ und die sechs Ziffern.",
            duration(*works_for)
        ),
        P::Proved { number } => format!("{number} gehört dir. Jetzt kannst du schreiben."),
        P::Wrong { left: 0 } => {
            "Das ist nicht der Code, zum letzten Mal. Schreib „verify“ und deine Nummer, um einen neuen zu bekommen.".into()
        }
        P::Wrong { left: 1 } => {
            "Das ist nicht der Code. Du hast noch einen Versuch: schreib „code“ und die sechs Ziffern."
                .into()
        }
        P::Wrong { left } => format!(
            "Das ist nicht der Code. Du hast noch {left} Versuche: schreib „code“ und die sechs Ziffern."
        ),
        P::NoCode => {
            "Auf dich wartet kein Code, oder seine Zeit ist um. Schreib „verify“ und deine Nummer, um einen neuen zu bekommen.".into()
        }
        P::TooOften => {
            "Heute sind für dich oder an diese Nummer zu viele Codes gesendet worden. Versuch es morgen wieder.".into()
        }
        P::NotWanted => "Hier muss niemand eine Nummer nachweisen. Schreib einfach.".into(),
    }
}
