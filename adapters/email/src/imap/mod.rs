//! Mail in from a mailbox: the account `gateway/imap`. RFC 3501, RFC 2177
//!
//! The mailbox is read from where the last commit left off: a position and the events before it are committed together ([`batch`]),
//! so neither a crash nor a cut loses or doubles a mail. Nothing in the mailbox is changed, not even what is marked as read.

mod batch;
mod catch_up;
mod exchange;
mod login;
mod opening;
mod position;
mod read;
mod recipient;
mod sent;
mod session;
mod trouble;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use transom_adapter::{
    Account, AccountName, AccountState, Attempt, Capabilities, CheckReport, Context, Failure,
    Holder, Outcome, Outgoing, Reason, Repeat, Reports, UnixMillis, Unproven,
};

use crate::{
    config::{ImapConfig, SILENCE, Whose},
    ids::OwnIds,
};
use catch_up::{CatchUp, Stop};
pub(crate) use opening::greets;
pub(crate) use sent::Copied;
use session::Session;
use trouble::Trouble;

/// Watches a mailbox.
#[derive(Debug)]
pub(crate) struct ImapAccount {
    name: AccountName,
    ids: OwnIds,
    config: ImapConfig,
    tls: Option<Arc<ClientConfig>>,
    pace: Pace,
}

/// How long things take at most, and how often they are done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// For a command and its answer.
    pub(crate) command: Duration,
    /// For a mail of the largest size.
    pub(crate) body: Duration,
    /// IDLE without a byte for so long may be deaf: it is ended, and what it should have told is looked for.
    pub(crate) silence: Duration,
    /// IDLE is begun anew after this, whatever it told. RFC 2177 asks for less than half an hour.
    pub(crate) idle: Duration,
    /// Between looks where there is no IDLE.
    pub(crate) poll: Duration,
    /// Between the first two tries to connect; doubled for each further one.
    pub(crate) reconnect: Duration,
    /// A server that is away is not asked more often.
    pub(crate) reconnect_max: Duration,
    /// Between tries when the store is busy.
    pub(crate) busy: Duration,
}

const PACE: Pace = Pace {
    command: Duration::from_secs(30),
    body: Duration::from_mins(5),
    silence: SILENCE,
    idle: Duration::from_mins(25),
    poll: Duration::from_mins(1),
    reconnect: Duration::from_secs(1),
    reconnect_max: Duration::from_mins(1),
    busy: Duration::from_secs(2),
};

/// A busy server may take so long for an answer.
const ANSWER_MIN: Duration = Duration::from_secs(5);
/// Mailboxes of users that are opened at once, in the whole process.
static OPENING: Semaphore = Semaphore::const_new(32);
/// A login that is refused does not get better by itself, and many tries get an address banned.
const LOGIN_AGAIN: Duration = Duration::from_mins(5);

impl ImapAccount {
    pub(crate) fn new(
        name: AccountName,
        ids: OwnIds,
        config: ImapConfig,
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        Self {
            pace: Pace {
                silence: config.silence,
                // Who owes an answer is not waited for longer than who owes none.
                command: PACE.command.min(config.silence.max(ANSWER_MIN)),
                ..PACE
            },
            name,
            ids,
            config,
            tls,
        }
    }

    async fn open(&self) -> Result<Session, Trouble> {
        // After a restart thousands would come at once, many of them to one host.
        let _turn = if self.has_owner() {
            OPENING.acquire().await.ok()
        } else {
            None
        };
        Session::open(&self.config, self.tls.as_ref(), self.pace).await
    }

    /// Watches until draining begins; with an owner also until the login is refused, which is then the answer: nobody but the owner can
    /// do anything about it. The gateway's own mailbox is tried again, since an admin may mend the other side.
    pub(crate) async fn follow(&self, context: &Context) -> Option<Failure> {
        let mut work = Work {
            inbox: CatchUp::new(&self.name, &self.ids, &self.config, self.pace, context),
            sent: None,
            sent_at: None,
        };
        let (mut failures, mut refusals) = (0, 0);
        while !context.lifecycle.is_draining() {
            let looks_before = work.inbox.looks();
            let Err(trouble) = self.watch(context, &mut work).await else {
                return None;
            };
            refusals = match &trouble {
                Trouble::Login(text) => refusals + login::weight(text),
                Trouble::Provider(_) => login::REFUSED,
                _ => 0,
            };
            if self.has_owner() && refusals >= login::REFUSED {
                return Some(Failure::new(Reason::OurAccount).with_detail(trouble.words()));
            }
            context.report_state(&self.name, self.state(&trouble));
            // A connection that did its work once was a good one.
            failures = if work.inbox.looks() > looks_before {
                1
            } else {
                failures + 1
            };
            let pause = match trouble {
                Trouble::Login(_)
                | Trouble::Provider(_)
                | Trouble::Mailbox(_)
                | Trouble::Unfit(_) => LOGIN_AGAIN,
                _ => self.pace.backoff(failures),
            };
            let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(account = %self.name, error = %trouble, failures, pause_ms, "The mailbox is out of reach.");
            let next = context.clock.now().after(pause);
            tokio::select! {
                () = context.clock.sleep_until(next) => {}
                () = context.lifecycle.draining() => return None,
            }
        }
        None
    }

    fn has_owner(&self) -> bool {
        matches!(self.config.whose, Whose::Owner(_))
    }

    /// Where this trouble leaves the account: an owner hears of a refused login once it is sure, admins of all that they can mend.
    fn state(&self, trouble: &Trouble) -> AccountState {
        if self.has_owner() {
            let failure = Failure::new(Reason::NetworkDown).with_detail(trouble.words());
            return AccountState::Down(failure);
        }
        state(trouble)
    }

    /// Logs in and opens the mailbox, once.
    pub(crate) async fn prove(&self, server: &str) -> Result<(), Unproven> {
        let server = || server.to_owned();
        match self.open().await {
            Ok(session) => {
                session.log_out().await;
                Ok(())
            }
            Err(trouble @ (Trouble::Login(_) | Trouble::Provider(_))) => Err(Unproven::Login {
                problem: trouble.words(),
            }),
            Err(Trouble::Forbidden) => Err(Unproven::Forbidden { server: server() }),
            Err(trouble @ (Trouble::Mailbox(_) | Trouble::Unfit(_))) => Err(Unproven::Unfit {
                server: server(),
                problem: trouble.words(),
            }),
            Err(trouble) => Err(Unproven::Unreachable {
                server: server(),
                problem: trouble.words(),
            }),
        }
    }

    /// One connection, until it breaks.
    async fn watch<'a>(&'a self, context: &'a Context, work: &mut Work<'a>) -> Result<(), Trouble> {
        let mut session = self.open().await?;
        context.report_state(&self.name, AccountState::Up);
        tracing::info!(account = %self.name, "The mailbox is open.");
        loop {
            // What is announced from here on is news to the next look.
            session.forget_announcements();
            match work.inbox.run(&mut session).await? {
                Stop::Done => {}
                Stop::Draining => break,
            }
            // Behind the first look into the mailbox, which starts where it stood when it was opened; and before another one, since
            // nobody announces its news while this folder is open.
            if work.is_due(context.clock.now(), self.config.sent_every) {
                self.look_at_sent(context, (&mut session, work)).await?;
                continue;
            }
            tokio::select! {
                waited = session.wait_for_news(&*context.clock, self.patience()) => session = waited?,
                () = context.lifecycle.draining() => return Ok(()),
            }
        }
        session.log_out().await;
        Ok(())
    }
}

impl ImapAccount {
    /// How long nothing has to be heard before the mailbox is looked at anyway.
    fn patience(&self) -> Duration {
        match self.config.sent_every {
            Duration::ZERO => self.pace.idle,
            every => self.pace.idle.min(every),
        }
    }

    /// What the owner sent by another program is shown in its chat, from the first look on.
    async fn look_at_sent<'a>(
        &'a self,
        context: &'a Context,
        (session, work): (&mut Session, &mut Work<'a>),
    ) -> Result<(), Trouble> {
        // Before it is tried: a folder that breaks the connection does not keep the next one from the mailbox.
        work.sent_at = Some(context.clock.now());
        if work.sent.is_none() {
            let folder = session.sent_folder().await?;
            let folder = folder.filter(|folder| *folder != self.config.mailbox);
            let made = || CatchUp::new(&self.name, &self.ids, &self.config, self.pace, context);
            work.sent = folder.map(|folder| made().of_sent(folder));
        }
        if let Some(sent) = &mut work.sent {
            match session.open_mailbox(sent.mailbox()).await {
                Ok(()) => match sent.run(session).await? {
                    // Draining is found again by the look that follows.
                    Stop::Done | Stop::Draining => {}
                },
                Err(trouble) => {
                    tracing::warn!(account = %self.name, error = %trouble, "The folder of sent mail cannot be opened.");
                    if let Trouble::Mailbox(_) = trouble {
                        // Renamed or gone: the next look finds it anew.
                        work.sent = None;
                    }
                }
            }
            session.open_mailbox(&self.config.mailbox).await?;
        }
        Ok(())
    }
}

/// The work on a mailbox, over all its connections.
struct Work<'a> {
    inbox: CatchUp<'a>,
    /// On the folder of sent mail, where there is one.
    sent: Option<CatchUp<'a>>,
    /// When that was looked at.
    sent_at: Option<UnixMillis>,
}

impl Work<'_> {
    fn is_due(&self, now: UnixMillis, every: Duration) -> bool {
        // A little earlier, or every second IDLE would end in vain.
        let every = every.mul_f64(0.9);
        !every.is_zero() && self.sent_at.is_none_or(|at| now.since(at) >= every)
    }
}

/// What an admin has to know of this trouble.
fn state(trouble: &Trouble) -> AccountState {
    let failure = |reason| Failure::new(reason).with_detail(trouble.to_string());
    match trouble {
        Trouble::Login(_) | Trouble::Mailbox(_) | Trouble::Unfit(_) => {
            AccountState::LoggedOut(failure(Reason::OurAccount))
        }
        _ => AccountState::Down(failure(Reason::NetworkDown)),
    }
}

#[async_trait]
impl Account for ImapAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: Repeat::Once,
            reports: Reports::None,
            concurrency: 1,
            send_seconds_max: 1,
            files: None,
            holder: Holder::OneReader,
        }
    }

    /// It only receives; [`plan`](transom_adapter::Adapter::plan) never names it.
    async fn send(&self, _message: &Outgoing, _attempt: Attempt) -> Outcome {
        let detail = "this account only receives";
        Outcome::Misconfigured(Failure::new(Reason::OurAccount).with_detail(detail))
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        self.follow(context).await;
        Ok(())
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let place = format!(
            "{}:{}",
            self.config.endpoint.host, self.config.endpoint.port
        );
        match self.open().await {
            Ok(mut session) => {
                report.findings.push(session.describe(&place));
                match session.recent_headers().await {
                    Ok(heads) => {
                        recipient::survey(&heads, &self.config, &self.ids, &mut report);
                        session.log_out().await;
                    }
                    Err(trouble) => report.faults.push(format!("{place}: {trouble}")),
                }
            }
            Err(trouble) => report.faults.push(format!("{place}: {trouble}")),
        }
        report
    }
}

impl Pace {
    /// Doubled for each failure, and somewhere in its upper half, so that many clients do not come back at once.
    fn backoff(&self, failures: u32) -> Duration {
        let factor = 1 << failures.saturating_sub(1).min(10);
        let whole = self
            .reconnect
            .saturating_mul(factor)
            .min(self.reconnect_max);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests;
