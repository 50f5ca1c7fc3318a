//! The groups of a batch: who is in them, who of those is blocked, and who has opted out.

use serde::Serialize;

use super::{
    super::StoreError,
    Ask, OutwardSnapshot, json,
    statements::{BLOCKS, MEMBER_OPTOUTS, MEMBERS, SHARED_OPTOUTS},
};
use crate::store::{Connection, index};

/// One member, as if its sender wrote to it alone.
#[derive(Serialize)]
struct MemberAsk<'a> {
    jid: &'a str,
    peer: String,
}

/// What is known of the members of groups; without any groups it costs nothing.
pub(super) async fn load_groups(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let named: Vec<&Ask> = asks.iter().filter(|ask| ask.is_named_group).collect();
    if named.is_empty() && asks.iter().all(|ask| ask.members.is_empty()) {
        return Ok(());
    }
    load_members(connection, snapshot, gateway_id, &named).await?;
    let mut members = Vec::new();
    for ask in asks {
        let key = (ask.jid.clone(), ask.peer.clone());
        let stored = snapshot.groups.get(&key).into_iter().flatten();
        let stored = stored.map(|(address, _)| address);
        members.extend(stored.chain(&ask.members).map(|peer| MemberAsk {
            jid: &ask.jid,
            peer: peer.clone(),
        }));
    }
    let params = [json(&members), gateway_id.into()];
    for row in connection.rows(BLOCKS, &params).await? {
        let blocked = (row.int(0)?, row.text(1)?.to_owned());
        snapshot.blocked.insert(blocked);
    }
    for sql in [MEMBER_OPTOUTS, SHARED_OPTOUTS] {
        for row in connection.rows(sql, &params).await? {
            let opted_out = (row.int(0)?, row.text(1)?.to_owned());
            snapshot.opted_out.insert(opted_out);
        }
    }
    Ok(())
}

async fn load_members(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    named: &[&Ask],
) -> Result<(), StoreError> {
    if named.is_empty() {
        return Ok(());
    }
    let params = [json(named), gateway_id.into()];
    for row in connection.rows(MEMBERS, &params).await? {
        let place = index(row.int(0)?);
        let Some(ask) = named.iter().find(|ask| ask.place == place) else {
            continue;
        };
        let member = (row.text(1)?.to_owned(), row.opt_text(2)?.map(str::to_owned));
        let key = (ask.jid.clone(), ask.peer.clone());
        let members = snapshot.groups.entry(key).or_default();
        // On several of the user's addresses it is the same group.
        if !members.contains(&member) {
            members.push(member);
        }
    }
    Ok(())
}
