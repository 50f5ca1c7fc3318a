//! Providers that take no passwords: the user signs in there, we are given a refresh token, and with that an access token for each
//! hour. RFC 6749 §4.1 and §6, RFC 7636.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::{sync::Mutex, time::Instant};
use transom_adapter::{Grant, HttpClient, HttpReply};
use url::Url;

use crate::status::for_log;

/// A token is not used in its last minute: the login takes a moment.
const MARGIN: Duration = Duration::from_mins(1);
/// Where a provider does not say how long a token is good. RFC 6749 §5.1
const GOOD_FOR: u64 = 3600;

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

/// The access tokens of one mailbox: made from its refresh token when one is needed, kept while it is good.
pub(crate) struct Tokens {
    provider: Arc<Provider>,
    http: HttpClient,
    held: Mutex<Held>,
}

/// A token for a login.
pub(crate) struct Access {
    pub(crate) token: SecretString,
    /// It was given for an earlier login. Providers end tokens before their time; so that it is refused says nothing of the next one.
    pub(crate) was_kept: bool,
}

struct Held {
    refresh: SecretString,
    /// And until when it is good.
    access: Option<(SecretString, Instant)>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(provider: Arc<Provider>, http: HttpClient, refresh: SecretString) -> Self {
        let access = None;
        let held = Mutex::new(Held { refresh, access });
        Self {
            provider,
            http,
            held,
        }
    }

    /// A token that should be good for a login.
    pub(crate) async fn access(&self) -> Result<Access, NoToken> {
        let mut held = self.held.lock().await;
        if let Some((token, until)) = &held.access
            && *until > Instant::now()
        {
            return Ok(Access {
                token: token.clone(),
                was_kept: true,
            });
        }
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", held.refresh.expose_secret()),
        ];
        let answer = self.provider.ask(&self.http, &fields).await?;
        let good_for = Duration::from_secs(answer.expires_in.unwrap_or(GOOD_FOR).min(86_400));
        let until = Instant::now() + good_for.saturating_sub(MARGIN);
        held.access = Some((answer.access_token.clone(), until));
        // The one that is stored stays good at providers that give another: RFC 6749 §6 lets them end it, none of the large ones does.
        if let Some(refresh) = answer.refresh_token {
            held.refresh = refresh;
        }
        Ok(Access {
            token: answer.access_token,
            was_kept: false,
        })
    }

    /// The server did not take this token: the next one is new.
    pub(crate) async fn forget(&self, refused: &Access) {
        let mut held = self.held.lock().await;
        // Another connection may have brought the next one already.
        let is_held = |(token, _): &(SecretString, Instant)| {
            token.expose_secret() == refused.token.expose_secret()
        };
        if held.access.as_ref().is_some_and(is_held) {
            held.access = None;
        }
    }

    /// As if a provider had given this token a while ago.
    #[cfg(test)]
    pub(crate) async fn keep(&self, token: &str) {
        let until = Instant::now() + Duration::from_secs(GOOD_FOR);
        self.held.lock().await.access = Some((token.to_owned().into(), until));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use transom_adapter::{HttpLimits, Lifecycle};

    use http::{HeaderMap, StatusCode};

    use super::*;

    fn provider() -> Provider {
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

    /// Tokens of a provider that gives `new` whenever it is asked, and has given `old` before.
    pub(crate) async fn tokens(lifecycle: &Lifecycle) -> Arc<Tokens> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        lifecycle.spawn("provider", async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut asked, mut buffer) = (String::new(), [0; 4096]);
                while !asked.contains("refresh_token=refresh") {
                    let read = stream.read(&mut buffer).await.unwrap();
                    assert_ne!(read, 0, "{asked}");
                    asked.push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
                let body = "{\"access_token\":\"new\"}";
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let provider = Provider {
            token: format!("http://127.0.0.1:{port}/token").parse().unwrap(),
            ..provider()
        };
        let http = HttpClient::new(HttpLimits::default()).unwrap();
        let tokens = Tokens::new(Arc::new(provider), http, "refresh".to_owned().into());
        tokens.keep("old").await;
        Arc::new(tokens)
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
