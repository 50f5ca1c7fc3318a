//! What messages from outside need to find their users.
//!
//! Length: what one event needs to know, a statement an aspect, with the rows beside them.

mod quoted;

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Acquaintance, KnownThread, Sql, Store, StoreError, for_rows, json,
    outward::{OfConversation, THREADS, known_thread},
    strangers::{Pair, acquaintances},
};
use crate::store::{Connection, index};
use quoted::{load_quoted, load_reactions};

/// What one message asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InwardAsk {
    /// Its place in the batch.
    pub place: usize,
    /// Our address.
    pub address: String,
    /// Whose contact it is: who wrote, or the group that it went to.
    pub peer: String,
    /// Who wrote.
    pub author: String,
    /// The delivery that it is about, when it came to that one's bounce address.
    pub regarding: Option<i64>,
    /// The Message-IDs it answers, nearest first.
    #[serde(skip)]
    pub answers: Vec<String>,
    /// What it quotes, when its words are those of a reaction.
    pub quotes: Option<String>,
    /// Whether it is a reaction by itself (RFC 9078).
    #[serde(skip)]
    pub reacts: bool,
    /// Whether the network has threads.
    #[serde(skip)]
    pub has_threads: bool,
}

/// The line that a message came to, and who may be meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineFound {
    /// Its key.
    pub line_id: i64,
    /// `owned`, `pool` or `shared`.
    pub kind: String,
    /// Who gets what belongs to nobody.
    pub fallback: Option<String>,
    /// Whether this peer asked not to be written to from it.
    pub opted_out: bool,
    /// The registered owners, and whoever talks with this peer on it.
    pub users: Vec<InwardRow>,
    /// The messages that it answers, nearest first.
    pub answered: Vec<AnsweredBy>,
}

/// A message that one from outside answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnsweredBy {
    /// Its mail thread.
    pub thread_id: Option<i64>,
    /// The user whose it is.
    pub user_id: i64,
    /// Its place among what is answered; 0: the very message.
    pub rank: usize,
    /// The id of its first stanza.
    pub stanza_id: String,
    /// Whether the user wrote it.
    pub own: bool,
}

/// One user who may be meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InwardRow {
    /// The user.
    pub user_id: i64,
    /// Its bare JID.
    pub jid: String,
    /// `active`, `pending` or `disabled`.
    pub state: String,
    /// Whether it owns the line.
    pub owner: bool,
    /// The conversation with the peer on this line, if there is one, and when it was last active.
    pub conversation: Option<(i64, i64)>,
    /// When the plain contact last meant this line; 0: never.
    pub plain_ms: i64,
    /// When the plain contact last meant another line; 0: never.
    pub other_plain_ms: i64,
    /// Whether the peer is blocked by this user or by everybody.
    pub blocked: bool,
    /// The mail thread that the user saw last.
    pub shown_thread: Option<i64>,
    /// The newest mail threads of the conversation.
    pub threads: Vec<KnownThread>,
    /// The ids of those of the user's last messages to this peer that have exactly the words which are quoted.
    pub quoted: Vec<String>,
    /// What is stored with the peer's last reactions, oldest first; asked for a reaction alone.
    pub reactions: Vec<String>,
    /// What the user and the peer are to each other; asked for mail alone.
    pub acquaintance: Acquaintance,
}

const LINES: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), l.line_id, l.kind, l.fallback,
            (SELECT COUNT(*) FROM optouts o WHERE o.line_id = l.line_id AND o.peer = r.value ->> 'peer')
       FROM",
    "CROSS JOIN lines l
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND l.state <> 'resting'"
);

const OWNERS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), u.user_id, u.jid, u.state, c.conversation_id, c.active_ms,
            COALESCE(c.plain_ms, 0),
            (SELECT COALESCE(MAX(o.plain_ms), 0) FROM conversations o
              WHERE o.user_id = u.user_id AND o.peer = r.value ->> 'peer' AND o.line_id <> l.line_id),
            (SELECT COUNT(*) FROM blocks b
              WHERE b.gateway_id = $2 AND b.user_id IN (0, u.user_id) AND b.peer IN (r.value ->> 'peer', r.value ->> 'author')),
            c.shown_thread
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN line_owners w
      CROSS JOIN users u
       LEFT JOIN conversations c ON c.user_id = u.user_id AND c.peer = r.value ->> 'peer' AND c.line_id = l.line_id
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND w.line_id = l.line_id
        AND u.gateway_id = $2 AND u.jid = w.jid"
);

const TALKERS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), u.user_id, u.jid, u.state, c.conversation_id, c.active_ms, c.plain_ms,
            (SELECT COALESCE(MAX(o.plain_ms), 0) FROM conversations o
              WHERE o.user_id = u.user_id AND o.peer = r.value ->> 'peer' AND o.line_id <> l.line_id),
            (SELECT COUNT(*) FROM blocks b
              WHERE b.gateway_id = $2 AND b.user_id IN (0, u.user_id) AND b.peer IN (r.value ->> 'peer', r.value ->> 'author')),
            c.shown_thread
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN conversations c
      CROSS JOIN users u
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND l.kind = 'shared'
        AND c.line_id = l.line_id AND c.peer = r.value ->> 'peer' AND u.user_id = c.user_id
      ORDER BY c.active_ms DESC"
);

const REGARDING: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), l.address
       FROM",
    "CROSS JOIN deliveries d
      CROSS JOIN messages m
      CROSS JOIN conversations c
      CROSS JOIN lines l
      WHERE d.delivery_id = CAST(r.value ->> 'regarding' AS BIGINT) AND m.message_id = d.message_id
        AND c.conversation_id = m.conversation_id AND c.gateway_id = $2 AND l.line_id = c.line_id"
);

const ANSWERED: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), m.thread_id, c.user_id, CAST(r.value ->> 'rank' AS BIGINT),
            (SELECT s.stanza_id FROM message_stanzas s WHERE s.message_id = m.message_id ORDER BY s.created_ms LIMIT 1),
            m.direction
       FROM",
    "CROSS JOIN external_ids e
      CROSS JOIN deliveries d
      CROSS JOIN messages m
      CROSS JOIN conversations c
      WHERE e.scope_id = $2 AND e.kind = 'message-id' AND e.value = r.value ->> 'id'
        AND d.delivery_id = e.delivery_id AND m.message_id = d.message_id
        AND c.conversation_id = m.conversation_id
      ORDER BY CAST(r.value ->> 'rank' AS BIGINT)"
);

#[derive(Serialize)]
struct Answer<'a> {
    place: usize,
    rank: usize,
    id: &'a str,
}

/// A mail to a bounce address is for whoever wrote the mail that it is about.
async fn resolve_regarding(
    connection: &mut Connection,
    gateway_id: i64,
    asks: &mut [InwardAsk],
) -> Result<(), StoreError> {
    let about: Vec<&InwardAsk> = asks.iter().filter(|ask| ask.regarding.is_some()).collect();
    if about.is_empty() {
        return Ok(());
    }
    for row in connection
        .rows(REGARDING, &[json(&about), gateway_id.into()])
        .await?
    {
        let place = index(row.int(0)?);
        if let Some(ask) = asks.iter_mut().find(|ask| ask.place == place) {
            row.text(1)?.clone_into(&mut ask.address);
        }
    }
    Ok(())
}

/// Who is a stranger to whom.
async fn load_acquaintances(
    connection: &mut Connection,
    asks: &[InwardAsk],
    found: &mut HashMap<usize, LineFound>,
) -> Result<(), StoreError> {
    let mut pairs = Vec::new();
    for ask in asks.iter().filter(|ask| ask.has_threads) {
        let users = found.get(&ask.place).map(|line| &line.users);
        pairs.extend(users.into_iter().flatten().map(|user| Pair {
            place: ask.place,
            user_id: user.user_id,
            peer: &ask.peer,
        }));
    }
    for (place, user_id, known) in acquaintances(connection, &pairs).await? {
        let users = found.get_mut(&place).map(|line| &mut line.users);
        let user = users
            .into_iter()
            .flatten()
            .find(|user| user.user_id == user_id);
        if let Some(user) = user {
            user.acquaintance = known;
        }
    }
    Ok(())
}

/// Mail threads: those of what it answers, and the newest of each conversation.
async fn load_threads(
    connection: &mut Connection,
    gateway_id: i64,
    asks: &[InwardAsk],
    found: &mut HashMap<usize, LineFound>,
) -> Result<(), StoreError> {
    if !asks.iter().any(|ask| ask.has_threads) {
        return Ok(());
    }
    let answers: Vec<Answer<'_>> = asks
        .iter()
        .flat_map(|ask| {
            ask.answers.iter().enumerate().map(|(rank, id)| Answer {
                place: ask.place,
                rank,
                id,
            })
        })
        .collect();
    for row in connection
        .rows(ANSWERED, &[json(&answers), gateway_id.into()])
        .await?
    {
        if let Some(line) = found.get_mut(&index(row.int(0)?)) {
            line.answered.push(AnsweredBy {
                thread_id: row.opt_int(1)?,
                user_id: row.int(2)?,
                rank: index(row.int(3)?),
                stanza_id: row.opt_text(4)?.unwrap_or_default().to_owned(),
                own: row.text(5)? == "out",
            });
        }
    }
    let users = || found.values().flat_map(|line| &line.users);
    let ids: std::collections::BTreeSet<i64> = users()
        .filter_map(|user| Some(user.conversation?.0))
        .collect();
    let rows: Vec<_> = ids
        .into_iter()
        .map(|conversation_id| OfConversation { conversation_id })
        .collect();
    for row in connection.rows(THREADS, &[json(&rows)]).await? {
        let thread = known_thread(&row)?;
        for user in found.values_mut().flat_map(|line| &mut line.users) {
            if user
                .conversation
                .is_some_and(|(conversation, _)| conversation == thread.conversation_id)
            {
                user.threads.push(thread.clone());
            }
        }
    }
    Ok(())
}

impl Store {
    /// Finds the lines of a batch of messages and the users who may be meant; by place.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn inward(
        &self,
        gateway_id: i64,
        asks: &[InwardAsk],
    ) -> Result<HashMap<usize, LineFound>, StoreError> {
        if asks.is_empty() {
            return Ok(HashMap::new());
        }
        let (mut asks, this) = (asks.to_vec(), self.clone());
        let work = async move {
            let mut connection = this.database.reader().await?;
            resolve_regarding(&mut connection, gateway_id, &mut asks).await?;
            let params = [json(&asks), gateway_id.into()];
            let mut found = HashMap::new();
            for row in connection.rows(LINES, &params).await? {
                let line = LineFound {
                    line_id: row.int(1)?,
                    kind: row.text(2)?.to_owned(),
                    fallback: row.opt_text(3)?.map(str::to_owned),
                    opted_out: row.flag(4)?,
                    users: Vec::new(),
                    answered: Vec::new(),
                };
                found.insert(index(row.int(0)?), line);
            }
            for (sql, owner) in [(OWNERS, true), (TALKERS, false)] {
                for row in connection.rows(sql, &params).await? {
                    let Some(line) = found.get_mut(&index(row.int(0)?)) else {
                        continue;
                    };
                    let user = user(&row, owner)?;
                    if !line.users.iter().any(|known| known.user_id == user.user_id) {
                        line.users.push(user);
                    }
                }
            }
            load_threads(&mut connection, gateway_id, &asks, &mut found).await?;
            load_quoted(&mut connection, gateway_id, &asks, &mut found).await?;
            load_reactions(&mut connection, gateway_id, &asks, &mut found).await?;
            load_acquaintances(&mut connection, &asks, &mut found).await?;
            Ok(found)
        };
        self.lifecycle
            .detached(work)
            .await
            .unwrap_or(Err(StoreError::Gone))
    }

    /// Whether a line of the gateway has this address.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_line(&self, gateway_id: i64, address: &str) -> Result<bool, StoreError> {
        const SELECT: Sql = Sql::both(
            "SELECT line_id FROM lines WHERE gateway_id = $1 AND address = $2 AND state <> 'resting'",
        );
        Ok(!self
            .rows(SELECT, vec![gateway_id.into(), address.into()])
            .await?
            .is_empty())
    }
}

fn user(row: &super::Row, owner: bool) -> Result<InwardRow, StoreError> {
    let conversation = row.opt_int(4)?.zip(row.opt_int(5)?);
    Ok(InwardRow {
        user_id: row.int(1)?,
        jid: row.text(2)?.to_owned(),
        state: row.text(3)?.to_owned(),
        owner,
        conversation,
        plain_ms: row.int(6)?,
        other_plain_ms: row.int(7)?,
        blocked: row.flag(8)?,
        shown_thread: row.opt_int(9)?,
        threads: Vec::new(),
        quoted: Vec::new(),
        reactions: Vec::new(),
        acquaintance: Acquaintance::default(),
    })
}
