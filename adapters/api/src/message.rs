//! What goes out.

use std::{fmt, path::PathBuf};

use crate::{Key, UnixMillis};

/// An address of an outside network in its canonical form: `+12025550147`, `bob@example.com`.
///
/// Only an adapter knows whether it is a good one. `Debug` and [`Address::masked`] hide most of it: addresses are personal data.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Takes the canonical form as given.
    pub fn new(canonical: impl Into<String>) -> Self {
        Self(canonical.into())
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for logs: the last two characters, and a mail address's domain.
    pub fn masked(&self) -> String {
        if let Some((local, domain)) = self.0.rsplit_once('@') {
            let first: String = local.chars().take(1).collect();
            return format!("{first}…@{domain}");
        }
        let count = self.0.chars().count();
        let tail: String = self.0.chars().skip(count.saturating_sub(2)).collect();
        format!("…{tail}")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.masked())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message on its way to an outside network; the same on every attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Names this delivery for ever; what a provider with idempotency keys is given.
    pub key: Key,
    /// Our address: the line's number, the user's mail address.
    pub from: Address,
    /// A name to show beside it, where the network shows names.
    pub from_name: Option<String>,
    /// The recipient: one a delivery.
    pub to: Address,
    /// What was written, without characters that XML forbids. Never empty unless the network sends files.
    pub text: String,
    /// The mail thread it belongs to; `None` on networks without threads.
    pub thread: Option<Thread>,
    /// When the user's message was accepted.
    pub created_at: UnixMillis,
    /// The names of the accounts that may carry it, as the line lists them, best first; empty: the adapter's own choice.
    pub routes: Vec<crate::AccountName>,
    /// The files that go with it, in their order. Empty on networks and accounts without files.
    pub files: Vec<OutFile>,
    /// What only mail has; empty on every other network.
    pub mail: crate::MailWish,
}

/// A file that goes out with a message.
///
/// While a message is planned only what its sender said of the file is known. Before the first attempt the core has fetched it,
/// looked at what it really is, made pictures fit [`FileLimits`](crate::FileLimits) and stored it: then [`stored`](Self::stored) is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutFile {
    /// Its name without a path; its extension agrees with its type once it is stored.
    pub name: String,
    /// Its media type, lower case: `image/png`; `application/octet-stream` when it is not known.
    pub content_type: String,
    /// Its size; 0 when it is not known yet.
    pub bytes: u64,
    /// Where its content is, once it has been prepared.
    pub stored: Option<StoredFile>,
}

/// Where the content of a file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredFile {
    /// On this machine, to be read by the account that sends it.
    pub path: PathBuf,
    /// For providers that fetch files: unguessable and expiring. `None` without `http.public_url`.
    pub url: Option<String>,
}

/// The mail thread of a message. RFC 5322 §3.6.4
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Thread {
    /// The subject without reply prefixes.
    pub subject: String,
    /// The Message-ID that is answered, without angle brackets; `None` starts the thread.
    pub in_reply_to: Option<String>,
    /// The Message-IDs before it, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// The text is nothing but emoji, the user's reaction to the mail that is answered. Only where the adapter
    /// [has a form for that](crate::Adapter::has_reactions).
    pub reaction: bool,
}
