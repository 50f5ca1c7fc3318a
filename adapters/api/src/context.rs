//! What an account is given to live on.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;

use crate::{AccountName, AccountState, Address, Clock, Event, HttpClient, Lifecycle, Signer};

/// Everything an account may use. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Time and waiting.
    pub clock: Arc<dyn Clock>,
    /// Spawning and stopping.
    pub lifecycle: Lifecycle,
    /// Where events are committed.
    pub inbox: Arc<dyn Inbox>,
    /// Who has an address here.
    pub directory: Arc<dyn Directory>,
    /// HTTP with limits and deadlines.
    pub http: HttpClient,
    /// Tokens that cannot be guessed.
    pub signer: Signer,
    /// Counters.
    pub meter: Arc<dyn Meter>,
    /// Where accounts say how they stand.
    pub states: Arc<dyn States>,
}

impl Context {
    /// Says where an account stands now; saying the same again is free. What is never said is not known.
    pub fn report_state(&self, account: &AccountName, state: AccountState) {
        self.states.report(account, state);
    }
}

/// Who wants to know where accounts stand: admins, `transom check --live`, `/metrics`.
pub trait States: Send + Sync {
    /// Takes note; must not wait.
    fn report(&self, account: &AccountName, state: AccountState);
}

/// Where an account puts what came in.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Commits events and, with them, how far the source was read; one transaction.
    ///
    /// Its return is the permission to answer the source (2xx, 250, `deliver_sm_resp`). Verdicts come in the order of the
    /// events. Runs to its end even when the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`Busy`] when nothing was committed: tell the source to try again later.
    async fn commit(
        &self,
        account: &AccountName,
        events: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Verdict>, Busy>;

    /// How far the source was read, as last committed under this name.
    ///
    /// # Errors
    ///
    /// [`Busy`] when the store cannot be asked now.
    async fn cursor(&self, account: &AccountName, name: &str) -> Result<Option<String>, Busy>;
}

/// What became of one event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// It is ours now.
    Stored,
    /// It was ours already.
    Duplicate,
    /// Nobody here has that address: answer 550 where the protocol can. A report about nothing we know is `Stored` all the same.
    NoSuchRecipient,
}

/// How far a source was read: an IMAP position, the id of the last polled message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Which position, unique within the account.
    pub name: String,
    /// The position in the account's own notation.
    pub value: String,
}

/// The store cannot take or answer anything now; the source should come back later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the store is busy or out of order")]
pub struct Busy;

/// Who has an address here.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Whether mail to this address would be taken, for RCPT TO.
    ///
    /// # Errors
    ///
    /// [`Busy`] when the store cannot be asked now.
    async fn recipient(&self, account: &AccountName, address: &Address) -> Result<Recipient, Busy>;
}

/// The answer to "does somebody have this address?".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Recipient {
    /// Yes.
    Known,
    /// No: 550 5.1.1.
    Unknown,
}

/// Counters, shown at `/metrics` as `transom_events_total{account, what}`.
pub trait Meter: Send + Sync {
    /// Counts one `what`, a fixed word.
    fn count(&self, account: &AccountName, what: &'static str);

    /// A source was refused at the door: counted with the address family only, never the address.
    fn refused(&self, account: &AccountName, what: &'static str, _peer: Option<IpAddr>) {
        self.count(account, what);
    }
}
