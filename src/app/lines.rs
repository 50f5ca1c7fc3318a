//! The configuration file's lines, brought into the database: the file wins over commands (semantics 17).

use std::collections::HashSet;

use crate::{
    config::{GatewayConfig, Line, Ownership},
    store::{
        Ids, Store, StoreError, Write,
        read::LineListed,
        write::{LineRow, OwnerRow},
    },
};

/// What has to be written so that the database says of the file's lines what the file says.
pub(super) async fn changes(
    store: &Store,
    gateway: &GatewayConfig,
    gateway_id: i64,
    ids: &Ids,
    at_ms: i64,
) -> Result<Vec<Write>, StoreError> {
    let known = store.lines(gateway_id).await?;
    let mut writes = Vec::new();
    let mut named = HashSet::new();
    for line in &gateway.lines {
        let address = line.number.as_str();
        named.insert(address);
        writes.push(Write::Line(row(line, gateway_id, ids.next(), at_ms)));
        let owner = |jid: String, owned| {
            Write::Owner(OwnerRow {
                gateway_id,
                address: address.to_owned(),
                jid,
                owned,
                at_ms,
            })
        };
        let known = known.iter().find(|known| known.address == address);
        let before = known.map_or(&[][..], |known| &known.owners);
        let now: Vec<String> = match &line.ownership {
            Ownership::Owners(owners) => owners.iter().map(ToString::to_string).collect(),
            Ownership::Shared { .. } => Vec::new(),
            // Whoever has a number of the pool keeps it, unless it was the file that gave it.
            Ownership::Pool if known.is_some_and(given_by_file) => Vec::new(),
            Ownership::Pool => continue,
        };
        writes.extend(
            before
                .iter()
                .filter(|jid| !now.contains(jid))
                .map(|jid| owner(jid.clone(), false)),
        );
        writes.extend(now.into_iter().map(|jid| owner(jid, true)));
    }
    // A line that left the file is retired: nothing is sent from it, what comes to it is still routed.
    let left = known
        .iter()
        .filter(|known| known.source == "file" && !named.contains(known.address.as_str()));
    for known in left.filter(|known| known.state == "active") {
        tracing::warn!(
            gateway = gateway.name,
            "A line left the configuration and is retired."
        );
        writes.push(Write::Line(LineRow {
            line_id: known.line_id,
            gateway_id,
            address: known.address.clone(),
            kind: kind_word(&known.kind),
            state: "retired",
            source: "file",
            routes: "[]".to_owned(),
            fallback: None,
            at_ms,
        }));
    }
    Ok(writes)
}

/// Whether the file said, until now, whose this line is.
fn given_by_file(known: &LineListed) -> bool {
    known.source == "file" && known.kind != "pool"
}

fn row(line: &Line, gateway_id: i64, line_id: i64, at_ms: i64) -> LineRow {
    let (kind, fallback) = match &line.ownership {
        Ownership::Owners(_) => ("owned", None),
        Ownership::Shared { fallback } => ("shared", fallback.as_ref().map(ToString::to_string)),
        Ownership::Pool => ("pool", None),
    };
    LineRow {
        line_id,
        gateway_id,
        address: line.number.as_str().to_owned(),
        kind,
        state: "active",
        source: "file",
        routes: serde_json::to_string(&line.providers).unwrap_or_else(|_| "[]".to_owned()),
        fallback,
        at_ms,
    }
}

fn kind_word(kind: &str) -> &'static str {
    match kind {
        "shared" => "shared",
        "pool" => "pool",
        _ => "owned",
    }
}
