//! Where several processes write: one adds an id while another parks the report that names it, and neither sees what the other has not
//! committed yet. So who has to do with an id waits for whoever else has.

use super::{Connection, Group, Sql, StoreError, run_rows};

/// All of a group at once and in order, before anything else, so that two groups never wait for each other.
const HOLD_IDS: Sql = Sql {
    sqlite: "SELECT 1 WHERE $1 IS NULL",
    postgres: "SELECT CAST(pg_advisory_xact_lock(k.key) AS TEXT)
                 FROM (SELECT DISTINCT hashtextextended(r.value ->> 1, CAST(r.value ->> 0 AS BIGINT)) AS key
                         FROM jsonb_array_elements($1::jsonb) AS r(value) ORDER BY key) AS k",
};

pub(super) async fn hold_ids(
    connection: &mut Connection,
    group: &Group<'_>,
) -> Result<(), StoreError> {
    if !connection.is_postgres() {
        return Ok(());
    }
    let added = group.outcomes.iter().flat_map(|(_, row)| &row.ids);
    let added = added.map(|id| (id.scope_id, id.value.as_str()));
    let reports = group.reports.iter().filter(|(_, row)| row.key.is_none());
    let named = reports.flat_map(|(_, row)| {
        let ids = row.ids.iter();
        ids.map(|(_, value)| (row.scope_id, value.as_str()))
    });
    let ids: Vec<(i64, &str)> = added.chain(named).collect();
    run_rows(connection, HOLD_IDS, &ids).await.map(drop)
}
