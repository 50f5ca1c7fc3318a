//! About mail, by command and in the chat with the gateway.

use transom_adapter::Attending;

use crate::texts::{Knocking, Label, Post, WhyWaits};

pub(super) fn post(text: &Post) -> String {
    use Post as P;
    match text {
        P::WantsToWrite(one) => {
            let Knocking { peer, days, .. } = one;
            format!(
                "{}{} To decide, write one of these here, or do nothing and it is thrown away in {days} days:\n\
                 accept {peer}\ndiscard {peer}\nallow {peer}\nblock {peer}",
                wants(one, " wants to write to you"),
                why(one.why),
            )
        }
        P::WantToWrite { people, more } => {
            let mut lines = vec![format!(
                "{} people want to write to you:",
                people.len() + more
            )];
            lines.extend(people.iter().map(|one| wants(one, "")));
            if *more > 0 {
                lines.push(format!("{more} more are not shown."));
            }
            lines.push("Their mail waits until you decide: write \"strangers\" here.".into());
            lines.join("\n")
        }
        P::Knocking(one) => format!("{}{}", wants(one, ""), why(one.why)),
        P::NobodyKnocks => "Nobody's mail waits for your word.".into(),
        P::Accepted { peer } => format!("What {peer} wrote is delivered to you now."),
        P::Discarded { peer } => format!(
            "What {peer} wrote is thrown away. You are asked again when more comes; \"block {peer}\" ends that."
        ),
        P::Allowed { peer } => format!("Mail from {peer} is always delivered to you from now on."),
        P::Disallowed { peer } => {
            format!("Mail from {peer} is treated like anybody's from now on.")
        }
        P::NobodyAllowed => "You have not allowed anybody always. \"allow ADDRESS\" does.".into(),
        P::DoesNotKnock { peer } => format!("no mail from {peer} waits for your word"),
        P::NotAllowed { peer } => format!("you have not allowed {peer} always"),
        P::Accept => "Deliver it".into(),
        P::Discard => "Throw it away".into(),
        P::AlwaysAllow => "Deliver it, and always".into(),
        other => of_mail(other),
    }
}

/// About mails that came.
fn of_mail(text: &Post) -> String {
    use Post as P;
    match text {
        P::NoOriginal => {
            "No mail of this contact is kept whole: there was none, or it was too long ago. Ask the sender to send it again.".into()
        }
        P::NoWayToGive => {
            "The mail is kept, but your server takes no files and this gateway has no public address. Ask an administrator.".into()
        }
        P::Original { url } => format!("The last mail as it came:\n{url}"),
        P::WriteOriginal { contact } => {
            format!("Write /original in the chat with {contact}, or as an answer to one of its messages.")
        }
        P::NoList => "No mail in this chat came by a list that can be left. Block the contact instead.".into(),
        P::Unsubscribed => "You have left this list.".into(),
        P::UnsubscribeMailed => "A mail that leaves this list is on its way. The list may ask you to confirm it.".into(),
        P::ListDoesNotLetGo => "This list could not be left from here. Try again later, or block the contact.".into(),
        P::NoInvitation => "There is no invitation in this chat that can be answered.".into(),
        P::Attends { attending, title } => match attending {
            Attending::Accepted => format!("Accepted: {title}"),
            Attending::Declined => format!("Declined: {title}"),
            Attending::Tentative => format!("Maybe: {title}"),
        },
        P::AttendanceSent { attending, title } => match attending {
            Attending::Accepted => format!("You have accepted \"{title}\"."),
            Attending::Declined => format!("You have declined \"{title}\"."),
            Attending::Tentative => format!("You may come to \"{title}\"."),
        },
        P::Seen { subject } => format!("Read: {subject}"),
        P::WasDisplayed { subject } => format!("Your mail \"{subject}\" was displayed. Whether it was read, nobody can know."),
        other => of_address(other),
    }
}

/// About addresses made for one purpose.
fn of_address(text: &Post) -> String {
    use Post as P;
    match text {
        P::AliasMade { address } => format!(
            "{address} is yours. Mail to it reaches you until you write \"alias-drop {address}\"."
        ),
        P::AliasDropped { address } => {
            format!("{address} is nobody's from now on. Mail to it is refused.")
        }
        P::NoSuchAlias { address } => {
            format!("{address} is none of the addresses that you made; see \"aliases\"")
        }
        P::NoAliases => {
            "You have made no address for a purpose of its own. \"alias shop\" makes one.".into()
        }
        P::TooManyAliases => {
            "you have too many addresses; give one up with \"alias-drop ADDRESS\"".into()
        }
        P::BadAliasWord => {
            "say in a word what the address is for, in letters a to z or digits".into()
        }
        _ => String::new(),
    }
}

/// Words of forms that only mail has.
pub(super) fn label(text: &Label) -> &'static str {
    match text {
        Label::AskStrangers => "Ask me before mail from new people is shown",
        Label::Signature => "Signature of my mails",
        Label::Subject => "Subject of my mails where I write none",
        Label::QuoteMail => "Quote what I answer below my mails",
        Label::AskDisplayed => "Ask readers to confirm that they saw my mail",
        Label::SayDisplayed => "Confirm that I saw a mail when its sender asks",
        Label::ShareRead => "What I read here is read in my own mailbox, and the other way round",
        _ => "",
    }
}

fn wants(one: &Knocking, what: &str) -> String {
    match &one.subject {
        Some(subject) => format!("{}{what}: \"{subject}\".", one.peer),
        None => format!("{}{what}.", one.peer),
    }
}

fn why(why: WhyWaits) -> &'static str {
    match why {
        WhyWaits::Spam => " The spam filter took it for spam.",
        WhyWaits::Disowned => {
            " It is probably forged: the sender's domain says that it was not sent from there."
        }
        WhyWaits::Asked => "",
    }
}
