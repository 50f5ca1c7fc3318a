//! Providers that take no passwords: the user signs in there, we are given a refresh token, and with that an access token for each
//! hour. RFC 6749 §4.1 and §6, RFC 7636.
//!
//! - [`tokens`]: those of one mailbox, and the refresh token that takes the place of the one before.

pub(crate) mod tokens;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use transom_adapter::{Grant, HttpClient, HttpReply};
use url::Url;

pub(crate) use self::tokens::Tokens;
use crate::status::for_log;

/// The errors that only its user can mend, by signing in again. RFC 6749 §5.2, `OpenID` Connect Core §3.1.2.6
const ENDED: [&str; 5] = [
    "invalid_grant",
    "access_denied",
    "login_required",
    "consent_required",
    "interaction_required",
];

/// A provider of `[gateway.NAME.own.provider.…]`.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    /// The mail servers that it is for.
    pub(crate) hosts: Vec<String>,
    /// Where users sign in.
    pub(crate) authorize: Url,
    /// Where tokens come from.
    pub(crate) token: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) scope: String,
}

/// Why there is no token.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum NoToken {
    /// The provider says no: the user took the permission back, or it has expired.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// It does not answer, or not with a token.
    #[error("the provider's token endpoint is out of order: {0}")]
    Away(String),
}

/// RFC 6749 §5.1
#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// RFC 6749 §5.2
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Provider {
    /// Where the user signs in. RFC 6749 §4.1.1, RFC 7636 §4.3
    pub(crate) fn sign_in(&self, username: &str, grant: &Grant<'_>) -> String {
        let mut url = self.authorize.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(grant.verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", grant.redirect)
            .append_pair("scope", &self.scope)
            .append_pair("state", grant.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("login_hint", username)
            // Google gives a refresh token only for these.
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent");
        url.into()
    }

    /// A refresh token for what the provider gave the user's browser. RFC 6749 §4.1.3
    pub(crate) async fn exchange(
        &self,
        http: &HttpClient,
        code: &str,
        grant: &Grant<'_>,
    ) -> Result<SecretString, NoToken> {
        let answer = self
            .ask(
                http,
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", grant.redirect),
                    ("code_verifier", grant.verifier),
                ],
            )
            .await?;
        let missing = || NoToken::Refused("it gives no refresh token".to_owned());
        answer.refresh_token.ok_or_else(missing)
    }

    async fn ask(&self, http: &HttpClient, fields: &[(&str, &str)]) -> Result<Answer, NoToken> {
        let mut fields = fields.to_vec();
        fields.push(("client_id", &self.client_id));
        if let Some(secret) = &self.client_secret {
            fields.push(("client_secret", secret.expose_secret()));
        }
        let reply = http
            .call(http.post(self.token.as_str()).form(&fields))
            .await
            .map_err(|error| NoToken::Away(for_log(&error.to_string())))?;
        read(&reply)
    }
}

fn read(reply: &HttpReply) -> Result<Answer, NoToken> {
    if reply.status.is_success() {
        // What it was stays out of the log: it may be a token.
        let odd = |_| NoToken::Away("its answer holds no token".to_owned());
        return serde_json::from_slice(&reply.body).map_err(odd);
    }
    let refusal = serde_json::from_slice::<Refusal>(&reply.body);
    match refusal.map(|refusal| for_log(&refusal.error)) {
        Ok(error) if ENDED.contains(&error.as_str()) => Err(NoToken::Refused(error)),
        // What we are at fault for, or the provider: its user can do nothing about it.
        Ok(error) => Err(NoToken::Away(format!("{}: {error}", reply.status))),
        Err(_) => Err(NoToken::Away(format!("it answers {}", reply.status))),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    pub(super) fn provider() -> Provider {
        Provider {
            name: "corp".to_owned(),
            hosts: vec!["imap.corp.example".to_owned()],
            authorize: "https://id.corp.example/authorize?tenant=1"
                .parse()
                .unwrap(),
            token: "https://id.corp.example/token".parse().unwrap(),
            client_id: "us".to_owned(),
            client_secret: None,
            scope: "mail offline".to_owned(),
        }
    }

    #[test]
    fn the_page_of_the_provider_gets_what_it_needs_and_not_the_verifier() {
        let grant = Grant {
            redirect: "https://gw.example.org/admin/own",
            state: "abc",
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        };
        let url = provider().sign_in("alice@corp.example", &grant);
        // RFC 7636 appendix B
        assert!(
            url.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            "{url}"
        );
        assert!(
            url.contains("tenant=1&response_type=code&client_id=us"),
            "{url}"
        );
        assert!(
            url.contains("state=abc") && !url.contains(grant.verifier),
            "{url}"
        );
    }

    #[test]
    fn an_answer_is_a_token_a_refusal_or_nothing() {
        let reply = |status: u16, body: &'static str| {
            let reply = HttpReply {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: Bytes::from_static(body.as_bytes()),
            };
            read(&reply).map(|answer| answer.access_token.expose_secret().to_owned())
        };
        let token = reply(200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}");
        assert_eq!(token, Ok("t".to_owned()));
        let refused = NoToken::Refused("invalid_grant".to_owned());
        assert_eq!(reply(400, "{\"error\":\"invalid_grant\"}"), Err(refused));
        for (status, body) in [
            (200, "{}"),
            (200, "<html>"),
            (400, "no"),
            (503, "{\"error\":\"x\"}"),
            (401, "{\"error\":\"invalid_client\"}"),
            (429, "{\"error\":\"slow_down\"}"),
        ] {
            assert!(
                matches!(reply(status, body), Err(NoToken::Away(_))),
                "{body}"
            );
        }
    }
}
