//! What a reaction is about: the message that its words quote, and what the same person reacted with before.

use std::collections::HashMap;

use super::{
    super::{Sql, StoreError, for_rows, json},
    InwardAsk, InwardRow, LineFound,
};
use crate::store::{Connection, index};

/// So many of the last messages are looked through.
const QUOTED: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), c.user_id,
            (SELECT s.stanza_id FROM message_stanzas s WHERE s.message_id = m.message_id ORDER BY s.created_ms LIMIT 1)
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN conversations c
      CROSS JOIN messages m
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND c.line_id = l.line_id AND c.peer = r.value ->> 'peer'
        AND m.conversation_id = c.conversation_id AND m.direction = 'out' AND m.body = r.value ->> 'quotes'
        AND m.message_id IN (SELECT n.message_id FROM messages n
                              WHERE n.conversation_id = c.conversation_id
                              ORDER BY n.message_id DESC LIMIT 100)"
);

/// The reactions among as many.
const REACTIONS: Sql = for_rows!(
    "SELECT CAST(r.value ->> 'place' AS BIGINT), c.user_id, m.payload
       FROM",
    "CROSS JOIN lines l
      CROSS JOIN conversations c
      CROSS JOIN messages m
      WHERE l.gateway_id = $2 AND l.address = r.value ->> 'address' AND c.line_id = l.line_id AND c.peer = r.value ->> 'peer'
        AND m.conversation_id = c.conversation_id AND m.direction = 'in' AND m.payload LIKE '%\"reaction\":{%'
        AND m.message_id IN (SELECT n.message_id FROM messages n
                              WHERE n.conversation_id = c.conversation_id
                              ORDER BY n.message_id DESC LIMIT 100)
      ORDER BY m.message_id"
);

/// What a reaction in words quotes; without any it costs nothing.
pub(super) async fn load_quoted(
    connection: &mut Connection,
    gateway_id: i64,
    asks: &[InwardAsk],
    found: &mut HashMap<usize, LineFound>,
) -> Result<(), StoreError> {
    let quotes: Vec<&InwardAsk> = asks.iter().filter(|ask| ask.quotes.is_some()).collect();
    let put = |user: &mut InwardRow, id| user.quoted.push(id);
    load(connection, QUOTED, gateway_id, &quotes, found, put).await
}

/// What the author of a reaction reacted with before; without any reaction it costs nothing.
pub(super) async fn load_reactions(
    connection: &mut Connection,
    gateway_id: i64,
    asks: &[InwardAsk],
    found: &mut HashMap<usize, LineFound>,
) -> Result<(), StoreError> {
    let reactions: Vec<&InwardAsk> = asks.iter().filter(|ask| ask.reacts).collect();
    let put = |user: &mut InwardRow, payload| user.reactions.push(payload);
    load(connection, REACTIONS, gateway_id, &reactions, found, put).await
}

/// Gives each user of a line what the statement says of them.
async fn load(
    connection: &mut Connection,
    sql: Sql,
    gateway_id: i64,
    asks: &[&InwardAsk],
    found: &mut HashMap<usize, LineFound>,
    put: impl Fn(&mut InwardRow, String),
) -> Result<(), StoreError> {
    if asks.is_empty() {
        return Ok(());
    }
    for row in connection
        .rows(sql, &[json(asks), gateway_id.into()])
        .await?
    {
        let (place, user_id) = (index(row.int(0)?), row.int(1)?);
        let users = found.get_mut(&place).map(|line| &mut line.users);
        let user = users.and_then(|users| users.iter_mut().find(|user| user.user_id == user_id));
        if let (Some(user), Some(text)) = (user, row.opt_text(2)?) {
            put(user, text.to_owned());
        }
    }
    Ok(())
}
