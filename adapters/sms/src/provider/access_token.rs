//! Signing in with OAuth 2.0 client credentials: a token that is asked for when it is needed and kept until it ends. RFC 6749 §4.4

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use transom_adapter::{Clock, Failure, HttpClient, HttpReply, Outcome, Reason, UnixMillis};

use super::{answer, json};

/// So long before its end a token is not used any more: a call takes its time.
const EARLY: Duration = Duration::from_mins(1);
/// How long a send may take when a token may have to be asked for first.
pub(crate) const SEND_SECONDS_MAX: u16 = 70;
/// For a server that does not say how long its token holds.
const LIFETIME_DEFAULT: Duration = Duration::from_mins(5);
const LIFETIME_MAX: Duration = Duration::from_hours(24);

/// What signs our calls in: a token that the admin copied, or one that is asked for.
pub(crate) enum Bearer {
    /// It holds until somebody takes it back.
    Fixed(SecretString),
    /// It ends, and is asked for again.
    Granted(AccessToken),
}

impl Bearer {
    /// The token.
    ///
    /// # Errors
    ///
    /// Why nothing can be sent: surely nothing was.
    pub(crate) async fn get(&self) -> Result<SecretString, Outcome> {
        match self {
            Self::Fixed(token) => Ok(token.clone()),
            Self::Granted(access) => access.get().await,
        }
    }

    /// Makes a call, signed in. A token that the API refuses is asked for again by the next call: tokens can be revoked.
    ///
    /// # Errors
    ///
    /// What became of the message when there is no answer.
    pub(crate) async fn call(
        &self,
        http: &HttpClient,
        request: reqwest::RequestBuilder,
    ) -> Result<HttpReply, Outcome> {
        let token = self.get().await?;
        let request = request.bearer_auth(token.expose_secret());
        let reply = http.call(request).await;
        let reply = reply.map_err(|error| answer::no_answer(&error))?;
        if let (http::StatusCode::UNAUTHORIZED, Self::Granted(access)) = (reply.status, self) {
            access.forget(&token).await;
        }
        Ok(reply)
    }
}

/// Client credentials and the token that they gave.
pub(crate) struct AccessToken {
    http: HttpClient,
    clock: Arc<dyn Clock>,
    url: String,
    client_id: String,
    client_secret: SecretString,
    /// Held over the request, so that many sends ask once.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: SecretString,
    until: UnixMillis,
}

impl AccessToken {
    /// Asks nothing yet.
    pub(crate) fn new(
        http: HttpClient,
        clock: Arc<dyn Clock>,
        url: String,
        (client_id, client_secret): (String, SecretString),
    ) -> Self {
        Self {
            http,
            clock,
            url,
            client_id,
            client_secret,
            kept: Mutex::new(None),
        }
    }

    /// The token.
    ///
    /// # Errors
    ///
    /// Why nothing can be sent: surely nothing was.
    async fn get(&self) -> Result<SecretString, Outcome> {
        let mut kept = self.kept.lock().await;
        if let Some(Kept { token, until }) = &*kept
            && self.clock.now().after(EARLY) < *until
        {
            return Ok(token.clone());
        }
        *kept = None;
        let fresh = self.ask().await?;
        let token = fresh.token.clone();
        *kept = Some(fresh);
        Ok(token)
    }

    /// Forgets this token, for the API refused it; another that came meanwhile stays.
    async fn forget(&self, refused: &SecretString) {
        let mut kept = self.kept.lock().await;
        let is_it = |kept: &Kept| kept.token.expose_secret() == refused.expose_secret();
        if kept.as_ref().is_some_and(is_it) {
            *kept = None;
        }
    }

    async fn ask(&self) -> Result<Kept, Outcome> {
        let request = self
            .http
            .post(&self.url)
            .basic_auth(&self.client_id, Some(self.client_secret.expose_secret()))
            .form(&[("grant_type", "client_credentials")]);
        let down = |detail: String| {
            Outcome::Transient(Failure::new(Reason::NetworkDown).with_detail(detail))
        };
        // Whatever comes of it, no text was sent.
        let reply = self.http.call(request).await;
        let reply = reply.map_err(|error| down(format!("no access token: {error}")))?;
        if !reply.status.is_success() {
            return Err(match answer::bare_status(reply.status, &reply.headers) {
                Outcome::Unknown(failure) => Outcome::Transient(failure),
                // RFC 6749 §5.2: what is wrong with the credentials is said with 400 or 401.
                Outcome::Rejected(failure) => Outcome::Misconfigured(Failure {
                    reason: Reason::OurAccount,
                    ..failure
                }),
                other => other,
            });
        }
        let document = json::parse(&reply.body).unwrap_or_default();
        let token = json::filled(&document["access_token"])
            .ok_or_else(|| down("the answer holds no access token".to_owned()))?;
        let seconds = json::number(&document["expires_in"]);
        let lifetime = seconds.map_or(LIFETIME_DEFAULT, |s| Duration::from_secs(s.into()));
        Ok(Kept {
            token: token.as_ref().into(),
            until: self.clock.now().after(lifetime.min(LIFETIME_MAX)),
        })
    }
}

#[cfg(test)]
mod tests {
    use transom_adapter::testkit::{ManualClock, Reply, ScriptedHttp};

    use super::*;
    use crate::provider::testing::{NOW, client};

    fn subject(server: &ScriptedHttp, clock: Arc<ManualClock>) -> AccessToken {
        let credentials = ("id".to_owned(), "secret".into());
        AccessToken::new(client(), clock, server.base_url().to_owned(), credentials)
    }

    fn granted(token: &str) -> Reply {
        Reply::json(
            200,
            format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#),
        )
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_and_again_before_it_ends() {
        let server = ScriptedHttp::start([granted("one"), granted("two")]).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let subject = subject(&server, Arc::clone(&clock));
        let both = tokio::join!(subject.get(), subject.get());
        for token in [both.0, both.1] {
            assert_eq!(token.unwrap().expose_secret(), "one");
        }
        let request = server.requests().pop().unwrap();
        assert!(
            request.head.contains("Basic aWQ6c2VjcmV0"),
            "{}",
            request.head
        );
        assert_eq!(request.body, b"grant_type=client_credentials");
        clock.advance(Duration::from_secs(3539));
        assert_eq!(subject.get().await.unwrap().expose_secret(), "one");
        assert_eq!(server.requests().len(), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(subject.get().await.unwrap().expose_secret(), "two");
    }

    #[tokio::test]
    async fn a_token_that_was_refused_is_asked_for_again() {
        let server = ScriptedHttp::start([granted("one"), granted("two")]).await;
        let subject = subject(&server, Arc::new(ManualClock::at(NOW)));
        let one = subject.get().await.unwrap();
        subject.forget(&"another".into()).await;
        assert_eq!(subject.get().await.unwrap().expose_secret(), "one");
        subject.forget(&one).await;
        assert_eq!(subject.get().await.unwrap().expose_secret(), "two");
    }

    #[tokio::test]
    async fn without_a_token_surely_nothing_was_sent() {
        for (reply, want) in [
            (
                Reply::json(401, r#"{"error":"invalid_client"}"#),
                "Misconfigured",
            ),
            (
                Reply::json(400, r#"{"error":"invalid_grant"}"#),
                "Misconfigured",
            ),
            (Reply::text(429, ""), "Throttled"),
            (Reply::text(500, ""), "Transient"),
            (Reply::text(503, ""), "Transient"),
            (Reply::Close, "Transient"),
            (Reply::json(200, "{}"), "Transient"),
            (Reply::text(200, "<html>"), "Transient"),
            (
                Reply::json(200, r#"{"access_token":7.5,"expires_in":"x"}"#),
                "Ok",
            ),
        ] {
            let server = ScriptedHttp::start([reply.clone()]).await;
            let subject = subject(&server, Arc::new(ManualClock::at(NOW)));
            let outcome = match subject.get().await {
                Ok(_) => "Ok".to_owned(),
                Err(outcome) => format!("{outcome:?}"),
            };
            assert!(outcome.starts_with(want), "{reply:?} gave {outcome}");
        }
    }
}
