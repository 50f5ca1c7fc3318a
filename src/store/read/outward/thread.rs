//! Mail threads, as both directions know them.

use super::super::{Row, StoreError};

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

/// A row of [`THREADS`](super::THREADS).
pub(in crate::store::read) fn known_thread(row: &Row) -> Result<KnownThread, StoreError> {
    Ok(KnownThread {
        thread_id: row.int(0)?,
        conversation_id: row.int(1)?,
        subject: row.text(2)?.to_owned(),
        xmpp_thread: row.text(3)?.to_owned(),
        last_id: row.opt_text(4)?.map(str::to_owned),
        references: serde_json::from_str(row.text(5)?).unwrap_or_default(),
        active_ms: row.int(6)?,
    })
}
