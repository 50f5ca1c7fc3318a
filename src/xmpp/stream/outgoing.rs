//! The one place where `from` and `to` of what leaves are checked, and where stanzas become bytes.

use crate::xmpp::{jid::DomainRef, stanza::Stanza};

/// Why a stanza is never written: as it is, it would cost the whole stream or reach nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The sender is of another domain: servers close the stream for that (c.2).
    #[error("the sender is on {found}, not on the component's domain")]
    ForeignFrom {
        /// The sender's domain.
        found: String,
    },
    /// XEP-0114: every stanza needs a sender.
    #[error("the stanza has no sender")]
    MissingFrom,
    /// RFC 6120 §8.1.3: without id nobody could answer.
    #[error("the request has no id")]
    MissingId,
    /// XEP-0114: every stanza needs a recipient.
    #[error("the stanza has no recipient")]
    MissingTo,
    /// The server would close the stream.
    #[error("the stanza has {bytes} bytes; at most {max} are allowed")]
    TooBig {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

/// So much of a refused stanza's id is logged.
const ID_LOGGED_MAX: usize = 64;

/// Writes a stanza that may go out from the component `domain`.
pub(crate) fn write_checked(
    stanza: &Stanza,
    domain: &DomainRef,
    bytes_max: usize,
) -> Result<Vec<u8>, Refusal> {
    let refusal = match (stanza.sender(), stanza.recipient()) {
        (None, _) => Some(Refusal::MissingFrom),
        (_, None) => Some(Refusal::MissingTo),
        (Some(from), _) if from.domain() != domain => Some(Refusal::ForeignFrom {
            found: from.domain().to_string(),
        }),
        _ if matches!(stanza, Stanza::Iq(_)) && stanza.id().is_none() => Some(Refusal::MissingId),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(512);
    let refusal = refusal.or_else(|| {
        stanza.write(&mut bytes);
        (bytes.len() > bytes_max).then_some(Refusal::TooBig {
            bytes: bytes.len(),
            max: bytes_max,
        })
    });
    match refusal {
        None => Ok(bytes),
        Some(refusal) => {
            tracing::error!(
                stanza_type = stanza.name(),
                // The id may be what makes it too big.
                stanza_id = stanza.id().map(|id| id.chars().take(ID_LOGGED_MAX).collect::<String>()),
                error = %refusal,
                "Refused to write a stanza; this is a fault of transom."
            );
            Err(refusal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{
        jid::{DomainPart, Jid},
        stanza::{Iq, IqType, Message},
    };

    fn check(message: Message) -> Result<Vec<u8>, Refusal> {
        let domain: DomainPart = "sms.example.org".parse().unwrap();
        write_checked(&message.into(), &domain, 200)
    }

    fn message() -> Message {
        Message::chat(
            Jid::new("+1@sms.example.org").unwrap(),
            Jid::new("a@example.org").unwrap(),
        )
    }

    #[test]
    fn a_right_stanza_is_written() {
        let bytes = check(message().with_body("hi")).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "<message from='+1@sms.example.org' to='a@example.org' type='chat'><body>hi</body></message>"
        );
    }

    #[test]
    fn every_wrong_one_is_refused() {
        let mut stanza = message();
        stanza.from = None;
        assert_eq!(check(stanza), Err(Refusal::MissingFrom));
        let mut stanza = message();
        stanza.to = None;
        assert_eq!(check(stanza), Err(Refusal::MissingTo));
        for foreign in ["a@mail.example.org", "a@x.sms.example.org", "example.org"] {
            let mut stanza = message();
            stanza.from = Some(Jid::new(foreign).unwrap());
            assert!(
                matches!(check(stanza), Err(Refusal::ForeignFrom { .. })),
                "for {foreign}"
            );
        }
        assert!(matches!(
            check(message().with_body("x".repeat(200))),
            Err(Refusal::TooBig { max: 200, .. })
        ));
        let iq = Iq::new(
            IqType::Get,
            Jid::new("sms.example.org").unwrap(),
            Jid::new("a@b").unwrap(),
        );
        let domain: DomainPart = "sms.example.org".parse().unwrap();
        assert_eq!(
            write_checked(&iq.into(), &domain, 200),
            Err(Refusal::MissingId)
        );
    }
}
