//! Secrets of users at rest: sealed with a key that is not in the database.
//!
//! - [`Keys`]: the keys of a key file, by their ids; seal and open.
//! - [`KeyRing`]: where they come from, and how they are exchanged while the process runs.
//!
//! XChaCha20-Poly1305 with a random nonce of 192 bits, so that nobody has to count. What is sealed is bound to its row: put into another
//! one it does not open. The id of the key stands beside it, so that keys can be exchanged one row at a time.

mod keys;
mod ring;
#[cfg(test)]
mod tests;

pub use keys::{Keys, NotAKeyFile};
pub use ring::{KeyFileError, KeyRing, locate, write};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use secrecy::{ExposeSecret as _, SecretSlice};

/// The row that a secret belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The account.
    pub account_id: i64,
    /// The user whose it is.
    pub user_id: i64,
}

/// A sealed secret, as the database keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The id of the key.
    pub key: String,
    /// Nonce and ciphertext.
    pub text: String,
}

/// A secret that does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unopened {
    /// The key that sealed it is not among ours.
    #[error("the key that it is sealed with is not in the key file")]
    UnknownKey,
    /// It was changed, cut, or belongs to another row.
    #[error("it was damaged, or belongs to another row")]
    Damaged,
}

const NONCE_BYTES: usize = 24;
/// What is bound begins with it, so that nothing sealed for another purpose opens here.
const PURPOSE: &[u8] = b"transom account login 1\0";

impl Keys {
    /// Seals with the newest key.
    pub fn seal(&self, secret: &[u8], bound: Bound) -> Sealed {
        let (id, key) = self.newest();
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let additional = additional(id, bound);
        let payload = Payload {
            msg: secret,
            aad: &additional,
        };
        // It fails only beyond 256 GiB.
        let sealed = cipher(key)
            .and_then(|cipher| cipher.encrypt(&XNonce::from(nonce), payload).ok())
            .unwrap_or_default();
        let bytes: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        Sealed {
            key: id.to_owned(),
            text: STANDARD_NO_PAD.encode(bytes),
        }
    }

    /// Opens what one of the keys sealed.
    ///
    /// # Errors
    ///
    /// [`Unopened`].
    pub fn open(&self, sealed: &Sealed, bound: Bound) -> Result<SecretSlice<u8>, Unopened> {
        let key = self.find(&sealed.key).ok_or(Unopened::UnknownKey)?;
        let bytes = STANDARD_NO_PAD.decode(&sealed.text);
        let bytes = bytes.map_err(|_| Unopened::Damaged)?;
        let (nonce, msg) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(Unopened::Damaged)?;
        let aad = &additional(&sealed.key, bound);
        let opened = cipher(key).and_then(|cipher| {
            let payload = Payload { msg, aad };
            cipher.decrypt(&XNonce::from(*nonce), payload).ok()
        });
        opened.map(Into::into).ok_or(Unopened::Damaged)
    }
}

fn cipher(key: &SecretSlice<u8>) -> Option<XChaCha20Poly1305> {
    XChaCha20Poly1305::new_from_slice(key.expose_secret()).ok()
}

fn additional(key: &str, bound: Bound) -> Vec<u8> {
    let mut bytes = PURPOSE.to_vec();
    bytes.extend(bound.account_id.to_be_bytes());
    bytes.extend(bound.user_id.to_be_bytes());
    bytes.extend(key.as_bytes());
    bytes
}
