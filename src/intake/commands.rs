//! Commands and the chat with the gateway, on a task of their own: a long list for one must not hold the presence of all.

use tokio::sync::mpsc;

use super::{
    Intake,
    busy::too_much,
    card,
    throttle::{Share, Throttle},
};
use crate::{
    commands::{Answered, Commands},
    xmpp::stanza::Stanza,
};

/// Stanzas that may wait; more are told to come back.
const WAITING_MAX: usize = 256;
/// Answers in the chat to one person: two machines that talk to each other must come to an end.
pub(super) const ANSWERS_PER_MINUTE: u32 = 20;
/// Requests of one person; a client asks about each command by itself.
const REQUESTS_PER_MINUTE: u32 = 200;
const MINUTE_MS: i64 = 60_000;

/// Where stanzas to the gateway itself go.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    stanzas: mpsc::Sender<Stanza>,
}

/// Starts the task; it ends when the intake does.
pub(super) fn start(intake: &Intake) -> Desk {
    let (stanzas, inbox) = mpsc::channel(WAITING_MAX);
    let commands = Commands::new(
        std::sync::Arc::clone(&intake.gateway),
        std::sync::Arc::clone(&intake.operations),
    );
    let run = run(intake.clone(), commands, (stanzas.downgrade(), inbox));
    intake.lifecycle.spawn("intake.commands", run);
    Desk { stanzas }
}

impl Desk {
    /// Takes one stanza that is for here; gives back any other.
    pub(super) async fn take(&self, intake: &Intake, stanza: Stanza) -> Option<Stanza> {
        if !Commands::concerns(&stanza) {
            return Some(stanza);
        }
        if let Err(full) = self.stanzas.try_send(stanza) {
            intake.count("commands_full");
            come_back(intake, &full.into_inner()).await;
        }
        None
    }
}

async fn come_back(intake: &Intake, stanza: &Stanza) {
    if let Some(answer) = too_much(intake, stanza) {
        intake.link.send(answer).await.ok();
    }
}

async fn run(
    intake: Intake,
    mut commands: Commands,
    (stanzas, mut inbox): (mpsc::WeakSender<Stanza>, mpsc::Receiver<Stanza>),
) {
    let mut talks = Throttle::new(ANSWERS_PER_MINUTE, MINUTE_MS);
    let mut requests = Throttle::new(REQUESTS_PER_MINUTE, MINUTE_MS);
    while let Some(stanza) = inbox.recv().await {
        let speaker = stanza.sender().map(crate::xmpp::jid::Jid::to_bare);
        let speaker = speaker.map(|jid| jid.to_string()).unwrap_or_default();
        let throttle = match &stanza {
            Stanza::Iq(_) => &mut requests,
            _ => &mut talks,
        };
        let share = throttle.share(&speaker, intake.clock.now().0);
        if share != Share::Within {
            intake.count("commands_too_many");
        }
        let answered = match (share, &stanza) {
            (Share::Within, _) if card::bring(&intake, &stanza, &stanzas) => continue,
            (Share::Within, _) => commands.take(&stanza).await,
            (Share::UsedUp, Stanza::Message(message)) => commands.slow_down(message).await,
            // A request has to be answered; a chat that goes in circles must not be.
            (_, Stanza::Iq(_)) => {
                come_back(&intake, &stanza).await;
                continue;
            }
            (_, Stanza::Message(_) | Stanza::Presence(_)) => continue,
        };
        match answered {
            Ok(Answered::With(answers)) => {
                for answer in answers {
                    // The link may have gone meanwhile: then the sender's server has told it so.
                    intake.link.send(answer).await.ok();
                }
            }
            Ok(Answered::Ignored(why)) => intake.count(why),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "A command came to nothing."
                );
                come_back(&intake, &stanza).await;
            }
        }
    }
}
