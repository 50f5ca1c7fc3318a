//! The traffic of one network, and its books.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use transom_test_servers::{Element, Transom, XmppClient};

use super::{
    account::{Account, End, trace},
    network::{CHATS, Network, Taken, Word, number_in},
};
use crate::{
    random::Random,
    world::{chat, condition},
};

/// How far down the list of what is to be reported a report may be drawn from.
const SHUFFLED: usize = 8;

/// Messages that alice is ahead of a network, and more than the tests need that fill a queue.
const BEHIND_MAX: usize = 500;

pub(super) struct Books {
    network: Box<dyn Network>,
    random: Random,
    /// Messages that alice wrote.
    out: usize,
    /// Those that she wrote again, because she heard nothing of them, and that the network had not got either.
    again: BTreeSet<usize>,
    /// Messages to her.
    incoming: usize,
    /// Those that transom said it has.
    stored: BTreeSet<usize>,
    /// The newest that the network took in each chat …
    newest: [usize; CHATS],
    /// … of so many that it took.
    counted: usize,
    /// How many that the network took were looked at for reports.
    noted: usize,
    /// Places of those that are not reported.
    unreported: Vec<usize>,
    seen: Seen,
}

/// What else may have become of alice's messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// She must have been told of each that nobody knows.
    pub(super) doubts_are_due: bool,
    /// Her server may have lost what she was told, because it was restarted.
    pub(super) server_may_lose: bool,
}

/// What alice has seen.
#[derive(Default)]
struct Seen {
    receipts: BTreeSet<usize>,
    /// Messages of which she was told that the network refused them.
    failed: BTreeSet<usize>,
    /// Messages of which she was told that nobody knows.
    doubted: BTreeSet<usize>,
    /// Messages that came back with an error.
    returned: BTreeSet<usize>,
    contradicted: BTreeSet<usize>,
    /// The ids that each came under.
    arrived: BTreeMap<usize, BTreeSet<String>>,
    /// Stanzas that came again under the same id.
    repeats: usize,
    /// Other error stanzas, by condition.
    errors: BTreeMap<String, usize>,
}

impl Books {
    pub(super) fn of(network: Box<dyn Network>, seed: u64) -> Self {
        Self {
            network,
            random: Random::new(seed ^ 0xb00c),
            out: 0,
            again: BTreeSet::new(),
            incoming: 0,
            stored: BTreeSet::new(),
            newest: [0; CHATS],
            counted: 0,
            noted: 0,
            unreported: Vec::new(),
            seen: Seen::default(),
        }
    }

    pub(super) fn domain(&self) -> &str {
        self.network.domain()
    }

    /// Of the stanza with which alice wrote a message.
    pub(super) fn id(&self, number: usize) -> String {
        format!("{}{number}", self.network.mark())
    }

    pub(super) async fn down(&mut self, is_down: bool) {
        self.network.down(is_down).await;
    }

    pub(super) fn each_way(&self) -> usize {
        self.out.min(self.incoming)
    }

    /// Whether the network has taken anything, or refused it.
    pub(super) async fn has_begun(&mut self) -> bool {
        self.network.look().await;
        let done = self.network.record().lock();
        !done.taken.is_empty() || !done.refused.is_empty()
    }

    /// Whether the network has to catch up with alice: a long run has to come to an end. What never came to transom nobody waits for.
    pub(super) fn is_behind(&mut self) -> bool {
        let done = self.network.record().lock();
        for Taken { number, .. } in done.taken.iter().skip(self.counted) {
            let newest = &mut self.newest[number % CHATS];
            *newest = (*newest).max(*number);
        }
        self.counted = done.taken.len();
        // One chat may wait for its next attempt while the others go on.
        let waiting = |newest: &usize| self.out.saturating_sub(*newest) / CHATS;
        self.newest.iter().map(waiting).sum::<usize>() > BEHIND_MAX
    }

    pub(super) async fn write_next(&mut self, alice: &mut XmppClient) {
        self.out += 1;
        self.write(alice, self.out - 1).await;
    }

    async fn write(&self, alice: &mut XmppClient, number: usize) {
        let peer = self.network.peer(number % CHATS);
        let to = format!("{peer}@{}", self.network.domain());
        let stanza = chat(&to, &self.id(number), &format!("out {number}"));
        alice.send(&stanza).await;
    }

    pub(super) async fn bring_next(&mut self, webhook: SocketAddr) {
        if !self.network.may_repeat() {
            self.bring_missing(webhook).await;
        }
        self.incoming += 1;
        self.bring(webhook, self.incoming - 1).await;
    }

    pub(super) async fn bring_again(&mut self, webhook: SocketAddr) {
        if self.incoming > 0 && self.network.may_repeat() {
            let again = self.random.index(self.incoming);
            self.bring(webhook, again).await;
        }
    }

    async fn bring(&mut self, webhook: SocketAddr, number: usize) {
        if self.network.bring(number, webhook).await {
            self.stored.insert(number);
        }
    }

    /// What transom has not said that it has.
    pub(super) async fn bring_missing(&mut self, webhook: SocketAddr) {
        for number in self.missing() {
            self.bring(webhook, number).await;
        }
    }

    fn missing(&self) -> Vec<usize> {
        let all = 0..self.incoming;
        all.filter(|number| !self.stored.contains(number)).collect()
    }

    pub(super) fn is_answered(&self) -> bool {
        self.stored.len() == self.incoming
    }

    pub(super) async fn let_go(&mut self) {
        self.network.let_go().await;
    }

    /// Reports what the network took, as far as transom listens, in a changed order; or only some of it.
    pub(super) async fn report(&mut self, webhook: SocketAddr, all: bool) {
        self.network.look().await;
        let count = self.network.record().lock().taken.len();
        self.unreported.extend(self.noted..count);
        self.noted = count;
        let left = if all { 0 } else { self.unreported.len() / 3 };
        while self.unreported.len() > left {
            let index = self.random.index(self.unreported.len().min(SHUFFLED));
            let place = self.unreported[index];
            for word in Word::by_chance(&mut self.random) {
                let is_stored = self.network.report(place, *word, webhook).await;
                if *word == Word::Delivered && !is_stored {
                    return;
                }
            }
            self.unreported.remove(index);
        }
    }

    /// Writes and brings once more whatever has no answer.
    pub(super) async fn repeat(&mut self, alice: &mut XmppClient, webhook: SocketAddr) {
        let stored = |number: &usize| self.stored.contains(number);
        let missing: Vec<usize> = (0..self.incoming)
            .filter(|number| !stored(number))
            .collect();
        for number in missing {
            self.bring(webhook, number).await;
        }
        let taken: BTreeSet<usize> = self.taken().keys().copied().collect();
        for number in self.without_an_end() {
            if !taken.contains(&number) {
                self.again.insert(number);
            }
            self.write(alice, number).await;
        }
    }

    /// Messages of which alice has heard neither that they are delivered nor that they are not.
    pub(super) fn without_an_end(&self) -> Vec<usize> {
        let Seen {
            receipts, failed, ..
        } = &self.seen;
        let is_open = |number: &usize| !receipts.contains(number) && !failed.contains(number);
        (0..self.out).filter(is_open).collect()
    }

    /// The same, but for as many as the server has said cannot reach anybody.
    pub(super) fn without_a_word(&self) -> Vec<usize> {
        let errors = self.seen.errors.values().sum();
        self.without_an_end().into_iter().skip(errors).collect()
    }

    /// Whether all has arrived that can, as far as it shows from outside.
    pub(super) fn is_complete(&self, words_may_be_lost: bool) -> bool {
        let taken = self.taken();
        let mut taken = taken.keys();
        let is_received = taken.all(|number| self.seen.receipts.contains(number));
        (is_received || words_may_be_lost || !self.network.finds_reports())
            && self.seen.arrived.len() == self.incoming
    }

    pub(super) fn state(&self) -> [usize; 4] {
        let taken = self.network.record().lock().taken.len();
        let Seen {
            receipts,
            failed,
            arrived,
            ..
        } = &self.seen;
        [receipts.len(), failed.len(), arrived.len(), taken]
    }

    /// Under which ids the network took each, as often as it did.
    fn taken(&self) -> BTreeMap<usize, Vec<String>> {
        let mut numbers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for Taken { number, id } in &self.network.record().lock().taken {
            numbers.entry(*number).or_default().push(id.clone());
        }
        numbers
    }

    /// How many have neither an end nor a word that there is none.
    pub(super) fn untold(&self) -> usize {
        let open = self.without_an_end().into_iter();
        open.filter(|number| !self.seen.doubted.contains(number))
            .count()
    }

    /// What alice was sent from this network's domain.
    pub(super) fn take(&mut self, stanza: &Element) {
        let number = |id: &str| id.strip_prefix(self.network.mark())?.parse::<usize>().ok();
        if let Some(received) = stanza.child_in("received", "urn:xmpp:receipts") {
            self.seen
                .receipts
                .extend(received.attr("id").and_then(number));
        }
        if stanza.attr("type") == Some("error") {
            let condition = condition(stanza).unwrap_or_default();
            // In place of a component that is away: transom has not seen what was written, and what it says of that counts still.
            let number = if is_by_server(stanza) {
                None
            } else {
                stanza.attr("id").and_then(number)
            };
            self.take_error(condition, number);
            return;
        }
        let (Some(body), Some(id)) = (stanza.body(), stanza.attr("id")) else {
            return;
        };
        if body.starts_with('⚠') {
            let quoted = body
                .split('"')
                .nth(1)
                .and_then(|text| number_in(text, "out"));
            let is_doubt = body.contains("may or may not have arrived");
            self.seen.doubted.extend(quoted.filter(|_| is_doubt));
        } else if let Some(number) = number_in(&body, "in") {
            let is_new = self
                .seen
                .arrived
                .entry(number)
                .or_default()
                .insert(id.to_owned());
            self.seen.repeats += usize::from(!is_new);
        }
    }

    fn take_error(&mut self, condition: String, number: Option<usize>) {
        let Some(number) = number else {
            *self.seen.errors.entry(condition).or_default() += 1;
            return;
        };
        self.seen.returned.insert(number);
        if self.seen.receipts.contains(&number) {
            self.seen.contradicted.insert(number);
        }
        let was_refused = self.network.record().lock().refused.contains(&number);
        if was_refused && condition == self.network.refusal() {
            self.seen.failed.insert(number);
        } else {
            *self.seen.errors.entry(condition).or_default() += 1;
        }
    }

    /// Messages that were overtaken in their chat. Those that alice wrote again, and those that wait for their next attempt
    /// where others need not wait behind them, came when they came.
    fn overtaken(&self) -> BTreeSet<usize> {
        let mut overtaken = BTreeSet::new();
        let mut last = [0; CHATS];
        let done = self.network.record().lock();
        for Taken { number, .. } in &done.taken {
            if self.again.contains(number) || done.put_off.contains(number) {
                continue;
            }
            let last = &mut last[number % CHATS];
            if number < last {
                overtaken.insert(*number);
            }
            *last = (*number).max(*last);
        }
        overtaken
    }

    /// Counts every message.
    pub(super) async fn account(&self, transom: &Transom, rules: Rules) -> Account {
        let mut account = Account {
            network: self.network.name(),
            out: self.out,
            delivered: self.seen.receipts.len(),
            refused: self.seen.failed.len(),
            incoming: self.incoming,
            arrived: self.seen.arrived.len(),
            overtaken: self.overtaken(),
            contradicted: self.seen.contradicted.clone(),
            repeats: self.seen.repeats,
            errors: self.seen.errors.clone(),
            ..Account::default()
        };
        for (number, ids) in self.taken() {
            let different: BTreeSet<&String> = ids.iter().collect();
            if different.len() > 1 {
                account.doubled.insert(format!("out {number}"));
            }
            account.recognised += ids.len() - different.len();
            account.most = account.most.max(ids.len());
        }
        for number in 0..self.incoming {
            let body = format!("in {number}");
            match self.seen.arrived.get(&number).map_or(0, BTreeSet::len) {
                0 => {
                    let id = self.network.incoming_id(number);
                    account.lost.insert(body, trace(&id, transom).await);
                }
                1 => {}
                _ => drop(account.doubled.insert(body)),
            }
        }
        for number in self.without_an_end() {
            let Seen {
                doubted, returned, ..
            } = &self.seen;
            let heard = match End::of(&self.id(number), transom).await {
                End::Unknown => {
                    account.unknown += 1;
                    doubted.contains(&number) || !rules.doubts_are_due
                }
                End::Failed if returned.contains(&number) => {
                    account.refused += 1;
                    true
                }
                End::Delivered | End::Failed => {
                    account.lost_words += 1;
                    rules.server_may_lose
                }
                End::Open => false,
            };
            if !heard {
                let trace = trace(&self.id(number), transom).await;
                account.lost.insert(format!("out {number}"), trace);
            }
        }
        account
    }
}

/// Whether an error is the user's server's own. Prosody says by whom it is, which transom never does; ejabberd's sentence is always the same.
fn is_by_server(stanza: &Element) -> bool {
    stanza.child("error").is_some_and(|error| {
        let text = error.child("text").map(Element::text);
        error.attr("by").is_some() || text.as_deref() == Some("Access denied by service policy")
    })
}
