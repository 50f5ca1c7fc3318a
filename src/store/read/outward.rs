//! What a batch of stanzas needs to be decided on.
//!
//! Length: what one batch needs to know, with the types that decisions are made on.

mod answered;
mod colleagues;
mod groups;
mod held;
mod open_lines;
mod owners;
mod rows;
mod statements;
mod thread;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{Param, Store, StoreError, json};
use crate::store::index;
pub use answered::Answered;
use answered::{load_answered, load_last};
use colleagues::load_colleagues;
use groups::load_groups;
pub use held::KnownHeld;
use held::{load_held, load_joinable};
use open_lines::load_open_lines;
use owners::load_owners;
use rows::{known_line, known_user};
pub(super) use statements::THREADS;
use statements::{
    ADDRESSES, BLOCKS, CONVERSATIONS, GATEWAY_USAGE, LINES, REPEATS, USERS, WAITING_STRANGERS,
};
pub use thread::KnownThread;

/// What one stanza asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ask {
    /// Its place in the batch.
    pub place: usize,
    /// The sender's bare JID.
    pub jid: String,
    /// The peer it is for; empty for the gateway itself.
    pub peer: String,
    /// How a repeat of it is known.
    pub repeat_key: Option<String>,
    /// How it is known when it is one that we gave to the user's server in the user's name.
    pub own_key: Option<String>,
    /// The address that the sender would get, were it to register now.
    pub address: Option<String>,
    /// The stanza that it answers or reacts to.
    pub reply_to: Option<String>,
    /// The stanza that it corrects or takes back, if that may still be held.
    pub edits: Option<String>,
    /// Whether it may join a message that is held in this chat: 1 or 0.
    pub joins: u8,
    /// Whether the network has threads.
    #[serde(skip)]
    pub has_threads: bool,
    /// The members of the group that the peer is, as far as its name or the stanza says them.
    #[serde(skip)]
    pub members: Vec<String>,
    /// Whether the peer is a group whose name does not say its members.
    #[serde(skip)]
    pub is_named_group: bool,
    /// Whether the peer is an address that this gateway gives its users.
    #[serde(skip)]
    pub is_own_address: bool,
}

impl Ask {
    /// About a user alone, without a message.
    pub fn about_user(jid: String, address: Option<String>) -> Self {
        Self {
            place: 0,
            jid,
            peer: String::new(),
            repeat_key: None,
            own_key: None,
            address,
            reply_to: None,
            edits: None,
            joins: 0,
            has_threads: false,
            members: Vec::new(),
            is_named_group: false,
            is_own_address: false,
        }
    }
}

/// What the database knows of a batch's senders and peers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OutwardSnapshot {
    /// By bare JID.
    pub users: HashMap<String, KnownUser>,
    /// The lines of each user, oldest ownership first, by bare JID.
    pub lines: HashMap<String, Vec<KnownLine>>,
    /// The conversations of (bare JID, peer).
    pub conversations: HashMap<(String, String), Vec<KnownConversation>>,
    /// Shared lines, and whether pool lines are free.
    pub shared: Vec<SharedLine>,
    /// Whether a line of the pool has no owner.
    pub pool_is_free: bool,
    /// The newest mail threads of each conversation, by its key.
    pub threads: HashMap<i64, Vec<KnownThread>>,
    /// What is known of the messages that others of the batch answer or react to, by place.
    pub answered: HashMap<usize, Answered>,
    /// The last message of mail threads whose messages a user wants to quote, by thread.
    pub last_of_thread: HashMap<i64, Answered>,
    /// The asks that repeat a stanza: place to the message that it made.
    pub repeats: HashMap<usize, i64>,
    /// Held messages, by (bare JID, id of one of their stanzas), as far as somebody edits them.
    pub held: HashMap<(String, String), KnownHeld>,
    /// The message that is held last in each chat, by (bare JID, peer), as far as somebody may join it.
    pub joinable: HashMap<(String, String), KnownHeld>,
    /// The stanzas accepted from this very batch: (bare JID, repeat key) to the message.
    pub accepted: HashMap<(String, String), i64>,
    /// The addresses asked for that are somebody's.
    pub taken_addresses: HashSet<String>,
    /// (user, or 0 for everybody; peer) that are blocked.
    pub blocked: HashSet<(i64, String)>,
    /// (user, peer) whose mail waits for the user's word.
    pub waiting_strangers: HashSet<(i64, String)>,
    /// What the whole gateway sent today.
    pub gateway_messages: i64,
    /// The members of the groups whose names do not say them, with their names: by (bare JID, peer).
    pub groups: HashMap<(String, String), Vec<KnownMember>>,
    /// (line, peer or member of a group) that have opted out, of the sender's lines and the shared ones.
    pub opted_out: HashSet<(i64, String)>,
    /// The registered owners of those lines of senders that have several, by line.
    pub owners: HashMap<i64, Vec<KnownOwner>>,
    /// The owners' bare JIDs of those addresses of the gateway's own that are written to, the first of them first, by address.
    pub colleagues: HashMap<String, Vec<String>>,
}

/// A user who owns a line together with others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownOwner {
    /// Its key.
    pub user_id: i64,
    /// Its bare JID.
    pub jid: String,
    /// `active` or `disabled`.
    pub state: String,
}

/// A member of a group: the address, and the name if it is known.
pub type KnownMember = (String, Option<String>);

/// A registration and what it has used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownUser {
    /// Its key.
    pub user_id: i64,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// The language it registered in.
    pub lang: Option<String>,
    /// Messages sent today.
    pub messages: i64,
    /// Segments sent today.
    pub segments: i64,
    /// Peers first written to, or first heard of, in the last hour.
    pub new_peers: i64,
    /// When the registration was last changed.
    pub changed_ms: i64,
    /// The user's own choices, a JSON object.
    pub settings: String,
}

/// A line that a user owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownLine {
    /// Its key.
    pub line_id: i64,
    /// Our address.
    pub address: String,
    /// `active`, `retired` or `resting`.
    pub state: String,
    /// The accounts that carry it, by name within the gateway.
    pub routes: Vec<String>,
    /// How many own it.
    pub owners: i64,
    /// Whether it is of an account that a user brought and whose login is refused.
    pub refused: bool,
}

/// A conversation of a user with a peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownConversation {
    /// Its key.
    pub conversation_id: i64,
    /// On which line.
    pub line_id: i64,
    /// When it was last active.
    pub active_ms: i64,
    /// When the plain contact last meant it; 0: never.
    pub plain_ms: i64,
    /// Whether the peer opted out on this line.
    pub opted_out: bool,
    /// In a group of mail addresses: who wrote last.
    pub answers_to: Option<String>,
}

/// A shared line, with what its peers are to others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedLine {
    /// The line.
    pub line: KnownLine,
    /// Who talked to which peer last within seven days: peer to user.
    pub taken: HashMap<String, i64>,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Semantics 6: without an origin-id a repeat is one within ten minutes.
const REPEAT_MS: i64 = 10 * 60_000;

impl Store {
    /// Loads what a batch needs, a statement an aspect.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn outward(
        &self,
        gateway_id: i64,
        asks: &[Ask],
        now_ms: i64,
    ) -> Result<OutwardSnapshot, StoreError> {
        let asks = asks.to_vec();
        let this = self.clone();
        let work = async move { this.load_outward(gateway_id, &asks, now_ms).await };
        self.lifecycle
            .detached(work)
            .await
            .unwrap_or(Err(StoreError::Gone))
    }

    async fn load_outward(
        &self,
        gateway_id: i64,
        asks: &[Ask],
        now_ms: i64,
    ) -> Result<OutwardSnapshot, StoreError> {
        let mut snapshot = OutwardSnapshot::default();
        if asks.is_empty() {
            return Ok(snapshot);
        }
        let (rows, gateway) = (json(asks), Param::Int(gateway_id));
        let day = Param::Int(now_ms / DAY_MS);
        let mut connection = self.database.reader().await?;
        let hour = Param::Int(now_ms - HOUR_MS);
        let users = [rows.clone(), gateway.clone(), day.clone(), hour];
        for row in connection.rows(USERS, &users).await? {
            let jid = row.text(0)?.to_owned();
            snapshot.users.insert(jid, known_user(&row)?);
        }
        let params = [rows.clone(), gateway.clone()];
        load_lines_and_conversations(&mut connection, &mut snapshot, &params).await?;
        let repeats = [rows.clone(), gateway.clone(), (now_ms - REPEAT_MS).into()];
        for row in connection.rows(REPEATS, &repeats).await? {
            snapshot.repeats.insert(index(row.int(0)?), row.int(1)?);
        }
        for row in connection.rows(BLOCKS, &params).await? {
            let blocked = (row.int(0)?, row.text(1)?.to_owned());
            snapshot.blocked.insert(blocked);
        }
        let is_stranger =
            |ask: &&Ask| ask.address.is_some() && !snapshot.users.contains_key(&ask.jid);
        let strangers: Vec<&Ask> = asks.iter().filter(is_stranger).collect();
        if !strangers.is_empty() {
            let params = [json(&strangers), gateway.clone()];
            for row in connection.rows(ADDRESSES, &params).await? {
                snapshot.taken_addresses.insert(row.text(0)?.to_owned());
            }
        }
        if let Some(row) = connection
            .rows(GATEWAY_USAGE, &[gateway, day])
            .await?
            .first()
        {
            snapshot.gateway_messages = row.int(0)?;
        }
        load_threads(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_answered(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_last(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_held(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_joinable(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_open_lines(&mut connection, &mut snapshot, gateway_id, rows, now_ms).await?;
        load_groups(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_owners(&mut connection, &mut snapshot, gateway_id, asks).await?;
        load_colleagues(&mut connection, &mut snapshot, gateway_id, asks).await?;
        Ok(snapshot)
    }
}

/// The lines of each sender, and the conversations of each with its peer.
async fn load_lines_and_conversations(
    connection: &mut super::super::Connection,
    snapshot: &mut OutwardSnapshot,
    params: &[Param],
) -> Result<(), StoreError> {
    for row in connection.rows(LINES, params).await? {
        let lines = snapshot.lines.entry(row.text(0)?.to_owned()).or_default();
        let line = known_line(&row)?;
        if !lines.iter().any(|known| known.line_id == line.line_id) {
            lines.push(line);
        }
    }
    load_conversations(connection, snapshot, params).await
}

/// What each of these users has with its peer.
async fn load_conversations(
    connection: &mut super::super::Connection,
    snapshot: &mut OutwardSnapshot,
    params: &[Param],
) -> Result<(), StoreError> {
    for row in connection.rows(CONVERSATIONS, params).await? {
        let key = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
        let known = KnownConversation {
            conversation_id: row.int(2)?,
            line_id: row.int(3)?,
            active_ms: row.int(4)?,
            plain_ms: row.int(5)?,
            opted_out: row.flag(6)?,
            answers_to: row.opt_text(7)?.map(str::to_owned),
        };
        let conversations = snapshot.conversations.entry(key).or_default();
        if !conversations.contains(&known) {
            conversations.push(known);
        }
    }
    Ok(())
}

/// A row of [`THREADS`].
#[derive(Serialize)]
pub(super) struct OfConversation {
    pub(super) conversation_id: i64,
}

/// The mail threads of the conversations that were found; text has none, and no row costs nothing.
async fn load_threads(
    connection: &mut super::super::Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    if !asks.iter().any(|ask| ask.has_threads) {
        return Ok(());
    }
    let params = [json(asks), gateway_id.into()];
    for row in connection.rows(WAITING_STRANGERS, &params).await? {
        let pair = (row.int(0)?, row.text(1)?.to_owned());
        snapshot.waiting_strangers.insert(pair);
    }
    let known = snapshot.conversations.values().flatten();
    let rows: Vec<_> = known
        .map(|known| OfConversation {
            conversation_id: known.conversation_id,
        })
        .collect();
    for row in connection.rows(THREADS, &[json(&rows)]).await? {
        let thread = known_thread(&row)?;
        snapshot
            .threads
            .entry(thread.conversation_id)
            .or_default()
            .push(thread);
    }
    Ok(())
}

pub(super) fn known_thread(row: &super::Row) -> Result<KnownThread, StoreError> {
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
