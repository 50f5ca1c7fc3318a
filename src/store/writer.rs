//! The one writer: commits whatever has gathered since the last commit, in one transaction.
//!
//! A [`Request`](Writer::commit) is a closed set of writes: all of it is committed or nothing. The answer comes after the commit. A group that
//! the database refuses for its data is halved until the bad request fails alone; when the database itself is out of order, every
//! request of the group is told so and the sources are told to come back.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use transom_adapter::Lifecycle;

use super::{
    Connection, Database, StoreError,
    write::{self, Done, Write},
};
use crate::metrics::Metrics;

/// A handle of the writer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    requests: mpsc::Sender<Request>,
}

/// Why nothing was committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The database cannot take anything now; the same request may work later.
    #[error("the store is out of order: {0}")]
    Busy(String),
    /// The connection was lost while it committed: it may stand, or not.
    #[error("the store did not say whether it took it: {0}")]
    Unknown(String),
    /// The rows contradict what is in the database by now: look again and decide again.
    #[error("the rows contradict the database: {0}")]
    Conflict(String),
}

impl WriteError {
    /// Whether the same request may be taken later.
    pub fn passes(&self) -> bool {
        !matches!(self, Self::Conflict(_))
    }
}

struct Request {
    writes: Vec<Write>,
    reply: oneshot::Sender<Result<Vec<Done>, WriteError>>,
}

/// Requests that may wait; a source that finds no room waits with them.
const WAITING_MAX: usize = 1024;
/// Writes of one transaction, so that its length stays bounded.
const GROUP_MAX: usize = 512;
/// How long a database that is out of order is left alone.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// A transaction that takes longer is given up; its outcome is then unknown and the connection is dropped.
const TRANSACTION_MAX: Duration = Duration::from_mins(1);

/// Starts the writer on the lifecycle; it ends when every handle is gone.
pub(super) fn spawn(database: Database, lifecycle: &Lifecycle, metrics: Metrics) -> Writer {
    let (requests, inbox) = mpsc::channel(WAITING_MAX);
    let tasks = lifecycle.clone();
    lifecycle.spawn("store.writer", async move {
        // Detached: an abort must not cut a transaction in two.
        tasks
            .clone()
            .detached(run(database, inbox, tasks, metrics))
            .await;
    });
    Writer { requests }
}

impl Writer {
    /// Commits these writes together; answers after the commit, one [`Done`] a write.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; then nothing of it was committed.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Done>, WriteError> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        let gone = || WriteError::Busy("the writer has stopped".to_owned());
        self.requests
            .send(Request { writes, reply })
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Commits one write.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; then nothing was committed.
    pub async fn commit_one(&self, write: Write) -> Result<Done, WriteError> {
        let done = self.commit(vec![write]).await?;
        Ok(done.into_iter().next().unwrap_or(Done::Written))
    }

    /// Commits what must not be lost while it can be kept, however long the database is out of order.
    ///
    /// # Errors
    ///
    /// The rows contradict the database: [`WriteError::Conflict`], and never anything else.
    pub async fn keep(&self, writes: Vec<Write>) -> Result<Vec<Done>, WriteError> {
        loop {
            match self.commit(writes.clone()).await {
                Err(error) if error.passes() => tokio::time::sleep(BUSY_PAUSE).await,
                done => return done,
            }
        }
    }

    /// The same for one write.
    ///
    /// # Errors
    ///
    /// As [`keep`](Self::keep).
    pub async fn keep_one(&self, write: Write) -> Result<Done, WriteError> {
        let done = self.keep(vec![write]).await?;
        Ok(done.into_iter().next().unwrap_or(Done::Written))
    }
}

async fn run(
    database: Database,
    mut inbox: mpsc::Receiver<Request>,
    lifecycle: Lifecycle,
    metrics: Metrics,
) {
    let mut gathered = Vec::new();
    while inbox.recv_many(&mut gathered, GROUP_MAX).await > 0 {
        let mut rest = std::mem::take(&mut gathered);
        while !rest.is_empty() {
            let group = closed_set(&mut rest);
            let database = database.clone();
            let begun = Instant::now();
            lifecycle
                .detached(async move { commit_group(&database, group).await })
                .await;
            metrics.store_commit(begun.elapsed());
        }
    }
}

/// Takes requests from the front until the group is full.
fn closed_set(requests: &mut Vec<Request>) -> Vec<Request> {
    let mut writes = 0;
    let full = requests.iter().position(|request| {
        writes += request.writes.len();
        writes > GROUP_MAX
    });
    let count = full.unwrap_or(requests.len()).max(1);
    requests.drain(..count).collect()
}

/// Commits a group; halves it while the database refuses its data.
async fn commit_group(database: &Database, group: Vec<Request>) {
    let mut waiting = vec![group];
    while let Some(mut group) = waiting.pop() {
        let outcome = tokio::time::timeout(TRANSACTION_MAX, attempt(database, &group)).await;
        let outcome = outcome.unwrap_or(Err(StoreError::Uncertain));
        match outcome {
            Ok(done) => answer(group, done),
            Err(error) if error.is_data() && group.len() > 1 => {
                let second = group.split_off(group.len() / 2);
                waiting.push(second);
                waiting.push(group);
            }
            Err(error) => refuse(group, &error),
        }
    }
}

async fn attempt(database: &Database, group: &[Request]) -> Result<Vec<Done>, StoreError> {
    let mut connection = database.writer().await?;
    connection.begin().await?;
    let writes: Vec<&Write> = group.iter().flat_map(|request| &request.writes).collect();
    match write::apply(&mut connection, &writes).await {
        Ok(done) => {
            commit(&mut connection).await?;
            Ok(done)
        }
        Err(error) => {
            connection.rollback().await;
            Err(error)
        }
    }
}

async fn commit(connection: &mut Connection) -> Result<(), StoreError> {
    crate::hooks::step(crate::hooks::Step::BeforeCommit);
    if let Err(error) = connection.commit().await {
        return Err(if connection.may_have_committed() {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "The database was lost while it committed.");
            StoreError::Uncertain
        } else {
            error
        });
    }
    crate::hooks::step(crate::hooks::Step::AfterCommit);
    Ok(())
}

fn answer(group: Vec<Request>, done: Vec<Done>) {
    let mut done = done.into_iter();
    for request in group {
        let of_request = done.by_ref().take(request.writes.len()).collect();
        // Whoever asked may have gone; the commit stands.
        request.reply.send(Ok(of_request)).ok();
    }
}

fn refuse(group: Vec<Request>, error: &StoreError) {
    let refused = if error.is_data() {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "The database refused one request for its data."
        );
        WriteError::Conflict(error.to_string())
    } else {
        tracing::error!(
            error = error as &dyn std::error::Error,
            requests = group.len(),
            "The database took nothing."
        );
        match error {
            StoreError::Uncertain => WriteError::Unknown(error.to_string()),
            _ => WriteError::Busy(error.to_string()),
        }
    };
    for request in group {
        request.reply.send(Err(refused.clone())).ok();
    }
}
