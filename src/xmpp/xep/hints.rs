//! XEP-0334: Message Processing Hints.

use crate::xmpp::{ns, stanza::Element};

/// What servers are asked to do with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each hint is there or not")]
pub struct Hints {
    /// No carbon copies.
    pub no_copy: bool,
    /// Keep it in no archive, but deliver it later if need be.
    pub no_permanent_store: bool,
    /// Keep it nowhere.
    pub no_store: bool,
    /// Archive it although it looks unimportant.
    pub store: bool,
}

impl Hints {
    /// The hints among a message's payloads.
    pub fn of(payloads: &[Element]) -> Self {
        let has = |name| payloads.iter().any(|payload| payload.is(name, ns::HINTS));
        Self {
            no_copy: has("no-copy"),
            no_permanent_store: has("no-permanent-store"),
            no_store: has("no-store"),
            store: has("store"),
        }
    }
}

/// Asks for the message to be archived.
pub fn store() -> Element {
    Element::new("store", ns::HINTS)
}

/// Asks for the message to be kept nowhere.
pub fn no_store() -> Element {
    Element::new("no-store", ns::HINTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_found_among_others() {
        let payloads = [
            store(),
            Element::new("no-copy", ns::HINTS),
            Element::new("no-store", "urn:example:x"),
        ];
        assert_eq!(
            Hints::of(&payloads),
            Hints {
                store: true,
                no_copy: true,
                ..Hints::default()
            }
        );
        assert_eq!(
            Hints::of(&[no_store()]),
            Hints {
                no_store: true,
                ..Hints::default()
            }
        );
        assert_eq!(Hints::of(&[]), Hints::default());
    }
}
