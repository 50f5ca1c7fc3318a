//! Telling senders what became of their messages: receipts, errors, notices.
//!
//! What has to be told is a column of the delivery. Here are only the keys of deliveries with something in it; when too many wait, or
//! the link was lost, they are found in the database again.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore, mpsc};
use transom_adapter::{AccountName, Meter as _};

use super::Surroundings;
use crate::{
    gateway::told,
    hooks::{Step, step},
    processes::{Hint, Processes},
    store::{Write, read::TellRow, write::Told},
    xmpp::stanza::Stanza,
};

/// Where deliveries with something to tell are announced. Cheap to clone.
#[derive(Clone)]
pub struct Teller {
    announced: mpsc::Sender<i64>,
    look_again: Arc<Notify>,
    processes: Processes,
}

/// The teller's end.
#[derive(Debug)]
pub struct Inbox {
    announced: mpsc::Receiver<i64>,
    look_again: Arc<Notify>,
}

/// Full JIDs that said they are online, bounded. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Online(Arc<Mutex<BTreeSet<String>>>);

/// Keys that may wait here; those beyond are found in the database.
const ANNOUNCED_MAX: usize = 8192;
/// Deliveries told in one hand-over.
const BATCH: usize = 128;
/// Hand-overs at once.
const BATCHES: usize = 8;
/// Resources remembered as online.
const ONLINE_MAX: usize = 100_000;
/// Deliveries being told, and whether they have to be looked at again afterwards.
type UnderWay = Mutex<HashMap<i64, bool>>;

/// How long to wait after a lost link or a database that is out of order.
const PAUSE: Duration = Duration::from_secs(1);

impl Teller {
    /// A teller and its inbox.
    pub fn new(processes: Processes) -> (Self, Inbox) {
        let (sender, announced) = mpsc::channel(ANNOUNCED_MAX);
        let look_again = Arc::new(Notify::new());
        let inbox = Inbox {
            announced,
            look_again: Arc::clone(&look_again),
        };
        (
            Self {
                announced: sender,
                look_again,
                processes,
            },
            inbox,
        )
    }

    /// Announces deliveries whose tell column is committed. Whoever has their gateway's link tells.
    pub fn tell(&self, deliveries: Vec<i64>) {
        if !deliveries.is_empty() && self.processes.has_others() {
            self.processes.hint(Hint::Tells(deliveries.clone()));
        }
        self.heard(deliveries);
    }

    /// The same, from another process.
    pub(super) fn heard(&self, deliveries: Vec<i64>) {
        for delivery in deliveries {
            if self.announced.try_send(delivery).is_err() {
                self.look_again.notify_one();
            }
        }
    }

    /// A link came up: what could not be told before is told now.
    pub fn link_up(&self) {
        self.look_again.notify_one();
    }
}

impl Online {
    /// A resource said that it is there, or gone.
    pub fn set(&self, full_jid: &str, online: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !online {
            known.remove(full_jid);
        } else if known.len() < ONLINE_MAX {
            known.insert(full_jid.to_owned());
        }
    }

    /// The resources of a user that are known to be there, at most so many.
    pub fn resources(&self, bare_jid: &str, max: usize) -> Vec<String> {
        let begin = format!("{bare_jid}/");
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .range(begin.clone()..)
            .take_while(|full_jid| full_jid.starts_with(&begin))
            .take(max)
            .cloned()
            .collect()
    }

    /// Whether it is known to be there.
    pub fn contains(&self, full_jid: &str) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(full_jid)
    }
}

/// Runs until the lifecycle drains.
pub(super) async fn run(surroundings: Surroundings, online: Online, mut inbox: Inbox) {
    let permits = Arc::new(Semaphore::new(BATCHES));
    let under_way = Arc::new(Mutex::new(HashMap::new()));
    // What the last process left untold.
    inbox.look_again.notify_one();
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            () = surroundings.lifecycle.draining() => return,
            count = inbox.announced.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = inbox.look_again.notified() => batch = pending(&surroundings, &under_way).await,
        }
        batch.retain(|delivery| is_free(&under_way, *delivery));
        for chunk in batch.chunks(BATCH) {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
            let (surroundings, online, under_way) =
                (surroundings.clone(), online.clone(), Arc::clone(&under_way));
            let chunk = chunk.to_vec();
            let lifecycle = surroundings.lifecycle.clone();
            lifecycle.spawn("queue.tell", async move {
                let told = tell(&surroundings, &online, &chunk).await;
                let again = chunk
                    .iter()
                    .filter(|delivery| lock(&under_way).remove(delivery).unwrap_or(false));
                surroundings.teller.tell(again.copied().collect());
                drop(permit);
                if !told && !surroundings.lifecycle.is_draining() {
                    tokio::time::sleep(PAUSE).await;
                    surroundings.teller.link_up();
                }
            });
        }
    }
}

/// What the database says is untold, of gateways whose link is up.
async fn pending(surroundings: &Surroundings, under_way: &UnderWay) -> Vec<i64> {
    const PENDING_MAX: i64 = 4096;
    let (mut after, mut found) = (i64::MIN, Vec::new());
    while found.len() < ANNOUNCED_MAX {
        let Ok(rows) = surroundings.store.pending_tells(after, PENDING_MAX).await else {
            break;
        };
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        let is_up = |gateway: &i64| {
            surroundings
                .gateways
                .get(gateway)
                .is_some_and(|entry| entry.link.is_up())
        };
        found.extend(
            rows.iter()
                .filter(|(_, gateway)| is_up(gateway))
                .map(|(delivery, _)| *delivery),
        );
    }
    let busy = lock(under_way);
    found.retain(|delivery| !busy.contains_key(delivery));
    found
}

/// Tells one batch; false when some of it has to be told again later.
async fn tell(surroundings: &Surroundings, online: &Online, batch: &[i64]) -> bool {
    let Ok(rows) = surroundings.store.tells(batch).await else {
        return false;
    };
    let mut by_gateway: HashMap<i64, Vec<TellRow>> = HashMap::new();
    for row in rows {
        by_gateway.entry(row.gateway_id).or_default().push(row);
    }
    let mut all = true;
    for (gateway_id, rows) in by_gateway {
        all &= tell_gateway(surroundings, online, gateway_id, &rows).await;
    }
    all
}

async fn tell_gateway(
    surroundings: &Surroundings,
    online: &Online,
    gateway_id: i64,
    rows: &[TellRow],
) -> bool {
    let Some(entry) = surroundings.gateways.get(&gateway_id) else {
        return true;
    };
    if !entry.link.is_up() {
        // Told when it comes up.
        return true;
    }
    let now = surroundings.clock.now();
    let stanzas_of =
        |row: &TellRow| told::stanzas(&entry.gateway, row, |full| online.contains(full), now);
    let (told, stanzas): (Vec<i64>, Vec<Stanza>) = rows
        .iter()
        .flat_map(|row| stanzas_of(row).into_iter().map(move |one| (row, one)))
        .map(|(row, stanza)| (row.delivery_id, Stanza::from(stanza)))
        .unzip();
    step(Step::BeforeTell);
    let Ok(written) = entry.link.send_groups(stanzas.chunks(1)).await else {
        return false;
    };
    step(Step::AfterTell);
    let name = &entry.gateway.config.name;
    for (message_id, refused) in told.into_iter().zip(written) {
        // It would be refused again each time: it counts as told.
        if let Err(refusal) = refused {
            let error = &refusal as &dyn std::error::Error;
            tracing::error!(
                message_id,
                error,
                "A sender cannot be told what became of a message."
            );
            let account = AccountName::new(name, "xmpp");
            surroundings.metrics.count(&account, "tell_refused");
        }
    }
    let writes = || {
        rows.iter()
            .map(|row| {
                Write::Told(Told {
                    delivery_id: row.delivery_id,
                    what: row.kind,
                })
            })
            .collect()
    };
    for row in rows {
        let waited = now.since(transom_adapter::UnixMillis(row.created_ms));
        surroundings.metrics.told(name, waited);
    }
    let told = surroundings.writer.commit(writes()).await;
    !told.is_err_and(|error| error.passes())
}

/// Marks a delivery as under way; one that is already is told again afterwards, because its news may be newer.
fn is_free(under_way: &UnderWay, delivery: i64) -> bool {
    match lock(under_way).entry(delivery) {
        Entry::Occupied(mut again) => {
            again.insert(true);
            false
        }
        Entry::Vacant(free) => {
            free.insert(false);
            true
        }
    }
}

fn lock(under_way: &UnderWay) -> std::sync::MutexGuard<'_, HashMap<i64, bool>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
