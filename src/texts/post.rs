//! What is said about mail by command and in the chat with the gateway: strangers, aliases, originals, lists, invitations.

use super::Quoted;

/// A sentence about mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Post {
    /// Somebody wants to write to the user, whose word is waited for.
    WantsToWrite(Knocking),
    /// Several do.
    WantToWrite {
        /// Some of them.
        people: Vec<Knocking>,
        /// How many more there are.
        more: usize,
    },
    /// One of them in a list.
    Knocking(Knocking),
    /// Nobody waits for a word.
    NobodyKnocks,
    /// What waited is delivered.
    Accepted {
        /// Who wrote.
        peer: String,
    },
    /// What waited is thrown away.
    Discarded {
        /// Who wrote.
        peer: String,
    },
    /// Nothing of theirs ever waits.
    Allowed {
        /// Who writes.
        peer: String,
    },
    /// That no longer.
    Disallowed {
        /// Who writes.
        peer: String,
    },
    /// Nobody's mail is exempt from waiting.
    NobodyAllowed,
    /// Nothing of theirs waits.
    DoesNotKnock {
        /// Who.
        peer: String,
    },
    /// They are not exempt from waiting.
    NotAllowed {
        /// Who.
        peer: String,
    },
    /// No whole mail is kept.
    NoOriginal,
    /// A whole mail is kept, and there is no way to give it.
    NoWayToGive,
    /// Where the whole mail is.
    Original {
        /// The link.
        url: String,
    },
    /// How to get it.
    WriteOriginal {
        /// The contact in whose chat.
        contact: String,
    },
    /// To deliver what waits.
    Accept,
    /// To throw it away.
    Discard,
    /// To deliver it, and whatever comes.
    AlwaysAllow,
}

/// Somebody who wants to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Knocking {
    /// The address.
    pub peer: String,
    /// What the first mail is about.
    pub subject: Option<Quoted>,
    /// Why it waits.
    pub why: WhyWaits,
    /// For how many days it waits.
    pub days: u32,
}

/// Why a mail waits for the user's word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhyWaits {
    /// A spam filter took it for spam.
    Spam,
    /// The sender's domain says that it did not send it.
    Disowned,
    /// The user wants to be asked.
    Asked,
}
