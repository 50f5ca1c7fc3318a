//! Strangers' mail waits for the user's word (semantics 30).
//!
//! The lane of a stranger's chat has no time at which it is due: nothing but the user's word gives it one.

use serde::Serialize;

use super::{Connection, Done, Group, Sql, StoreError, for_rows, run_rows};

/// Somebody whose mail waits from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StrangerRow {
    /// Whose word is asked for.
    pub user_id: i64,
    /// Who wrote.
    pub peer: String,
    /// `spam`, `disowned` or `asked`.
    pub why: &'static str,
    /// What the first mail is about.
    pub subject: Option<String>,
    /// Now.
    pub at_ms: i64,
}

/// A user's word about somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// Whose word.
    pub user_id: i64,
    /// About whom.
    pub peer: String,
    /// The word.
    pub word: Word,
    /// Now.
    pub at_ms: i64,
}

/// What a user says about somebody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Word {
    /// What waits is delivered.
    Accept,
    /// What waits is thrown away; the next mail asks again.
    Discard,
    /// The same as accepted, and nothing of theirs ever waits.
    Allow,
    /// That no longer.
    Disallow,
}

/// The user was told that these want to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StrangersSaid {
    /// Who was told.
    pub user_id: i64,
    /// Of everybody who waits since then or longer.
    pub until_ms: i64,
    /// Now.
    pub at_ms: i64,
}

const WAITS: Sql = for_rows!(
    "INSERT INTO strangers (user_id, peer, state, why, subject, since_ms)
     SELECT CAST(r.value ->> 'user_id' AS BIGINT), r.value ->> 'peer', 'waiting', r.value ->> 'why', r.value ->> 'subject',
            CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1
     ON CONFLICT (user_id, peer) DO NOTHING"
);

const ALLOW: Sql = Sql::both(
    "INSERT INTO strangers (user_id, peer, state, why, since_ms) VALUES ($1, $2, 'allowed', '', $3)
     ON CONFLICT (user_id, peer) DO UPDATE SET state = 'allowed', why = '', subject = NULL",
);

const FORGET: Sql =
    Sql::both("DELETE FROM strangers WHERE user_id = $1 AND peer = $2 AND state = $3");

// A lane without a time holds what waits for a word, or nothing.
const DELIVER: Sql = Sql::both(
    "UPDATE lanes SET due_ms = $3
      WHERE due_ms IS NULL
        AND lane_id IN (SELECT -c.conversation_id FROM conversations c WHERE c.user_id = $1 AND c.peer = $2)
        AND EXISTS (SELECT 1 FROM deliveries d WHERE d.lane_id = lanes.lane_id AND d.state IN ('held', 'queued', 'sending'))",
);

// With the conversation goes all that came in it. Only a chat that nobody has seen yet waits for a word.
const DISCARD: Sql = Sql::both(
    "DELETE FROM conversations
      WHERE user_id = $1 AND peer = $2
        AND EXISTS (SELECT 1 FROM strangers s WHERE s.user_id = $1 AND s.peer = $2 AND s.state = 'waiting')",
);

const SAID: Sql = Sql::both(
    "UPDATE strangers SET said_ms = $3
      WHERE user_id = $1 AND state = 'waiting' AND said_ms IS NULL AND since_ms <= $2",
);

const OLD: Sql = Sql::both(
    "SELECT user_id, peer FROM strangers WHERE state = 'waiting' AND since_ms < $1 ORDER BY since_ms LIMIT $2",
);

/// Somebody's mail waits.
pub(super) async fn waits(
    connection: &mut Connection,
    rows: &[&StrangerRow],
) -> Result<(), StoreError> {
    run_rows(connection, WAITS, rows).await.map(drop)
}

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    for (place, judged) in std::mem::take(&mut group.judged) {
        if judge(connection, judged).await? == 0 {
            group.set(place, Done::Unchanged);
        }
    }
    for said in &group.strangers_said {
        let row = [said.user_id.into(), said.until_ms.into(), said.at_ms.into()];
        connection.run(SAID, &row).await?;
    }
    Ok(())
}

/// How many rows it changed.
async fn judge(connection: &mut Connection, judged: &Judged) -> Result<u64, StoreError> {
    let (user, peer) = (judged.user_id, judged.peer.as_str());
    let forget = |state: &'static str| [user.into(), peer.into(), state.into()];
    let due = [user.into(), peer.into(), judged.at_ms.into()];
    Ok(match judged.word {
        Word::Accept => {
            let found = connection.run(FORGET, &forget("waiting")).await?;
            if found > 0 {
                connection.run(DELIVER, &due).await?;
            }
            found
        }
        Word::Allow => {
            let found = connection.run(ALLOW, &due).await?;
            connection.run(DELIVER, &due).await?;
            found
        }
        Word::Discard => discard(connection, user, peer).await?,
        Word::Disallow => connection.run(FORGET, &forget("allowed")).await?,
    })
}

/// Throws away what waits from somebody; how many there were, one or none.
pub(super) async fn discard(
    connection: &mut Connection,
    user_id: i64,
    peer: &str,
) -> Result<u64, StoreError> {
    connection
        .run(DISCARD, &[user_id.into(), peer.into()])
        .await?;
    let waiting = [user_id.into(), peer.into(), "waiting".into()];
    connection.run(FORGET, &waiting).await
}

/// Throws away what waits since before that time; how many were asked for.
pub(super) async fn expire(
    connection: &mut Connection,
    before_ms: i64,
    limit: i64,
) -> Result<u64, StoreError> {
    let rows = connection
        .rows(OLD, &[before_ms.into(), limit.into()])
        .await?;
    for row in &rows {
        discard(connection, row.int(0)?, row.text(1)?).await?;
    }
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}
