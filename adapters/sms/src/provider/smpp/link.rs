//! The account's connections: bound, carried, and bound again.

use std::{
    convert::Infallible,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use transom_adapter::{
    Account, AccountState, Context, Event, ExternalId, Failure, Key, MessageRef, Progress, Reason,
    Repeats, Report,
};
use transom_smpp::{
    Bind, Deliver, Ended, Endpoint, Handler, Limits, Mark, OpenError, Requests, Session, channel,
    status,
};

use super::{
    account::{OPEN, SmppAccount, fault},
    address,
    ids::KIND,
    outcome,
    receipt::{self, Receipt},
    repeats::{Content, LOOK, Numbers},
    text::{self, Read},
};
use crate::provider::received::Received;

/// Between two attempts to bind, doubling up to the most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_mins(1);
/// A bind that was refused: somebody has to act, and some SMSCs lock out who asks too often.
const REFUSED: Duration = Duration::from_secs(30);

/// Carries every connection until the process drains.
pub(super) async fn run(account: &SmppAccount, context: &Context, mut requests: Requests) {
    let Endpoint { host, port, .. } = &account.settled.endpoint;
    let smsc = format!("{host}:{port}");
    let whose = (account.name(), smsc.as_str());
    // Before the first receipt comes: some are about what an earlier process sent.
    let kept = loop {
        if let Ok(kept) = account.ids.recall(whose, context).await {
            break kept;
        }
        context.meter.count(account.name(), "smpp_busy");
        wait(context, AGAIN, &mut requests).await;
        if context.lifecycle.is_draining() {
            return;
        }
    };
    tokio::select! {
        () = links(account, context, requests) => {}
        never = account.ids.keep(whose, context, kept) => match never {},
    }
}

async fn links(account: &SmppAccount, context: &Context, requests: Requests) {
    let binds = account.settled.bind.binds();
    let up = AtomicUsize::new(0);
    let mut requests = Some(requests);
    let links = binds.iter().map(|bind| {
        // A receiver is asked for nothing; its client stays here for as long as it does.
        let (client, nothing) = channel();
        let own = if bind.sends() { requests.take() } else { None };
        let link = Link {
            account,
            context,
            bind: *bind,
            up: (&up, binds.len()),
        };
        async move {
            link.carry(&mut own.unwrap_or(nothing)).await;
            drop(client);
        }
    });
    futures_util::future::join_all(links).await;
}

/// Lets time go by, or the process drain; there is no session meanwhile.
async fn wait(context: &Context, pause: Duration, requests: &mut Requests) {
    let again = context.clock.sleep_until(context.clock.now().after(pause));
    requests
        .refuse_until(async {
            tokio::select! {
                () = again => {}
                () = context.lifecycle.draining() => {}
            }
        })
        .await;
}

struct Link<'a> {
    account: &'a SmppAccount,
    context: &'a Context,
    bind: Bind,
    /// Connections that are up, and how many there should be.
    up: (&'a AtomicUsize, usize),
}

impl Link<'_> {
    async fn carry(&self, requests: &mut Requests) {
        let lifecycle = &self.context.lifecycle;
        let settled = &self.account.settled;
        let mut failures = 0;
        while !lifecycle.is_draining() {
            let login = self.account.login(self.bind);
            // What is asked meanwhile waits: it takes seconds at most.
            let opened = tokio::select! {
                opened = Session::open(&settled.endpoint, &login, OPEN) => opened,
                () = lifecycle.draining() => return,
            };
            let pause = match opened {
                Ok(session) => {
                    failures = 0;
                    self.bound();
                    let taker = Taker::new(self.account, self.context);
                    let limits = Limits {
                        window: settled.window.into(),
                        response: settled.response,
                        enquire: settled.enquire,
                    };
                    let session = session.run(requests, &taker, limits, lifecycle.draining());
                    let ended = tokio::select! {
                        ended = session => ended,
                        never = taker.looks() => match never {},
                    };
                    self.up.0.fetch_sub(1, SeqCst);
                    if ended == Ended::Stopped {
                        return;
                    }
                    self.lost(ended);
                    AGAIN
                }
                Err(error) => {
                    self.refused(&error, failures);
                    failures += 1;
                    let doubled = AGAIN * 2_u32.pow(failures.min(6));
                    match error {
                        // The login's last holder, of which the SMSC has not noticed yet that it is gone.
                        OpenError::Refused(status::ALREADY_BOUND) => doubled.min(REFUSED),
                        _ if error.is_refusal() => REFUSED,
                        _ => doubled.min(AGAIN_MAX),
                    }
                }
            };
            let now = self.context.clock.now();
            // Accounts of many processes must not come back in step.
            let jitter = pause / 4 * u32::try_from(now.0.rem_euclid(100)).unwrap_or(0) / 100;
            wait(self.context, pause + jitter, requests).await;
        }
    }

    fn bound(&self) {
        let up = self.up.0.fetch_add(1, SeqCst) + 1;
        tracing::info!(account = %self.account.name(), bind = ?self.bind, "Bound to the SMSC.");
        if up == self.up.1 {
            self.report(AccountState::Up);
        }
    }

    fn lost(&self, ended: Ended) {
        self.context
            .meter
            .count(self.account.name(), "smpp_session_lost");
        tracing::warn!(account = %self.account.name(), bind = ?self.bind, error = %ended, "Lost the session with the SMSC.");
        let failure = Failure::new(Reason::NetworkDown).with_detail(ended.to_string());
        self.report(AccountState::Down(failure));
    }

    fn refused(&self, error: &OpenError, failures: u32) {
        self.context
            .meter
            .count(self.account.name(), "smpp_bind_failed");
        if failures == 0 || error.is_refusal() {
            tracing::error!(account = %self.account.name(), bind = ?self.bind, problem = fault(error), "Cannot bind to the SMSC; trying again.");
        }
        let failure = |reason| {
            let failure = Failure::new(reason).with_detail(fault(error));
            match error {
                OpenError::Refused(code) => failure.with_code(status::name(*code)),
                _ => failure,
            }
        };
        self.report(if error.is_refusal() {
            AccountState::LoggedOut(failure(Reason::OurAccount))
        } else {
            AccountState::Down(failure(Reason::NetworkDown))
        });
    }

    fn report(&self, state: AccountState) {
        self.context.report_state(self.account.name(), state);
    }
}

/// Takes in what one session brings.
struct Taker<'a> {
    account: &'a SmppAccount,
    context: &'a Context,
    /// The messages of this session.
    numbers: Mutex<Numbers>,
}

impl<'a> Taker<'a> {
    fn new(account: &'a SmppAccount, context: &'a Context) -> Self {
        let numbers = Mutex::new(Numbers::new(Instant::now()));
        Self {
            account,
            context,
            numbers,
        }
    }

    /// Looks whether this process has stood still.
    async fn looks(&self) -> Infallible {
        loop {
            tokio::time::sleep(LOOK).await;
            self.numbers().seen(Instant::now());
        }
    }

    async fn receipt(&self, receipt: Receipt) -> u32 {
        let ids = self.account.ids.of_receipt(&receipt.id);
        let late = ids.first().and_then(|id| self.account.late.of(id));
        let ids = ids
            .into_iter()
            .map(|id| MessageRef::External(ExternalId::new(KIND, id)));
        let report = Report {
            about: late.into_iter().chain(ids).collect(),
            progress: receipt.progress,
            failure: receipt.failure,
            at: None,
        };
        self.commit(Event::Report(report)).await
    }

    async fn message(&self, deliver: &Deliver, read: Read) -> u32 {
        let content = digest(deliver);
        let turn = self.numbers().begin(content, Instant::now());
        let (from, to) = (
            address::received(&deliver.source),
            address::received(&deliver.destination),
        );
        let received = Received {
            repeats: Repeats::ByDigest(numbered(&content, turn.number)),
            from: &from,
            to: &to,
            text: read.text,
            part: read.part,
            sent_at: None,
            media: Vec::new(),
            others: Vec::new(),
        };
        let event = received.event(self.account.settled.home);
        let status = self.commit(event).await;
        self.numbers().end(&content, turn, status == status::OK);
        status
    }

    /// The commit is the permission to say that we have it; what belongs to nobody is kept or counted by the core.
    async fn commit(&self, event: Event) -> u32 {
        let account = self.account.name();
        let committed = self.context.inbox.commit(account, vec![event], None).await;
        if committed.is_err() {
            self.count("smpp_busy");
            return status::TEMPORARY;
        }
        status::OK
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Taker<'_> {
    async fn deliver(&self, deliver: Deliver) -> u32 {
        if let Some(receipt) = receipt::receipt(&deliver) {
            return self.receipt(receipt).await;
        }
        let nothing = if receipt::is_receipt(&deliver) {
            "smpp_receipt_unreadable"
        } else if let Some(read) = text::read(&deliver, self.account.settled.alphabet) {
            return self.message(&deliver, read).await;
        } else {
            "smpp_data_dropped"
        };
        self.count(nothing);
        status::OK
    }

    /// It settles what was unknown. By then the message is not sent any more: whatever refused it, it failed.
    fn late(&self, mark: Mark, status: u32, message_id: String) -> impl Future<Output = ()> + Send {
        let (key, part) = (Key(mark.0), mark.1);
        let failure = outcome::failure(status);
        if failure.is_none() {
            let id = self.account.ids.answered(&message_id);
            // At once: the receipt may be the next PDU.
            if !id.is_empty() {
                self.account.late.learn(id, key, part);
            }
        }
        let report = Report {
            about: vec![MessageRef::Key(key, part)],
            progress: failure
                .as_ref()
                .map_or(Progress::Accepted, |_| Progress::Failed),
            failure,
            at: None,
        };
        async move {
            self.commit(Event::Report(report)).await;
        }
    }

    fn count(&self, what: &'static str) {
        self.context.meter.count(self.account.name(), what);
    }
}

/// The content and which message of it.
fn numbered(content: &Content, number: u32) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(content);
    hash.update(number.to_be_bytes());
    hash.finalize().into()
}

fn digest(deliver: &Deliver) -> Content {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    };
    add(deliver.source.address.as_bytes());
    add(deliver.destination.address.as_bytes());
    add(&[deliver.esm_class, deliver.data_coding]);
    add(&deliver.text);
    for tlv in &deliver.tlvs {
        add(&tlv.tag.to_be_bytes());
        add(&tlv.value);
    }
    hash.finalize().into()
}
