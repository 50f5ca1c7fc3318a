//! A batch of stanzas: messages to contacts are decided and committed together; the rest goes where it belongs.

use tokio::time::Instant;

use super::{Intake, STORE_PATIENCE, STORE_PAUSE, people::People};
use crate::{
    gateway::{
        refusal,
        text_out::{Accepted, Candidate, Decision, Moment},
    },
    hooks::{Step, step},
    metrics::Direction,
    queue::{OutWork, Waiting, Work},
    store::{
        Write, WriteError,
        read::{Ask, OutwardSnapshot},
    },
    texts::{Cap, Failed, Text},
    xmpp::{
        stanza::{Message, MessageType, Stanza},
        stream::{Batch, Received},
    },
};

/// Takes one batch; returns once it is committed and its answers are queued.
pub(super) async fn take(intake: &Intake, people: &People, batch: Batch) {
    step(Step::StanzaRead);
    let (stanzas, commit) = batch.split();
    let mut messages = Vec::new();
    let mut errors = Vec::new();
    for received in stanzas {
        match received {
            Received::Invalid(invalid) => {
                intake.count("invalid");
                if let Some(answer) = invalid.error_reply() {
                    intake.link.send(answer).await.ok();
                }
            }
            Received::Stanza(Stanza::Message(message)) if message.kind == MessageType::Error => {
                errors.push(message);
            }
            Received::Stanza(Stanza::Message(message)) if is_to_contact(&message) => {
                messages.push(message);
            }
            Received::Stanza(stanza) => people.take(intake, stanza).await,
        }
    }
    let answers = decide_all(intake, &messages).await;
    for error in &errors {
        super::inward::bounced(intake, error).await;
    }
    commit.committed();
    for answer in answers {
        // The link may have gone meanwhile: then the sender's server has told it so.
        intake.link.send(answer).await.ok();
    }
}

fn is_to_contact(message: &Message) -> bool {
    message.to.as_ref().is_some_and(|to| to.node().is_some())
}

/// Decides and commits; what comes back are the answers to refused ones.
async fn decide_all(intake: &Intake, messages: &[Message]) -> Vec<Stanza> {
    let mut round = Round {
        answers: Vec::new(),
        asks: Vec::new(),
        candidates: Vec::new(),
    };
    for message in messages {
        match Candidate::new(&intake.gateway, message) {
            Ok(candidate) => {
                round
                    .asks
                    .push(candidate.ask(&intake.gateway, round.candidates.len()));
                round.candidates.push((message, candidate));
            }
            Err(decision) => round.settle(intake, message, decision),
        }
    }
    if round.candidates.is_empty() {
        return round.answers;
    }
    let Some(snapshot) = load(intake, &round.asks).await else {
        let busy = Text::from(Cap::Busy);
        let refused = round
            .candidates
            .iter()
            .filter_map(|(message, _)| refuse(intake, message, &busy));
        round.answers.extend(refused);
        return round.answers;
    };
    commit_round(intake, round, snapshot).await
}

/// One batch on its way to a decision.
struct Round<'a> {
    answers: Vec<Stanza>,
    asks: Vec<Ask>,
    candidates: Vec<(&'a Message, Candidate<'a>)>,
}

impl Round<'_> {
    fn settle(&mut self, intake: &Intake, message: &Message, decision: Decision) {
        let name = &intake.gateway.config.name;
        match decision {
            Decision::Ignored(why) => intake.count(why),
            Decision::Refused(why) => {
                intake.metrics.message(name, Direction::Out, "refused");
                self.answers
                    .extend(refuse(intake, message, &Text::from(why)));
            }
            Decision::Repeated(message_id) => {
                tracing::info!(message_id, "A stanza was repeated.");
                intake.metrics.message(name, Direction::Out, "repeated");
            }
            Decision::Accepted(_) => {}
        }
    }
}

async fn load(intake: &Intake, asks: &[Ask]) -> Option<OutwardSnapshot> {
    let patience = Instant::now() + STORE_PATIENCE;
    loop {
        let now_ms = intake.clock.now().0;
        match intake.store.outward(intake.gateway.id, asks, now_ms).await {
            Ok(snapshot) => return Some(snapshot),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "Cannot read what a batch needs."
                );
                if Instant::now() > patience {
                    return None;
                }
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
    }
}

async fn commit_round(
    intake: &Intake,
    round: Round<'_>,
    mut snapshot: OutwardSnapshot,
) -> Vec<Stanza> {
    let (accepted, mut answers) = decide_round(intake, round, &mut snapshot);
    if accepted.is_empty() {
        return answers;
    }
    match commit(intake, &accepted).await {
        Ok(()) => hand_on(intake, accepted).await,
        // One of them contradicts the database: each stands alone, so that only that one fails.
        Err(WriteError::Conflict(_)) if accepted.len() > 1 => {
            for one in accepted {
                let message = one.0;
                match commit(intake, std::slice::from_ref(&one)).await {
                    Ok(()) => hand_on(intake, vec![one]).await,
                    Err(_) => {
                        answers.extend(refuse(intake, message, &Text::from(Failed::Internal)));
                    }
                }
            }
        }
        Err(error) => {
            let text = match error {
                WriteError::Busy(_) => Text::from(Cap::Busy),
                WriteError::Conflict(_) => Text::from(Failed::Internal),
            };
            answers.extend(
                accepted
                    .iter()
                    .filter_map(|(message, _)| refuse(intake, message, &text)),
            );
        }
    }
    answers
}

/// Decides each on the snapshot; the refused and the repeated are settled, the others come back.
fn decide_round<'a>(
    intake: &Intake,
    round: Round<'a>,
    snapshot: &mut OutwardSnapshot,
) -> (Vec<(&'a Message, Box<Accepted>)>, Vec<Stanza>) {
    let ids = || intake.next_id();
    let moment = Moment {
        now: intake.clock.now(),
        ids: &ids,
    };
    let mut accepted = Vec::new();
    let Round {
        answers,
        candidates,
        ..
    } = round;
    let mut settled = Round {
        answers,
        asks: Vec::new(),
        candidates: Vec::new(),
    };
    for (place, (message, candidate)) in candidates.into_iter().enumerate() {
        match candidate.decide(&intake.gateway, snapshot, place, &moment) {
            Decision::Accepted(one) => accepted.push((message, one)),
            decision => settled.settle(intake, message, decision),
        }
    }
    (accepted, settled.answers)
}

/// Commits, waiting for a database that is out of order for a while.
async fn commit(intake: &Intake, accepted: &[(&Message, Box<Accepted>)]) -> Result<(), WriteError> {
    let patience = Instant::now() + STORE_PATIENCE;
    loop {
        match intake.writer.commit(writes(accepted)).await {
            Ok(_) => return Ok(()),
            Err(WriteError::Busy(_)) if Instant::now() < patience => {
                tokio::time::sleep(STORE_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn writes(accepted: &[(&Message, Box<Accepted>)]) -> Vec<Write> {
    let mut writes = Vec::with_capacity(accepted.len());
    for (_, one) in accepted {
        if let Some(new) = &one.new_user {
            writes.push(Write::User(new.user.clone()));
            if let Some((line, owner)) = &new.address {
                writes.extend([Write::Line(line.clone()), Write::Owner(owner.clone())]);
            }
        }
        writes.push(Write::Out(Box::new(one.out.clone())));
    }
    writes
}

/// Gives committed messages to the queue.
async fn hand_on(intake: &Intake, accepted: Vec<(&Message, Box<Accepted>)>) {
    let mut waiting = Vec::with_capacity(accepted.len());
    for (_, one) in accepted {
        intake
            .metrics
            .message(&intake.gateway.config.name, Direction::Out, "stored");
        let Accepted {
            out,
            outgoing,
            plan,
            ..
        } = *one;
        let work = OutWork {
            delivery_id: out.message_id,
            attempts: 0,
            unit: 0,
            routes: plan.routes,
            route: 0,
            unknowns: 0,
            needs_files: !out.files.is_empty(),
            outgoing,
        };
        waiting.push(Waiting {
            lane_id: out.conversation.conversation_id,
            gateway_id: intake.gateway.id,
            work: Work::Out(Box::new(work)),
        });
    }
    intake.queue.arrived(waiting).await;
}

fn refuse(intake: &Intake, message: &Message, text: &Text) -> Option<Stanza> {
    let lang = intake.gateway.lang(message.lang.as_deref());
    message
        .error_reply(&refusal::error(text, lang))
        .map(Stanza::from)
}
