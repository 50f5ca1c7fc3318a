//! What can be written: one file an event. Each kind is one static statement over all its rows.
//!
//! The kinds of one transaction run in a fixed order: what makes rows comes before what changes them, so that a report that is
//! committed together with the outcome that brought its id finds that id.

mod attempt;
mod files;
#[cfg(test)]
pub(crate) mod fixture;
mod held;
mod hold_ids;
mod incoming;
mod operation;
mod optout;
mod outgoing;
mod own_account;
mod parts;
mod people;
mod report;
mod state;
mod strangers;
mod sweep;
mod trouble;
mod weigh;

pub use attempt::{Bounced, Due, OutcomeRow, Start, Told};
pub use files::{FileRow, FileState, NewFile, ORIGINAL};
pub(in crate::store) use held::RESTARTED;
pub use held::{Amend, NewStanza, Release, TakeBack};
pub use incoming::{Confirm, NewIn, Seen, Unowned};
pub use operation::{Operation, RESTORED};
pub use outgoing::{
    ConversationRow, FurtherDelivery, IdRow, MemberRow, NewOut, ThreadRow, UsageRow,
};
pub use own_account::{KeptAccount, OwnAccount};
pub use parts::{PartGone, PartRow};
pub use people::{ContactRow, LineRow, OptOut, OwnerRow, Unregister, UserRow, Wake};
pub use report::{ReportRow, Tell};
pub use state::{State, TellKind};
pub use strangers::{Judged, StrangerRow, StrangersSaid, Word};
pub use sweep::{Kept, Sweep};
pub use trouble::TroubleRow;

use std::collections::HashSet;

use super::{Connection, Row, Sql, StoreError, backend::for_rows, index, json};

/// One thing to write.
#[derive(Clone, Debug)]
pub enum Write {
    /// A registration is made or changed.
    User(UserRow),
    /// A line as the configuration or a command has it.
    Line(LineRow),
    /// Somebody owns a line from now on, or no longer.
    Owner(OwnerRow),
    /// What a roster knows of a contact.
    Contact(ContactRow),
    /// A registration ends.
    Unregister(Unregister),
    /// What is held for a user goes on.
    Wake(Wake),
    /// A peer said STOP or START.
    OptOut(OptOut),
    /// A message to an outside network was accepted.
    Out(Box<NewOut>),
    /// A held message is changed.
    Amend(Box<Amend>),
    /// A held message is taken back.
    TakeBack(TakeBack),
    /// A held message is let go.
    Release(Release),
    /// A message from an outside network was accepted.
    In(Box<NewIn>),
    /// Something was done that must not be done twice.
    Seen(Seen),
    /// A text to a line that nobody has.
    Unowned(Unowned),
    /// A part of a longer text came.
    Part(Box<PartRow>),
    /// A part is delivered within its text.
    PartGone(PartGone),
    /// A start mark: the attempt is about to be made.
    Start(Start),
    /// What came of an attempt, and when the lane goes on.
    Outcome(OutcomeRow),
    /// What the network says of a message.
    Report(ReportRow),
    /// The user's server sent a message back.
    Bounced(Bounced),
    /// The time of a delivery has come.
    Due(Due),
    /// The user was told.
    Told(Told),
    /// What became of a file.
    File(FileRow),
    /// The contents of these files were removed.
    FilesExpired(Vec<i64>),
    /// The contents of files whose rows are gone were removed; by token.
    FilesGone(Vec<String>),
    /// A user's word about somebody.
    Judged(Judged),
    /// The user was told of strangers.
    StrangersSaid(StrangersSaid),
    /// What an operator does.
    Operation(Operation),
    /// What was kept for long enough is forgotten.
    Sweep(Sweep),
    /// What admins were told of.
    Trouble(TroubleRow),
    /// How far a source was read.
    Cursor {
        /// The account.
        account_id: i64,
        /// Which position.
        name: String,
        /// The position.
        value: String,
    },
}

/// What became of one write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// It is written.
    Written,
    /// It was there already, or is no longer what it was: nothing was written.
    Unchanged,
    /// It is written, and these users have to be told of these deliveries.
    Tells(Vec<Tell>),
    /// So many rows were forgotten.
    Swept(u64),
}

/// Writes a group inside an open transaction.
pub(super) async fn apply(
    connection: &mut Connection,
    writes: &[&Write],
) -> Result<Vec<Done>, StoreError> {
    let mut group = Group::sort(writes);
    hold_ids::hold_ids(connection, &group).await?;
    people::apply(connection, &mut group).await?;
    outgoing::apply(connection, &group.out).await?;
    held::apply(connection, &mut group).await?;
    incoming::apply(connection, &mut group).await?;
    incoming::seen(connection, &mut group).await?;
    let (expired, gone) = (&group.expired_files, &group.gone_files);
    files::apply(connection, &group.files, expired, gone).await?;
    parts::apply(connection, &mut group).await?;
    attempt::start(connection, &mut group).await?;
    attempt::outcome(connection, &mut group).await?;
    report::apply(connection, &mut group).await?;
    optout::heed(connection, &group).await?;
    attempt::bounced(connection, &group.bounced).await?;
    attempt::due(connection, &group.due).await?;
    attempt::told(connection, &group.told).await?;
    strangers::apply(connection, &mut group).await?;
    operation::apply(connection, &mut group).await?;
    sweep::apply(connection, &mut group).await?;
    trouble::apply(connection, &group.troubles).await?;
    cursors(connection, &group.cursors).await?;
    Ok(group.done)
}

/// The writes by kind; each keeps its place in the answer.
#[derive(Default)]
struct Group<'a> {
    users: Vec<&'a UserRow>,
    lines: Vec<&'a LineRow>,
    owners: Vec<(usize, &'a OwnerRow)>,
    unregistered: Vec<(usize, &'a Unregister)>,
    wakes: Vec<(usize, &'a Wake)>,
    contacts: Vec<&'a ContactRow>,
    optouts: Vec<&'a OptOut>,
    out: Vec<&'a NewOut>,
    amends: Vec<(usize, &'a Amend)>,
    taken_back: Vec<(usize, &'a TakeBack)>,
    releases: Vec<(usize, &'a Release)>,
    incoming: Vec<(usize, &'a NewIn)>,
    seen: Vec<(usize, &'a Seen)>,
    unowned: Vec<(usize, &'a Unowned)>,
    files: Vec<&'a FileRow>,
    expired_files: Vec<i64>,
    gone_files: Vec<&'a str>,
    parts: Vec<(usize, &'a PartRow)>,
    parts_gone: Vec<&'a PartGone>,
    starts: Vec<(usize, &'a Start)>,
    outcomes: Vec<(usize, &'a OutcomeRow)>,
    reports: Vec<(usize, &'a ReportRow)>,
    bounced: Vec<&'a Bounced>,
    due: Vec<&'a Due>,
    told: Vec<&'a Told>,
    judged: Vec<(usize, &'a Judged)>,
    strangers_said: Vec<&'a StrangersSaid>,
    operations: Vec<(usize, &'a Operation)>,
    sweeps: Vec<(usize, &'a Sweep)>,
    troubles: Vec<&'a TroubleRow>,
    cursors: Vec<(i64, &'a str, &'a str)>,
    done: Vec<Done>,
}

impl<'a> Group<'a> {
    fn sort(writes: &[&'a Write]) -> Self {
        let mut group = Self {
            done: vec![Done::Written; writes.len()],
            ..Self::default()
        };
        for (place, write) in writes.iter().enumerate() {
            match write {
                Write::User(row) => group.users.push(row),
                Write::Line(row) => group.lines.push(row),
                Write::Owner(row) => group.owners.push((place, row)),
                Write::Unregister(row) => group.unregistered.push((place, row)),
                Write::Wake(row) => group.wakes.push((place, row)),
                Write::Contact(row) => group.contacts.push(row),
                Write::OptOut(row) => group.optouts.push(row),
                Write::Out(row) => group.out.push(row),
                Write::Amend(row) => group.amends.push((place, row)),
                Write::TakeBack(row) => group.taken_back.push((place, row)),
                Write::Release(row) => group.releases.push((place, row)),
                Write::In(row) => group.incoming.push((place, row)),
                Write::Seen(row) => group.seen.push((place, row)),
                Write::Unowned(row) => group.unowned.push((place, row)),
                Write::File(row) => group.files.push(row),
                Write::FilesExpired(keys) => group.expired_files.extend(keys),
                Write::FilesGone(tokens) => {
                    group.gone_files.extend(tokens.iter().map(String::as_str));
                }
                Write::Part(row) => group.parts.push((place, row)),
                Write::PartGone(row) => group.parts_gone.push(row),
                Write::Start(row) => group.starts.push((place, row)),
                Write::Outcome(row) => group.outcomes.push((place, row)),
                Write::Report(row) => group.reports.push((place, row)),
                Write::Bounced(row) => group.bounced.push(row),
                Write::Due(row) => group.due.push(row),
                Write::Told(row) => group.told.push(row),
                Write::Judged(row) => group.judged.push((place, row)),
                Write::StrangersSaid(row) => group.strangers_said.push(row),
                Write::Operation(operation) => group.operations.push((place, operation)),
                Write::Sweep(row) => group.sweeps.push((place, row)),
                Write::Trouble(row) => group.troubles.push(row),
                Write::Cursor {
                    account_id,
                    name,
                    value,
                } => group.cursors.push((*account_id, name, value)),
            }
        }
        group
    }

    fn set(&mut self, place: usize, done: Done) {
        if let Some(slot) = self.done.get_mut(place) {
            *slot = done;
        }
    }

    fn tell(&mut self, place: usize, tell: Tell) {
        match self.done.get_mut(place) {
            Some(Done::Tells(tells)) => tells.push(tell),
            Some(slot) => *slot = Done::Tells(vec![tell]),
            None => {}
        }
    }
}

async fn cursors(
    connection: &mut Connection,
    rows: &[(i64, &str, &str)],
) -> Result<(), StoreError> {
    const UPSERT: Sql = Sql::both(
        "INSERT INTO cursors (account_id, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value",
    );
    for (account, name, value) in rows {
        connection
            .run(
                UPSERT,
                &[(*account).into(), (*name).into(), (*value).into()],
            )
            .await?;
    }
    Ok(())
}

/// Runs a set-based statement, unless there are no rows.
async fn run_rows<T: serde::Serialize>(
    connection: &mut Connection,
    sql: Sql,
    rows: &[T],
) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    connection.run(sql, &[json(rows)]).await
}

/// The keys that a statement answered with.
fn touched(rows: &[Row]) -> Result<HashSet<i64>, StoreError> {
    rows.iter().map(|row| row.int(0)).collect()
}

/// Runs a set-based statement that answers with rows, unless there are none.
async fn fetch_rows<T: serde::Serialize>(
    connection: &mut Connection,
    sql: Sql,
    rows: &[T],
) -> Result<Vec<Row>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    connection.rows(sql, &[json(rows)]).await
}
