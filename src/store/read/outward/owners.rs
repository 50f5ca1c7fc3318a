//! Who else has the lines that somebody writes from (semantics 17).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    super::{StoreError, json},
    Ask, KnownOwner, OutwardSnapshot, load_conversations,
    statements::OWNERS,
};
use crate::store::Connection;

#[derive(Serialize)]
struct OfLine {
    line_id: i64,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Chat {
    jid: String,
    peer: String,
}

/// The owners of lines that have several, and what each of them has with the peers that are written to. Where every line has one
/// owner it costs nothing.
pub(super) async fn load_owners(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let mut peers: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for ask in asks.iter().filter(|ask| !ask.peer.is_empty()) {
        let lines = snapshot.lines.get(&ask.jid).into_iter().flatten();
        for line in lines.filter(|line| line.owners > 1) {
            peers.entry(line.line_id).or_default().insert(&ask.peer);
        }
    }
    if peers.is_empty() {
        return Ok(());
    }
    let lines: Vec<OfLine> = peers.keys().map(|&line_id| OfLine { line_id }).collect();
    let mut chats = BTreeSet::new();
    for row in connection
        .rows(OWNERS, &[json(&lines), gateway_id.into()])
        .await?
    {
        let line_id = row.int(0)?;
        let owner = KnownOwner {
            user_id: row.int(1)?,
            jid: row.text(2)?.to_owned(),
            state: row.text(3)?.to_owned(),
        };
        let chat = |peer: &&str| Chat {
            jid: owner.jid.clone(),
            peer: (*peer).to_owned(),
        };
        chats.extend(peers.get(&line_id).into_iter().flatten().map(chat));
        snapshot.owners.entry(line_id).or_default().push(owner);
    }
    let chats: Vec<Chat> = chats.into_iter().collect();
    load_conversations(connection, snapshot, &[json(&chats), gateway_id.into()]).await
}
