//! `application/x-www-form-urlencoded`, in bytes: what stands in a query or a form need not be UTF-8.

use std::borrow::Cow;

/// The fields of a query or a form, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fields(Vec<(Vec<u8>, Vec<u8>)>);

/// More than any provider sends.
const FIELDS_MAX: usize = 512;

impl Fields {
    /// Reads them; `None` when there are too many.
    pub(crate) fn parse(encoded: &[u8]) -> Option<Self> {
        let pairs = encoded.split(|byte| *byte == b'&');
        let mut fields = Vec::new();
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            if fields.len() == FIELDS_MAX {
                return None;
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default());
            fields.push((name, decode(halves.next().unwrap_or_default())));
        }
        Some(Self(fields))
    }

    /// The same from what was decoded already.
    pub(crate) fn from_pairs(pairs: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let pairs = pairs.map(|(name, value)| (name.into_bytes(), value.into_bytes()));
        let fields: Vec<_> = pairs.take(FIELDS_MAX + 1).collect();
        (fields.len() <= FIELDS_MAX).then_some(Self(fields))
    }

    /// The first value of this name.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| &**value)
    }

    /// The same as text, with replacement characters for what is not UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.bytes(name).map(String::from_utf8_lossy)
    }

    /// The same, `None` when it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<Cow<'_, str>> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// The pairs, sorted, each once: what Twilio signs.
    pub(crate) fn sorted(&self) -> Vec<(&[u8], &[u8])> {
        let mut pairs: Vec<_> = self.0.iter().map(|(n, v)| (&**n, &**v)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

fn decode(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (other, _) => bytes.push(*other),
        }
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let fields = Fields::parse(b"From=%2B1202&Body=a+b%26c%zz%&Body=2&&flag&=x").unwrap();
        assert_eq!(fields.text("From").as_deref(), Some("+1202"));
        assert_eq!(fields.text("Body").as_deref(), Some("a b&c%zz%"));
        assert_eq!(fields.text("flag").as_deref(), Some(""));
        assert_eq!(fields.filled("flag"), None);
        assert_eq!(fields.text("none"), None);
    }

    #[test]
    fn too_many_fields_are_not_read() {
        assert_eq!(
            Fields::parse("a=1&".repeat(FIELDS_MAX + 1).as_bytes()),
            None
        );
        assert!(Fields::parse("a=1&".repeat(FIELDS_MAX).as_bytes()).is_some());
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(value in ".{0,40}") {
            let encoded: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("k", &value).finish();
            let fields = Fields::parse(encoded.as_bytes()).unwrap();
            prop_assert_eq!(fields.text("k").unwrap_or_default(), value);
        }
    }
}
