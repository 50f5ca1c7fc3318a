//! What is known of a message that another answers or reacts to.

use super::{
    super::{Row, StoreError},
    Ask, OutwardSnapshot, json,
    statements::{ANSWERED, LAST},
};
use crate::store::{Connection, index};

/// A message that another answers or reacts to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answered {
    /// Its mail thread.
    pub thread_id: Option<i64>,
    /// How it begins; `None`: its text is kept no longer.
    pub body: Option<String>,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// What is stored with it.
    pub payload: Option<String>,
    /// Whether the user wrote it.
    pub own: bool,
    /// When it was taken, in milliseconds.
    pub created_ms: i64,
}

impl Answered {
    /// Whether the network has a name for it.
    pub fn has_id(&self) -> bool {
        self.message_id.is_some()
    }
}

/// Loads what is answered; without any answer it costs nothing.
pub(super) async fn load_answered(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let answers: Vec<&Ask> = asks.iter().filter(|ask| ask.reply_to.is_some()).collect();
    if answers.is_empty() {
        return Ok(());
    }
    for row in connection
        .rows(ANSWERED, &[json(&answers), gateway_id.into()])
        .await?
    {
        let answered = answered(&row)?;
        snapshot.answered.insert(index(row.int(0)?), answered);
    }
    Ok(())
}

fn answered(row: &Row) -> Result<Answered, StoreError> {
    Ok(Answered {
        thread_id: row.opt_int(1)?,
        body: row.opt_text(2)?.map(str::to_owned),
        message_id: row.opt_text(3)?.map(str::to_owned),
        payload: row.opt_text(4)?.map(str::to_owned),
        own: row.text(5)? == "out",
        created_ms: row.int(6)?,
    })
}

/// Loads what is answered without being named, for users who want to quote it; without any it costs nothing.
pub(super) async fn load_last(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    // Whether the choice is yes is not for the store to read.
    let quotes = |ask: &&Ask| {
        let user = snapshot.users.get(&ask.jid);
        ask.has_threads && user.is_some_and(|user| user.settings.contains("quote_mail"))
    };
    let asks: Vec<&Ask> = asks.iter().filter(quotes).collect();
    if asks.is_empty() {
        return Ok(());
    }
    for row in connection
        .rows(LAST, &[json(&asks), gateway_id.into()])
        .await?
    {
        let last = answered(&row)?;
        snapshot.last_of_thread.insert(row.int(0)?, last);
    }
    Ok(())
}
