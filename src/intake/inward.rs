//! Events of accounts: messages find their users, reports their messages; committed, then answered.

mod commit;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use transom_adapter::{
    AccountName, Address, Busy, Cursor, Directory, Event, Inbox, Incoming, MessageRef, Recipient,
    Report, UnixMillis, Verdict,
};

pub(super) use self::commit::in_waiting;
use self::commit::{Uncommitted, commit, commit_or_again};
use super::{Intake, parts, people::People};
use crate::{
    gateway::{
        Gateway, parts as joining,
        text_in::{self, NoSuchRecipient},
    },
    hooks::{Step, step},
    store::{
        Store, StoreError, Write,
        read::{InwardAsk, LineFound},
        write::ReportRow,
    },
};

/// How often one text in parts is decided on.
const ROUNDS: u32 = 4;

/// A call at the door of a gateway: events that want to be committed.
#[derive(Debug)]
pub struct Knock {
    account: AccountName,
    events: Vec<Event>,
    cursor: Option<Cursor>,
    answer: oneshot::Sender<Result<Vec<Verdict>, Busy>>,
}

/// The doors of all gateways: what accounts see of the core.
#[derive(Clone)]
pub struct Doors {
    /// By gateway name.
    pub doors: Arc<HashMap<String, mpsc::Sender<Knock>>>,
    /// By gateway name.
    pub gateways: Arc<HashMap<String, Arc<Gateway>>>,
    /// For cursors and recipients.
    pub store: Store,
}

#[async_trait]
impl Inbox for Doors {
    async fn commit(
        &self,
        account: &AccountName,
        events: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Verdict>, Busy> {
        let door = self.doors.get(account.gateway()).ok_or(Busy)?;
        let (answer, answered) = oneshot::channel();
        let knock = Knock {
            account: account.clone(),
            events,
            cursor,
            answer,
        };
        door.send(knock).await.map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)?
    }

    async fn cursor(&self, account: &AccountName, name: &str) -> Result<Option<String>, Busy> {
        let account_id = self
            .gateways
            .get(account.gateway())
            .and_then(|gateway| gateway.account_id(account));
        let cursors = self
            .store
            .cursors(account_id.ok_or(Busy)?)
            .await
            .map_err(|_| Busy)?;
        Ok(cursors.get(name).cloned())
    }
}

#[async_trait]
impl Directory for Doors {
    async fn recipient(&self, account: &AccountName, address: &Address) -> Result<Recipient, Busy> {
        let gateway = self.gateways.get(account.gateway()).ok_or(Busy)?;
        let known = self
            .store
            .has_line(gateway.id, address.as_str())
            .await
            .map_err(|_| Busy)?;
        Ok(if known {
            Recipient::Known
        } else {
            Recipient::Unknown
        })
    }
}

/// Takes several calls; each is committed whole and answered after its commit.
pub(super) async fn take(intake: &Intake, people: &People, mut knocks: Vec<Knock>) {
    for knock in &knocks {
        for event in &knock.events {
            if let Event::Read { message_id } = event {
                people.read_elsewhere(&knock.account, message_id);
            }
        }
    }
    step(Step::EventReceived);
    for event in knocks.iter_mut().flat_map(|knock| &mut knock.events) {
        if let Event::Message(message) | Event::Sent(message) = event {
            text_in::attach(&intake.gateway.files, message);
        }
    }
    let now = intake.clock.now();
    let asks = asks(intake, &knocks);
    let found = match intake.store.inward(intake.gateway.id, &asks).await {
        Ok(found) => found,
        Err(error) => {
            unread(&error);
            return refuse_all(knocks);
        }
    };
    let mut place = 0;
    let mut commits = Vec::new();
    for knock in knocks {
        let Knock {
            account,
            events,
            cursor,
            answer,
        } = knock;
        let decided = decide(
            intake,
            &account,
            &events,
            cursor.clone(),
            (&found, &mut place, now),
        );
        let knock = Knock {
            account,
            events,
            cursor,
            answer,
        };
        commits.push((decided, knock));
    }
    // All at once: the writer groups them into one commit.
    let committing = commits
        .into_iter()
        .map(|(decided, knock)| commit_or_again(intake, decided, knock));
    let parts = futures_util::future::join_all(committing).await.concat();
    parts::join_committed(intake, &parts).await;
}

/// Takes a text whose parts are all there; with it they go. What contradicts the database is decided anew; what comes to nothing all the
/// same is found again by the next look for parts.
pub(super) async fn take_whole(
    intake: &Intake,
    account: &AccountName,
    mut event: Event,
    gone: Vec<Write>,
) {
    let Event::Message(message) = &mut event else {
        return;
    };
    text_in::attach(&intake.gateway.files, message);
    let events = [event];
    for _ in 0..ROUNDS {
        let asks = asks_of(intake, events.iter());
        let found = match intake.store.inward(intake.gateway.id, &asks).await {
            Ok(found) => found,
            Err(error) => return unread(&error),
        };
        let on = (&found, &mut 0, intake.clock.now());
        let mut decided = decide(intake, account, &events, None, on);
        // What comes to nobody, since the line is gone, goes all the same.
        decided.writes.extend(gone.iter().cloned());
        match commit(intake, decided, &events).await {
            Ok(committed) => {
                let (answer, _nobody_waits) = oneshot::channel();
                committed.follow(intake, answer).await;
                return;
            }
            Err(Uncommitted::Conflict) => {}
            Err(Uncommitted::Busy) => return,
        }
    }
    tracing::warn!("A text in parts contradicts the database; it is tried again.");
}

fn unread(error: &StoreError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "Cannot read who a message is for."
    );
}

fn refuse_all(knocks: Vec<Knock>) {
    for knock in knocks {
        // A source that hung up comes back by itself.
        knock.answer.send(Err(Busy)).ok();
    }
}

fn asks(intake: &Intake, knocks: &[Knock]) -> Vec<InwardAsk> {
    asks_of(intake, knocks.iter().flat_map(|knock| &knock.events))
}

fn asks_of<'a>(intake: &Intake, events: impl Iterator<Item = &'a Event>) -> Vec<InwardAsk> {
    let messages = events.filter_map(|event| match event {
        Event::Message(message) | Event::Sent(message) => Some(&**message),
        Event::Report(_) | Event::Read { .. } => None,
    });
    messages
        .enumerate()
        .map(|(place, message)| text_in::ask(&intake.gateway, message, place))
        .collect()
}

/// What one call comes to: writes, and which of them belong to which event.
struct Decided {
    writes: Vec<Write>,
    /// For each event: its share of the writes, or nobody's.
    shares: Vec<Option<std::ops::Range<usize>>>,
}

fn decide(
    intake: &Intake,
    account: &AccountName,
    events: &[Event],
    cursor: Option<Cursor>,
    (found, place, now): (&HashMap<usize, LineFound>, &mut usize, UnixMillis),
) -> Decided {
    let mut decided = Decided {
        writes: Vec::new(),
        shares: Vec::new(),
    };
    for event in events {
        let start = decided.writes.len();
        let known = match event {
            Event::Message(message) | Event::Sent(message) => {
                let line = found.get(place);
                *place += 1;
                let own = matches!(event, Event::Sent(_));
                message_writes(intake, account, (message, own), line, now)
                    .map(|writes| decided.writes.extend(writes))
            }
            Event::Report(report) => {
                decided
                    .writes
                    .extend(report_write(intake, account, report, now));
                Ok(())
            }
            // A courtesy, and nothing to keep.
            Event::Read { .. } => Ok(()),
        };
        decided
            .shares
            .push(known.ok().map(|()| start..decided.writes.len()));
    }
    if let (Some(Cursor { name, value }), Some(account_id)) =
        (cursor, intake.gateway.account_id(account))
    {
        decided.writes.push(Write::Cursor {
            account_id,
            name,
            value,
        });
    }
    decided
}

fn message_writes(
    intake: &Intake,
    account: &AccountName,
    (message, own): (&Incoming, bool),
    line: Option<&LineFound>,
    now: UnixMillis,
) -> Result<Vec<Write>, NoSuchRecipient> {
    let (gateway, ids) = (&intake.gateway, || intake.next_id());
    if own {
        return text_in::decide_own(gateway, account, message, line, now, &ids);
    }
    if let (Some(part), Some(_)) = (joining::part(message), line) {
        let made = (intake.next_id(), now);
        let row = joining::row(&intake.gateway, account, message, part, made);
        return Ok(vec![Write::Part(Box::new(row))]);
    }
    text_in::decide(gateway, account, message, line, now, &ids)
}

fn report_write(
    intake: &Intake,
    account: &AccountName,
    report: &Report,
    now: UnixMillis,
) -> Option<Write> {
    let key = report.about.iter().find_map(|about| match about {
        MessageRef::Key(key, part) => Some((key.0, *part)),
        MessageRef::OneOf(key, _) => Some((key.0, 0)),
        MessageRef::External(_) => None,
    });
    let ids = report.about.iter().filter_map(|about| match about {
        MessageRef::External(id) => Some((id.kind, id.value.clone())),
        MessageRef::Key(..) | MessageRef::OneOf(..) => None,
    });
    let recipients = report.about.iter().find_map(|about| match about {
        MessageRef::OneOf(_, recipients) => Some(recipients),
        _ => None,
    });
    let text = |recipient: &Address| recipient.as_str().to_owned();
    Some(Write::Report(ReportRow {
        key,
        recipients: recipients.map(|known| known.iter().map(text).collect()),
        ids: ids.collect(),
        scope_id: intake.gateway.scope_id(account)?,
        progress: report.progress,
        reason: report
            .failure
            .as_ref()
            .map(|failure| failure.reason.as_str()),
        code: report
            .failure
            .as_ref()
            .and_then(|failure| failure.code.clone()),
        at_ms: now.0,
        silent_ms: now.after(intake.gateway.config.report_after).0,
    }))
}
