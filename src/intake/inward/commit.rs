//! Events that were decided: committed, answered, and passed on.

use tokio::sync::oneshot;
use transom_adapter::{AccountName, Busy, Cursor, Event, Verdict};

use super::{Decided, Knock, asks_of, decide};
use crate::{
    hooks::{Step, step},
    intake::{Intake, files, parts, rosters},
    metrics::Direction,
    queue::{Waiting, Work},
    store::{
        Write, WriteError,
        read::{InRow, PartsOf},
        write::{Done, NewIn, ORIGINAL},
    },
};

/// What contradicts the database is decided anew so many times: another process made the same conversation meanwhile.
const TRIES: u32 = 3;

pub(super) async fn commit_or_again(
    intake: &Intake,
    mut decided: Decided,
    knock: Knock,
) -> Vec<PartsOf> {
    let Knock {
        account,
        events,
        cursor,
        answer,
    } = knock;
    let mut tries = TRIES;
    loop {
        let committed = commit(intake, decided, &events).await;
        match committed {
            Ok(committed) => return committed.follow(intake, answer).await,
            Err(Uncommitted::Conflict) if events.len() > 1 => {
                let knock = Knock {
                    account,
                    events,
                    cursor,
                    answer,
                };
                return one_by_one(intake, knock).await;
            }
            Err(Uncommitted::Conflict) if tries > 0 => {
                let Some(anew) = decide_anew(intake, &account, &events, cursor.clone()).await
                else {
                    break;
                };
                decided = anew;
            }
            Err(Uncommitted::Conflict) => {
                tracing::warn!(
                    "An event contradicts the database; its source has to bring it again."
                );
                break;
            }
            Err(Uncommitted::Busy) => break,
        }
        tries -= 1;
    }
    // A source that hung up comes back by itself.
    answer.send(Err(Busy)).ok();
    Vec::new()
}

/// What the database says by now, and what follows from it; `None` when it cannot be asked.
async fn decide_anew(
    intake: &Intake,
    account: &AccountName,
    events: &[Event],
    cursor: Option<Cursor>,
) -> Option<Decided> {
    let now = intake.clock.now();
    let asks = asks_of(intake, events.iter());
    let found = intake.store.inward(intake.gateway.id, &asks).await.ok()?;
    let on = (&found, &mut 0, now);
    Some(decide(intake, account, events, cursor, on))
}

/// Events of one call that contradict each other, such as two that each begin the same chat: each is decided on what the one before it left.
/// The position goes with the last; if that fails the source brings all of them again, and those that were committed are repeats.
async fn one_by_one(intake: &Intake, knock: Knock) -> Vec<PartsOf> {
    let Knock {
        account,
        events,
        mut cursor,
        answer,
    } = knock;
    let (mut verdicts, mut parts) = (Vec::new(), Vec::new());
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        let events_left = events.peek().is_some();
        let cursor = if events_left { None } else { cursor.take() };
        let alone = vec![event];
        let decided = decide_anew(intake, &account, &alone, cursor.clone()).await;
        let (said, hears) = oneshot::channel();
        if let Some(decided) = decided {
            let knock = Knock {
                account: account.clone(),
                events: alone,
                cursor,
                answer: said,
            };
            parts.extend(Box::pin(commit_or_again(intake, decided, knock)).await);
        } else {
            drop(said);
        }
        let Ok(Ok(said)) = hears.await else {
            answer.send(Err(Busy)).ok();
            return parts;
        };
        verdicts.extend(said);
    }
    answer.send(Ok(verdicts)).ok();
    parts
}

/// Why nothing was committed.
pub(super) enum Uncommitted {
    Busy,
    Conflict,
}

/// What was committed, and what follows from it.
pub(super) struct Committed {
    done: Vec<Done>,
    shares: Vec<Option<std::ops::Range<usize>>>,
    tokens: Vec<Vec<String>>,
    rows: Vec<Option<Waiting>>,
    texts: Vec<Option<PartsOf>>,
    /// Whether somebody waits for a user's word.
    strangers: bool,
    /// Whether it confirms that something of ours was sent.
    confirms: bool,
}

pub(super) async fn commit(
    intake: &Intake,
    decided: Decided,
    events: &[Event],
) -> Result<Committed, Uncommitted> {
    let Decided { mut writes, shares } = decided;
    files::keep(intake, events, &mut writes, &shares)
        .await
        .map_err(|Busy| Uncommitted::Busy)?;
    let tokens = files::tokens(&writes);
    let is_confirmed = |write: &Write| matches!(write, Write::In(new) if new.confirm.is_some());
    let confirms = writes.iter().any(is_confirmed);
    let rows = writes.iter().map(|write| waiting(intake, write)).collect();
    let texts = writes.iter().map(parts::parts_of).collect();
    let is_stranger = |write: &Write| matches!(write, Write::In(new) if new.stranger.is_some());
    let strangers = writes.iter().any(is_stranger);
    let done = intake
        .writer
        .commit(writes)
        .await
        .map_err(|error| match error {
            WriteError::Busy(_) | WriteError::Unknown(_) => Uncommitted::Busy,
            WriteError::Conflict(_) => Uncommitted::Conflict,
        })?;
    Ok(Committed {
        done,
        shares,
        tokens,
        rows,
        texts,
        strangers,
        confirms,
    })
}

impl Committed {
    /// Answers the source, then passes on what came.
    pub(super) async fn follow(
        self,
        intake: &Intake,
        answer: oneshot::Sender<Result<Vec<Verdict>, Busy>>,
    ) -> Vec<PartsOf> {
        let Self {
            done,
            shares,
            tokens,
            rows,
            texts,
            strangers,
            confirms,
        } = self;
        step(Step::BeforeAnswer);
        let verdicts = shares
            .iter()
            .map(|share| verdict(share.as_ref(), &done))
            .collect();
        answer.send(Ok(verdicts)).ok();
        let mut arrived = Vec::new();
        for (row, done) in rows.into_iter().zip(&done) {
            if let Done::Tells(tells) = done {
                intake
                    .teller
                    .tell(tells.iter().map(|tell| tell.delivery_id).collect());
            }
            if *done == Done::Written {
                arrived.extend(row);
            }
        }
        if strangers {
            intake.strangers.look();
        }
        files::forget(intake, tokens, &done).await;
        for waiting in &arrived {
            if intake.processes.has(intake.gateway.id) {
                rosters::introduce(intake, waiting);
            }
            intake
                .metrics
                .message(&intake.gateway.config.name, Direction::In, "stored");
        }
        intake.queue.arrived(arrived).await;
        if confirms {
            // Whether it was written, the database knows.
            intake.queue.look_again().await;
        }
        let new = texts.into_iter().zip(&done);
        new.filter(|(_, done)| **done == Done::Written)
            .filter_map(|(text, _)| text)
            .collect()
    }
}

fn verdict(share: Option<&std::ops::Range<usize>>, done: &[Done]) -> Verdict {
    let Some(share) = share else {
        return Verdict::NoSuchRecipient;
    };
    let mut of_event = done
        .get(share.clone())
        .unwrap_or_default()
        .iter()
        .peekable();
    let repeated = of_event.peek().is_some() && of_event.all(|done| *done == Done::Unchanged);
    if repeated {
        Verdict::Duplicate
    } else {
        Verdict::Stored
    }
}

/// The work that a write makes once it is committed.
fn waiting(intake: &Intake, write: &Write) -> Option<Waiting> {
    let Write::In(new) = write else { return None };
    in_waiting(intake, new)
}

/// The work that a message to a user makes once it is committed.
pub(in crate::intake) fn in_waiting(intake: &Intake, new: &NewIn) -> Option<Waiting> {
    if new.due_ms.is_none_or(|due| due > new.conversation.at_ms) {
        // Held: the queue finds it in the database when its time comes.
        return None;
    }
    let lane_id = -new.conversation.conversation_id;
    Some(Waiting {
        lane_id,
        gateway_id: intake.gateway.id,
        work: Work::In(Box::new(in_row(new, lane_id).into())),
        held_until_ms: None,
    })
}

fn in_row(new: &NewIn, lane_id: i64) -> InRow {
    InRow {
        delivery_id: new.message_id,
        lane_id,
        attempts: 0,
        jid: new.user_jid.clone(),
        peer: new.conversation.peer.clone(),
        line: new.line.clone(),
        stanza_id: new.stanza_id.clone(),
        body: new.body.clone(),
        payload: new.payload.clone(),
        created_ms: new.conversation.at_ms,
        has_files: new.files.iter().any(|file| file.place != ORIGINAL),
    }
}
