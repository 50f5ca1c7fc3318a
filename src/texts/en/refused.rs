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
            "You are not registered with {gateway}. Write \"register\" to {gateway}, then send this again."
        ),
        M::HasToChoose { gateway, network } => format!(
            "You have no {} yet. Write \"register\" to {gateway} to choose one, then send this again.",
            our_address(*network)
        ),
        M::RegistrationClosed => {
            "You are not a user of this gateway. Its administrators add users: ask one of them.".into()
        }
        M::AwaitingApproval => "An administrator has to let you in and has been asked. \
             This message was not kept: send it again when you are told that you are registered."
            .into(),
        M::NotAllowed { gateway } => {
            format!("Your account may not use {gateway}. Ask its administrators.")
        }
        M::Disabled { gateway, until } => format!(
            "You removed {gateway} from your contacts, so nothing is sent. \
             Add {gateway} again by {}, and everything is as it was.",
            date(until)
        ),
        M::NoLine { gateway } => format!(
            "You have no number to send from. Write \"register\" to {gateway} to get one."
        ),
        M::LineRetired => {
            "Your number is no longer in service here, so nothing is sent from it. Ask an administrator for another.".into()
        }
        M::AccountRefused { address } => format!(
            "This was not sent: the servers of {address} refuse its password. Write \"mailbox-add\" to the gateway to enter the new one, then send this again."
        ),
        M::Unproved { gateway } => format!(
            "This was not sent: you have to prove a mobile number of your own first. \
             Write \"register\" to {gateway} if you have not yet, then \"verify\" and your number."
        ),
        M::LineConflict => "Somebody else is talking with this person from the shared number, \
             and the answers would go to them. Try again in a week, or ask for a number of your own."
            .into(),
    }
}

pub(super) fn recipient(text: &Recipient) -> String {
    use Recipient as R;
    match text {
        R::InvalidAddress {
            network,
            suggestion: Some(jid),
        } => format!("This is not {}. Write to {jid}.", an_address(*network)),
        R::InvalidAddress {
            network: Network::Sms,
            suggestion: None,
        } => "This is not a phone number. Write it with plus sign and country code, as +12025550147.".into(),
        R::InvalidAddress {
            network: Network::Email,
            suggestion: None,
        } => "This is not a mail address. Write it as name\\40example.com.".into(),
        R::CountryNotAllowed { region: Some(region) } => {
            format!("Messages to this country ({region}) are not allowed here. Ask an administrator.")
        }
        R::CountryNotAllowed { region: None } => {
            "It cannot be told which country this number belongs to, so nothing is sent to it. Check the number.".into()
        }
        R::PremiumNumber => "Nothing is sent to premium and shared-cost numbers.".into(),
        R::EmergencyNumber => "THIS DID NOT REACH ANYBODY. Emergency services cannot be reached from here. \
             Call them by phone, now."
            .into(),
        R::CannotBeAnswered => "This sender cannot receive answers.".into(),
        R::UnsupportedAddress => {
            "The network cannot carry mail to an address with these characters. Ask for another address.".into()
        }
        R::OptedOut => {
            "This person has asked not to be written to (STOP). You can write again when they send START.".into()
        }
        R::Blocked => "An administrator has blocked this address.".into(),
        R::BlockedByUser => "You have blocked this contact. Unblock it to write to it.".into(),
        R::Colleague { jid } => format!("This address belongs to {jid}. Write to {jid} directly."),
    }
}

pub(super) fn content(text: &Content) -> String {
    use Content as C;
    match text {
        C::TooLong {
            segments,
            segments_max,
        } => format!(
            "This is too long: it takes {segments} text messages, and {segments_max} are allowed. Shorten or split it."
        ),
        C::TooLarge { bytes_max } => format!(
            "This is too large; at most {} are allowed. Shorten or split it.",
            size(*bytes_max)
        ),
        C::Empty => "There is no text in this, so nothing was sent.".into(),
        C::Encrypted(encryption) => {
            let what = encryption.name().map_or_else(
                || "encrypted messages".to_owned(),
                |name| format!("messages encrypted with {name}"),
            );
            format!(
                "This contact cannot read {what}. Turn encryption off for this chat and send it again."
            )
        }
        C::AttachmentsNotSupported => {
            "The network carries no such files to this contact, or not so many at once. Send the text alone.".into()
        }
        C::TooManyRecipients { recipients_max } => {
            format!("A message can go to {recipients_max} people at most. Write to fewer at once.")
        }
        C::ReactionKept => "Reactions are not passed on, so that they cost nothing. To have each sent as a text, choose \"yes\" for reactions in your settings.".into(),
        C::AlreadySent => "That message was already sent and cannot be taken back.".into(),
        C::Call => "Calls to this contact are not possible. Send a message instead.".into(),
    }
}

pub(super) fn cap(text: &Cap) -> String {
    use Cap as C;
    match text {
        C::MessagesPerDay { max, until } => format!(
            "You have sent the {max} messages that a day allows. Send this again after {}.",
            time(until)
        ),
        C::SegmentsPerDay { max, until } => format!(
            "This would exceed the {max} text message parts that a day allows you. Send it again after {}.",
            time(until)
        ),
        C::GatewayPerDay { until } => format!(
            "This gateway has sent all that a day allows. Send this again after {}.",
            time(until)
        ),
        C::NewPeersPerHour { max, until } => format!(
            "You have written to {max} new people within an hour, which is the most that is allowed. Send this again after {}.",
            time(until)
        ),
        C::NoRoute => {
            "This gateway has no way to send this. Its administrators have to correct it.".into()
        }
        C::Busy => {
            "Too much is waiting here, so this was not taken. Send it again in a few minutes."
                .into()
        }
    }
}

fn our_address(network: Network) -> &'static str {
    match network {
        Network::Sms => "number",
        Network::Email => "mail address",
    }
}

fn an_address(network: Network) -> &'static str {
    match network {
        Network::Sms => "how a phone number is written here",
        Network::Email => "how a mail address is written here",
    }
}
