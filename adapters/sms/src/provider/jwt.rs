//! JSON Web Tokens: those that providers sign their calls with, and those that we sign in with. RFC 7519
//!
//! Small on purpose: one shared secret and the three HMACs to verify, one RSA key to sign. What a token says about its own
//! algorithm only chooses among the three, so that `none` and a public key taken for a secret are nothing here.

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::Hmac;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};
use transom_adapter::{Refused, UnixMillis};

use super::signature::hmac;

/// Clocks differ by so much.
const LEEWAY_SECONDS: i64 = 60;

/// The claims of a token that this secret signed and whose time is now.
///
/// # Errors
///
/// [`Refused::Forged`]; [`Refused::Replayed`] before `nbf` or `iat`, or after `exp`.
pub(crate) fn verify(
    token: &str,
    secret: &SecretString,
    now: UnixMillis,
) -> Result<Value, Refused> {
    let claims = claims(token, secret).ok_or(Refused::Forged)?;
    let now = now.0 / 1000;
    // A time that is none counts as one long past or far ahead.
    let time = |name: &str, wrong: i64| match &claims[name] {
        Value::Null => None,
        value => Some(seconds(value).unwrap_or(wrong)),
    };
    let ended = time("exp", i64::MIN).is_some_and(|at| at.saturating_add(LEEWAY_SECONDS) <= now);
    let begins = ["nbf", "iat"].map(|name| time(name, i64::MAX));
    let to_come = |at: &i64| at.saturating_sub(LEEWAY_SECONDS) > now;
    if ended || begins.iter().flatten().any(to_come) {
        return Err(Refused::Replayed);
    }
    Ok(claims)
}

fn claims(token: &str, secret: &SecretString) -> Option<Value> {
    let (signed, mac) = token.rsplit_once('.')?;
    let (head, body) = signed.split_once('.')?;
    let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?;
    let head: Value = read(head)?;
    let message = [signed.as_bytes()];
    let genuine = match head["alg"].as_str()? {
        "HS256" => hmac::<Hmac<Sha256>>(secret, message, &mac),
        "HS384" => hmac::<Hmac<Sha384>>(secret, message, &mac),
        "HS512" => hmac::<Hmac<Sha512>>(secret, message, &mac),
        _ => false,
    };
    // RFC 7515 §4.1.11: what is critical and not understood makes it invalid.
    if !genuine || head.get("crit").is_some() {
        return None;
    }
    read(body).filter(Value::is_object)
}

fn read(part: &str) -> Option<Value> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

/// RFC 7519 §2, `NumericDate`: may have a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from a float stops at the ends"
)]
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
}

/// A private key that signs with RS256.
pub(crate) struct SigningKey(KeyPair);

impl SigningKey {
    /// Reads a key in PEM, PKCS #8 or PKCS #1; `None` when it is none.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return None,
        };
        pair.ok().map(Self)
    }

    /// A token with these claims; `None` when the machine cannot sign.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let head = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let body = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed = format!("{head}.{body}");
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .ok()?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Some(format!("{signed}.{signature}"))
    }
}

#[cfg(test)]
#[path = "jwt/tests.rs"]
mod tests;
