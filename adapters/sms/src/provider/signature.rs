//! Who calls: what the ways of signing a webhook have in common. Each works on what was received, before anything is parsed.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac, digest::Digest as _};
use http::{HeaderMap, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use transom_adapter::{Refused, UnixMillis, WebRequest};

/// A signed call that is older, or from further in the future, is not believed: five minutes, as providers' own libraries have it.
const SKEW_MILLIS_MAX: i64 = 5 * 60 * 1000;

/// A header's value as text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A header that a signed call has.
///
/// # Errors
///
/// [`Refused::Unsigned`] when it is not there.
pub(crate) fn required<'a>(request: &WebRequest<'a>, name: &str) -> Result<&'a str, Refused> {
    header(request.headers, name).ok_or(Refused::Unsigned)
}

/// Whether this is the MAC over these bytes, one after the other; takes as long whatever the MAC is.
pub(crate) fn hmac<'a, M: Mac + KeyInit>(
    secret: &SecretString,
    message: impl IntoIterator<Item = &'a [u8]>,
    mac: &[u8],
) -> bool {
    let Ok(mut hmac) = <M as KeyInit>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    for bytes in message {
        hmac.update(bytes);
    }
    hmac.verify_slice(mac).is_ok()
}

/// The same for HMAC-SHA-256 in base64.
///
/// # Errors
///
/// [`Refused::Forged`].
pub(crate) fn hmac_sha256_base64<'a>(
    secret: &SecretString,
    message: impl IntoIterator<Item = &'a [u8]>,
    mac: &str,
) -> Result<(), Refused> {
    let mac = BASE64_STANDARD
        .decode(mac.trim())
        .map_err(|_| Refused::Forged)?;
    if hmac::<Hmac<Sha256>>(secret, message, &mac) {
        Ok(())
    } else {
        Err(Refused::Forged)
    }
}

/// Whether a signature of this second is of now; only to be asked about a time that the signature covers.
///
/// # Errors
///
/// [`Refused::Replayed`].
pub(crate) fn fresh(unix_seconds: i64, now: UnixMillis) -> Result<(), Refused> {
    let at = unix_seconds.saturating_mul(1000);
    if at.saturating_sub(now.0).saturating_abs() <= SKEW_MILLIS_MAX {
        Ok(())
    } else {
        Err(Refused::Replayed)
    }
}

/// Checks the token in the path, which stands in for a signature (semantics 32).
///
/// # Errors
///
/// [`Refused::Unsigned`] without one, [`Refused::Forged`] with another.
pub(crate) fn token(request: &WebRequest<'_>, token: &SecretString) -> Result<(), Refused> {
    let given = request.token.ok_or(Refused::Unsigned)?;
    if equal(given.as_bytes(), token.expose_secret().as_bytes()) {
        Ok(())
    } else {
        Err(Refused::Forged)
    }
}

/// Checks user and password of the Basic scheme. RFC 7617 §2
///
/// # Errors
///
/// [`Refused::Unsigned`] without them, [`Refused::Forged`] with others.
pub(crate) fn basic(
    request: &WebRequest<'_>,
    user: &str,
    password: &SecretString,
) -> Result<(), Refused> {
    let given = required(request, AUTHORIZATION.as_str())?;
    let (scheme, encoded) = given.split_once(' ').ok_or(Refused::Forged)?;
    let given = BASE64_STANDARD
        .decode(encoded.trim())
        .map_err(|_| Refused::Forged)?;
    let wanted = format!("{user}:{}", password.expose_secret());
    if scheme.eq_ignore_ascii_case("basic") && equal(&given, wanted.as_bytes()) {
        Ok(())
    } else {
        Err(Refused::Forged)
    }
}

/// The token of the Bearer scheme. RFC 6750 §2.1
///
/// # Errors
///
/// [`Refused::Unsigned`] when there is none.
pub(crate) fn bearer<'a>(request: &WebRequest<'a>) -> Result<&'a str, Refused> {
    let given = required(request, AUTHORIZATION.as_str())?;
    let (scheme, token) = given.split_once(' ').ok_or(Refused::Unsigned)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(Refused::Unsigned)
    }
}

/// Digests take as long to compare whatever the bytes are, as far as anybody can make use of it.
pub(crate) fn equal(one: &[u8], other: &[u8]) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn asked<T>(
        headers: &[(&str, &str)],
        token: Option<&str>,
        ask: impl FnOnce(&WebRequest<'_>) -> T,
    ) -> T {
        let pairs = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers = HeaderMap::<http::HeaderValue>::from_iter(
            pairs.collect::<Vec<(http::HeaderName, http::HeaderValue)>>(),
        );
        ask(&WebRequest {
            method: &Method::POST,
            public_url: "https://gw.example.org/webhook/sms/main",
            query: "",
            token,
            headers: &headers,
            body: b"",
            peer: None,
        })
    }

    #[test]
    fn a_token_is_the_one_or_it_is_not() {
        let ask = |given| {
            asked(&[], given, |request| {
                token(request, &"0123456789abcdef".into())
            })
        };
        assert_eq!(ask(Some("0123456789abcdef")), Ok(()));
        assert_eq!(ask(Some("0123456789abcdeF")), Err(Refused::Forged));
        assert_eq!(ask(Some("")), Err(Refused::Forged));
        assert_eq!(ask(None), Err(Refused::Unsigned));
    }

    #[test]
    fn basic_credentials_are_compared_whole() {
        let ask = |value: &str| {
            asked(&[("authorization", value)], None, |r| {
                basic(r, "u", &"p:w".into())
            })
        };
        // u:p:w
        assert_eq!(ask("Basic dTpwOnc="), Ok(()));
        assert_eq!(ask("basic dTpwOnc="), Ok(()));
        for wrong in [
            "Basic dTpwOng=",
            "Bearer dTpwOnc=",
            "Basic !",
            "Basic",
            "x y z",
        ] {
            assert_eq!(ask(wrong), Err(Refused::Forged), "{wrong}");
        }
        let none = asked(&[], None, |r| basic(r, "u", &"p".into()));
        assert_eq!(none, Err(Refused::Unsigned));
    }

    #[test]
    fn five_minutes_either_way_are_now() {
        let now = UnixMillis(1_790_000_000_000);
        assert_eq!(fresh(1_790_000_000 - 300, now), Ok(()));
        assert_eq!(fresh(1_790_000_000 + 300, now), Ok(()));
        for far in [
            1_790_000_000 - 301,
            1_790_000_000 + 301,
            0,
            i64::MIN,
            i64::MAX,
        ] {
            assert_eq!(fresh(far, now), Err(Refused::Replayed), "{far}");
        }
    }
}
