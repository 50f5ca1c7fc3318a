//! Where everything comes in: one task a gateway, in order; snapshot → decide → commit → answer.
//!
//! Stanzas from the link and events from outside networks are gathered, decided by [`crate::gateway`] on one snapshot, and committed
//! together. The next are looked at after the commit: so no decision is made on what another one is about to change, and the window of
//! stanzas that are read and not committed is one batch (semantics 1).
//!
//! - [`outward`]: a batch of stanzas.
//! - [`inward`]: events of an account; [`Inbox`](transom_adapter::Inbox) and [`Directory`](transom_adapter::Directory) for the adapters.
//! - [`files`]: the contents that come with events.
//! - [`card`]: an address book that is attached in the chat with the gateway.
//! - [`people`]: presence and requests, on a task of their own, so that messages never wait behind them; [`commands`] on another;
//!   [`rosters`], which waits for servers and clients, on a third.
//! - [`strangers`]: whose mail waits for a user's word.

mod bounced;
mod busy;
mod card;
mod commands;
mod files;
mod inward;
mod outward;
mod parts;
mod people;
mod rosters;
mod slash;
mod strangers;
mod throttle;
mod trial;

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;
use transom_adapter::{AccountName, Clock, Lifecycle, Meter as _};

use crate::{
    files::Files,
    gateway::Gateway,
    metrics::Metrics,
    operations::Operations,
    processes::Processes,
    queue::{Brought, Online, Queue, Teller},
    store::{Ids, Store, Writer},
    xmpp::{
        stanza::Stanza,
        stream::{LinkEvent, LinkHandle, SendError},
    },
};

pub use inward::{Doors, Knock};
pub use rosters::Rosters;
pub use strangers::Strangers;
pub use trial::Trial;

/// What the intake of one gateway works with.
#[derive(Clone)]
pub struct Intake {
    /// The pure part.
    pub gateway: Arc<Gateway>,
    /// The link.
    pub link: LinkHandle,
    /// The database, for reading.
    pub store: Store,
    /// The database, for writing.
    pub writer: Writer,
    /// Keys.
    pub ids: Ids,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Tasks.
    pub lifecycle: Lifecycle,
    /// Counters.
    pub metrics: Metrics,
    /// Where committed work goes.
    pub queue: Queue,
    /// The accounts that users brought.
    pub brought: Brought,
    /// Who tells senders.
    pub teller: Teller,
    /// Who is online.
    pub online: Online,
    /// Attachments.
    pub files: Files,
    /// Who should know whom.
    pub rosters: Rosters,
    /// Whose mail waits for a word.
    pub strangers: Strangers,
    /// What commands do.
    pub operations: Arc<Operations>,
    /// Which process has the gateway.
    pub processes: Processes,
}

/// Events of accounts gathered for one commit.
const KNOCKS_MAX: usize = 64;
/// How long a batch of stanzas waits for a database that is out of order, before its senders are told.
const STORE_PATIENCE: Duration = Duration::from_secs(30);
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// Runs until the link has ended and nothing more can come in.
pub async fn run(
    intake: Intake,
    mut link: mpsc::Receiver<LinkEvent>,
    mut door: mpsc::Receiver<Knock>,
    mut trials: mpsc::Receiver<Trial>,
) {
    let people = people::start(&intake);
    let bounces = bounced::start(&intake);
    intake.rosters.start(&intake);
    intake.strangers.start(&intake);
    parts::recover(&intake).await;
    let mut swept_at = intake.clock.now();
    let (mut link_is_open, mut is_stopping) = (true, false);
    // Meanwhile what comes in is taken as ever: the server must not have to wait with what it writes to this link.
    let handing_over = async {
        intake.lifecycle.draining().await;
        intake.processes.hand_over(intake.gateway.id).await
    };
    let mut handing_over = std::pin::pin!(handing_over);
    while link_is_open || !is_stopping {
        let mut knocks = Vec::new();
        tokio::select! {
            event = link.recv(), if link_is_open => match event {
                Some(LinkEvent::Batch(batch)) => {
                    outward::take(&intake, (&people, &bounces), batch).await;
                },
                Some(event) => intake.link_changed(&event).await,
                None => link_is_open = false,
            },
            _ = door.recv_many(&mut knocks, KNOCKS_MAX) => inward::take(&intake, &people, knocks).await,
            () = intake.clock.sleep_until(swept_at.after(parts::SWEEP)), if !is_stopping => {
                swept_at = intake.clock.now();
                parts::sweep(&intake).await;
            }
            Some(trial) = trials.recv() => trial::take(&intake, trial).await,
            is_elsewhere = &mut handing_over, if !is_stopping => {
                is_stopping = true;
                if !is_elsewhere {
                    people::farewell(&intake).await;
                }
                // The stream is closed, and read to its end: what the server wrote is still committed.
                intake.link.stop();
            }
        }
    }
    // What knocked before the door closed is still answered.
    door.close();
    let mut knocks = Vec::new();
    while door.recv_many(&mut knocks, KNOCKS_MAX).await > 0 {
        inward::take(&intake, &people, std::mem::take(&mut knocks)).await;
    }
}

impl Intake {
    async fn link_changed(&self, event: &LinkEvent) {
        let name = &self.gateway.config.name;
        match event {
            LinkEvent::Up => {
                tracing::info!(gateway = %name, "The XMPP server accepted the component.");
                self.metrics.link(name, true);
                self.processes.link_up(self.gateway.id).await;
                self.queue.link_up(self.gateway.id).await;
                self.teller.link_up();
                self.rosters.link_up();
                self.strangers.look();
                people::announce(self);
            }
            LinkEvent::Down(error) => {
                tracing::warn!(gateway = %name, error = error as &dyn std::error::Error, "The XMPP link is down.");
                self.metrics.link(name, false);
            }
            LinkEvent::Elsewhere => {
                tracing::info!(gateway = %name, "Another process has the XMPP link now.");
                self.metrics.link(name, false);
            }
            LinkEvent::Batch(_) => {}
        }
    }

    /// Answers what came over the link. Where other processes live the answers are proven like messages: a link that is handed over
    /// may end with them unread, and then the process that has the next one gives them.
    async fn answer(&self, answers: Vec<Stanza>) {
        if !self.processes.has_others() {
            for answer in answers {
                // Without a link the sender's server has told it so.
                if let Err(SendError::Refused(_)) = self.link.send(answer).await {
                    self.count("answer_refused");
                }
            }
            return;
        }
        let this = self.clone();
        self.lifecycle.spawn("intake.answer", async move {
            match this.link.send_groups(answers.chunks(1)).await {
                Ok(written) => {
                    for _refused in written.iter().filter(|one| one.is_err()) {
                        this.count("answer_refused");
                    }
                }
                Err(_) => this.processes.say(this.gateway.id, &answers).await,
            }
        });
    }

    /// Counts what came over the link and went nowhere.
    fn count(&self, what: &'static str) {
        self.metrics
            .count(&AccountName::new(&self.gateway.config.name, "xmpp"), what);
    }

    fn next_id(&self) -> i64 {
        self.ids.next()
    }
}
