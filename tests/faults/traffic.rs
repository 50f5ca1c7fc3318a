//! Texts both ways, and what became of each.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use transom_test_servers::{Answer, PATIENCE, Request, Transom, XmppClient};

use crate::{
    random::Random,
    world::{LINE, Twilio, chat},
};

const PEERS: [&str; 8] = [
    "+12025550140",
    "+12025550141",
    "+12025550142",
    "+12025550143",
    "+12025550144",
    "+12025550145",
    "+12025550146",
    "+12025550147",
];

/// Always refused, by transom itself (semantics 31).
const EMERGENCY: &str = "911";

/// So long after the traffic a text without a word has fallen into a window: nobody says anything of it any more.
const UNHEARD: Duration = Duration::from_secs(30);

/// What the network has taken: the body and the id that it gave, in the order of their coming.
type Taken = Arc<Mutex<Vec<(Request, String)>>>;

/// A network with moods, both ends of the traffic, and the books.
pub(crate) struct Traffic {
    pub(crate) twilio: Twilio,
    taken: Taken,
    is_down: Arc<AtomicBool>,
    alice: XmppClient,
    /// The component's.
    domain: String,
    random: Random,
    /// Texts that alice wrote.
    out: usize,
    /// Those that she wrote again, because she heard nothing of them, and that the network had not got either.
    again: BTreeSet<usize>,
    /// Texts that alice wrote to a number that gets none.
    refused: usize,
    /// Texts that phones wrote.
    incoming: usize,
    /// Those that transom said it has.
    stored: BTreeSet<usize>,
    /// How many that the network took were reported as delivered.
    reported: usize,
    /// Receipts that the XMPP server may lose, because it is restarted.
    lost_by_server: usize,
    seen: Seen,
}

/// What alice has seen.
#[derive(Default)]
struct Seen {
    read: usize,
    receipts: BTreeSet<usize>,
    /// By body: the ids that it came under.
    arrived: BTreeMap<String, BTreeSet<String>>,
    /// Stanzas that came again under the same id.
    repeats: usize,
    /// Error stanzas, by condition.
    errors: BTreeMap<String, usize>,
    /// Texts to a number that gets none, and that came back with that reason.
    refused: BTreeSet<usize>,
}

/// The counts at the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) out: usize,
    pub(crate) delivered: usize,
    pub(crate) unknown: usize,
    /// Receipts that the XMPP server had and lost.
    pub(crate) lost_receipts: usize,
    pub(crate) incoming: usize,
    pub(crate) arrived: usize,
    /// Texts that the network took more often than once, or that arrived as several messages.
    doubled: BTreeSet<String>,
    /// Texts that did not arrive, or of which nobody will ever say anything; what transom says of each.
    lost: BTreeMap<String, String>,
    /// Texts that the network got behind one of the same chat that was written later (semantics 5).
    overtaken: BTreeSet<usize>,
    pub(crate) repeats: usize,
    pub(crate) errors: BTreeMap<String, usize>,
}

impl Traffic {
    /// The network answers by its mood; it has `moods` in a thousand calls that it does not simply accept.
    pub(crate) fn new(
        twilio: Twilio,
        (domain, alice): (&str, XmppClient),
        seed: u64,
        moods: u64,
    ) -> Self {
        let taken = Taken::default();
        let mood = Mutex::new(Random::new(seed ^ 0x5eed));
        let book = Arc::clone(&taken);
        let is_down = Arc::new(AtomicBool::new(false));
        let down = Arc::clone(&is_down);
        twilio.api.answer_by(move |request| {
            if down.load(Ordering::Relaxed) {
                return Answer::status(503);
            }
            answer(request, &book, &mood, moods)
        });
        Self {
            twilio,
            taken,
            is_down,
            alice,
            domain: domain.to_owned(),
            random: Random::new(seed),
            out: 0,
            again: BTreeSet::new(),
            refused: 0,
            incoming: 0,
            stored: BTreeSet::new(),
            reported: 0,
            lost_by_server: 0,
            seen: Seen::default(),
        }
    }

    /// Alice's first text registers her: nobody is registered by what comes in (semantics 14).
    pub(crate) async fn begin(&mut self) {
        self.write(0).await;
        self.out = 1;
        let deadline = Instant::now() + PATIENCE;
        while self.taken.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "the first text never came");
            self.alice.barrier().await;
        }
    }

    /// Some new texts both ways, and what is due of the old ones; `webhooks`: whoever can be called.
    pub(crate) async fn burst(&mut self, webhooks: &[SocketAddr]) {
        for _ in 0..=self.random.below(4) {
            self.out += 1;
            self.write(self.out - 1).await;
        }
        for _ in 0..self.random.below(5) {
            let webhook = self.any(webhooks);
            self.incoming += 1;
            self.call(webhook, self.incoming - 1).await;
        }
        if self.random.below(3) == 0 {
            let webhook = self.any(webhooks);
            self.report(webhook).await;
        }
        // A phone's text twice, a while later: providers do that.
        if self.random.below(8) == 0 && self.incoming > 0 {
            let again = self.random.index(self.incoming);
            let webhook = self.any(webhooks);
            self.call(webhook, again).await;
        }
    }

    /// A text that transom has to refuse, with the reason that it gives.
    pub(crate) async fn write_in_vain(&mut self) {
        let to = format!("{EMERGENCY}@{}", self.domain);
        let stanza = chat(&to, &format!("x{}", self.refused), "help");
        self.refused += 1;
        self.alice.send(&stanza).await;
    }

    /// From now on the network takes nothing, or takes again.
    pub(crate) fn network(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// Texts that were written so far: as many at least by alice, and as many by phones.
    pub(crate) fn each_way(&self) -> usize {
        self.out.min(self.incoming)
    }

    /// Alice goes offline, having read all that there is for her; then something happens, and she comes back.
    pub(crate) async fn away(mut self, happens: impl AsyncFnOnce() -> XmppClient) -> Self {
        self.alice.send("<presence type='unavailable'/>").await;
        self.alice.barrier().await;
        self.read();
        // What comes from now on waits at her server.
        self.alice.disconnect().await;
        self.alice = happens().await;
        // mod_offline keeps no message without a body.
        self.lost_by_server = usize::MAX / 2;
        self.seen.read = 0;
        self
    }

    fn any(&mut self, webhooks: &[SocketAddr]) -> SocketAddr {
        webhooks[self.random.index(webhooks.len())]
    }

    async fn write(&mut self, number: usize) {
        let to = format!("{}@{}", PEERS[number % PEERS.len()], self.domain);
        let stanza = chat(&to, &format!("m{number}"), &format!("out {number}"));
        self.alice.send(&stanza).await;
    }

    async fn call(&mut self, webhook: SocketAddr, number: usize) {
        self.twilio.webhook = webhook;
        let (sid, body) = (format!("SMin{number}"), format!("in {number}"));
        let peer = PEERS[number % PEERS.len()];
        if self.twilio.deliver(&sid, peer, LINE, &body).await == Ok(200) {
            self.stored.insert(number);
        }
    }

    /// Reports the next that the network took as delivered, as far as transom listens; now and then one twice.
    async fn report(&mut self, webhook: SocketAddr) {
        self.twilio.webhook = webhook;
        loop {
            let next = self.taken.lock().unwrap().get(self.reported).cloned();
            let Some((request, sid)) = next else { return };
            for _ in 0..=self.random.below(2) {
                if self.twilio.report(&request, &sid, "delivered", "").await != Ok(200) {
                    return;
                }
            }
            self.reported += 1;
        }
    }

    /// Waits until alice's server has worked on what she wrote, and reads what came.
    pub(crate) async fn heard(&mut self) {
        self.alice.barrier().await;
        self.read();
    }

    /// How many of alice's texts stay without a word when nobody writes anything again: the windows of semantics 1. Over as soon as
    /// there is none.
    pub(crate) async fn unheard(&mut self, webhooks: &[SocketAddr]) -> usize {
        let deadline = Instant::now() + UNHEARD;
        loop {
            let webhook = self.any(webhooks);
            self.report(webhook).await;
            self.alice.barrier().await;
            self.read();
            let errors = self.seen.errors.values().sum::<usize>();
            let heard = self.seen.receipts.len() + errors + self.seen.refused.len();
            let written = self.out + self.refused;
            if heard >= written || Instant::now() > deadline {
                if heard < written {
                    let silent = |number: &usize| !self.seen.receipts.contains(number);
                    let out: Vec<usize> = (0..self.out).filter(silent).collect();
                    let silent = |number: &usize| !self.seen.refused.contains(number);
                    let refused: Vec<usize> = (0..self.refused).filter(silent).collect();
                    eprintln!("without a receipt: {out:?}; without a refusal: {refused:?}");
                }
                return written.saturating_sub(heard);
            }
        }
    }

    /// Clients and providers repeat what was not answered, until nothing changes any more and nothing waits for its turn either.
    pub(crate) async fn settle(&mut self, webhooks: &[SocketAddr], transom: &Transom) {
        let (mut quiet, mut changed) = (0, Instant::now());
        // Where receipts were lost their number says nothing: then it is long enough that nothing happens.
        let long = Duration::from_secs(if self.lost_by_server > 0 { 15 } else { 0 });
        while (quiet < 5 || changed.elapsed() < long) && changed.elapsed() < 3 * PATIENCE {
            let before = self.state();
            let missing: Vec<usize> = (0..self.incoming)
                .filter(|number| !self.stored.contains(number))
                .collect();
            for number in missing {
                let webhook = self.any(webhooks);
                self.call(webhook, number).await;
            }
            let silent: Vec<usize> = (0..self.out)
                .filter(|number| !self.seen.receipts.contains(number))
                .collect();
            let taken = self.bodies();
            for number in silent {
                if !taken.contains_key(&format!("out {number}")) {
                    self.again.insert(number);
                }
                self.write(number).await;
            }
            let webhook = self.any(webhooks);
            self.report(webhook).await;
            self.alice.barrier().await;
            self.read();
            let complete = self.seen.receipts.len() + self.lost_by_server >= self.bodies().len()
                && self.seen.arrived.len() == self.incoming;
            let same = self.state() == before;
            if !same {
                changed = Instant::now();
            }
            quiet = if complete && same { quiet + 1 } else { 0 };
            if quiet == 5 && self.is_one_waiting(transom).await {
                quiet = 0;
            }
        }
    }

    /// Whether there is a text of which neither its receipt came nor is it settled that none will.
    async fn is_one_waiting(&self, transom: &Transom) -> bool {
        for number in (0..self.out).filter(|number| !self.seen.receipts.contains(number)) {
            if matches!(End::of(number, transom).await, End::Open(_)) {
                return true;
            }
        }
        false
    }

    fn state(&self) -> (usize, usize, usize) {
        let taken = self.taken.lock().unwrap().len();
        (self.seen.receipts.len(), self.seen.arrived.len(), taken)
    }

    /// How often the network took each body.
    fn bodies(&self) -> BTreeMap<String, usize> {
        let mut bodies = BTreeMap::new();
        for (request, _) in self.taken.lock().unwrap().iter() {
            *bodies.entry(request.form("Body").unwrap()).or_default() += 1;
        }
        bodies
    }

    fn read(&mut self) {
        let received = self.alice.received();
        for stanza in received.iter().skip(self.seen.read) {
            self.seen.take(stanza);
        }
        self.seen.read = received.len();
    }

    /// Texts that were overtaken in their chat. Those that alice wrote again came when they came.
    fn overtaken(&self) -> BTreeSet<usize> {
        let mut overtaken = BTreeSet::new();
        let mut last = [0; PEERS.len()];
        for (request, _) in self.taken.lock().unwrap().iter() {
            let body = request.form("Body").unwrap();
            let number: usize = body.trim_start_matches("out ").parse().unwrap();
            if self.again.contains(&number) {
                continue;
            }
            let last = &mut last[number % PEERS.len()];
            if number < *last {
                overtaken.insert(number);
            }
            *last = number.max(*last);
        }
        overtaken
    }

    /// Counts every text; `transom` is asked for those of which alice has heard nothing.
    pub(crate) async fn account(&mut self, transom: &Transom) -> Account {
        self.read();
        let mut account = Account {
            out: self.out,
            delivered: self.seen.receipts.len(),
            incoming: self.incoming,
            arrived: self.seen.arrived.len(),
            overtaken: self.overtaken(),
            repeats: self.seen.repeats,
            errors: self.seen.errors.clone(),
            ..Account::default()
        };
        let sent_twice = self.bodies().into_iter().filter(|(_, count)| *count > 1);
        account.doubled.extend(sent_twice.map(|(body, _)| body));
        for number in 0..self.incoming {
            let body = format!("in {number}");
            match self.seen.arrived.get(&body).map_or(0, BTreeSet::len) {
                0 => {
                    let id = format!("SMin{number}");
                    account.lost.insert(body, trace(&id, transom).await);
                }
                1 => {}
                _ => drop(account.doubled.insert(body)),
            }
        }
        for number in (0..self.out).filter(|number| !self.seen.receipts.contains(number)) {
            match End::of(number, transom).await {
                End::Unknown => account.unknown += 1,
                End::ReceiptLost => account.lost_receipts += 1,
                End::Open(trace) => drop(account.lost.insert(format!("out {number}"), trace)),
            }
        }
        account
    }
}

async fn trace(id: &str, transom: &Transom) -> String {
    let trace = transom.command(&["trace", id, "--json"]).await;
    String::from_utf8_lossy(&trace.stdout).into_owned()
}

/// What became of a text without a receipt.
enum End {
    /// Nobody can know: never sent again, and told as a doubt after a quarter of an hour (semantics 4).
    Unknown,
    /// Her server had the receipt, and lost it in its own restart.
    ReceiptLost,
    /// Something is still to come; what transom says of it.
    Open(String),
}

impl End {
    async fn of(number: usize, transom: &Transom) -> Self {
        let trace = trace(&format!("m{number}"), transom).await;
        if trace.contains(r#""told": "receipt""#) {
            Self::ReceiptLost
        } else if trace.contains(r#""state": "unknown""#) {
            Self::Unknown
        } else {
            Self::Open(trace)
        }
    }
}

impl Account {
    /// Prints the counts as a row of the table in docs/FAULTS.md. Nothing may be lost or doubled.
    ///
    /// # Panics
    ///
    /// With what transom says of each that is, and with its log.
    pub(crate) fn settled(&self, what: &str, faults: &str, transom: &Transom) {
        eprintln!("{}", self.row(what, faults));
        assert!(
            self.lost.is_empty() && self.doubled.is_empty(),
            "lost {:#?}, doubled {:#?}\n{}",
            self.lost,
            self.doubled,
            transom.log()
        );
    }

    /// Where one process has the gateway all the time, texts of a chat leave in the order in which they were written (semantics 5).
    pub(crate) fn in_order(&self, transom: &Transom) {
        assert!(
            self.overtaken.is_empty(),
            "overtaken: {:?}\n{}",
            self.overtaken,
            transom.log()
        );
    }

    fn row(&self, what: &str, faults: &str) -> String {
        format!(
            "| {what} | {faults} | {} | {} | {} | {} | {} | {} | {} | {} | {:?} |",
            self.out,
            self.delivered,
            self.unknown,
            self.incoming,
            self.arrived,
            self.lost.len(),
            self.doubled.len(),
            self.repeats,
            self.errors
        )
    }
}

impl Seen {
    fn take(&mut self, stanza: &transom_test_servers::Element) {
        if let Some(received) = stanza.child_in("received", "urn:xmpp:receipts") {
            let number = received
                .attr("id")
                .and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
            self.receipts.extend(number);
        }
        if stanza.attr("type") == Some("error") {
            let condition = crate::world::condition(stanza).unwrap_or_default();
            let number = stanza
                .attr("id")
                .and_then(|id| id.strip_prefix('x')?.parse().ok());
            if let Some(number) = number.filter(|_| condition == "not-allowed") {
                self.refused.insert(number);
                return;
            }
            *self.errors.entry(condition).or_default() += 1;
            return;
        }
        let (Some(body), Some(id)) = (stanza.body(), stanza.attr("id")) else {
            return;
        };
        if !body.starts_with("in ") {
            return;
        }
        let ids = self.arrived.entry(body).or_default();
        if ids.contains(id) {
            self.repeats += 1;
            return;
        }
        ids.insert(id.to_owned());
    }
}

fn answer(request: &Request, taken: &Taken, mood: &Mutex<Random>, moods: u64) -> Answer {
    if request.method != "POST" {
        return Answer::status(404);
    }
    let throw = mood.lock().unwrap().below(1_000);
    let refusal = match throw * 4 / moods.max(1) {
        _ if throw >= moods => None,
        0 => Some(Answer::json(429, r#"{"code":20429}"#).header("Retry-After", "1")),
        1 => Some(Answer::status(503).header("Retry-After", "1")),
        // The connection is gone before a byte of an answer; the text was taken, or was not.
        2 => Some(Answer::Close),
        _ => {
            take(request, taken);
            Some(Answer::Close)
        }
    };
    refusal.unwrap_or_else(|| {
        let sid = take(request, taken);
        let body = format!(r#"{{"sid":"{sid}","status":"queued","num_segments":"1"}}"#);
        Answer::json(201, &body)
    })
}

fn take(request: &Request, taken: &Taken) -> String {
    let mut taken = taken.lock().unwrap();
    let sid = format!("SM{:032x}", taken.len() + 1);
    taken.push((request.clone(), sid.clone()));
    sid
}
