//! Parts of longer texts: kept until all are there.

use std::collections::HashSet;

use serde::Serialize;

use super::{
    Connection, Done, Group, Seen, Sql, StoreError, for_rows, incoming::mark_seen, run_rows,
};

/// One part came; unless it came before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PartRow {
    /// What makes it known.
    #[serde(skip)]
    pub seen: Seen,
    /// Its key; rises with time.
    pub part_id: i64,
    /// The gateway.
    pub gateway_id: i64,
    /// The account that brought it.
    pub scope_id: i64,
    /// Our address.
    pub line: String,
    /// Who wrote it.
    pub peer: String,
    /// The name that came with it.
    pub peer_name: Option<String>,
    /// What the parts have in common.
    pub reference: u16,
    /// How many there are.
    pub total: u8,
    /// Which one it is, from 1.
    pub number: u8,
    /// What it says.
    pub body: String,
    /// When it was sent, as far as the network says.
    pub sent_ms: Option<i64>,
    /// Now.
    pub at_ms: i64,
}

/// A part was delivered within its text, and need not be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct PartGone {
    /// Which.
    pub part_id: i64,
}

const INSERT: Sql = for_rows!(
    "INSERT INTO parts (part_id, gateway_id, scope_id, line, peer, peer_name, reference, total, number, body, sent_ms, at_ms)
     SELECT CAST(r.value ->> 'part_id' AS BIGINT), CAST(r.value ->> 'gateway_id' AS BIGINT),
            CAST(r.value ->> 'scope_id' AS BIGINT), r.value ->> 'line', r.value ->> 'peer', r.value ->> 'peer_name',
            CAST(r.value ->> 'reference' AS BIGINT), CAST(r.value ->> 'total' AS BIGINT),
            CAST(r.value ->> 'number' AS BIGINT), r.value ->> 'body', CAST(r.value ->> 'sent_ms' AS BIGINT),
            CAST(r.value ->> 'at_ms' AS BIGINT)
       FROM",
    "WHERE 1 = 1"
);

const DELETE: Sql = Sql {
    sqlite: "DELETE FROM parts WHERE part_id IN (SELECT CAST(r.value ->> 'part_id' AS BIGINT) FROM jsonb_each($1) AS r)",
    postgres: "DELETE FROM parts USING jsonb_array_elements($1::jsonb) AS r(value)
                WHERE parts.part_id = CAST(r.value ->> 'part_id' AS BIGINT)",
};

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    run_rows(connection, DELETE, &group.parts_gone).await?;
    if group.parts.is_empty() {
        return Ok(());
    }
    let seen: Vec<&Seen> = group.parts.iter().map(|(_, row)| &row.seen).collect();
    let mut fresh: HashSet<_> = mark_seen(connection, &seen).await?;
    // The first of several equal ones takes the mark; the others are repeats.
    let mut is_new = |seen: &Seen| fresh.remove(&(seen.scope_id, seen.digest.clone()));
    let (new, old): (Vec<_>, Vec<_>) = group.parts.iter().partition(|(_, row)| is_new(&row.seen));
    let rows: Vec<&PartRow> = new.into_iter().map(|(_, row)| row).collect();
    let old: Vec<usize> = old.into_iter().map(|(place, _)| place).collect();
    for place in old {
        group.set(place, Done::Unchanged);
    }
    run_rows(connection, INSERT, &rows).await.map(drop)
}
