//! Groups: why something is not sent to one, and what is said in its chat.

/// Why something is not sent to several people. Nothing has left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefusedGroup {
    /// Nobody knows who is in it.
    Unknown,
    /// The user's own number or address is one of them.
    OwnAddress {
        /// The JID of the others.
        others: Option<String>,
    },
    /// Some of its addresses cannot be read.
    Unreadable,
    /// One of its addresses is none of this gateway's contacts.
    Elsewhere {
        /// As it was written.
        address: String,
    },
    /// Somebody was to get it unseen by the others.
    Hidden,
    /// Several lines were named.
    SeveralLines,
    /// Each would get a text of its own, and the answers to a shared number would come to nobody.
    SharedLine,
}

/// What is said in a group's chat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupNotice {
    /// No account sends to groups: each member gets a text of its own.
    Separately,
    /// Who is in a new chat, and who an answer goes to.
    Mail {
        /// Their names.
        members: String,
        /// Who wrote.
        author: String,
    },
}
