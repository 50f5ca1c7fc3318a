//! The life of one attempt: the start mark, the outcome, and that the user was told.

use serde::Serialize;

use super::{
    Connection, Done, Group, IdRow, Sql, State, StoreError, TellKind, fetch_rows, for_rows,
    outgoing::insert_ids, report, run_rows, touched,
};

/// An attempt is about to be made; committed before it, for accounts that cannot recognise a repeat, and where several processes
/// work: of two that want the same delivery the database lets one go on, and a process that was taken for dead starts nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Start {
    /// The delivery.
    pub delivery_id: i64,
    /// By which account.
    pub account_id: i64,
    /// By which process.
    pub process_id: i64,
    /// How many sends it takes there.
    pub units: u16,
    /// Now.
    pub at_ms: i64,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OutcomeRow {
    /// The delivery.
    pub delivery_id: i64,
    /// Its lane.
    pub lane_id: i64,
    /// What it is now.
    pub state: State,
    /// The account that tried.
    pub account_id: Option<i64>,
    /// The process whose start mark this ends; `None`: there was none.
    pub process_id: Option<i64>,
    /// How many attempts there were before, where nothing marks the start of one: a message that was sent back meanwhile has had one
    /// more, and stays what it was made by that.
    pub attempts_before: Option<u32>,
    /// How many sends it takes by the account that is next; `None`: as many as before.
    pub units: Option<u16>,
    /// How many units are through.
    pub units_done: u16,
    /// Attempts so far.
    pub attempts: u32,
    /// Those of which nobody knows what came.
    pub unknowns: u32,
    /// Why it failed, as a word.
    pub reason: Option<&'static str>,
    /// The network's code.
    pub code: Option<String>,
    /// What the user has to be told.
    pub tell: Option<TellKind>,
    /// When to look at it again: a doubt to be told, a report that is overdue.
    pub due_ms: Option<i64>,
    /// When it ended.
    pub done_ms: Option<i64>,
    /// When the lane goes on, if anything waits in it.
    pub lane_due_ms: i64,
    /// Failures of the lane in a row.
    pub failures: u32,
    /// The ids that the network gave.
    #[serde(skip)]
    pub ids: Vec<IdRow>,
    /// The delivery leaves its lane for one of its own, so as not to hold the next.
    #[serde(skip)]
    pub leaves_lane: bool,
    /// It is one of several to a group: a receipt that stands for acceptance waits for the others.
    #[serde(skip)]
    pub of_group: bool,
}

impl OutcomeRow {
    /// Nothing was tried, nothing is told, and the lane goes on at once.
    pub const fn new(delivery_id: i64, lane_id: i64, state: State) -> Self {
        Self {
            delivery_id,
            lane_id,
            state,
            account_id: None,
            process_id: None,
            attempts_before: None,
            units: None,
            units_done: 0,
            attempts: 0,
            unknowns: 0,
            reason: None,
            code: None,
            tell: None,
            due_ms: None,
            done_ms: None,
            lane_due_ms: 0,
            failures: 0,
            ids: Vec::new(),
            leaves_lane: false,
            of_group: false,
        }
    }
}

/// The user was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Told {
    /// Of which delivery.
    pub delivery_id: i64,
    /// What.
    pub what: TellKind,
}

/// The time of a delivery has come: its sender has to be told, or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Due {
    /// The delivery.
    pub delivery_id: i64,
    /// What it was when that was decided.
    pub state: State,
    /// What its sender has to be told.
    pub tell: Option<TellKind>,
}

const DUE: Sql = for_rows!(
    "UPDATE deliveries SET due_ms = NULL, tell = COALESCE(r.value ->> 'tell', tell)
       FROM",
    // Another process may have been quicker: nobody is told twice.
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)
        AND deliveries.state = r.value ->> 'state' AND deliveries.due_ms IS NOT NULL"
);

/// The user's server sent a message back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Bounced {
    /// The delivery.
    pub delivery_id: i64,
    /// Its lane.
    pub lane_id: i64,
    /// Now.
    pub at_ms: i64,
    /// `queued` to try again, `failed` for good.
    pub state: &'static str,
    /// The error's condition.
    pub code: String,
    /// When the lane goes on.
    pub due_ms: i64,
}

// A server answers a message with an error before it answers the ping behind it: the outcome of that attempt is yet to come then, and
// finds one attempt more.
const BOUNCED: Sql = for_rows!(
    "UPDATE deliveries SET state = r.value ->> 'state', code = r.value ->> 'code',
            attempts = attempts + CASE WHEN deliveries.state = 'queued' THEN 1 ELSE 0 END,
            done_ms = CASE WHEN r.value ->> 'state' = 'failed' THEN CAST(r.value ->> 'at_ms' AS BIGINT) END
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)
        AND deliveries.state IN ('queued', 'delivered')"
);

const BOUNCED_LANE: Sql = for_rows!(
    "UPDATE lanes SET due_ms = CAST(r.value ->> 'due_ms' AS BIGINT), failures = failures + 1
       FROM",
    "WHERE lanes.lane_id = CAST(r.value ->> 'lane_id' AS BIGINT) AND r.value ->> 'state' = 'queued'"
);

// The same mark again: its commit was not answered.
const START: Sql = Sql {
    sqlite: "UPDATE deliveries
        SET state = 'sending', attempts = attempts + CASE WHEN deliveries.state = 'queued' THEN 1 ELSE 0 END, started_ms = CAST(r.value ->> 'at_ms' AS BIGINT),
            account_id = CAST(r.value ->> 'account_id' AS BIGINT), units = CAST(r.value ->> 'units' AS BIGINT),
            process_id = CAST(r.value ->> 'process_id' AS BIGINT)
       FROM jsonb_each($1) AS r
      WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND (deliveries.state = 'queued'
             OR (deliveries.state = 'sending' AND deliveries.process_id = CAST(r.value ->> 'process_id' AS BIGINT)
                 AND deliveries.started_ms = CAST(r.value ->> 'at_ms' AS BIGINT)))
     RETURNING deliveries.delivery_id",
    // Where several processes work: nobody starts anything who was taken for dead, and nothing passes what stands before it.
    postgres: "UPDATE deliveries
        SET state = 'sending', attempts = attempts + CASE WHEN deliveries.state = 'queued' THEN 1 ELSE 0 END, started_ms = CAST(r.value ->> 'at_ms' AS BIGINT),
            account_id = CAST(r.value ->> 'account_id' AS BIGINT), units = CAST(r.value ->> 'units' AS BIGINT),
            process_id = CAST(r.value ->> 'process_id' AS BIGINT)
       FROM jsonb_array_elements($1::jsonb) AS r(value)
      WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND (deliveries.state = 'queued'
             OR (deliveries.state = 'sending' AND deliveries.process_id = CAST(r.value ->> 'process_id' AS BIGINT)
                 AND deliveries.started_ms = CAST(r.value ->> 'at_ms' AS BIGINT)))
        AND EXISTS (SELECT 1 FROM processes p
                     WHERE p.process_id = CAST(r.value ->> 'process_id' AS BIGINT)
                       AND p.until_ms > CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT))
        AND NOT EXISTS (SELECT 1 FROM deliveries e
                         WHERE e.lane_id = deliveries.lane_id AND e.delivery_id < deliveries.delivery_id
                           AND e.state IN ('held', 'queued', 'sending') AND (e.state <> 'held' OR e.due_ms IS NOT NULL))
     RETURNING deliveries.delivery_id",
};

const OUTCOME: Sql = for_rows!(
    "UPDATE deliveries
        SET state = r.value ->> 'state', attempts = CAST(r.value ->> 'attempts' AS BIGINT),
            unknowns = CAST(r.value ->> 'unknowns' AS BIGINT),
            account_id = COALESCE(CAST(r.value ->> 'account_id' AS BIGINT), account_id),
            units = COALESCE(CAST(r.value ->> 'units' AS BIGINT), units),
            units_done = CAST(r.value ->> 'units_done' AS BIGINT),
            reason = r.value ->> 'reason', code = r.value ->> 'code',
            tell = CASE WHEN r.value ->> 'tell' = 'delay' AND told IS NOT NULL THEN NULL
                        WHEN r.value ->> 'tell' = 'night' AND told = 'night' THEN NULL
                        ELSE r.value ->> 'tell' END,
            due_ms = CAST(r.value ->> 'due_ms' AS BIGINT), done_ms = CAST(r.value ->> 'done_ms' AS BIGINT), process_id = NULL
       FROM",
    // A report that came before the outcome knows more than the outcome. What went out was not taken back in time. A process that was taken for dead while it tried still
    // knows what came of it: that it was taken counts always; what is unknown is not tried again on its word; and into what
    // another tries by now it does not talk.
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)
        AND (deliveries.state IN ('queued', 'sending', 'unknown')
             OR (deliveries.state = 'cancelled' AND r.value ->> 'state' = 'accepted'))
        AND NOT (deliveries.state = 'unknown' AND r.value ->> 'state' = 'queued')
        AND (deliveries.process_id IS NULL OR deliveries.process_id = CAST(r.value ->> 'process_id' AS BIGINT)
             OR r.value ->> 'state' IN ('accepted', 'sent', 'delivered'))
        AND deliveries.attempts = COALESCE(CAST(r.value ->> 'attempts_before' AS BIGINT), deliveries.attempts)
     RETURNING deliveries.delivery_id"
);

const LEAVE: Sql = for_rows!(
    "INSERT INTO lanes (lane_id, conversation_id, due_ms, failures)
     SELECT CAST(r.value ->> 'delivery_id' AS BIGINT), l.conversation_id,
            CAST(r.value ->> 'lane_due_ms' AS BIGINT), CAST(r.value ->> 'failures' AS BIGINT)
       FROM",
    "CROSS JOIN lanes l WHERE l.lane_id = CAST(r.value ->> 'lane_id' AS BIGINT)
     ON CONFLICT (lane_id) DO UPDATE SET due_ms = excluded.due_ms, failures = excluded.failures"
);

const MOVE: Sql = for_rows!(
    "UPDATE deliveries SET lane_id = delivery_id
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)"
);

/// A lane with nothing left to do is due never.
const LANES: Sql = for_rows!(
    "UPDATE lanes
        SET failures = CAST(r.value ->> 'failures' AS BIGINT),
            due_ms = CASE WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.lane_id = lanes.lane_id
                                          AND d.state IN ('held', 'queued', 'sending'))
                          THEN CAST(r.value ->> 'lane_due_ms' AS BIGINT) ELSE NULL END
       FROM",
    "WHERE lanes.lane_id = CAST(r.value ->> 'lane_id' AS BIGINT)"
);

/// Where a receipt stands for acceptance: of those that were accepted, the last one's is sent.
const ALL_ACCEPTED: Sql = for_rows!(
    "UPDATE deliveries SET tell = NULL
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT) AND deliveries.tell = 'receipt'
        AND EXISTS (SELECT 1 FROM deliveries o
                     WHERE o.message_id = deliveries.message_id AND o.delivery_id <> deliveries.delivery_id
                       AND (o.state NOT IN ('accepted', 'sent', 'delivered', 'read')
                            OR (o.tell = 'receipt' AND o.delivery_id > deliveries.delivery_id)))"
);

/// Another process may be putting something into the lane: this waits for it, and the statement after it sees what it put there.
const LOCK_LANES: Sql = for_rows!(
    "SELECT l.lane_id FROM lanes l WHERE l.lane_id IN (SELECT CAST(r.value ->> 'lane_id' AS BIGINT) FROM",
    ") ORDER BY l.lane_id FOR UPDATE"
);

const LOCK_LANE: Sql = Sql {
    sqlite: "SELECT d.lane_id FROM deliveries d WHERE d.delivery_id = $1",
    postgres: "SELECT l.lane_id FROM lanes l
                WHERE l.lane_id IN (SELECT d.lane_id FROM deliveries d WHERE d.delivery_id = $1) FOR UPDATE",
};

const TOLD: Sql = for_rows!(
    "UPDATE deliveries
        SET told = r.value ->> 'what', tell = CASE WHEN tell = r.value ->> 'what' THEN NULL ELSE tell END
       FROM",
    "WHERE deliveries.delivery_id = CAST(r.value ->> 'delivery_id' AS BIGINT)"
);

pub(super) async fn start(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    let rows: Vec<&Start> = group.starts.iter().map(|(_, row)| *row).collect();
    let touched = touched(&fetch_rows(connection, START, &rows).await?)?;
    let missed: Vec<usize> = places(&group.starts, |row| !touched.contains(&row.delivery_id));
    for place in missed {
        group.set(place, Done::Unchanged);
    }
    Ok(())
}

pub(super) async fn outcome(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    if group.outcomes.is_empty() {
        return Ok(());
    }
    let rows: Vec<&OutcomeRow> = group.outcomes.iter().map(|(_, row)| *row).collect();
    let touched = touched(&fetch_rows(connection, OUTCOME, &rows).await?)?;
    let ids: Vec<&IdRow> = rows.iter().flat_map(|row| &row.ids).collect();
    insert_ids(connection, &ids).await?;
    let leaves = |row: &&&OutcomeRow| row.leaves_lane && touched.contains(&row.delivery_id);
    let leaving: Vec<&OutcomeRow> = rows.iter().filter(leaves).copied().collect();
    run_rows(connection, LEAVE, &leaving).await?;
    run_rows(connection, MOVE, &leaving).await?;
    if connection.is_postgres() {
        fetch_rows(connection, LOCK_LANES, &rows).await?;
    }
    // What was sent back waits as long as that says.
    let goes_on =
        |row: &&&OutcomeRow| row.attempts_before.is_none() || touched.contains(&row.delivery_id);
    let going_on: Vec<&OutcomeRow> = rows.iter().filter(goes_on).copied().collect();
    run_rows(connection, LANES, &going_on).await?;
    let receipt = |row: &&OutcomeRow| row.of_group && row.tell == Some(TellKind::Receipt);
    let receipts: Vec<&OutcomeRow> = rows.iter().copied().filter(|row| receipt(row)).collect();
    run_rows(connection, ALL_ACCEPTED, &receipts).await?;
    let missed: Vec<usize> = places(&group.outcomes, |row| !touched.contains(&row.delivery_id));
    for place in missed {
        group.set(place, Done::Unchanged);
    }
    report::join_parked(connection, group, &ids).await
}

/// Waits for another process that may be putting something into a delivery's lane: the next statement sees it.
pub(super) async fn lock_lane(
    connection: &mut Connection,
    delivery_id: i64,
) -> Result<(), StoreError> {
    if connection.is_postgres() {
        connection.rows(LOCK_LANE, &[delivery_id.into()]).await?;
    }
    Ok(())
}

pub(super) async fn bounced(
    connection: &mut Connection,
    rows: &[&Bounced],
) -> Result<(), StoreError> {
    run_rows(connection, BOUNCED, rows).await?;
    run_rows(connection, BOUNCED_LANE, rows).await.map(drop)
}

pub(super) async fn due(connection: &mut Connection, rows: &[&Due]) -> Result<(), StoreError> {
    run_rows(connection, DUE, rows).await.map(drop)
}

pub(super) async fn told(connection: &mut Connection, rows: &[&Told]) -> Result<(), StoreError> {
    run_rows(connection, TOLD, rows).await.map(drop)
}

fn places<T>(rows: &[(usize, &T)], keep: impl Fn(&T) -> bool) -> Vec<usize> {
    rows.iter()
        .filter(|(_, row)| keep(row))
        .map(|(place, _)| *place)
        .collect()
}

#[cfg(test)]
mod tests;
