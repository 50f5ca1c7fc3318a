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
/// Getting it, with waiting for others who ask: what is left of a send is enough for a call that is not answered.
const GET_MAX: Duration = Duration::from_secs(35);
/// So long a failure holds for all who need the token.
const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// What signs our calls in: a token that the admin copied, or one that is asked for.
pub(crate) enum Bearer {
    /// It holds until somebody takes it back.
    Fixed(SecretString),
    /// It ends, and is asked for again.
    Granted(Box<AccessToken>),
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
            access.forget(&token);
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
    /// Held over the request, so that many sends ask once, and wait once for a server that does not answer.
    kept: Mutex<Option<Kept>>,
}

/// What came of asking.
enum Kept {
    Token {
        token: SecretString,
        until: UnixMillis,
    },
    Failure {
        outcome: Outcome,
        at: UnixMillis,
    },
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
        let deadline = self.clock.now().after(GET_MAX);
        tokio::select! {
            got = self.kept_or_asked() => got,
            () = self.clock.sleep_until(deadline) => Err(down("no access token in time".to_owned())),
        }
    }

    async fn kept_or_asked(&self) -> Result<SecretString, Outcome> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        match &*kept {
            Some(Kept::Token { token, until }) if now.after(EARLY) < *until => {
                return Ok(token.clone());
            }
            // The clock may have been set back.
            Some(Kept::Failure { outcome, at }) if (*at..at.after(FAILURE_KEPT)).contains(&now) => {
                return Err(outcome.clone());
            }
            _ => *kept = None,
        }
        match self.ask().await {
            Ok((token, until)) => {
                *kept = Some(Kept::Token {
                    token: token.clone(),
                    until,
                });
                Ok(token)
            }
            Err(outcome) => {
                let at = self.clock.now();
                *kept = Some(Kept::Failure {
                    outcome: outcome.clone(),
                    at,
                });
                Err(outcome)
            }
        }
    }

    /// Forgets this token, for the API refused it; another that came meanwhile stays. Whoever holds the lock asks for one already, and is
    /// not waited for.
    fn forget(&self, refused: &SecretString) {
        if let Ok(mut kept) = self.kept.try_lock()
            && let Some(Kept::Token { token, .. }) = &*kept
            && token.expose_secret() == refused.expose_secret()
        {
            *kept = None;
        }
    }

    /// The token and when it ends.
    async fn ask(&self) -> Result<(SecretString, UnixMillis), Outcome> {
        let request = self
            .http
            .post(&self.url)
            .basic_auth(&self.client_id, Some(self.client_secret.expose_secret()))
            .form(&[("grant_type", "client_credentials")]);
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
        let until = self.clock.now().after(lifetime.min(LIFETIME_MAX));
        Ok((token.as_ref().into(), until))
    }
}

fn down(detail: String) -> Outcome {
    Outcome::Transient(Failure::new(Reason::NetworkDown).with_detail(detail))
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
        subject.forget(&"another".into());
        assert_eq!(subject.get().await.unwrap().expose_secret(), "one");
        subject.forget(&one);
        assert_eq!(subject.get().await.unwrap().expose_secret(), "two");
    }

    #[tokio::test]
    async fn many_sends_wait_once_for_a_server_that_is_down() {
        let server = ScriptedHttp::start([Reply::Close, granted("one")]).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let subject = subject(&server, Arc::clone(&clock));
        let all = futures_util::future::join_all((0..10).map(|_| subject.get())).await;
        for outcome in all {
            let outcome = outcome.map(drop).unwrap_err();
            assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");
        }
        clock.advance(Duration::from_secs(4));
        assert!(subject.get().await.is_err());
        assert_eq!(server.requests().len(), 1, "asked once");
        clock.advance(Duration::from_secs(1));
        assert_eq!(subject.get().await.unwrap().expose_secret(), "one");
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_keeps_no_failure() {
        let server = ScriptedHttp::start([Reply::Close, granted("one")]).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let mut subject = subject(&server, Arc::clone(&clock));
        assert!(subject.get().await.is_err());
        subject.clock = Arc::new(ManualClock::at(UnixMillis(NOW.0 - 1)));
        assert_eq!(subject.get().await.unwrap().expose_secret(), "one");
    }

    /// Otherwise the core cuts the send off, and nobody knows any more that nothing was sent.
    #[tokio::test]
    async fn a_token_leaves_time_for_the_call() {
        let server = ScriptedHttp::start([Reply::Hang]).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let subject = subject(&server, Arc::clone(&clock));
        let turned = async {
            while server.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_secs(35));
        };
        let got = async { tokio::join!(subject.get(), turned).0 };
        let got = tokio::time::timeout(Duration::from_secs(10), got).await;
        let outcome = got.expect("it ends").map(drop).unwrap_err();
        assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");
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
