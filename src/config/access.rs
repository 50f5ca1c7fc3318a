//! Who may use a gateway.

use jid::BareJid;

/// A list of domains and bare JIDs; the empty list admits nobody.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccessList(Vec<BareJid>);

impl AccessList {
    pub(super) fn new(entries: Vec<BareJid>) -> Self {
        Self(entries)
    }

    /// Whether this user is on the list, alone or with the whole domain. A domain does not admit its subdomains.
    pub fn admits(&self, user: &BareJid) -> bool {
        self.0.iter().any(|entry| match entry.node() {
            Some(_) => entry == user,
            None => user.node().is_some() && entry.domain() == user.domain(),
        })
    }

    /// The domains on it, those of single users included; each once.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        let mut seen = std::collections::BTreeSet::new();
        self.0
            .iter()
            .map(|entry| entry.domain().as_str())
            .filter(move |domain| seen.insert(*domain))
    }

    /// Whether it admits nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn domains_and_users_are_admitted_exactly() {
        let list = AccessList::new(vec![jid("example.org"), jid("bob@example.net")]);
        for (user, admitted) in [
            ("alice@example.org", true),
            ("ALICE@EXAMPLE.ORG", true),
            ("alice@sub.example.org", false),
            ("alice@notexample.org", false),
            ("bob@example.net", true),
            ("alice@example.net", false),
            ("example.org", false),
        ] {
            assert_eq!(list.admits(&jid(user)), admitted, "{user}");
        }
        assert!(!AccessList::default().admits(&jid("alice@example.org")));
    }
}
