//! Über E-Mails, auf Befehl und im Chat mit dem Gateway.

use transom_adapter::Attending;

use crate::texts::{Knocking, Label, Post, WhyWaits};

pub(super) fn post(text: &Post) -> String {
    use Post as P;
    match text {
        P::WantsToWrite(one) => {
            let Knocking { peer, days, .. } = one;
            format!(
                "{}{} Schreib hier eines davon, oder tu nichts, dann wird sie in {days} Tagen weggeworfen:\n\
                 accept {peer}\ndiscard {peer}\nallow {peer}\nblock {peer}",
                wants(one, " möchte dir schreiben"),
                why(one.why),
            )
        }
        P::WantToWrite { people, more } => {
            let mut lines = vec![format!(
                "{} Leute möchten dir schreiben:",
                people.len() + more
            )];
            lines.extend(people.iter().map(|one| wants(one, "")));
            if *more > 0 {
                lines.push(format!("{more} weitere sind nicht gezeigt."));
            }
            lines
                .push("Ihre E-Mails warten, bis du entscheidest: Schreib hier „strangers“.".into());
            lines.join("\n")
        }
        P::Knocking(one) => format!("{}{}", wants(one, ""), why(one.why)),
        P::NobodyKnocks => "Niemandes E-Mail wartet auf dein Wort.".into(),
        P::Accepted { peer } => format!("Was {peer} geschrieben hat, bekommst du jetzt."),
        P::Discarded { peer } => format!(
            "Was {peer} geschrieben hat, ist weggeworfen. Wenn mehr kommt, wirst du wieder gefragt; „block {peer}“ beendet das."
        ),
        P::Allowed { peer } => format!("E-Mails von {peer} bekommst du ab jetzt immer."),
        P::Disallowed { peer } => {
            format!("E-Mails von {peer} werden ab jetzt behandelt wie die von anderen.")
        }
        P::NobodyAllowed => {
            "Du hast niemandem immer erlaubt, dir zu schreiben. „allow ADRESSE“ tut das.".into()
        }
        P::DoesNotKnock { peer } => format!("keine E-Mail von {peer} wartet auf dein Wort"),
        P::NotAllowed { peer } => format!("{peer} hast du nicht immer erlaubt"),
        P::Accept => "Zustellen".into(),
        P::Discard => "Wegwerfen".into(),
        P::AlwaysAllow => "Zustellen, und immer".into(),
        other => of_mail(other),
    }
}

/// About mails that came.
fn of_mail(text: &Post) -> String {
    use Post as P;
    match text {
        P::NoOriginal => {
            "Von diesem Kontakt ist keine E-Mail im Ganzen gespeichert: Es gab keine, oder sie ist zu lange her. Bitte den Absender, sie noch einmal zu senden.".into()
        }
        P::NoWayToGive => {
            "Die E-Mail ist da, aber dein Server nimmt keine Dateien an, und dieses Gateway hat keine öffentliche Adresse. Frag einen Administrator.".into()
        }
        P::Original { url } => format!("Die letzte E-Mail, wie sie kam:\n{url}"),
        P::WriteOriginal { contact } => {
            format!("Schreib /original in den Chat mit {contact}, oder als Antwort auf eine seiner Nachrichten.")
        }
        P::NoList => "Keine E-Mail in diesem Chat kam über eine Liste, von der man sich abmelden kann. Sperre den Kontakt stattdessen.".into(),
        P::Unsubscribed => "Du bist von dieser Liste abgemeldet.".into(),
        P::UnsubscribeMailed => "Eine E-Mail, die dich von dieser Liste abmeldet, ist unterwegs. Die Liste fragt vielleicht noch einmal nach.".into(),
        P::ListDoesNotLetGo => "Von dieser Liste konntest du von hier aus nicht abgemeldet werden. Versuch es später noch einmal, oder sperre den Kontakt.".into(),
        P::NoInvitation => "In diesem Chat gibt es keine Einladung, die man beantworten kann.".into(),
        P::Attends { attending, title } => match attending {
            Attending::Accepted => format!("Zugesagt: {title}"),
            Attending::Declined => format!("Abgesagt: {title}"),
            Attending::Tentative => format!("Vielleicht: {title}"),
        },
        P::AttendanceSent { attending, title } => match attending {
            Attending::Accepted => format!("Du hast für „{title}“ zugesagt."),
            Attending::Declined => format!("Du hast für „{title}“ abgesagt."),
            Attending::Tentative => format!("Du kommst vielleicht zu „{title}“."),
        },
        P::Seen { subject } => format!("Gelesen: {subject}"),
        P::WasDisplayed { subject } => format!("Deine E-Mail „{subject}“ wurde angezeigt. Ob sie gelesen wurde, weiß niemand."),
        other => of_address(other),
    }
}

/// About addresses made for one purpose.
fn of_address(text: &Post) -> String {
    use Post as P;
    match text {
        P::AliasMade { address } => format!(
            "{address} gehört dir. E-Mails dorthin bekommst du, bis du „alias-drop {address}“ schreibst."
        ),
        P::AliasDropped { address } => {
            format!("{address} gehört ab jetzt niemandem. E-Mails dorthin werden abgelehnt.")
        }
        P::NoSuchAlias { address } => {
            format!("{address} ist keine Adresse, die du angelegt hast; siehe „aliases“")
        }
        P::NoAliases => {
            "Du hast keine Adresse für einen eigenen Zweck angelegt. „alias shop“ legt eine an."
                .into()
        }
        P::TooManyAliases => {
            "du hast zu viele Adressen; gib eine auf mit „alias-drop ADRESSE“".into()
        }
        P::BadAliasWord => {
            "sag in einem Wort, wofür die Adresse ist, mit Buchstaben a bis z oder Ziffern".into()
        }
        _ => String::new(),
    }
}

/// Words of forms that only mail has.
pub(super) fn label(text: &Label) -> &'static str {
    match text {
        Label::AskStrangers => "Fragen, bevor E-Mails von Neuen gezeigt werden",
        Label::Signature => "Signatur meiner E-Mails",
        Label::Subject => "Betreff meiner E-Mails, wenn ich keinen schreibe",
        Label::QuoteMail => "Unter meinen E-Mails zitieren, worauf ich antworte",
        Label::AskDisplayed => "Leser bitten zu bestätigen, dass sie meine E-Mail gesehen haben",
        Label::SayDisplayed => {
            "Bestätigen, dass ich eine E-Mail gesehen habe, wenn der Absender fragt"
        }
        Label::ShareRead => {
            "Was ich hier lese, ist auch in meinem eigenen Postfach gelesen, und umgekehrt"
        }
        _ => "",
    }
}

fn wants(one: &Knocking, what: &str) -> String {
    match &one.subject {
        Some(subject) => format!("{}{what}: „{subject}“.", one.peer),
        None => format!("{}{what}.", one.peer),
    }
}

fn why(why: WhyWaits) -> &'static str {
    match why {
        WhyWaits::Spam => " Der Spamfilter hält die E-Mail für Spam.",
        WhyWaits::Disowned => {
            " Die E-Mail ist wahrscheinlich gefälscht: Die Domain des Absenders sagt, dass sie nicht von dort kommt."
        }
        WhyWaits::Asked => "",
    }
}
