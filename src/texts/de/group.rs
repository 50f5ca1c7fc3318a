//! Gruppen.

use crate::texts::{GroupNotice, RefusedGroup};

pub(super) fn refused(text: &RefusedGroup) -> String {
    use RefusedGroup as R;
    match text {
        R::Unknown => {
            "Wer zu dieser Gruppe gehört, ist hier nicht bekannt. Schreib ihren Mitgliedern an deren Adressen.".into()
        }
        R::OwnAddress { others: Some(jid) } => {
            format!("Deine eigene Adresse ist dabei. Schreib an {jid}.")
        }
        R::OwnAddress { others: None } => "Das sind nur deine eigenen Adressen. Schreib jemand anderem.".into(),
        R::Unreadable => {
            "Einige Empfänger waren nicht zu lesen, deshalb wurde nichts gesendet. Prüfe sie und sende dies noch einmal.".into()
        }
        R::Elsewhere { address } => format!(
            "{address} ist kein Kontakt hier, deshalb wurde nichts gesendet. Lass diese Adresse weg und sende dies noch einmal."
        ),
        R::Hidden => {
            "Von hier kann niemandem so geschrieben werden, dass die anderen es nicht sehen. Nenne alle als Empfänger oder schreib zweimal.".into()
        }
        R::SeveralLines => "Diese Kontakte gehören zu mehreren deiner Nummern. Schreib von einer davon.".into(),
        R::SharedLine => "Von einer geteilten Nummer bekäme jede dieser Personen eine eigene SMS, und ihre Antworten fänden dich nicht. \
             Schreib jeder einzeln."
            .into(),
    }
}

pub(super) fn notice(text: &GroupNotice) -> String {
    match text {
        GroupNotice::Separately => "Von deiner Nummer können keine Gruppen-SMS gesendet werden; deshalb bekommt jede dieser Personen eine eigene \
             SMS und sieht die anderen nicht. Ihre Antworten kommen in ihre eigenen Chats."
            .into(),
        GroupNotice::Mail { members, author } => format!(
            "In dieser Unterhaltung: {members}. Was du hier schreibst, geht nur an {author}; beginne mit /all, um allen zu schreiben."
        ),
    }
}
