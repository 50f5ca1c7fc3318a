//! The access tokens of one mailbox, and the refresh token that they are made from.
//!
//! A provider may give the next refresh token with each access token, and end the one before at once or by and by (RFC 6749 §6). So the
//! next one is handed to the core before the access token is used, and no caller that goes away meanwhile takes it along.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use transom_adapter::{HttpClient, KeptLogin, Login};

use super::{Answer, NoToken, Provider};

/// A token is not used in its last minute: the login takes a moment.
const MARGIN: Duration = Duration::from_mins(1);
/// Where a provider does not say how long a token is good. RFC 6749 §5.1
const GOOD_FOR: u64 = 3600;
/// Another process may have been given the next refresh token just now; by then it has stored that.
const STORED_BY: Duration = Duration::from_secs(2);

/// The access tokens of one mailbox: made from its refresh token when one is needed, kept while it is good.
pub(crate) struct Tokens {
    provider: Arc<Provider>,
    http: HttpClient,
    /// Where the refresh token is kept; `None` while the login is only proven.
    kept: Option<Arc<dyn KeptLogin>>,
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

impl Held {
    fn good(&self) -> Option<Access> {
        let (token, until) = self.access.as_ref()?;
        (*until > Instant::now()).then(|| Access {
            token: token.clone(),
            was_kept: true,
        })
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(
        provider: Arc<Provider>,
        http: HttpClient,
        refresh: SecretString,
        kept: Option<Arc<dyn KeptLogin>>,
    ) -> Self {
        let access = None;
        let held = Mutex::new(Held { refresh, access });
        Self {
            provider,
            http,
            kept,
            held,
        }
    }

    /// A token that should be good for a login.
    pub(crate) async fn access(self: &Arc<Self>) -> Result<Access, NoToken> {
        if let Some(good) = self.held.lock().await.good() {
            return Ok(good);
        }
        let Some(kept) = &self.kept else {
            return self.renew().await;
        };
        // Whoever asks has a deadline, or is stopped: what the provider answers must not go with it.
        let this = Arc::clone(self);
        let renewed = kept.lifecycle().detached(async move { this.renew().await });
        let failed = || Err(NoToken::Away("asking it failed".to_owned()));
        renewed.await.unwrap_or_else(failed)
    }

    /// Asks the provider.
    async fn renew(&self) -> Result<Access, NoToken> {
        let mut held = self.held.lock().await;
        // Another connection may have brought one meanwhile.
        if let Some(good) = held.good() {
            return Ok(good);
        }
        if let Some(latest) = self.latest().await {
            held.refresh = latest;
        }
        let answer = match self.ask(&held.refresh).await {
            Err(NoToken::Refused(why)) => {
                let other = self.other_than(&held.refresh).await;
                held.refresh = other.ok_or(NoToken::Refused(why))?;
                self.ask(&held.refresh).await?
            }
            answer => answer?,
        };
        let good_for = Duration::from_secs(answer.expires_in.unwrap_or(GOOD_FOR).min(86_400));
        let until = Instant::now() + good_for.saturating_sub(MARGIN);
        held.access = Some((answer.access_token.clone(), until));
        let next = answer.refresh_token;
        if let Some(next) = next.filter(|next| is_another(next, &held.refresh)) {
            // The one before may be void already, whatever becomes of storing this one.
            held.refresh = next.clone();
            if let Some(kept) = &self.kept {
                kept.renew(Login::Refresh(next)).await;
            }
        }
        Ok(Access {
            token: answer.access_token,
            was_kept: false,
        })
    }

    async fn ask(&self, refresh: &SecretString) -> Result<Answer, NoToken> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
        ];
        self.provider.ask(&self.http, &fields).await
    }

    /// The refresh token as it is kept: another process that sends by this mailbox may have been given the next one.
    async fn latest(&self) -> Option<SecretString> {
        match self.kept.as_ref()?.latest().await? {
            Login::Refresh(token) => Some(token),
            Login::Password(_) => None,
        }
    }

    /// What took the place of a refresh token that was refused, if another process used it at the same moment.
    async fn other_than(&self, refused: &SecretString) -> Option<SecretString> {
        self.kept.as_ref()?;
        sleep(STORED_BY).await;
        let latest = self.latest().await?;
        is_another(&latest, refused).then_some(latest)
    }

    /// The refresh token by now.
    pub(crate) async fn refresh(&self) -> SecretString {
        self.held.lock().await.refresh.clone()
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

fn is_another(token: &SecretString, than: &SecretString) -> bool {
    let token = token.expose_secret();
    !token.is_empty() && token != than.expose_secret()
}

#[cfg(test)]
pub(crate) mod tests;
