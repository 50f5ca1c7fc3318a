//! Peers that nobody may reach, and that may reach nobody; and those that do not want to be reached.

use std::sync::Arc;

use super::{Blocked, Operations, OptedOut, ROWS_MAX, Refusal, Reply, rows, time};
use crate::store::{
    Write,
    read::OptoutListed,
    write::{Done, Operation},
};

pub(super) async fn list(on: &Operations, gateway: Option<&str>) -> Result<Reply, Refusal> {
    let blocks = on
        .store
        .blocks_listed(on.named(gateway)?, rows(ROWS_MAX))
        .await?;
    let blocked = |row: crate::store::read::BlockListed| Blocked {
        peer: row.peer,
        gateway: row.gateway,
        since: time(row.since_ms),
    };
    Ok(Reply::Blocks(blocks.into_iter().map(blocked).collect()))
}

/// Who said STOP.
pub(super) async fn optouts(on: &Operations, gateway: Option<&str>) -> Result<Reply, Refusal> {
    let listed = on
        .store
        .optouts_listed(on.named(gateway)?, rows(ROWS_MAX))
        .await?;
    Ok(Reply::Optouts(
        listed.into_iter().map(OptedOut::from).collect(),
    ))
}

impl From<OptoutListed> for OptedOut {
    fn from(row: OptoutListed) -> Self {
        Self {
            peer: row.peer,
            line: row.line,
            gateway: row.gateway,
            since: time(row.since_ms),
        }
    }
}

/// Blocks a peer, or takes that back: at the named gateway, else wherever what was written is an address.
pub(super) async fn set(
    on: &Operations,
    peer: &str,
    gateway: Option<&str>,
    blocked: bool,
) -> Result<Reply, Refusal> {
    const EVERYBODY: i64 = 0;
    let asked = match gateway {
        Some(name) => vec![Arc::clone(on.find(name)?)],
        None => on.gateways.clone(),
    };
    let (mut read, mut gateways, mut writes) = (None, Vec::new(), Vec::new());
    for gateway in asked {
        let Ok(address) = gateway.read_typed(peer) else {
            continue;
        };
        gateways.push(gateway.config.name.clone());
        writes.push(Write::Operation(Operation::Block {
            gateway_id: gateway.id,
            user_id: EVERYBODY,
            peer: address.as_str().to_owned(),
            blocked,
            at_ms: on.now_ms(),
        }));
        read = Some(address.as_str().to_owned());
    }
    let peer = read.ok_or_else(|| Refusal::BadPeer {
        peer: peer.chars().take(100).collect(),
    })?;
    let done = on.commit(writes).await?;
    if !blocked && done.iter().all(|done| *done == Done::Unchanged) {
        return Err(Refusal::NotBlocked { peer });
    }
    Ok(Reply::Block {
        peer,
        gateways,
        blocked,
    })
}
