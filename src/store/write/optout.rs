//! A network that says of a recipient "opted out" knows of a STOP that we have not seen: the ledger heeds it too (semantics 33).

use serde::Serialize;

use super::{Connection, Done, Group, Sql, StoreError, TellKind, for_rows, run_rows};

/// The word of `Reason::OptedOut`.
const OPTED_OUT: &str = "opted-out";

// What went to a whole group at once says of none of its members that it was this one.
const NOTE: Sql = for_rows!(
    "INSERT INTO optouts (line_id, peer, since_ms)
     SELECT c.line_id, COALESCE(d.recipient, c.peer), COALESCE(d.done_ms, d.created_ms)
       FROM",
    "CROSS JOIN deliveries d CROSS JOIN messages m CROSS JOIN conversations c
      WHERE d.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND d.state = 'failed' AND d.reason = 'opted-out'
        AND m.message_id = d.message_id AND c.conversation_id = m.conversation_id
        AND (d.recipient IS NOT NULL OR (c.peer NOT LIKE '%,%' AND c.peer NOT LIKE 'g-%'))
     ON CONFLICT (line_id, peer) DO NOTHING"
);

#[derive(Serialize)]
struct Failed {
    delivery_id: i64,
}

/// Looks at what has just failed, by an attempt or by a report.
pub(super) async fn heed(connection: &mut Connection, group: &Group<'_>) -> Result<(), StoreError> {
    let by_attempt = group
        .outcomes
        .iter()
        .filter(|(_, row)| row.reason == Some(OPTED_OUT))
        .map(|(_, row)| row.delivery_id);
    let by_report = group.done.iter().flat_map(|done| match done {
        Done::Tells(tells) => tells.as_slice(),
        Done::Written | Done::Unchanged | Done::Swept(_) => &[],
    });
    let by_report = by_report
        .filter(|tell| tell.kind == TellKind::Error)
        .map(|tell| tell.delivery_id);
    let failed = by_attempt.chain(by_report);
    let failed: Vec<Failed> = failed.map(|delivery_id| Failed { delivery_id }).collect();
    run_rows(connection, NOTE, &failed).await.map(drop)
}
