//! What cannot be looked at now is answered at once.

use super::Intake;
use crate::{
    gateway::{answers, refusal},
    texts::Cap,
    xmpp::stanza::Stanza,
};

/// The answer: come back later.
pub(super) fn too_much(intake: &Intake, stanza: &Stanza) -> Option<Stanza> {
    match stanza {
        Stanza::Iq(iq) => {
            answers::later(iq, intake.gateway.lang(iq.lang.as_deref())).map(Stanza::from)
        }
        Stanza::Message(message) => {
            let lang = intake.gateway.lang(message.lang.as_deref());
            message
                .error_reply(&refusal::error(&Cap::Busy.into(), lang))
                .map(Stanza::from)
        }
        Stanza::Presence(_) => None,
    }
}
