//! Mail threads, as both directions know them.

/// A mail thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownThread {
    /// Its key.
    pub thread_id: i64,
    /// Its conversation.
    pub conversation_id: i64,
    /// The subject without reply prefixes.
    pub subject: String,
    /// What clients call it.
    pub xmpp_thread: String,
    /// The Message-ID of its last mail.
    pub last_id: Option<String>,
    /// The Message-IDs before it, oldest first.
    pub references: Vec<String>,
    /// When it was last active.
    pub active_ms: i64,
}
