//! From causes to stanza errors: the one table (RFC 6120 §8.3.3) for both networks.

use transom_adapter::Reason;

use super::uri;
use crate::{
    texts::{Cap, Content, Failed, Lang, Membership, Recipient, Refused, RefusedGroup, Text},
    xmpp::stanza::{Condition, ErrorType, StanzaError},
};

/// The stanza error that says this, with its sentence.
pub fn error(text: &Text, lang: Lang) -> StanzaError {
    let (condition, kind) = cause(text);
    StanzaError::new(condition)
        .with_type(kind)
        .with_text(lang.tag(), text.render(lang))
}

fn cause(text: &Text) -> (Condition, ErrorType) {
    match text {
        Text::Refused(why) => refused(why),
        Text::Failed(why) => failed(why),
        Text::Of { text, .. } => cause(text),
        Text::Notice(_)
        | Text::Mail(_)
        | Text::Written(_)
        | Text::Post(_)
        | Text::Admin(_)
        | Text::Registration(_)
        | Text::Chat(_)
        | Text::Dialogue(_)
        | Text::Label(_)
        | Text::Page(_)
        | Text::Own(_)
        | Text::Told(_)
        | Text::Refusal(_)
        | Text::GroupNotice(_) => (Condition::UndefinedCondition, ErrorType::Cancel),
    }
}

fn refused(why: &Refused) -> (Condition, ErrorType) {
    match why {
        Refused::Membership(why) => membership(why),
        Refused::Recipient(why) => recipient(why),
        Refused::Content(why) => content(why),
        Refused::Cap(why) => cap(why),
        Refused::Group(why) => group(why),
        // The way to one member is no way to the group: what is gone there is only said.
        Refused::Of { why, .. } => match refused(why) {
            (Condition::Gone(_), kind) => (Condition::ItemNotFound, kind),
            cause => cause,
        },
    }
}

fn group(why: &RefusedGroup) -> (Condition, ErrorType) {
    match why {
        RefusedGroup::OwnAddress { others: Some(jid) } => (
            Condition::Gone(Some(format!("xmpp:{jid}"))),
            ErrorType::Modify,
        ),
        RefusedGroup::Unknown => (Condition::ItemNotFound, ErrorType::Cancel),
        RefusedGroup::OwnAddress { others: None }
        | RefusedGroup::SeveralLines
        | RefusedGroup::SharedLine => (Condition::NotAllowed, ErrorType::Cancel),
        // XEP-0033 §5.2
        RefusedGroup::Unreadable | RefusedGroup::Elsewhere { .. } => {
            (Condition::JidMalformed, ErrorType::Modify)
        }
        RefusedGroup::Hidden => (Condition::FeatureNotImplemented, ErrorType::Modify),
    }
}

fn membership(why: &Membership) -> (Condition, ErrorType) {
    match why {
        Membership::NotRegistered { .. }
        | Membership::HasToChoose { .. }
        | Membership::RegistrationClosed
        | Membership::AwaitingApproval
        | Membership::Unproved { .. }
        | Membership::Disabled { .. } => (Condition::RegistrationRequired, ErrorType::Auth),
        Membership::NotAllowed { .. } => (Condition::Forbidden, ErrorType::Auth),
        Membership::NoLine { .. }
        | Membership::NoMailbox { .. }
        | Membership::LineRetired
        | Membership::AccountRefused { .. } => (Condition::NotAllowed, ErrorType::Cancel),
        Membership::LineConflict => (Condition::Conflict, ErrorType::Cancel),
    }
}

fn recipient(why: &Recipient) -> (Condition, ErrorType) {
    match why {
        // RFC 6120 §8.3.3.5: the new address, as a URI.
        Recipient::Colleague { jid } => {
            (Condition::Gone(Some(uri::of_jid(jid))), ErrorType::Cancel)
        }
        Recipient::InvalidAddress {
            suggestion: Some(jid),
            ..
        } => (Condition::Gone(Some(uri::of_jid(jid))), ErrorType::Modify),
        Recipient::InvalidAddress {
            suggestion: None, ..
        } => (Condition::ItemNotFound, ErrorType::Cancel),
        Recipient::CountryNotAllowed { .. } | Recipient::PremiumNumber | Recipient::Blocked => {
            (Condition::PolicyViolation, ErrorType::Cancel)
        }
        Recipient::EmergencyNumber | Recipient::CannotBeAnswered | Recipient::OptedOut => {
            (Condition::NotAllowed, ErrorType::Cancel)
        }
        Recipient::BlockedByUser | Recipient::UnsupportedAddress => {
            (Condition::NotAcceptable, ErrorType::Cancel)
        }
    }
}

fn content(why: &Content) -> (Condition, ErrorType) {
    match why {
        Content::AlreadySent | Content::Call => (Condition::NotAllowed, ErrorType::Cancel),
        Content::ReactionKept | Content::ReactionToList => {
            (Condition::FeatureNotImplemented, ErrorType::Cancel)
        }
        Content::TooLong { .. }
        | Content::TooLarge { .. }
        | Content::Empty
        | Content::Encrypted(_)
        | Content::AttachmentsNotSupported
        | Content::TooManyRecipients { .. } => (Condition::NotAcceptable, ErrorType::Modify),
    }
}

fn cap(why: &Cap) -> (Condition, ErrorType) {
    match why {
        Cap::NoRoute => (Condition::ServiceUnavailable, ErrorType::Wait),
        Cap::MessagesPerDay { .. }
        | Cap::SegmentsPerDay { .. }
        | Cap::GatewayPerDay { .. }
        | Cap::NewPeersPerHour { .. }
        | Cap::Busy => (Condition::ResourceConstraint, ErrorType::Wait),
    }
}

fn failed(why: &Failed) -> (Condition, ErrorType) {
    match why {
        Failed::Network { reason, .. } | Failed::Partly { reason } => network(*reason),
        Failed::GaveUp { .. } | Failed::Unknown => {
            (Condition::RemoteServerTimeout, ErrorType::Wait)
        }
        Failed::Internal => (Condition::InternalServerError, ErrorType::Wait),
    }
}

fn network(reason: Reason) -> (Condition, ErrorType) {
    match reason {
        Reason::NoSuchRecipient | Reason::NotATextNumber => {
            (Condition::ItemNotFound, ErrorType::Cancel)
        }
        Reason::Unreachable => (Condition::RecipientUnavailable, ErrorType::Wait),
        Reason::MailboxFull | Reason::RateLimited => {
            (Condition::ResourceConstraint, ErrorType::Wait)
        }
        Reason::Filtered => (Condition::NotAcceptable, ErrorType::Cancel),
        Reason::OptedOut => (Condition::NotAllowed, ErrorType::Cancel),
        Reason::NotPermitted => (Condition::Forbidden, ErrorType::Cancel),
        Reason::TooLarge => (Condition::PolicyViolation, ErrorType::Modify),
        Reason::Unsupported
        | Reason::FileGone
        | Reason::FileForbidden
        | Reason::FileTooLarge
        | Reason::FileNotTaken => (Condition::NotAcceptable, ErrorType::Modify),
        Reason::NetworkDown | Reason::Expired => (Condition::RemoteServerTimeout, ErrorType::Wait),
        Reason::OurAccount => (Condition::InternalServerError, ErrorType::Wait),
        Reason::Unspecified => (Condition::UndefinedCondition, ErrorType::Cancel),
    }
}
