//! Signing what we send, so that receivers know that it is from us. RFC 6376, RFC 8463

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa,
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use transom_adapter::UnixMillis;

/// The fields that are signed when they are there. Those marked are named once more than they occur, so that nobody adds another
/// one in front. RFC 6376 §5.4, §8.15
const SIGNED: &[(&str, bool)] = &[
    ("From", true),
    ("To", true),
    ("Subject", true),
    ("Date", true),
    ("Message-ID", true),
    ("In-Reply-To", true),
    ("References", true),
    ("Reply-To", true),
    ("MIME-Version", false),
    ("Content-Type", false),
    ("Content-Transfer-Encoding", false),
];

/// A domain's key and where receivers find the other half of it.
pub(crate) struct Dkim {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(rsa::KeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key that cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum BadKey {
    #[error("holds no private key in PEM form")]
    NoPem,
    #[error("holds a key that is neither RSA of 2048 bits or more nor Ed25519")]
    Unsuitable,
}

impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dkim")
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

impl Dkim {
    /// With a private key in PEM form, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    ///
    /// [`BadKey`].
    pub(crate) fn new(domain: String, selector: String, pem: &[u8]) -> Result<Self, BadKey> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| BadKey::NoPem)?;
        let unsuitable = |_| BadKey::Unsuitable;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => {
                Key::Rsa(rsa::KeyPair::from_der(der.secret_pkcs1_der()).map_err(unsuitable)?)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(key) => Key::Ed25519(key),
                    Err(_) => Key::Rsa(rsa::KeyPair::from_pkcs8(der).map_err(unsuitable)?),
                }
            }
            _ => return Err(BadKey::Unsuitable),
        };
        match &key {
            Key::Rsa(key) if key.public_modulus_len() < 256 => Err(BadKey::Unsuitable),
            _ => Ok(Self {
                domain,
                selector,
                key,
            }),
        }
    }

    /// The mail with its signature in front; the same for the same mail. `None` when signing fails, which no good key does.
    pub(crate) fn sign(&self, mail: &[u8], at: UnixMillis) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(mail).ok()?;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let fields = fields(head);
        let names = signed_names(&fields);
        let unsigned = self.unsigned(&names, body, at);
        let mut data = String::new();
        for name in &names.present {
            data.push_str(&relaxed_field(name));
            data.push_str("\r\n");
        }
        data.push_str(&relaxed_field(&unsigned));
        let signature = self.signature(data.as_bytes())?;
        let mut signed = unsigned.into_bytes();
        for (index, piece) in BASE64_STANDARD
            .encode(signature)
            .as_bytes()
            .chunks(72)
            .enumerate()
        {
            if index > 0 {
                signed.extend(b"\r\n\t ");
            }
            signed.extend(piece);
        }
        signed.extend(b"\r\n");
        signed.extend(mail);
        Some(signed)
    }

    /// The field as far as it is signed itself. §3.5
    fn unsigned(&self, names: &Names<'_>, body: &str, at: UnixMillis) -> String {
        let hash = BASE64_STANDARD.encode(Sha256::digest(relaxed_body(body)));
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n\td={}; s={};\r\n\tt={}; h={};\r\n\tbh={hash};\r\n\tb=",
            self.domain,
            self.selector,
            at.0.div_euclid(1000),
            names.all.join(":\r\n\t "),
        )
    }

    fn signature(&self, data: &[u8]) -> Option<Vec<u8>> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let random = SystemRandom::new();
                key.sign(&RSA_PKCS1_SHA256, &random, data, &mut signature)
                    .ok()?;
                Some(signature)
            }
            // RFC 8463 §3: it signs the hash.
            Key::Ed25519(key) => Some(key.sign(&Sha256::digest(data)).as_ref().to_vec()),
        }
    }

    /// The DNS record that receivers look for: its name and its text. §3.6.1
    pub(crate) fn record(&self) -> (String, String) {
        let (kind, key) = match &self.key {
            Key::Rsa(key) => {
                let der = key.public_key().as_der();
                let der = der.map(|der| der.as_ref().to_vec()).unwrap_or_default();
                ("rsa", der)
            }
            Key::Ed25519(key) => ("ed25519", key.public_key().as_ref().to_vec()),
        };
        let name = format!("{}._domainkey.{}", self.selector, self.domain);
        (
            name,
            format!("v=DKIM1; k={kind}; p={}", BASE64_STANDARD.encode(key)),
        )
    }
}

/// Which fields are signed: `all` as `h=` names them, `present` in that order.
struct Names<'a> {
    all: Vec<&'static str>,
    present: Vec<&'a str>,
}

/// §5.4.2: of a field that occurs several times the lowest one comes first.
fn signed_names<'a>(fields: &[&'a str]) -> Names<'a> {
    let mut names = Names {
        all: Vec::new(),
        present: Vec::new(),
    };
    for (name, once_more) in SIGNED {
        let is_it = |field: &&&str| {
            field
                .split(':')
                .next()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        for field in fields.iter().rev().filter(is_it) {
            names.all.push(name);
            names.present.push(field);
        }
        if *once_more {
            names.all.push(name);
        }
    }
    names
}

/// The fields of a header, folded as they are.
fn fields(head: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut start = 0;
    for (end, _) in head.match_indices("\r\n") {
        let goes_on = head
            .get(end + 2..)
            .is_some_and(|next| next.starts_with([' ', '\t']));
        if !goes_on {
            fields.extend(head.get(start..end));
            start = end + 2;
        }
    }
    fields.extend(head.get(start..).filter(|last| !last.is_empty()));
    fields
}

/// §3.4.2
fn relaxed_field(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    let words: Vec<&str> = value
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
        .collect();
    format!(
        "{}:{}",
        name.trim_end().to_ascii_lowercase(),
        words.join(" ")
    )
}

/// §3.4.4
fn relaxed_body(body: &str) -> String {
    let mut relaxed = String::with_capacity(body.len());
    for line in body.split("\r\n") {
        let mut space = false;
        for c in line.chars() {
            if c == ' ' || c == '\t' {
                space = true;
                continue;
            }
            if space {
                relaxed.push(' ');
                space = false;
            }
            relaxed.push(c);
        }
        relaxed.push_str("\r\n");
    }
    let kept = relaxed.trim_end_matches("\r\n").len();
    relaxed.truncate(kept);
    if !relaxed.is_empty() {
        relaxed.push_str("\r\n");
    }
    relaxed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8463 §A.2: the key of the example.
    const RFC_KEY: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    const RFC_MAIL: &str = "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.";

    /// An Ed25519 key from its seed, as PKCS#8. RFC 8410 §7
    fn ed25519_pem(seed: &[u8]) -> String {
        let mut der = vec![
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        der.extend(seed);
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der)
        )
    }

    fn dkim() -> Dkim {
        let pem = ed25519_pem(&BASE64_STANDARD.decode(RFC_KEY).unwrap());
        Dkim::new(
            "football.example.com".to_owned(),
            "brisbane".to_owned(),
            pem.as_bytes(),
        )
        .unwrap()
    }

    #[test]
    fn rfc8463_a_the_body_hash_and_the_public_key_are_those_of_the_example() {
        let signed = String::from_utf8(
            dkim()
                .sign(RFC_MAIL.as_bytes(), UnixMillis(1_528_637_909_000))
                .unwrap(),
        )
        .unwrap();
        assert!(
            signed.contains("bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;"),
            "{signed}"
        );
        let (name, text) = dkim().record();
        assert_eq!(name, "brisbane._domainkey.football.example.com");
        assert_eq!(
            text,
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
    }

    #[test]
    fn rfc6376_3_4_canonical_forms() {
        assert_eq!(relaxed_field("A: X\r\n\t Y  Z "), "a:X Y Z");
        assert_eq!(relaxed_field("B : Y\t\r\n\tZ  "), "b:Y Z");
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        assert_eq!(relaxed_body(""), "");
        assert_eq!(relaxed_body("\r\n\r\n"), "");
    }

    #[test]
    fn rfc6376_8_15_nobody_can_add_another_from() {
        let signed =
            String::from_utf8(dkim().sign(RFC_MAIL.as_bytes(), UnixMillis(0)).unwrap()).unwrap();
        let (field, _) = signed.split_once("bh=").unwrap();
        assert_eq!(field.matches("From").count(), 2, "{field}");
        assert!(signed.lines().all(|line| line.len() <= 998));
        let again = dkim().sign(RFC_MAIL.as_bytes(), UnixMillis(0)).unwrap();
        assert_eq!(signed.as_bytes(), again, "the same on every attempt");
    }

    #[test]
    fn what_is_no_key_is_told() {
        let new = |pem: &str| Dkim::new("x".to_owned(), "y".to_owned(), pem.as_bytes()).map(drop);
        assert_eq!(new("hello"), Err(BadKey::NoPem));
        let junk = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n";
        assert_eq!(new(junk), Err(BadKey::Unsuitable));
    }
}
