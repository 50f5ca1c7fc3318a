//! Connecting a mail account: a link, a page, a login that is proven before it is kept.
//!
//! A [`Ticket`] is what the link stands for. Finding the servers and logging in take longer than a page may, so both go on beside the
//! page, which looks at the ticket's [`Stage`] again. Nothing of it is durable but the account: a restart costs a new link.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::watch, time::timeout};
use transom_adapter::{
    AccountName, Address, Grant, Login, OwnAccounts, Place, SignIn, UnixMillis, Unproven,
};

use super::Operations;
use crate::{
    gateway::Gateway,
    seal::Bound,
    store::write::{Done, KeptAccount, Operation, OwnAccount},
    texts::{Lang, Own, Text},
    xmpp::jid::BareJid,
};

/// Where providers send users back to.
const RETURN: &str = "admin/own";
/// Wrong passwords that one link takes.
const TRIES_MAX: u8 = 5;
/// Links a user gets in an hour, and with them thrice as many tries.
const LINKS_PER_HOUR: u32 = 10;
/// Users whose links are counted.
const COUNTED_MAX: usize = 10_000;
const HOUR_MS: i64 = 3_600_000;
/// A page that waits longer for its answer looks again by itself.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a link to a mail account stands for. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The gateway's name.
    pub gateway: String,
    /// Whose account it will be.
    pub user: BareJid,
    /// Its address.
    pub address: Address,
    /// What a provider is shown to prove that it is us who come back. RFC 7636
    verifier: SecretString,
    stage: watch::Sender<Stage>,
    tries: Arc<AtomicU8>,
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nobody has looked at the page.
    Fresh,
    /// The servers are looked for.
    Finding,
    /// The page asks for the password, and for the servers where none were found. The sentence: why the last try failed.
    Asking(Box<(Option<Place>, Option<Text>)>),
    /// The login is tried.
    Proving,
    /// The account is connected.
    Connected,
    /// Too many wrong passwords.
    Over,
}

impl Stage {
    fn asking(found: Option<Place>, why: Option<Text>) -> Self {
        Self::Asking(Box::new((found, why)))
    }
}

/// What was written on the page.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The password.
    pub password: SecretString,
    /// The name to log in with, where no servers were found.
    pub username: String,
    /// Where mail is read, where no servers were found.
    pub inward: String,
    /// Where it is sent, where no servers were found.
    pub outward: String,
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tries, &other.tries)
    }
}

impl Eq for Ticket {}

impl Ticket {
    pub(super) fn new(gateway: &str, user: BareJid, address: Address) -> Self {
        Self {
            gateway: gateway.to_owned(),
            user,
            address,
            verifier: hex::encode(rand::random::<[u8; 32]>()).into(),
            stage: watch::Sender::new(Stage::Fresh),
            tries: Arc::default(),
        }
    }

    /// How far it is, once that has settled or the page has waited for long enough.
    pub async fn stage(&self) -> Stage {
        let mut changes = self.stage.subscribe();
        let settled = changes.wait_for(|stage| !matches!(stage, Stage::Finding | Stage::Proving));
        // Whatever it is by then.
        timeout(PATIENCE, settled).await.ok();
        self.stage.borrow().clone()
    }

    /// Goes from one stage to another; false when somebody was quicker.
    fn advance(&self, from: impl Fn(&Stage) -> bool, to: Stage) -> bool {
        self.stage.send_if_modified(|stage| {
            let may = from(stage);
            if may {
                *stage = to;
            }
            may
        })
    }

    /// What came of a try.
    fn tried(&self, done: Result<(), Text>, found: Option<Place>) {
        let next = match done {
            Ok(()) => Stage::Connected,
            Err(_) if self.tries.fetch_add(1, Ordering::Relaxed) + 1 >= TRIES_MAX => Stage::Over,
            Err(why) => Stage::asking(found, Some(why)),
        };
        self.set(next);
    }

    fn set(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }
}

/// How often users asked for links.
#[derive(Debug, Default)]
pub struct Asked(Mutex<HashMap<String, (i64, u32)>>);

impl Asked {
    /// Whether this user may have one more.
    pub(super) fn may(&self, user: &str, now: UnixMillis) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTED_MAX {
            counts.retain(|_, (since, _)| now.0 - *since < HOUR_MS);
            if counts.len() >= COUNTED_MAX {
                return false;
            }
        }
        let (since, count) = counts.entry(user.to_owned()).or_insert((now.0, 0));
        if now.0 - *since >= HOUR_MS {
            (*since, *count) = (now.0, 0);
        }
        *count += 1;
        *count <= LINKS_PER_HOUR
    }
}

impl Operations {
    /// Somebody looks at the page of a ticket: the servers are looked for, once.
    pub async fn mailbox_seen(self: &Arc<Self>, ticket: &Ticket) -> Stage {
        if ticket.advance(|stage| *stage == Stage::Fresh, Stage::Finding) {
            let (this, ticket) = (Arc::clone(self), ticket.clone());
            self.beside(async move {
                let found = match this.own_of(&ticket.gateway) {
                    Some((_, adapter)) => adapter.find(&ticket.address).await,
                    None => None,
                };
                ticket.set(Stage::asking(found, None));
            });
        }
        ticket.stage().await
    }

    /// Where the user signs in instead of entering a password; `token` is the link's.
    pub fn mailbox_sign_in(&self, ticket: &Ticket, place: &Place, token: &str) -> Option<SignIn> {
        let (_, adapter) = self.own_of(&ticket.gateway)?;
        let redirect = self.once.public(RETURN)?;
        let verifier = ticket.verifier.expose_secret();
        let grant = Grant {
            redirect: &redirect,
            state: token,
            verifier,
        };
        adapter.sign_in(place, &grant)
    }

    /// The provider sent the user's browser back, with a code or with a refusal.
    pub async fn mailbox_returned(
        self: &Arc<Self>,
        ticket: &Ticket,
        token: &str,
        came: Result<String, String>,
    ) {
        let Stage::Asking(asking) = ticket.stage().await else {
            return;
        };
        let Some(place) = asking.0 else { return };
        if !ticket.advance(|stage| matches!(stage, Stage::Asking(..)), Stage::Proving) {
            return;
        }
        let (this, ticket, token) = (Arc::clone(self), ticket.clone(), token.to_owned());
        self.beside(async move {
            let done = match came {
                Ok(code) => this.exchange(&ticket, &place, &token, &code).await,
                Err(problem) => Err(Unproven::Provider { problem }.into()),
            };
            ticket.tried(done, Some(place));
        });
    }

    async fn exchange(
        &self,
        ticket: &Ticket,
        place: &Place,
        token: &str,
        code: &str,
    ) -> Result<(), Text> {
        let (_, adapter) = self.own_of(&ticket.gateway).ok_or(Own::NotHere)?;
        let redirect = self.once.public(RETURN).ok_or(Own::NotHere)?;
        let grant = Grant {
            redirect: &redirect,
            state: token,
            verifier: ticket.verifier.expose_secret(),
        };
        let login = adapter.exchange(place, code, &grant).await?;
        self.connect(ticket, place, login).await
    }

    /// Somebody entered a password: it is tried, then kept.
    pub async fn mailbox_entered(self: &Arc<Self>, ticket: &Ticket, entered: Entered) -> Stage {
        let found = match ticket.stage().await {
            Stage::Asking(asking) => asking.0,
            other => return other,
        };
        if ticket.advance(|stage| matches!(stage, Stage::Asking(..)), Stage::Proving) {
            let (this, ticket) = (Arc::clone(self), ticket.clone());
            self.beside(async move {
                let done = this.enter(&ticket, found.as_ref(), &entered).await;
                ticket.tried(done, found);
            });
        }
        ticket.stage().await
    }

    fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(running) = &self.running {
            running.go_on(Box::pin(work));
        }
    }

    fn own_of(&self, gateway: &str) -> Option<(&Gateway, &dyn OwnAccounts)> {
        let gateway = self.by_name(gateway)?;
        Some((gateway, gateway.adapter.own_accounts()?))
    }

    /// A password, and servers where none were found.
    async fn enter(
        &self,
        ticket: &Ticket,
        found: Option<&Place>,
        entered: &Entered,
    ) -> Result<(), Text> {
        let (_, adapter) = self.own_of(&ticket.gateway).ok_or(Own::NotHere)?;
        let place = match found {
            Some(place) => place.clone(),
            None => adapter.place(&entered.username, &entered.inward, &entered.outward)?,
        };
        let password = entered.password.expose_secret();
        if password.is_empty() || password.chars().any(|c| matches!(c, '\r' | '\n' | '\0')) {
            let problem = "-".to_owned();
            return Err(Unproven::Login { problem }.into());
        }
        let login = Login::Password(entered.password.clone());
        self.connect(ticket, &place, login).await
    }

    /// Proves the login, seals it and keeps it.
    async fn connect(&self, ticket: &Ticket, place: &Place, login: Login) -> Result<(), Text> {
        let (gateway, adapter) = self.own_of(&ticket.gateway).ok_or(Own::NotHere)?;
        let login = adapter.prove(&ticket.address, place, login).await?;
        self.keep(gateway, ticket, place, &login).await?;
        tracing::info!(
            gateway = gateway.config.name,
            "A user connected a mail account."
        );
        self.look_again().await;
        self.congratulate(gateway, ticket).await;
        Ok(())
    }

    async fn keep(
        &self,
        gateway: &Gateway,
        ticket: &Ticket,
        place: &Place,
        login: &Login,
    ) -> Result<(), Text> {
        let busy = |_| Text::from(Own::LoginNotStored);
        let keys = self.keys.as_ref().ok_or(Own::NoKeys)?;
        let jid = ticket.user.to_string();
        let user = self.store.user(gateway.id, &jid).await.map_err(busy)?;
        let (user_id, _) = user.ok_or(Own::NotHere)?;
        let address = ticket.address.as_str();
        let own = self.store.own_accounts_of(user_id).await.map_err(busy)?;
        let known = own.iter().find(|row| row.address == address);
        let account_id = known.map_or_else(|| self.ids.next(), |row| row.account_id);
        let bound = Bound {
            account_id,
            user_id,
        };
        let sealed = keys.newest().seal(login.to_secret().expose_secret(), bound);
        let name = AccountName::own(&gateway.config.name, account_id);
        let kept = KeptAccount {
            account_id,
            route: name.short().to_owned(),
            name: name.to_string(),
            gateway_id: gateway.id,
            user_id,
            jid,
            line_id: self.ids.next(),
            address: address.to_owned(),
            place: serde_json::to_string(place).unwrap_or_default(),
            key_id: sealed.key,
            sealed: sealed.text,
            at_ms: self.now_ms(),
        };
        let keep = Operation::Own(OwnAccount::Keep(Box::new(kept)));
        let done = self
            .commit(vec![crate::store::Write::Operation(keep)])
            .await;
        match done.map_err(|_| Own::LoginNotStored)?.first() {
            Some(Done::Written) => Ok(()),
            // Proven, and somebody else has it: two users of one mailbox would each see half of its mail as repeats.
            _ => Err(Own::Taken {
                address: address.to_owned(),
            }
            .into()),
        }
    }

    async fn congratulate(&self, gateway: &Gateway, ticket: &Ticket) {
        let Some(running) = &self.running else { return };
        let user = ticket.user.as_str();
        let lang = self.store.member(gateway.id, user, "").await.ok().flatten();
        let lang = lang.and_then(|member| member.lang);
        let lang = Lang::negotiate(lang.as_deref(), gateway.config.lang);
        let text = Text::from(Own::Connected {
            address: ticket.address.as_str().to_owned(),
        });
        let line = gateway.say(&ticket.user, text.render(lang), lang, self.clock.now());
        running.send(gateway.id, vec![line]).await;
    }
}
