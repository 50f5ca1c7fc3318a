//! Who calls: a token over the body (Messages API), or a field `sig` over the fields (SMS API).

use hmac::Hmac;
use http::Method;
use secrecy::SecretString;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use transom_adapter::{Refused, UnixMillis, WebRequest};

use crate::provider::{
    fields::Fields,
    json, jwt,
    signature::{bearer, equal, fresh, header, hmac},
};

/// What Vonage's calls are checked with.
pub(super) struct Caller<'a> {
    pub(super) secret: &'a SecretString,
    /// Whose calls they have to be, if we know.
    pub(super) api_key: Option<&'a str>,
}

impl Caller<'_> {
    /// Whether a token signs the call; false when it carries none.
    ///
    /// # Errors
    ///
    /// The token is not Vonage's, not of now, not for this account or not for this body.
    pub(super) fn signed_by_token(
        &self,
        request: &WebRequest<'_>,
        now: UnixMillis,
    ) -> Result<bool, Refused> {
        if header(request.headers, "authorization").is_none() {
            return Ok(false);
        }
        let claims = jwt::verify(bearer(request)?, self.secret, now)?;
        let other = |known: &str| claims["api_key"].as_str().is_some_and(|key| key != known);
        if self.api_key.is_some_and(other) {
            return Err(Refused::Forged);
        }
        // It says nothing without what it is about: a token of another call would open the door for any body.
        let hash = claims["payload_hash"].as_str().ok_or(Refused::Forged)?;
        let digest = hex::encode(Sha256::digest(request.body));
        if !equal(hash.to_ascii_lowercase().as_bytes(), digest.as_bytes()) {
            return Err(Refused::Forged);
        }
        Ok(true)
    }

    /// The fields of a call that `sig` signs: HMAC by SHA-1, SHA-256 or SHA-512, told apart by its length.
    ///
    /// # Errors
    ///
    /// [`Refused`].
    pub(super) fn signed_by_field(
        &self,
        request: &WebRequest<'_>,
        now: UnixMillis,
    ) -> Result<Fields, Refused> {
        let fields = fields(request)?;
        let sig = fields.filled("sig").ok_or(Refused::Unsigned)?;
        let mac = hex::decode(&*sig).map_err(|_| Refused::Forged)?;
        let message = signed(&fields);
        let message = [&*message];
        let genuine = match mac.len() {
            20 => hmac::<Hmac<Sha1>>(self.secret, message, &mac),
            32 => hmac::<Hmac<Sha256>>(self.secret, message, &mac),
            64 => hmac::<Hmac<Sha512>>(self.secret, message, &mac),
            _ => false,
        };
        if !genuine {
            return Err(Refused::Forged);
        }
        let second = fields.text("timestamp").and_then(|text| text.parse().ok());
        fresh(second.ok_or(Refused::Replayed)?, now)?;
        Ok(fields)
    }
}

/// A query, a form, or an object in JSON whose values are texts.
fn fields(request: &WebRequest<'_>) -> Result<Fields, Refused> {
    if request.method == Method::GET {
        return Fields::parse(request.query.as_bytes()).ok_or(Refused::Malformed);
    }
    let kind = header(request.headers, "content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Fields::parse(request.body).ok_or(Refused::Malformed);
    }
    let document = json::parse(request.body)?;
    json::fields(&document).ok_or(Refused::Malformed)
}

/// Sorted, each `&name=value`, with underscores for what separates them.
pub(super) fn signed(fields: &Fields) -> Vec<u8> {
    let plain = |byte: &u8| {
        if matches!(byte, b'&' | b'=') {
            b'_'
        } else {
            *byte
        }
    };
    let mut signed = Vec::new();
    for (name, value) in fields.sorted() {
        if name == b"sig" {
            continue;
        }
        signed.push(b'&');
        signed.extend_from_slice(name);
        signed.push(b'=');
        signed.extend(value.iter().map(plain));
    }
    signed
}
