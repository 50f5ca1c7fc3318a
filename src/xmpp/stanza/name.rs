//! Names and namespaces that cost nothing when this program knows them.

use std::{borrow::Borrow, fmt, ops::Deref};

use crate::xmpp::ns;

/// A local name or a namespace: static for those of [`ns`], owned for strangers.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Text);

#[derive(Clone)]
enum Text {
    Known(&'static str),
    Stranger(Box<str>),
}

impl Name {
    /// A local name that came from outside, `None` when XML does not allow it as one.
    pub fn parse(text: &str) -> Option<Self> {
        match ns::known(text) {
            // The table holds namespaces too.
            Some(known) if !known.contains(':') => Some(Self(Text::Known(known))),
            _ => is_ncname(text).then(|| Self(Text::Stranger(text.into()))),
        }
    }

    /// For text that needs no check: a namespace, or a name that was checked.
    pub(crate) fn intern(text: &str) -> Self {
        Self(ns::known(text).map_or_else(|| Text::Stranger(text.into()), Text::Known))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Known(text) => text,
            Text::Stranger(text) => text,
        }
    }
}

impl From<&'static str> for Name {
    fn from(text: &'static str) -> Self {
        Self(Text::Known(text))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

// Equality, order and hash are those of the text, wherever it is kept.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(other)
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Stranger(text) => text,
        }
    }
}

/// Namespaces in XML 1.0 §3 `NCName`: an XML 1.0 (fifth edition) §2.3 `Name` without colons.
pub(crate) fn is_ncname(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_name_character)
}

fn is_name_start(character: char) -> bool {
    matches!(character,
        'a'..='z' | 'A'..='Z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character,
            '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_owned_names_are_equal() {
        let owned = Name(Text::Stranger("body".into()));
        assert_eq!(owned, Name::from("body"));
        assert_eq!(Name::parse("body"), Some(owned));
    }

    #[test]
    fn names_follow_xml() {
        for good in ["a", "_x", "a-b.c1", "é", "ü1"] {
            assert!(is_ncname(good), "for {good:?}");
        }
        for bad in ["", "1a", "-a", "a:b", "a b", "a>", "a\u{0}", "\u{FFFE}"] {
            assert!(!is_ncname(bad), "for {bad:?}");
        }
    }
}
