//! A batch of stanzas: messages to contacts are decided and committed together; the rest goes where it belongs.
//!
//! Length: one batch on its way from the stream to its answers, read in one go.

mod accepted;

use tokio::time::Instant;

use super::{
    Intake, STORE_PATIENCE, STORE_PAUSE, bounced::Bounces, people::People, rosters, slash,
};
use crate::{
    gateway::{
        call,
        moment::Moment,
        refusal,
        settings::TOLD_OF_REACTIONS,
        text_out::{Accepted, Amended, Candidate, Decision, Kept, without_own_payloads},
    },
    hooks::{Step, step},
    metrics::Direction,
    store::{
        Write, WriteError,
        read::{Ask, OutwardSnapshot},
        write::{Done, Operation, TakeBack},
    },
    texts::{Cap, Failed, Membership, Refused, Text},
    xmpp::{
        stanza::{Message, MessageType, Stanza},
        stream::{Batch, Received},
        xep::addresses,
    },
};
use accepted::{notice, shown_works, works};

/// Takes one batch; returns once it is committed and its answers are queued.
pub(super) async fn take(intake: &Intake, (people, bounces): (&People, &Bounces), batch: Batch) {
    step(Step::StanzaRead);
    let (stanzas, commit) = batch.split();
    let mut messages = Vec::new();
    let mut errors = Vec::new();
    let mut answers = Vec::new();
    for received in stanzas {
        match received {
            Received::Invalid(invalid) => {
                intake.count("invalid");
                answers.extend(invalid.error_reply());
            }
            Received::Stanza(Stanza::Message(message)) if message.kind == MessageType::Error => {
                errors.push(message);
            }
            Received::Stanza(Stanza::Message(message)) if call::is_proposal(&message) => {
                people.take(intake, message.into()).await;
            }
            Received::Stanza(Stanza::Message(message))
                if slash::concerns(&intake.gateway, &message) =>
            {
                people.take(intake, message.into()).await;
            }
            Received::Stanza(Stanza::Message(mut message)) if is_to_contact(&message) => {
                without_own_payloads(&mut message);
                messages.push(message);
            }
            Received::Stanza(Stanza::Message(message)) if intake.rosters.allowed(&message) => {}
            Received::Stanza(stanza) => people.take(intake, stanza).await,
        }
    }
    let decided = decide_all(intake, Some(people), &messages).await;
    answers.extend(decided);
    for error in errors {
        bounces.take(intake, error).await;
    }
    commit.committed();
    if !answers.is_empty() {
        intake.answer(answers).await;
    }
}

/// To a contact, or, by the stanza's own list of recipients, to several (semantics 8).
fn is_to_contact(message: &Message) -> bool {
    let to_contact = message.to.as_ref().is_some_and(|to| to.node().is_some());
    to_contact || addresses::parse(message).is_some()
}

/// What contradicts the database is decided anew so many times: somebody else made the same contact, or took in the same stanza.
const TRIES: u32 = 3;

/// Decides and commits; what comes back are the answers to refused ones.
/// `people` learns who has to be let in first; a trial tells nobody.
pub(super) async fn decide_all(
    intake: &Intake,
    people: Option<&People>,
    messages: &[Message],
) -> Vec<Stanza> {
    decide_again(intake, people, messages, TRIES).await
}

async fn decide_again(
    intake: &Intake,
    people: Option<&People>,
    messages: &[Message],
    tries: u32,
) -> Vec<Stanza> {
    let mut round = Round {
        people,
        tries,
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
    people: Option<&'a People>,
    tries: u32,
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
                if why == Refused::Membership(Membership::AwaitingApproval)
                    && let Some(people) = self.people
                {
                    people.applies(message);
                }
                self.answers
                    .extend(refuse(intake, message, &Text::from(why)));
            }
            Decision::Repeated(message_id) => {
                tracing::debug!(message_id, "A stanza was repeated.");
                intake.metrics.message(name, Direction::Out, "repeated");
            }
            Decision::Accepted(_)
            | Decision::Amended(_)
            | Decision::TakenBack(_)
            | Decision::Kept(_) => {}
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
    let (people, tries) = (round.people, round.tries);
    let (effects, mut answers) = decide_round(intake, round, &mut snapshot);
    if effects.is_empty() {
        return answers;
    }
    match commit(intake, &effects).await {
        Ok(done) => answers.extend(follow((intake, people), effects, done).await),
        // One of them contradicts the database: each stands alone, so that only that one fails.
        Err(WriteError::Conflict(_)) if effects.len() > 1 => {
            for one in effects {
                let message = one.0;
                match commit(intake, std::slice::from_ref(&one)).await {
                    Ok(done) => answers.extend(follow((intake, people), vec![one], done).await),
                    Err(WriteError::Conflict(_)) if tries > 0 => {
                        let message = std::slice::from_ref(message);
                        let again = decide_again(intake, people, message, tries - 1);
                        answers.extend(Box::pin(again).await);
                    }
                    Err(_) => {
                        answers.extend(refuse(intake, message, &Text::from(Failed::Internal)));
                    }
                }
            }
        }
        Err(WriteError::Conflict(_)) if tries > 0 => {
            let messages = effects.iter().map(|(message, _)| (*message).clone());
            let messages: Vec<Message> = messages.collect();
            let again = decide_again(intake, people, &messages, tries - 1);
            answers.extend(Box::pin(again).await);
        }
        Err(error) => {
            let text = match error {
                WriteError::Busy(_) | WriteError::Unknown(_) => Text::from(Cap::Busy),
                WriteError::Conflict(_) => Text::from(Failed::Internal),
            };
            answers.extend(
                effects
                    .iter()
                    .filter_map(|(message, _)| refuse(intake, message, &text)),
            );
        }
    }
    answers
}

/// What a stanza has to be committed as.
enum Effect {
    New(Box<Accepted>),
    Amended(Box<Amended>),
    TakenBack(TakeBack),
    Kept(Kept),
}

/// Decides each on the snapshot; the refused and the repeated are settled, the others come back.
fn decide_round<'a>(
    intake: &Intake,
    mut round: Round<'a>,
    snapshot: &mut OutwardSnapshot,
) -> (Vec<(&'a Message, Effect)>, Vec<Stanza>) {
    let ids = || intake.next_id();
    let moment = Moment {
        now: intake.clock.now(),
        ids: &ids,
    };
    let mut effects = Vec::new();
    let candidates = std::mem::take(&mut round.candidates);
    for (place, (message, candidate)) in candidates.into_iter().enumerate() {
        // What proves a number cannot wait for the proof: it comes as a trial.
        let unproved = || candidate.unproved(&intake.gateway, snapshot);
        if let Some(decision) = round.people.and_then(|_| unproved()) {
            round.settle(intake, message, decision);
            continue;
        }
        match candidate.decide(&intake.gateway, snapshot, place, &moment) {
            Decision::Accepted(one) => effects.push((message, Effect::New(one))),
            Decision::Amended(one) => effects.push((message, Effect::Amended(one))),
            Decision::TakenBack(one) => effects.push((message, Effect::TakenBack(one))),
            Decision::Kept(one) => effects.push((message, Effect::Kept(one))),
            decision => round.settle(intake, message, decision),
        }
    }
    (effects, round.answers)
}

/// Commits, waiting for a database that is out of order for a while.
async fn commit(intake: &Intake, effects: &[(&Message, Effect)]) -> Result<Vec<Done>, WriteError> {
    let patience = Instant::now() + STORE_PATIENCE;
    let mut may_stand = false;
    loop {
        let writes: Vec<Write> = effects.iter().flat_map(|(_, one)| writes(one)).collect();
        let count = writes.len();
        let done = intake.writer.commit(writes).await;
        may_stand |= matches!(done, Err(WriteError::Unknown(_)));
        match done {
            Err(error) if error.passes() && Instant::now() < patience => {
                tokio::time::sleep(STORE_PAUSE).await;
            }
            // It was taken the first time.
            Err(WriteError::Conflict(_)) if may_stand && is_there(intake, effects).await => {
                return Ok(vec![Done::Written; count]);
            }
            done => return done,
        }
    }
}

/// Whether these messages stand in the database: all do, or none.
async fn is_there(intake: &Intake, effects: &[(&Message, Effect)]) -> bool {
    let new = effects.iter().find_map(|(_, effect)| match effect {
        Effect::New(one) => Some(one.out.message_id),
        Effect::Amended(_) | Effect::TakenBack(_) | Effect::Kept(_) => None,
    });
    match new {
        Some(message_id) => matches!(intake.store.life(message_id).await, Ok(Some(_))),
        None => false,
    }
}

/// The last write is the message itself.
fn writes(effect: &Effect) -> Vec<Write> {
    let one = match effect {
        Effect::New(one) => one,
        Effect::Amended(one) => return vec![Write::Amend(Box::new(one.amend.clone()))],
        Effect::TakenBack(one) => return vec![Write::TakeBack(one.clone())],
        Effect::Kept(one) => return vec![told_of_reactions(one)],
    };
    let mut writes = Vec::with_capacity(1);
    if let Some(new) = &one.new_user {
        writes.push(Write::User(new.user.clone()));
        if let Some((line, owner)) = &new.address {
            writes.extend([Write::Line(line.clone()), Write::Owner(owner.clone())]);
        }
    }
    writes.extend(one.welcomed.clone().map(Write::Judged));
    let shown = one.shown.iter().cloned();
    writes.extend(shown.map(|row| Write::In(Box::new(row))));
    writes.push(Write::Out(Box::new(one.out.clone())));
    writes
}

/// The user is told once, and that is remembered.
fn told_of_reactions(one: &Kept) -> Write {
    Write::Operation(Operation::Settings {
        user_id: one.user_id,
        changes: format!(r#"{{"{TOLD_OF_REACTIONS}":"yes"}}"#),
        lang: None,
    })
}

/// How many [`writes`] there are.
fn writes_of(effect: &Effect) -> usize {
    let Effect::New(one) = effect else { return 1 };
    let new_user = one.new_user.as_ref();
    1 + one.shown.len()
        + usize::from(one.welcomed.is_some())
        + new_user.map_or(0, |new| if new.address.is_some() { 3 } else { 1 })
}

/// Gives committed messages to the queue. What came too late to change a message is decided anew.
async fn follow(
    (intake, people): (&Intake, Option<&People>),
    effects: Vec<(&Message, Effect)>,
    done: Vec<Done>,
) -> Vec<Stanza> {
    let mut done = done.into_iter();
    let mut welcomes = false;
    let (mut waiting, mut late) = (Vec::with_capacity(effects.len()), Vec::new());
    let mut answers = Vec::new();
    let name = &intake.gateway.config.name;
    for (message, effect) in effects {
        let done = done.by_ref().take(writes_of(&effect)).last();
        let outcome = match effect {
            _ if done == Some(Done::Unchanged) => {
                late.push(message);
                continue;
            }
            Effect::New(one) => {
                rosters::introduce_written_to(intake, &one);
                answers.extend(notice(intake, message, &one));
                welcomes |= one.welcomed.is_some();
                waiting.extend(shown_works(intake, &one.shown));
                waiting.extend(works(intake, *one));
                "stored"
            }
            Effect::Amended(one) => {
                waiting.extend(shown_works(intake, &one.amend.shown));
                one.outcome
            }
            Effect::TakenBack(one) => {
                waiting.extend(shown_works(intake, &one.shown));
                "retracted"
            }
            Effect::Kept(one) => {
                let why = Text::from(one.why);
                answers.extend(refuse(intake, message, &why));
                answers.extend(in_the_chat(intake, message, &why));
                "refused"
            }
        };
        intake.metrics.message(name, Direction::Out, outcome);
    }
    intake.queue.arrived(waiting).await;
    if welcomes {
        intake.queue.look_again().await;
    }
    for message in late {
        // By now the database says that it is held no longer.
        answers.extend(Box::pin(decide_all(intake, people, std::slice::from_ref(message))).await);
    }
    answers
}

/// The same as a line of the gateway's own chat, which is the place for what is said once.
fn in_the_chat(intake: &Intake, message: &Message, text: &Text) -> Option<Stanza> {
    let lang = intake.gateway.lang(message.lang.as_deref());
    let user = message.from.as_ref()?.to_bare();
    let now = intake.clock.now();
    Some(intake.gateway.say(&user, text.render(lang), lang, now))
}

fn refuse(intake: &Intake, message: &Message, text: &Text) -> Option<Stanza> {
    let lang = intake.gateway.lang(message.lang.as_deref());
    message
        .error_reply(&refusal::error(text, lang))
        .map(Stanza::from)
}
