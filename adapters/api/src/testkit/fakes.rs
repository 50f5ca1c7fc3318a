//! The core's side, faked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    AccountName, AccountState, Address, Attempt, Busy, Class, Clock, Context, Cursor, Directory,
    Event, HttpClient, HttpLimits, Inbox, Incoming, Key, Lifecycle, MailFacts, Meter, Outgoing,
    Recipient, Repeats, Signer, States, UnixMillis, Verdict,
};

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct ManualClock(watch::Sender<UnixMillis>);

impl ManualClock {
    /// Starts at this time.
    pub fn at(now: UnixMillis) -> Self {
        Self(watch::channel(now).0)
    }

    /// Turns it forward; everything that slept until then wakes.
    pub fn advance(&self, by: std::time::Duration) {
        self.0.send_modify(|now| *now = now.after(by));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        *self.0.borrow()
    }

    async fn sleep_until(&self, deadline: UnixMillis) {
        let mut time = self.0.subscribe();
        drop(time.wait_for(|now| *now >= deadline).await);
    }
}

/// An inbox that remembers what was committed and can be told to be busy.
#[derive(Debug, Default)]
pub struct RecordingInbox {
    state: Mutex<Recorded>,
    changed: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Recorded {
    events: Vec<Event>,
    commits: usize,
    cursors: HashMap<(AccountName, String), String>,
    busy: bool,
    refuse: Vec<Address>,
}

impl RecordingInbox {
    /// What was committed so far.
    pub fn events(&self) -> Vec<Event> {
        self.state.lock().unwrap().events.clone()
    }

    /// How many commits succeeded so far.
    pub fn commits(&self) -> usize {
        self.state.lock().unwrap().commits
    }

    /// From now on every commit fails, or works again.
    pub fn set_busy(&self, busy: bool) {
        self.state.lock().unwrap().busy = busy;
    }

    /// Messages to this address get [`Verdict::NoSuchRecipient`].
    pub fn refuse(&self, address: Address) {
        self.state.lock().unwrap().refuse.push(address);
    }

    /// Waits until that many events are committed.
    pub async fn wait_for(&self, count: usize) -> Vec<Event> {
        loop {
            let changed = self.changed.notified();
            // Counted before they are copied: a test may wait for ten thousand.
            if self.state.lock().unwrap().events.len() >= count {
                return self.events();
            }
            changed.await;
        }
    }
}

#[async_trait]
impl Inbox for RecordingInbox {
    async fn commit(
        &self,
        account: &AccountName,
        events: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Verdict>, Busy> {
        let mut state = self.state.lock().unwrap();
        if state.busy {
            return Err(Busy);
        }
        state.commits += 1;
        let mut verdicts = Vec::new();
        for event in events {
            let unknown =
                matches!(&event, Event::Message(message) if state.refuse.contains(&message.to));
            verdicts.push(match () {
                () if unknown => Verdict::NoSuchRecipient,
                () if state.events.contains(&event) => Verdict::Duplicate,
                () => {
                    state.events.push(event);
                    Verdict::Stored
                }
            });
        }
        if let Some(Cursor { name, value }) = cursor {
            state.cursors.insert((account.clone(), name), value);
        }
        drop(state);
        self.changed.notify_waiters();
        Ok(verdicts)
    }

    async fn cursor(&self, account: &AccountName, name: &str) -> Result<Option<String>, Busy> {
        let state = self.state.lock().unwrap();
        Ok(state
            .cursors
            .get(&(account.clone(), name.to_owned()))
            .cloned())
    }
}

/// A directory that knows these addresses and no others.
#[derive(Debug, Default)]
pub struct FixedDirectory(pub Vec<Address>);

#[async_trait]
impl Directory for FixedDirectory {
    async fn recipient(
        &self,
        _account: &AccountName,
        address: &Address,
    ) -> Result<Recipient, Busy> {
        Ok(if self.0.contains(address) {
            Recipient::Known
        } else {
            Recipient::Unknown
        })
    }
}

/// Counters that a test can read.
#[derive(Debug, Default)]
pub struct CountingMeter(Mutex<HashMap<&'static str, u64>>);

impl CountingMeter {
    /// How often `what` was counted.
    pub fn of(&self, what: &'static str) -> u64 {
        self.0.lock().unwrap().get(what).copied().unwrap_or(0)
    }
}

impl Meter for CountingMeter {
    fn count(&self, _account: &AccountName, what: &'static str) {
        *self.0.lock().unwrap().entry(what).or_default() += 1;
    }
}

/// What accounts said of themselves, in order.
#[derive(Debug, Default)]
pub struct RecordingStates {
    said: Mutex<Vec<(AccountName, AccountState)>>,
    changed: tokio::sync::Notify,
}

impl RecordingStates {
    /// What was said so far.
    pub fn said(&self) -> Vec<AccountState> {
        let said = self.said.lock().unwrap();
        said.iter().map(|(_, state)| state.clone()).collect()
    }

    /// Waits until something like this is the last word.
    pub async fn wait_for(&self, like: impl Fn(&AccountState) -> bool) -> AccountState {
        loop {
            let changed = self.changed.notified();
            if let Some(state) = self.said().pop().filter(|state| like(state)) {
                return state;
            }
            changed.await;
        }
    }
}

impl States for RecordingStates {
    fn report(&self, account: &AccountName, state: AccountState) {
        self.said.lock().unwrap().push((account.clone(), state));
        self.changed.notify_waiters();
    }
}

/// The first attempt at a message in one piece.
pub const FIRST: Attempt = Attempt {
    number: 1,
    unit: 0,
    started_at: UnixMillis(1_790_000_000_000),
};

/// A signer with a fixed secret.
pub fn signer() -> Signer {
    Signer::new(vec![7; 32].into())
}

/// A context on these fakes.
pub fn context(
    inbox: Arc<RecordingInbox>,
    directory: FixedDirectory,
    meter: Arc<CountingMeter>,
) -> Context {
    Context {
        clock: Arc::new(crate::SystemClock),
        lifecycle: Lifecycle::new(),
        inbox,
        directory: Arc::new(directory),
        http: HttpClient::new(HttpLimits::default()).unwrap(),
        signer: signer(),
        meter,
        states: Arc::new(RecordingStates::default()),
    }
}

/// A plain message that came in, which nothing tells from the next.
pub fn incoming(from: &str, to: &str, text: &str) -> Incoming {
    Incoming {
        repeats: Repeats::ByDigest([0; 32]),
        to: Address::new(to),
        from: Address::new(from),
        from_name: None,
        others: Vec::new(),
        text: text.to_owned(),
        subject: None,
        answers: Vec::new(),
        message_id: None,
        part: None,
        class: Class::Human,
        sent_at: None,
        attachments: Vec::new(),
        media: Vec::new(),
        mail: MailFacts::default(),
    }
}

/// A plain message to send.
pub fn outgoing(from: &str, to: &str, text: &str) -> Outgoing {
    Outgoing {
        key: Key(1_234_567),
        from: Address::new(from),
        from_name: None,
        to: Address::new(to),
        text: text.to_owned(),
        thread: None,
        created_at: UnixMillis(1_790_000_000_000),
        routes: Vec::new(),
        files: Vec::new(),
        group: None,
        mail: crate::MailWish::default(),
    }
}
