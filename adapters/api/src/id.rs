//! Names and tokens that cross the border between the core and an adapter.

use std::{fmt, str::FromStr, sync::Arc};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// One delivery: unique for the life of an installation, the same on every attempt.
///
/// Its text form is 13 lower-case characters of base32 (`a`–`z`, `2`–`7`): fit for a URL, a mail address and a client
/// reference. It can be guessed; where that matters, carry it in a [`Signer::token`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key(pub i64);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32(&self.0.to_be_bytes()))
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let bytes = unbase32(text).ok_or(NotAKey)?;
        let bytes: [u8; 8] = bytes.try_into().map_err(|_| NotAKey)?;
        Ok(Self(i64::from_be_bytes(bytes)))
    }
}

/// The text is not the text form of a [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message key")]
pub struct NotAKey;

/// An account's name, unique in the installation: `gateway/provider`, for example `sms/main`.
///
/// It is what external ids and cursors are kept under, so renaming an account in the configuration forgets both.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AccountName(Arc<str>);

/// What the names of accounts that users brought begin with.
const OWN: &str = "own-";

impl AccountName {
    /// The account `name` of the gateway `gateway`.
    pub fn new(gateway: &str, name: &str) -> Self {
        Self(format!("{gateway}/{name}").into())
    }

    /// The account with this key that a user of the gateway brought.
    pub fn own(gateway: &str, key: i64) -> Self {
        Self::new(gateway, &format!("{OWN}{key}"))
    }

    /// The key of an account that a user brought; `None` for those of the configuration.
    pub fn own_key(&self) -> Option<i64> {
        self.short().strip_prefix(OWN)?.parse().ok()
    }

    /// The whole name, `gateway/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The gateway's part.
    pub fn gateway(&self) -> &str {
        self.0
            .split_once('/')
            .map_or(&*self.0, |(gateway, _)| gateway)
    }

    /// The account's part.
    pub fn short(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An id that an outside network gave or will quote: unique within (account, kind).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExternalId {
    /// What sort of id: `sid`, `message-id`, `smpp`. A fixed word of the adapter.
    pub kind: &'static str,
    /// The id as the network writes it, at most [`ExternalId::VALUE_BYTES_MAX`].
    pub value: String,
    /// Which part of a message in several parts it names, counted from 0.
    pub part: u16,
}

impl ExternalId {
    /// Longer ids are refused by the store: RFC 5322 lines end at 998.
    pub const VALUE_BYTES_MAX: usize = 998;

    /// The id of a message that is one piece.
    pub fn new(kind: &'static str, value: impl Into<String>) -> Self {
        Self {
            kind,
            value: value.into(),
            part: 0,
        }
    }

    /// The same, for one part of several.
    #[must_use]
    pub fn for_part(mut self, part: u16) -> Self {
        self.part = part;
        self
    }
}

/// Makes and checks tokens that an outsider must not be able to guess: bounce addresses, Message-IDs, webhook paths.
///
/// A token is base32 of the key's 8 bytes and 10 bytes (80 bits) of HMAC-SHA-256 over (kind, key).
#[derive(Clone)]
pub struct Signer(SecretSlice<u8>);

impl Signer {
    const MAC_BYTES: usize = 10;

    /// A signer with the installation's secret, at least 32 bytes.
    pub fn new(secret: SecretSlice<u8>) -> Self {
        Self(secret)
    }

    /// The token of this kind for this key: 29 characters `a`–`z`, `2`–`7`.
    pub fn token(&self, kind: &str, key: Key) -> String {
        let mut bytes = key.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.mac(kind, key));
        base32(&bytes)
    }

    /// The key in a token of this kind, if the token is ours. Letter case does not matter: mail hosts change it.
    pub fn verify(&self, kind: &str, token: &str) -> Option<Key> {
        let bytes = unbase32(&token.to_ascii_lowercase())?;
        let (key, mac) = bytes.split_at_checked(8)?;
        let key = Key(i64::from_be_bytes(key.try_into().ok()?));
        let equal = self.hmac(kind, key).verify_truncated_left(mac);
        (mac.len() == Self::MAC_BYTES && equal.is_ok()).then_some(key)
    }

    fn mac(&self, kind: &str, key: Key) -> Vec<u8> {
        let mut mac = self.hmac(kind, key).finalize().into_bytes().to_vec();
        mac.truncate(Self::MAC_BYTES);
        mac
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn hmac(&self, kind: &str, key: Key) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("any length");
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(&key.0.to_be_bytes());
        mac
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// RFC 4648 base32 in lower case without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(buffer >> bits));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(buffer << (5 - bits)));
    }
    text
}

fn letter(value: u32) -> char {
    ALPHABET
        .get((value & 31) as usize)
        .map_or('a', |byte| char::from(*byte))
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        buffer = (buffer << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).ok()?);
        }
        buffer &= (1 << bits) - 1;
    }
    (buffer == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: u8) -> Signer {
        Signer::new(vec![secret; 32].into())
    }

    #[test]
    fn a_key_reads_back_from_its_text() {
        for value in [0, 1, -1, i64::MAX, i64::MIN, 1_234_567_890_123] {
            let text = Key(value).to_string();
            assert_eq!(text.len(), 13, "{text}");
            assert_eq!(text.parse(), Ok(Key(value)));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "a",
            "aaaaaaaaaaaa1",
            "AAAAAAAAAAAAA",
            "aaaaaaaaaaaaab",
            "aaaaaaaaaaaab",
            "ä",
        ] {
            assert_eq!(text.parse::<Key>(), Err(NotAKey), "{text}");
        }
    }

    #[test]
    fn a_token_is_known_by_its_maker_alone() {
        let token = signer(1).token("b", Key(77));
        assert_eq!(token.len(), 29);
        assert_eq!(signer(1).verify("b", &token), Some(Key(77)));
        assert_eq!(
            signer(1).verify("b", &token.to_uppercase()),
            Some(Key(77)),
            "mail hosts change the case"
        );
        assert_eq!(signer(1).verify("r", &token), None, "another kind");
        assert_eq!(signer(2).verify("b", &token), None, "another installation");
        assert_eq!(signer(1).verify("b", ""), None);
        assert_eq!(
            signer(1).verify("b", token.get(..13).unwrap()),
            None,
            "no MAC at all"
        );
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        // RFC 4648 §10
        for (bytes, text) in [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(unbase32(text).as_deref(), Some(bytes.as_bytes()));
        }
    }
}
