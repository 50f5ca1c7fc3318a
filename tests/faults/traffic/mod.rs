//! Messages both ways by every network, and what became of each.

mod account;
mod books;
mod mails;
mod network;
mod others;
mod smsc;
mod texts;

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use tokio::time::Instant;
use transom_test_servers::{Element, PATIENCE, Transom, XmppClient};

pub(crate) use account::Account;
pub(crate) use others::Others;
pub(crate) use smsc::Smsc;
use {
    account::End,
    books::{Books, Rules},
    network::Moods,
    texts::Texts,
};

use crate::{
    random::Random,
    time::Time,
    world::{Twilio, chat, condition},
};

/// Always refused, by transom itself (semantics 31).
const EMERGENCY: &str = "911";

/// So long after the traffic a text without a word has fallen into a window: nobody says anything of it any more.
const UNHEARD: Duration = Duration::from_secs(30);

/// How much the clock goes ahead with each look at what waits, where it can be turned: a mail waits for minutes before its next attempt.
const STRIDE: Duration = Duration::from_mins(1);

/// So much later everybody has been told of what nobody knows (semantics 4), and a pass has gone by.
const DOUBT: Duration = Duration::from_mins(16);

/// One user, the networks, and the books.
pub(crate) struct Traffic {
    alice: XmppClient,
    random: Random,
    /// Texts first.
    books: Vec<Books>,
    /// How many of the stanzas that alice got are in the books.
    read: usize,
    in_vain: InVain,
    /// Whether the XMPP server may have lost receipts, because it was restarted.
    lost_by_server: bool,
    /// Where time can be turned.
    time: Option<Time>,
}

/// Texts to a number that gets none.
#[derive(Default)]
struct InVain {
    written: usize,
    /// Those that came back with that reason.
    refused: BTreeSet<usize>,
}

impl Traffic {
    /// Texts, by a provider that answers by its mood; it has `moods` in a thousand calls that it does not simply accept.
    pub(crate) fn new(
        twilio: Twilio,
        (domain, alice): (&str, XmppClient),
        seed: u64,
        moods: u64,
    ) -> Self {
        let texts = Texts::new(twilio, domain, Moods::new(seed ^ 0x5eed, moods));
        Self {
            alice,
            random: Random::new(seed),
            books: vec![Books::of(Box::new(texts), seed)],
            read: 0,
            in_vain: InVain::default(),
            lost_by_server: false,
            time: None,
        }
    }

    /// The other networks beside it.
    pub(crate) fn beside(mut self, others: Others, seed: u64) -> Self {
        for network in others.networks() {
            self.books.push(Books::of(network, seed));
        }
        self
    }

    /// The clock can be turned: what waits by it need not be waited for.
    pub(crate) fn by(mut self, time: &Time) -> Self {
        self.time = Some(time.clone());
        self
    }

    /// Alice's first message registers her: nobody is registered by what comes in (semantics 14).
    pub(crate) async fn begin(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for books in &mut self.books {
            books.write_next(&mut self.alice).await;
            while !books.has_begun().await {
                assert!(Instant::now() < deadline, "the first message never came");
                self.alice.barrier().await;
            }
        }
    }

    /// Some new messages both ways, and what is due of the old ones; `webhooks`: whoever can be called.
    pub(crate) async fn burst(&mut self, webhooks: &[SocketAddr]) {
        for books in &mut self.books {
            for _ in 0..=self.random.below(4) {
                if !books.is_behind() {
                    books.write_next(&mut self.alice).await;
                }
            }
            for _ in 0..self.random.below(5) {
                let webhook = webhooks[self.random.index(webhooks.len())];
                books.bring_next(webhook).await;
            }
            let webhook = webhooks[self.random.index(webhooks.len())];
            if self.random.below(3) == 0 {
                books.report(webhook, false).await;
            }
            // The same once more, a while later: networks do that.
            if self.random.below(8) == 0 {
                books.bring_again(webhook).await;
            }
            if self.random.below(16) == 0 {
                books.let_go().await;
            }
        }
    }

    /// Some new messages by alice, and one to her, while nothing can be stored: each call waits until transom has given up.
    pub(crate) async fn knock(&mut self, webhooks: &[SocketAddr]) {
        for books in &mut self.books {
            books.write_next(&mut self.alice).await;
        }
        let which = self.random.index(self.books.len());
        self.books[which].bring_next(webhooks[0]).await;
    }

    /// A text that transom has to refuse, with the reason that it gives.
    pub(crate) async fn write_in_vain(&mut self) {
        let to = format!("{EMERGENCY}@{}", self.books[0].domain());
        let stanza = chat(&to, &format!("x{}", self.in_vain.written), "help");
        self.in_vain.written += 1;
        self.alice.send(&stanza).await;
    }

    /// What hangs at a network ends there, without an answer.
    pub(crate) async fn let_go(&mut self) {
        for books in &mut self.books {
            books.let_go().await;
        }
    }

    /// Everything that was brought has its answer: an SMSC gives no ids, and what it brings again is known for two minutes by the clock.
    pub(crate) async fn answered(&mut self, webhooks: &[SocketAddr]) {
        let deadline = Instant::now() + PATIENCE;
        while !self.books.iter().all(Books::is_answered) && Instant::now() < deadline {
            for books in &mut self.books {
                books.bring_missing(webhooks[0]).await;
            }
            self.alice.barrier().await;
        }
    }

    /// From now on no network takes anything, or all take again.
    pub(crate) async fn network(&mut self, is_down: bool) {
        for books in &mut self.books {
            books.down(is_down).await;
        }
    }

    /// Messages that were written so far by each network: as many at least by alice, and as many to her.
    pub(crate) fn each_way(&self) -> usize {
        self.books.iter().map(Books::each_way).min().unwrap_or(0)
    }

    /// Whether a network has to catch up with alice.
    pub(crate) fn is_behind(&mut self) -> bool {
        self.books.iter_mut().any(Books::is_behind)
    }

    /// Alice goes offline, having read all that there is for her; then something happens, and she comes back.
    pub(crate) async fn away(mut self, happens: impl AsyncFnOnce() -> XmppClient) -> Self {
        self.alice.send("<presence type='unavailable'/>").await;
        self.heard().await;
        // What comes from now on waits at her server.
        self.alice.disconnect().await;
        self.alice = happens().await;
        // mod_offline keeps no message without a body.
        self.lost_by_server = true;
        self.read = 0;
        self
    }

    /// Waits until alice's server has worked on what she wrote, and reads what came.
    pub(crate) async fn heard(&mut self) {
        self.alice.barrier().await;
        let received = self.alice.received();
        for stanza in received.iter().skip(self.read) {
            if self.in_vain.take(stanza) {
                continue;
            }
            let from = stanza.attr("from").unwrap_or_default();
            let bare = from.split('/').next().unwrap_or_default();
            let domain = bare.rsplit('@').next().unwrap_or_default();
            let whose = self.books.iter_mut().find(|books| books.domain() == domain);
            if let Some(books) = whose {
                books.take(stanza);
            }
        }
        self.read = received.len();
    }

    /// How many of alice's texts stay without a word when nobody writes anything again: the windows of semantics 1. Over as soon as
    /// there is none.
    pub(crate) async fn unheard(&mut self, webhooks: &[SocketAddr]) -> usize {
        let deadline = Instant::now() + UNHEARD;
        loop {
            let webhook = webhooks[self.random.index(webhooks.len())];
            self.books[0].report(webhook, true).await;
            self.heard().await;
            let silent = self.books[0].without_a_word();
            let missing = self.in_vain.missing();
            let count = silent.len() + missing.len();
            if count == 0 || Instant::now() > deadline {
                if count > 0 {
                    eprintln!("without a word: {silent:?}; without a refusal: {missing:?}");
                }
                return count;
            }
        }
    }

    /// Clients and networks repeat what was not answered, until nothing changes any more and nothing waits for its turn either.
    pub(crate) async fn settle(&mut self, webhooks: &[SocketAddr], transom: &Transom) {
        let (mut quiet, mut changed) = (0, Instant::now());
        // Who has read the answer does not write again.
        self.heard().await;
        // Where receipts were lost their number says nothing: then it is long enough that nothing happens.
        let long = Duration::from_secs(if self.lost_by_server { 15 } else { 0 });
        while (quiet < 5 || changed.elapsed() < long) && changed.elapsed() < 3 * PATIENCE {
            let before: Vec<_> = self.books.iter().map(Books::state).collect();
            for books in &mut self.books {
                let webhook = webhooks[self.random.index(webhooks.len())];
                books.let_go().await;
                books.repeat(&mut self.alice, webhook).await;
                books.report(webhook, true).await;
            }
            self.heard().await;
            let lost = self.lost_by_server;
            let complete = self.books.iter().all(|books| books.is_complete(lost));
            let same = before.iter().eq(self
                .books
                .iter()
                .map(Books::state)
                .collect::<Vec<_>>()
                .iter());
            let is_answered = self.books.iter().all(Books::is_answered);
            if !same {
                changed = Instant::now();
            } else if let Some(time) = self.time.as_ref().filter(|_| is_answered) {
                time.forward(STRIDE);
            }
            quiet = if complete && same { quiet + 1 } else { 0 };
            if quiet == 5 && self.is_one_waiting(transom).await {
                quiet = 0;
            }
        }
        self.doubts().await;
    }

    /// Whether there is a message of which neither its receipt came nor is it settled that none will.
    async fn is_one_waiting(&self, transom: &Transom) -> bool {
        for books in &self.books {
            for number in books.without_an_end() {
                if let End::Open = End::of(&books.id(number), transom).await {
                    return true;
                }
            }
        }
        false
    }

    /// Where time can be turned alice is told now of what nobody can know.
    async fn doubts(&mut self) {
        let Some(time) = &self.time else { return };
        // The time of a doubt is in the database, by the clock as it was then.
        time.beyond(DOUBT);
        let deadline = Instant::now() + UNHEARD;
        loop {
            self.heard().await;
            let untold: usize = self.books.iter().map(Books::untold).sum();
            if untold == 0 || Instant::now() > deadline || self.lost_by_server {
                return;
            }
        }
    }

    fn rules(&self) -> Rules {
        Rules {
            doubts_are_due: self.time.is_some() && !self.lost_by_server,
            server_may_lose: self.lost_by_server,
        }
    }

    /// Counts every text; `transom` is asked for those of which alice has heard nothing.
    pub(crate) async fn account(&mut self, transom: &Transom) -> Account {
        self.heard().await;
        self.books[0].account(transom, self.rules()).await
    }

    /// The same for each network.
    pub(crate) async fn accounts(&mut self, transom: &Transom) -> Vec<Account> {
        self.heard().await;
        let mut accounts = Vec::new();
        for books in &self.books {
            accounts.push(books.account(transom, self.rules()).await);
        }
        accounts
    }
}

impl InVain {
    /// Whether it is about one of them.
    fn take(&mut self, stanza: &Element) -> bool {
        let number = || stanza.attr("id")?.strip_prefix('x')?.parse().ok();
        let is_refused = stanza.attr("type") == Some("error")
            && condition(stanza).as_deref() == Some("not-allowed");
        let number: Option<usize> = number().filter(|_| is_refused);
        self.refused.extend(number);
        number.is_some()
    }

    fn missing(&self) -> Vec<usize> {
        let all = 0..self.written;
        all.filter(|number| !self.refused.contains(number))
            .collect()
    }
}
