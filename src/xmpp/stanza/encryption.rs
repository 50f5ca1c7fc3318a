//! Recognising messages that only their recipient's client can read.

use std::borrow::Cow;

use super::Message;
use crate::xmpp::ns;

/// How a message is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// An `aesgcm://` link: an attachment encrypted for OMEMO.
    AesGcm,
    /// XEP-0384, either version.
    Omemo,
    /// XEP-0373 or XEP-0027.
    OpenPgp,
    /// Off-the-Record.
    Otr,
    /// Announced by XEP-0380 under this namespace.
    Other(String),
}

pub(super) fn detect(message: &Message) -> Option<Encryption> {
    let by_element =
        message
            .children
            .iter()
            .find_map(|child| match (child.name(), child.namespace()) {
                ("encrypted", ns::OMEMO | ns::OMEMO_LEGACY) => Some(Encryption::Omemo),
                ("x", ns::PGP_LEGACY) | ("openpgp", ns::OPENPGP) => Some(Encryption::OpenPgp),
                // XEP-0380 §3
                ("encryption", ns::EME) => {
                    Some(announced(child.attr("namespace").unwrap_or_default()))
                }
                _ => None,
            });
    by_element.or_else(|| {
        let body = message.body()?;
        let body = body.trim_start();
        if body.starts_with("?OTR") {
            Some(Encryption::Otr)
        } else if body
            .get(..9)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("aesgcm://"))
        {
            Some(Encryption::AesGcm)
        } else {
            None
        }
    })
}

fn announced(namespace: &str) -> Encryption {
    match namespace {
        ns::OMEMO | ns::OMEMO_LEGACY => Encryption::Omemo,
        ns::PGP_LEGACY | ns::OPENPGP => Encryption::OpenPgp,
        ns::OTR => Encryption::Otr,
        other => Encryption::Other(other.to_owned()),
    }
}

/// Removes the blanks by which OTR clients announce themselves at the end of plain text. They are invisible,
/// but cost as much as text.
pub fn without_otr_tag(body: &str) -> Cow<'_, str> {
    /// The tag's base; each version adds eight more spaces and tabs.
    const BASE: &str = " \t  \t\t\t\t \t \t \t  ";
    match body.split_once(BASE) {
        None => Cow::Borrowed(body),
        Some((before, after)) => {
            let mut after = after;
            while let Some(rest) = after
                .get(..8)
                .filter(|tag| tag.trim().is_empty())
                .and_then(|_| after.get(8..))
            {
                after = rest;
            }
            Cow::Owned([before, after].concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{jid::Jid, stanza::Element};

    fn message(body: &str) -> Message {
        Message::chat(
            Jid::new("a@example.org").unwrap(),
            Jid::new("b@sms.example.org").unwrap(),
        )
        .with_body(body)
    }

    #[test]
    fn every_kind_is_recognised() {
        let fallback = "I sent you an OMEMO encrypted message";
        for (name, namespace, want) in [
            ("encrypted", ns::OMEMO, Encryption::Omemo),
            ("encrypted", ns::OMEMO_LEGACY, Encryption::Omemo),
            ("x", ns::PGP_LEGACY, Encryption::OpenPgp),
            ("openpgp", ns::OPENPGP, Encryption::OpenPgp),
        ] {
            let message = message(fallback).with_child(Element::new(name, namespace));
            assert_eq!(message.is_encrypted(), Some(want), "for {namespace}");
        }
        for (namespace, want) in [
            (ns::OMEMO_LEGACY, Encryption::Omemo),
            ("urn:xmpp:otr:0", Encryption::Otr),
            (
                "urn:example:new",
                Encryption::Other("urn:example:new".into()),
            ),
        ] {
            let marker = Element::new("encryption", ns::EME).with_attr("namespace", namespace);
            assert_eq!(
                message(fallback).with_child(marker).is_encrypted(),
                Some(want)
            );
        }
        assert_eq!(
            message("?OTRv23?\nhello").is_encrypted(),
            Some(Encryption::Otr)
        );
        assert_eq!(
            message("aesgcm://example.org/file#00").is_encrypted(),
            Some(Encryption::AesGcm)
        );
    }

    #[test]
    fn plain_text_is_not() {
        for body in [
            "hello",
            "what is ?OTR",
            "https://example.org/aesgcm://",
            "",
            "ééééééééé",
        ] {
            assert_eq!(message(body).is_encrypted(), None, "for {body:?}");
        }
        let unrelated = message("hi").with_child(Element::new("encrypted", "urn:example:x"));
        assert_eq!(unrelated.is_encrypted(), None);
    }

    #[test]
    fn otr_announcements_are_removed() {
        let tag = " \t  \t\t\t\t \t \t \t    \t\t  \t   \t\t  \t\t";
        assert_eq!(without_otr_tag(&format!("hello{tag}")), "hello");
        assert_eq!(without_otr_tag("hello  world"), "hello  world");
        assert_eq!(without_otr_tag(&format!("a{tag}b")), "ab");
    }
}
