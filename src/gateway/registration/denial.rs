//! What a refusal at the desk is as a stanza error (XEP-0077 §3, semantics 14).

use crate::{
    gateway::refusal,
    texts::{Lang, Membership, Refused, Registration, Text},
    xmpp::stanza::{Condition, ErrorType, StanzaError},
};

/// The stanza error of a refusal at the desk.
pub fn denial(text: &Text, lang: Lang) -> StanzaError {
    let (condition, kind) = match text {
        Text::Registration(Registration::Taken { .. }) => (Condition::Conflict, ErrorType::Cancel),
        Text::Registration(Registration::NoFreeLine) => {
            (Condition::ResourceConstraint, ErrorType::Wait)
        }
        Text::Registration(Registration::RequestSent) => {
            (Condition::RegistrationRequired, ErrorType::Auth)
        }
        Text::Registration(Registration::BadAlias { .. })
        | Text::Refused(
            Refused::Membership(Membership::HasToChoose { .. }) | Refused::Recipient(_),
        ) => (Condition::NotAcceptable, ErrorType::Modify),
        // XEP-0077 §3.1.1, and semantics 14.
        Text::Registration(_)
        | Text::Refused(Refused::Membership(Membership::RegistrationClosed)) => {
            (Condition::NotAllowed, ErrorType::Cancel)
        }
        other => return refusal::error(other, lang),
    };
    StanzaError::new(condition)
        .with_type(kind)
        .with_text(lang.tag(), text.render(lang))
}
