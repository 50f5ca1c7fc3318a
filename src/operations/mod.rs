//! What operators and users do, one function an operation: ([`Actor`], [`Request`]) → [`Reply`].
//!
//! The command line, XEP-0050, the chat with the gateway and the operator's page are thin fronts: they make requests and show replies.
//!
//! - [`users`], [`lines`], [`queue`], [`trace`], [`blocks`], [`service`]: the operations of operators.
//! - [`keys`]: exchanging the key that logins are sealed with.
//! - [`own`]: those of users, each on what is theirs.
//! - [`mailboxes`]: connecting a mail account.
//! - [`codes`]: codes that prove a mobile number.
//! - [`once`]: links that work once.
//! - [`restored`]: a database that is a copy holds what it has queued.
//! - [`control`]: the socket by which the commands reach a running process.

mod blocks;
pub mod cards;
pub mod codes;
pub mod control;
mod desk;
mod keys;
mod lines;
pub mod mailboxes;
pub mod once;
mod own;
mod queue;
mod refusal;
mod reply;
mod request;
pub mod restored;
mod service;
#[cfg(test)]
mod tests;
mod trace;
mod trial;
mod users;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use transom_adapter::{AccountState, Address, Clock, UnixMillis};

use codes::Codes;
use mailboxes::Asked;
use once::Once;
pub use refusal::{Fault, Refusal};
pub use reply::{
    AccountNow, Alias, Blocked, Contact, Conversation, Cost, ExternalId, GatewayNow, Life, Line,
    LinkNow, Mailbox, Now, Offer, OnceLink, OptedOut, Overview, Registration, Renamed, Reply,
    Resealed, Sent, SettingShown, StanzaSeen, Stranger, Usage, User, UserAdded, UserShown, Waiting,
    WaitingState,
};
pub use request::{Actor, Asker, Direction, Judgement, Request};
pub use service::LEVELS;

use crate::{
    gateway::Gateway,
    seal::KeyRing,
    store::{
        Ids, Store, Write, WriteError, Writer,
        write::{Done, Operation},
    },
    xmpp::{
        jid::BareJid,
        stanza::{Message, Stanza},
    },
};

/// Rows of one reply at most, whatever was asked for.
const ROWS_MAX: u32 = 10_000;

/// Everything that operations work on.
pub struct Operations {
    /// The database, for reading.
    pub store: Store,
    /// The database, for writing.
    pub writer: Writer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Keys.
    pub ids: Ids,
    /// The gateways, in the order of the configuration.
    pub gateways: Vec<Arc<Gateway>>,
    /// The keys that logins are sealed with; `None`: no login is kept.
    pub keys: Option<KeyRing>,
    /// How often users asked for links to mail accounts.
    pub asked: Asked,
    /// Codes that were sent to users' mobile numbers.
    pub codes: Codes,
    /// Links that work once.
    pub once: Arc<Once>,
    /// The running process; `None`: the store is open alone.
    pub running: Option<Arc<dyn Running>>,
}

/// What a running process has that the database has not.
#[async_trait]
pub trait Running: Send + Sync {
    /// What waits, or who has which account, has changed in the database.
    async fn look_again(&self);

    /// Senders have to be told of these deliveries.
    fn tell(&self, deliveries: Vec<i64>);

    /// These contacts of a user enter the roster, where the server lets us.
    async fn introduce(&self, gateway_id: i64, user: &BareJid, contacts: Vec<BareJid>);

    /// The registration of a user has ended, whose roster knew these contacts.
    fn left(&self, gateway_id: i64, user: &BareJid, contacts: Vec<String>);

    /// Writes stanzas to users of a gateway, if its link is up.
    async fn send(&self, gateway_id: i64, stanzas: Vec<Stanza>);

    /// Hands a message in as if its sender's server had; the answers come back here. `None` when the process stops.
    async fn try_message(&self, gateway_id: i64, message: Message) -> Option<Vec<Stanza>>;

    /// Where the links stand.
    fn links(&self) -> Vec<LinkNow>;

    /// What the users' servers have for a gateway, which they are asked now.
    async fn found(&self, gateway: &str) -> Vec<String>;

    /// Where the accounts stand that said so.
    fn accounts(&self) -> Vec<AccountNow>;

    /// Where an account stands that a user brought; `None` when it has said nothing yet, or does not run.
    fn own_account(&self, account_id: i64) -> Option<AccountState>;

    /// Goes on with this beside everything else; it is dropped when the process stops.
    fn go_on(&self, work: BoxFuture<'static, ()>);

    /// The log says so much from now on; `false`: there is no such level.
    fn log_level(&self, level: &str) -> bool;
}

impl Operations {
    /// Does what was asked.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; then nothing was changed.
    pub async fn perform(&self, actor: Actor, request: Request) -> Result<Reply, Refusal> {
        match actor {
            Actor::Admin => self.as_admin(request).await,
            Actor::User(asker) => own::perform(self, &asker, request).await,
        }
    }

    async fn as_admin(&self, request: Request) -> Result<Reply, Refusal> {
        match request {
            Request::UserList { gateway } => users::list(self, gateway.as_deref()).await,
            Request::UserShow { user } => users::show(self, &user).await,
            Request::UserAdd {
                user,
                gateway,
                address,
            } => users::add(self, &user, gateway.as_deref(), address.as_deref()).await,
            Request::UserRemove { user, gateway } => {
                users::remove(self, &user, gateway.as_deref()).await
            }
            Request::UserRename { old, new } => users::rename(self, &old, &new).await,
            Request::LineList { gateway } => lines::list(self, gateway.as_deref()).await,
            Request::LineAssign { number, user } => lines::assign(self, &number, &user).await,
            Request::LineRelease { number } => lines::release(self, &number).await,
            Request::QueueList {
                gateway,
                direction,
                limit,
            } => queue::list(self, gateway.as_deref(), direction, limit).await,
            Request::QueueShow { id } => queue::show(self, &id).await,
            Request::QueueRetry { ids, to: None } => queue::retry(self, &ids).await,
            Request::QueueRetry { ids, to: Some(to) } => queue::deliver(self, &ids, &to).await,
            Request::QueueCancel { ids } => queue::cancel(self, &ids).await,
            Request::QueueRelease { ids } => queue::release(self, &ids).await,
            Request::Trace { id } => trace::trace(self, &id).await,
            Request::BlockAdd { peer, gateway } => {
                blocks::set(self, &peer, gateway.as_deref(), true).await
            }
            Request::BlockRemove { peer, gateway } => {
                blocks::set(self, &peer, gateway.as_deref(), false).await
            }
            Request::BlockList { gateway } => blocks::list(self, gateway.as_deref()).await,
            Request::ContactsImport {
                cards,
                user: Some(user),
                gateway,
            } => own::import_for(self, &user, gateway.as_deref(), &cards).await,
            Request::Optouts { gateway } => blocks::optouts(self, gateway.as_deref()).await,
            Request::Now => Ok(Reply::Now(self.now_and_found().await)),
            Request::Overview => service::overview(self).await,
            Request::UserDecline { user, gateway } => {
                users::decline(self, &user, gateway.as_deref()).await
            }
            Request::Announce { gateway, text } => {
                service::announce(self, gateway.as_deref(), text).await
            }
            Request::TrySend { user, to } => trial::send(self, &user, &to).await,
            Request::LogLevel { level } => service::log_level(self, &level),
            Request::Reseal { key } => keys::reseal(self, &key).await,
            Request::AdminLink => service::admin_link(self),
            Request::Cost { text } => Ok(own::cost(self.find_or_only(None)?, &text)),
            // What users do with what is theirs.
            _ => Err(Refusal::BadRequest(
                "it is about whoever asks, and that is nobody here".to_owned(),
            )),
        }
    }

    async fn now_running(&self) -> Now {
        Now {
            store_commits: self.store.can_commit().await.is_ok(),
            links: self
                .running
                .as_ref()
                .map_or_else(Vec::new, |running| running.links()),
            accounts: self
                .running
                .as_ref()
                .map_or_else(Vec::new, |running| running.accounts()),
        }
    }

    async fn now_and_found(&self) -> Now {
        let mut now = self.now_running().await;
        if let Some(running) = &self.running {
            for link in now.links.iter_mut().filter(|link| link.up) {
                link.found = running.found(&link.gateway).await;
            }
        }
        now
    }

    /// The key of the gateway with this name; `None` without a name.
    fn named(&self, name: Option<&str>) -> Result<Option<i64>, Refusal> {
        name.map(|name| self.find(name).map(|gateway| gateway.id))
            .transpose()
    }

    fn find(&self, name: &str) -> Result<&Arc<Gateway>, Refusal> {
        let found = self
            .gateways
            .iter()
            .find(|gateway| gateway.config.name == name);
        found.ok_or_else(|| Refusal::NoSuchGateway {
            name: name.to_owned(),
            known: self.names(),
        })
    }

    /// The gateway with this name, or the only one.
    fn find_or_only(&self, name: Option<&str>) -> Result<&Arc<Gateway>, Refusal> {
        match (name, self.gateways.as_slice()) {
            (Some(name), _) => self.find(name),
            (None, [only]) => Ok(only),
            (None, _) => Err(Refusal::WhichGateway {
                known: self.names(),
            }),
        }
    }

    fn names(&self) -> Vec<String> {
        self.gateways
            .iter()
            .map(|gateway| gateway.config.name.clone())
            .collect()
    }

    fn by_name(&self, name: &str) -> Option<&Gateway> {
        let mut gateways = self.gateways.iter();
        gateways
            .find(|gateway| gateway.config.name == name)
            .map(|gateway| &**gateway)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().0
    }

    /// Commits together; says what became of each.
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Done>, Refusal> {
        self.writer
            .commit(writes)
            .await
            .map_err(|error| match error {
                WriteError::Busy(why) | WriteError::Unknown(why) => Refusal::Busy(why),
                WriteError::Conflict(_) => Refusal::Changed,
            })
    }

    /// Commits an operation; whether it changed anything.
    async fn operate(&self, operation: Operation) -> Result<bool, Refusal> {
        let done = self.commit(vec![Write::Operation(operation)]).await?;
        Ok(done.iter().any(|done| *done != Done::Unchanged))
    }

    /// Lets a running process bring contacts into the roster of a user, where the server lets it.
    async fn introduce(
        &self,
        gateway: &Gateway,
        user: &BareJid,
        peers: impl Iterator<Item = &String>,
    ) {
        let Some(running) = &self.running else { return };
        let jid = |peer: &String| gateway.jid_of(&Address::new(peer.as_str()), None);
        let contacts = peers.filter_map(jid).collect();
        running.introduce(gateway.id, user, contacts).await;
    }

    /// Lets a running process see what was changed.
    async fn look_again(&self) {
        if let Some(running) = &self.running {
            running.look_again().await;
        }
    }
}

/// A time as replies hold it.
fn time(ms: i64) -> Timestamp {
    UnixMillis(ms).timestamp()
}

/// A row limit as the database takes it.
fn rows(limit: u32) -> i64 {
    limit.min(ROWS_MAX).into()
}
