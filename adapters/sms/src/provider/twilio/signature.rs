//! `X-Twilio-Signature`: HMAC over the URL and every parameter.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, header::CONTENT_TYPE};
use secrecy::SecretString;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use transom_adapter::{Refused, WebRequest};

use crate::provider::{
    fields::Fields,
    signature::{self, header, required},
};

/// What Twilio signs its calls with.
pub(super) struct Secrets {
    /// For HMAC-SHA-1.
    pub(super) auth_token: SecretString,
    /// Id and secret, for HMAC-SHA-256.
    pub(super) shared_key: Option<(String, SecretString)>,
}

impl Secrets {
    /// Checks the signature and gives the parameters that it covers.
    ///
    /// There is no timestamp in it: a repeated call verifies, and is known by its id.
    pub(super) fn verify(&self, request: &WebRequest<'_>) -> Result<Fields, Refused> {
        let signature = required(request, "x-twilio-signature")?;
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| Refused::Forged)?;
        let settings = header(request.headers, "x-twilio-webhooks-signature-settings");
        let key = self.key(settings.unwrap_or_default())?;
        let signed = Signed::read(request)?;
        let matches = |url: &String| key.verify(url, &signed.covered(), &signature);
        if url_variants(request.public_url).iter().any(matches) {
            Ok(signed.fields)
        } else {
            Err(Refused::Forged)
        }
    }

    /// `key=<id>,algorithm=<name>`; without the header it is HMAC-SHA-1 with the Auth Token.
    fn key(&self, settings: &str) -> Result<SigningKey<'_>, Refused> {
        let parts = settings.split(',').filter_map(|part| part.split_once('='));
        let value = |name: &str| {
            let mut parts = parts.clone();
            parts.find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
        };
        let algorithm = value("algorithm").unwrap_or_default();
        if algorithm.is_empty() || algorithm.eq_ignore_ascii_case("HMAC_SHA1") {
            return Ok(SigningKey::Sha1(&self.auth_token));
        }
        match &self.shared_key {
            Some((id, secret))
                if algorithm.eq_ignore_ascii_case("HMAC_SHA256") && value("key") == Some(id) =>
            {
                Ok(SigningKey::Sha256(secret))
            }
            _ => Err(Refused::Forged),
        }
    }
}

/// What a call says, and which part of it the signature covers beside the URL.
struct Signed {
    fields: Fields,
    is_covered: bool,
}

impl Signed {
    fn read(request: &WebRequest<'_>) -> Result<Self, Refused> {
        let query = Fields::parse(request.query.as_bytes()).ok_or(Refused::Malformed)?;
        if request.method == Method::GET {
            // The parameters are in the URL, which is signed whole.
            return Ok(Self {
                fields: query,
                is_covered: false,
            });
        }
        if let Some(hash) = query.text("bodySHA256")
            && !is_form(request.headers)
        {
            if !hash.eq_ignore_ascii_case(&hex::encode(Sha256::digest(request.body))) {
                return Err(Refused::Forged);
            }
            return Ok(Self {
                fields: Fields::default(),
                is_covered: false,
            });
        }
        Ok(Self {
            fields: Fields::parse(request.body).ok_or(Refused::Malformed)?,
            is_covered: true,
        })
    }

    /// The fields beside the URL that the signature covers, as Twilio sorts them.
    fn covered(&self) -> Vec<(&[u8], &[u8])> {
        if self.is_covered {
            self.fields.sorted()
        } else {
            Vec::new()
        }
    }
}

enum SigningKey<'a> {
    Sha1(&'a SecretString),
    Sha256(&'a SecretString),
}

impl SigningKey<'_> {
    fn verify(&self, url: &str, pairs: &[(&[u8], &[u8])], signature: &[u8]) -> bool {
        match self {
            Self::Sha1(secret) => verify::<Hmac<Sha1>>(secret, url, pairs, signature),
            Self::Sha256(secret) => verify::<Hmac<Sha256>>(secret, url, pairs, signature),
        }
    }
}

fn verify<M: Mac + KeyInit>(
    secret: &SecretString,
    url: &str,
    pairs: &[(&[u8], &[u8])],
    mac: &[u8],
) -> bool {
    let parameters = pairs.iter().flat_map(|(name, value)| [*name, *value]);
    signature::hmac::<M>(secret, [url.as_bytes()].into_iter().chain(parameters), mac)
}

/// As it is, with the default port, without any port: Twilio is not consistent in what it signs.
fn url_variants(url: &str) -> Vec<String> {
    let mut variants = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return variants;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    // The colons of an IPv6 address stand before its bracket.
    let port = authority
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'));
    let default_port = if scheme == "https" { 443 } else { 80 };
    variants.push(match port {
        Some((host, _)) => format!("{scheme}://{host}{path}"),
        None => format!("{scheme}://{authority}:{default_port}{path}"),
    });
    variants
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.starts_with("application/x-www-form-urlencoded"))
}
