//! What a transom adapter is given and what it must give.
//!
//! An [`Adapter`] speaks one outside network: text messages, email. It knows nothing of XMPP, of SQL or of other adapters. It has
//! [`Account`]s: logins at outside services (a provider, an SMPP bind, a mailbox). The core calls [`Adapter::plan`] before it commits
//! a message, [`Account::send`] for each attempt, and hands everything an account lives on through the [`Context`].
//!
//! The four rules that every account keeps:
//!
//! 1. **An account never retries.** It says what came of one attempt in an [`Outcome`]; the core's queue decides what follows.
//! 2. **[`Outcome::Unknown`] whenever the message may have gone out** and nobody can tell. Only what was surely not sent is
//!    [`Outcome::Transient`].
//! 3. **Stored, then acknowledged.** [`Inbox::commit`] returns after the commit; its return is the permission to answer the source.
//! 4. **Every await on a network has a deadline**, and every body read from one has a limit.
//!
//! ```text
//!   Outgoing ──plan──▶ Plan{routes, ids} ──(commit)──▶ send ──▶ Outcome
//!   webhook / run ──▶ Event{Message | Report} ──Inbox::commit──▶ Verdict ──▶ answer to the source
//! ```

mod account;
mod adapter;
mod clock;
mod config;
mod context;
mod cost;
mod event;
mod fetch;
mod guard;
mod http_client;
mod id;
mod lifecycle;
mod mail_wish;
mod message;
mod outcome;
mod own;
mod plan;
mod sockets;
mod tls;
mod webhook;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use account::{
    Account, AccountState, Attempt, Balance, Capabilities, CheckReport, FileLimits, Groups, Holder,
    Repeat, Reports,
};
pub use adapter::{Adapter, ContactError, Network};
pub use clock::{Clock, SystemClock, UnixMillis, sleep_by};
pub use config::{ConfigFault, Section, optional_plain_or_text, plain_or_text};
pub use context::{Busy, Context, Cursor, Directory, Inbox, Meter, Recipient, States, Verdict};
pub use cost::{Alphabet, Cost};
pub use event::{
    Appointment, Attachment, Class, Event, Frequency, Incoming, MailFacts, MediaRef, MessageRef,
    Notice, Part, Progress, Repeats, Report, Step, Suspicion, Unsubscribe, UnsubscribeMail,
};
pub use fetch::{FetchFailure, Fetched, TrustedOrigin};
pub use guard::{AllowedHosts, connect_guarded, is_public};
pub use http_client::{HttpClient, HttpFailure, HttpLimits, HttpReply};
pub use id::{AccountName, ExternalId, Key, Signer, base32};
pub use lifecycle::Lifecycle;
pub use mail_wish::{Attendance, Attending, Displayed, MailWish, Quotation};
pub use message::{Address, Group, Member, OutFile, Outgoing, StoredFile, Thread};
pub use outcome::{Failure, Outcome, Reason, Scope};
pub use own::{
    Grant, KeptLogin, Login, NotOwn, OwnAccount, OwnAccounts, Place, Server, SignIn, Tls, Unproven,
};
pub use plan::{Plan, Refusal, Route};
pub use sockets::{Socket, Sockets};
pub use tls::client_config;
pub use webhook::{Handled, Refused, WebReply, WebRequest};
