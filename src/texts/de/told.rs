//! What came of a command.

use super::{command::label, duration};
use crate::texts::{
    Label, Told,
    quantity::{in_a_row, time},
};

pub(super) fn told(text: &Told) -> String {
    use Told as T;
    match text {
        T::NoUsers => "Es gibt keine Benutzer.".into(),
        T::NoLines => "Es gibt keine Leitungen.".into(),
        T::NothingWaits => "Nichts wartet.".into(),
        T::NobodyBlocked => "Niemand ist blockiert.".into(),
        T::Imported { contacts, left_out } => imported(*contacts, *left_out),
        T::NobodyOptedOut => "Niemand hat STOP gesagt.".into(),
        T::NoContacts => "Du hast noch mit niemandem geschrieben.".into(),
        T::NoMessages => "Von dir sind keine Nachrichten mehr da.".into(),
        T::UserAdded { .. } | T::UserRemoved { .. } | T::UserDeclined { .. } | T::UserRenamed { .. } => {
            user(text)
        }
        T::LineAssigned { number, user } => format!("{number} gehört jetzt {user}."),
        T::LineReleased {
            number,
            rests_until: Some(until),
        } => format!("{number} gehört niemandem und ruht bis {until}."),
        T::LineReleased { number, .. } => {
            format!("{number} ist frei: Niemand hat je darüber geschrieben.")
        }
        T::Retried(count) => format!("Wird jetzt noch einmal versucht: {count}."),
        T::Delivered { texts, to } => format!("Auf dem Weg zu {to}: {texts}."),
        T::GivenUp { messages, told } => {
            format!("Aufgegeben: {messages}. Absender, die es erfahren: {told}.")
        }
        T::Released(0) => "Seit dem Zurückspielen einer Kopie wird nichts zurückgehalten.".into(),
        T::Released(count) => format!("Wird jetzt gesendet: {count}."),
        T::Blocked { peer, gateways } => format!("{peer} ist blockiert{}.", led(" bei ", gateways)),
        T::Unblocked { peer, gateways } => {
            format!("{peer} ist nicht mehr blockiert{}.", led(" bei ", gateways))
        }
        T::SettingsKept => "Deine Einstellungen sind gespeichert.".into(),
        T::Renamed { peer, name } => format!("{peer} heißt ab jetzt „{name}“."),
        T::Forgotten { peer } => {
            format!("{peer} ist vergessen, mit allem, was von dem Gespräch gespeichert war.")
        }
        T::Cost { .. } => cost(text),
        T::NoCost => "E-Mail kostet nichts.".into(),
        T::ExportLink { url, works_for } => format!(
            "Alles, was über dich gespeichert ist, liegt hier, für ein Herunterladen innerhalb von {}:\n{url}",
            duration(*works_for)
        ),
        T::NoLinks => {
            "Dieses Gateway kann keine Links machen, weil seine öffentliche Adresse nicht eingetragen ist. \
             Frag einen Administrator."
                .into()
        }
        T::LimitsEnd { until } => format!("Neu gezählt wird ab {}.", time(until)),
        T::More(count) => format!("Nicht gezeigt: {count} weitere."),
        other => service(other),
    }
}

fn imported(contacts: usize, left_out: usize) -> String {
    let known = match contacts {
        1 => "Ein Kontakt ist jetzt bekannt.".to_owned(),
        many => format!("{many} Kontakte sind jetzt bekannt."),
    };
    let rest = match left_out {
        0 => String::new(),
        1 => " Eine Karte hat keine Adresse für dieses Gateway.".into(),
        many => format!(" {many} Karten haben keine Adresse für dieses Gateway."),
    };
    format!("{known}{rest}")
}

/// About the service as a whole.
fn service(text: &Told) -> String {
    use Told as T;
    match text {
        T::Resealed {
            logins,
            unreadable: 0,
        } => format!("{logins} Anmeldungen sind mit dem neuesten Schlüssel verschlossen."),
        T::Resealed { logins, unreadable } => format!(
            "{logins} Anmeldungen sind mit dem neuesten Schlüssel verschlossen. {unreadable} ließen sich nicht öffnen und bleiben, wie sie sind; das Protokoll nennt sie, und ihre Besitzer müssen sie neu eingeben."
        ),
        T::Announcing { users } => {
            format!(
                "Deine Nachricht geht jetzt nach und nach hinaus, an so viele Benutzer: {users}."
            )
        }
        T::Announcement { text } => format!("Von den Administratoren dieses Gateways: {text}"),
        T::TrialText { gateway } => {
            format!(
                "Dies ist ein Test von {gateway}. Wer den Dienst betreibt, wollte sehen, ob Nachrichten ankommen; es ist nichts zu tun."
            )
        }
        T::Tried { id } => {
            format!("Die Nachricht wurde angenommen; `transom trace {id}` verfolgt sie.")
        }
        T::LogLevel(level) => {
            format!("Die Stufe des Protokolls ist bis zum nächsten Start {level}.")
        }
        T::PageLink { url, works_for } => format!(
            "Das öffnet einmal die Verwaltungsseite, innerhalb von {}:\n{url}",
            duration(*works_for)
        ),
        other => part(other),
    }
}

fn user(text: &Told) -> String {
    match text {
        Told::UserAdded {
            user,
            gateway,
            address,
            before,
        } => {
            let how = match address {
                Some(address) => format!("mit {address}"),
                None => "auf den geteilten Leitungen".to_owned(),
            };
            let before = match before.as_deref() {
                Some(before) if before != "active" => {
                    format!(" Vorher: {}.", label(&Label::Word(before.to_owned())))
                }
                _ => String::new(),
            };
            format!("{user} benutzt jetzt {gateway}, {how}.{before}")
        }
        Told::UserRemoved { user, gateways } => {
            format!("{user} ist bei {gateways} nicht mehr angemeldet.")
        }
        Told::UserDeclined { user } => format!("{user} ist abgelehnt und weiß es."),
        Told::UserRenamed {
            old,
            new,
            gateways,
            lines,
            named_by,
        } => {
            let warning = led(
                &format!(
                    "\nDie Konfigurationsdatei nennt noch {old} und gilt beim nächsten Start; ändere sie dort: "
                ),
                named_by,
            );
            format!(
                "Alles von {old} gehört jetzt {new}{}{}.{warning}",
                led(", bei ", gateways),
                led(", mit ", lines)
            )
        }
        _ => String::new(),
    }
}

/// What stands in a cell or behind a name: no sentence.
fn part(text: &Told) -> String {
    use Told as T;
    match text {
        T::Commits(true) => "schreibt".into(),
        T::Commits(false) => "schreibt nicht".into(),
        T::ForCorrections => "für Korrekturen".into(),
        T::RestoredCopy => "zurückgespielte Kopie".into(),
        T::NoOwnerOn(line) => format!("niemand hat {line}"),
        T::ItsTurn => "ist noch nicht dran".into(),
        T::In(length) => format!("in {length}"),
        T::Now => "jetzt".into(),
        T::TextKept(true) => "noch da".into(),
        T::TextKept(false) => "nicht mehr da".into(),
        T::PartsThrough { done, of } => format!("{done} von {of} Teilen durch"),
        T::LastBy(account) => format!("der letzte über {account}"),
        T::Used { messages, segments } => format!("Nachrichten: {messages}, Segmente: {segments}"),
        T::Ways { out, inward } => format!("hinaus: {out}, herein: {inward}"),
        T::WantsReceipt => "mit Empfangsbestätigung".into(),
        T::NoId => "(ohne Kennung)".into(),
        T::AsLine { user, line } => format!("{user}, als {line}"),
        T::OnLine { user, line } => format!("{user}, über {line}"),
        T::Else(whom) => format!("sonst {whom}"),
        T::SinceWhen { state, since } => format!("{state}, seit {since}"),
        T::Part(number) => format!("Teil {number}"),
        _ => String::new(),
    }
}

/// The names behind their lead, or nothing.
fn led(lead: &str, names: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("{lead}{names}")
    }
}

fn cost(text: &Told) -> String {
    let Told::Cost {
        characters,
        segments,
        segments_max,
        left,
        unicode,
        costly,
        replaced,
    } = text
    else {
        return String::new();
    };
    let mut said = vec![format!(
        "Zeichen: {characters}. SMS-Segmente: {segments}. So viele passen noch hinein: {left}."
    )];
    if *unicode {
        let costly = in_a_row(costly);
        said.push(format!(
            "Der Text geht als Unicode, mit 70 statt 160 Zeichen je Segment, wegen: {costly}"
        ));
    }
    if !replaced.is_empty() {
        let replaced = in_a_row(replaced);
        said.push(format!(
            "Durch einfachere Zeichen ersetzt, weil das billiger ist: {replaced}"
        ));
    }
    if segments > segments_max {
        said.push(format!(
            "Das ist zu lang: Erlaubt sind {segments_max} Segmente."
        ));
    }
    said.join(" ")
}
