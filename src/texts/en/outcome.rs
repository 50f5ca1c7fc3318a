//! What became of a message.

use transom_adapter::{Network, Reason};

use super::{duration, size};
use crate::texts::{Failed, Lang, Notice, quantity::time};

pub(super) fn failed(text: &Failed) -> String {
    match text {
        Failed::Network { reason, network } => reason_of(*reason, *network).into(),
        Failed::Partly { reason } => format!(
            "Only a part of it arrived. {}",
            reason_of(*reason, Network::Sms)
        ),
        Failed::GaveUp { after } => format!(
            "It could not be delivered within {}. Send it again if it still matters.",
            duration(*after)
        ),
        Failed::Unknown => {
            "It may or may not have arrived. Send it again if you need to be sure.".into()
        }
        Failed::Internal => "Something went wrong here. Send it again in a few minutes.".into(),
    }
}

pub(super) fn notice(text: &Notice) -> String {
    use Notice as N;
    match text {
        N::NotDelivered { excerpt, reason } => {
            format!(
                "⚠ Not delivered: \"{excerpt}\": {}",
                reason.render(Lang::En)
            )
        }
        N::MayHaveArrived { excerpt } => format!(
            "⚠ \"{excerpt}\" may or may not have arrived. Send it again if you need to be sure."
        ),
        N::DeliveredAfterAll { excerpt } => {
            format!("✓ \"{excerpt}\" was delivered after all.")
        }
        N::NoReport { excerpt, after } => format!(
            "⚠ \"{excerpt}\" was sent, but for {} nothing has told whether it arrived.",
            duration(*after)
        ),
        N::Delayed { excerpt, remaining } => format!(
            "⚠ \"{excerpt}\" has not been delivered yet. It will be tried for another {}; you need not send it again.",
            duration(*remaining)
        ),
        N::Waits { excerpt, until } => format!(
            "Nothing is sent to this person at this hour. \"{excerpt}\" will be sent at {}; you need not send it again.",
            time(until)
        ),
        N::TookBack { excerpt } => format!("\"{excerpt}\" was taken back before it was sent."),
        N::Stopped => "This person has asked not to be written to any more (STOP). \
             Nothing is sent to them until they send START."
            .into(),
        N::Started => "This person can be written to again (START).".into(),
        N::ByOwner { name, text } => format!("{name}: {text}"),
        N::MailSigned => {
            "This mail is signed; whether the signature holds was not checked here.".into()
        }
        N::MailEncrypted => {
            "⚠ An encrypted mail came, which cannot be read here. Ask the sender for plain text."
                .into()
        }
        N::MailTooLarge { bytes } => format!(
            "⚠ A mail of {} came, which is too large to be shown here. Ask the sender for a shorter one.",
            size(*bytes)
        ),
        N::MailUnreadable { bytes } => format!(
            "⚠ A mail of {} came, which is damaged and cannot be read. Ask the sender to send it again.",
            size(*bytes)
        ),
        N::Attachment { name, bytes } if name.is_empty() => {
            format!(
                "📎 A file of {} came with this and is not shown here.",
                size(*bytes)
            )
        }
        N::Attachment { name, bytes: 0 } => {
            format!("📎 A file ({name}) came with this and is not shown here.")
        }
        N::Attachment { name, bytes } => format!(
            "📎 The file {name} ({}) came with this and is not shown here.",
            size(*bytes)
        ),
        N::SentElsewhere { text } => format!("You wrote from elsewhere: {text}"),
        N::GoesOn { name } => {
            format!("📎 The text is too long for the chat; all of it is in the file {name}.")
        }
        N::FileLost { name } => format!(
            "📎 A file ({name}) came with this and could not be fetched. Ask the sender to send it again."
        ),
    }
}

fn reason_of(reason: Reason, network: Network) -> &'static str {
    use Network::{Email, Sms};
    match (reason, network) {
        (Reason::NoSuchRecipient, Sms) => "This number is not in service. Check it.",
        (Reason::NoSuchRecipient, Email) => "There is no such mailbox. Check the address.",
        (Reason::Unreachable, Sms) => {
            "The phone could not be reached; it may be off or abroad. Send it again later."
        }
        (Reason::Unreachable, Email) => {
            "The recipient's mail server could not be reached. Send it again later."
        }
        (Reason::NotATextNumber, _) => {
            "This number cannot receive text messages; it may be a landline."
        }
        (Reason::MailboxFull, Sms) => "The phone's memory is full. Send it again later.",
        (Reason::MailboxFull, Email) => {
            "The recipient's mailbox is full. Reach them in another way."
        }
        (Reason::Filtered, Sms) => {
            "The carrier took it for spam and refused it. Write it in other words."
        }
        (Reason::Filtered, Email) => {
            "The recipient's mail server took it for spam and refused it. Write it in other words."
        }
        (Reason::OptedOut, _) => "This person has asked not to be written to (STOP).",
        (Reason::NotPermitted, Sms) => {
            "The carrier does not allow messages to this number. Ask an administrator."
        }
        (Reason::NotPermitted, Email) => {
            "The recipient's mail server does not accept mail from here. Ask an administrator."
        }
        (Reason::TooLarge, Sms) => "It is too long for the carrier. Shorten or split it.",
        (Reason::TooLarge, Email) => "It is too large for the recipient's mail server. Shorten it.",
        (Reason::Unsupported, _) => "The network cannot carry this content. Send plain text.",
        (Reason::FileGone, _) => "The file could not be fetched. Attach it again.",
        (Reason::FileForbidden, _) => {
            "The file is in a place that nothing may be fetched from. Attach it with your XMPP client."
        }
        (Reason::FileTooLarge, _) => {
            "The file is larger than what can be sent. Send a smaller one."
        }
        (Reason::FileNotTaken, _) => {
            "The network does not carry this kind of file. Send another kind, or describe it in words."
        }
        (Reason::RateLimited, _) => {
            "Too many messages were sent in a short time. Send it again later."
        }
        (Reason::NetworkDown, Sms) => "The carrier could not be reached. Send it again later.",
        (Reason::NetworkDown, Email) => {
            "The mail server could not be reached. Send it again later."
        }
        (Reason::Expired, _) => {
            "It could not be delivered in time. Send it again if it still matters."
        }
        (Reason::OurAccount, _) => {
            "This gateway cannot send at the moment. Its administrators have been told."
        }
        (Reason::Unspecified, Sms) => "The carrier refused it and gave no reason.",
        (Reason::Unspecified, Email) => "The mail server refused it and gave no reason.",
    }
}
