//! The account against a mailbox of our own that can be cut, garbled and renumbered.

mod limits;
mod server;

use tokio::{io::AsyncWriteExt, net::TcpListener};
use transom_adapter::{
    Event, Inbox, Incoming, Lifecycle, Notice,
    testkit::{self, CountingMeter, FixedDirectory, RecordingInbox},
};

use self::server::{Host, Server};
use super::*;
use crate::{
    config::Login,
    net::{Endpoint, Reach, Security},
};

const FAST: Pace = Pace {
    command: Duration::from_secs(2),
    body: Duration::from_secs(2),
    silence: Duration::from_millis(300),
    idle: Duration::from_secs(5),
    poll: Duration::from_millis(20),
    reconnect: Duration::from_millis(5),
    reconnect_max: Duration::from_millis(10),
    busy: Duration::from_millis(5),
};

struct Watched {
    host: Host,
    inbox: Arc<RecordingInbox>,
    meter: Arc<CountingMeter>,
    context: Context,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.host.lifecycle.abort();
        self.context.lifecycle.abort();
    }
}

fn account(host: &Host, pace: Pace) -> ImapAccount {
    let config = ImapConfig {
        endpoint: Endpoint {
            host: "127.0.0.1".to_owned(),
            port: host.port,
            security: Security::None,
            reach: Reach::Anywhere,
        },
        login: Login {
            username: "bridge".to_owned(),
            password: "s3cret".to_owned().into(),
            tokens: None,
        },
        mailbox: "INBOX".to_owned(),
        whose: Whose::Recipients {
            header: "Delivered-To".to_owned(),
            fallback: false,
        },
        since_days: host.since_days,
        sent_every: Duration::ZERO,
        silence: crate::config::SILENCE,
    };
    let ids = OwnIds::new(testkit::signer(), "mail.example.org".to_owned());
    let mut account = ImapAccount::new(AccountName::new("mail", "imap"), ids, config, None);
    account.pace = pace;
    account
}

impl Watched {
    async fn start() -> Self {
        Self::on(Host::start().await)
    }

    fn on(host: Host) -> Self {
        let (inbox, meter) = (
            Arc::<RecordingInbox>::default(),
            Arc::<CountingMeter>::default(),
        );
        let context = testkit::context(
            Arc::clone(&inbox),
            FixedDirectory::default(),
            Arc::clone(&meter),
        );
        let this = Self {
            host,
            inbox,
            meter,
            context,
        };
        this.run();
        this
    }

    fn run(&self) {
        let (account, context) = (account(&self.host, FAST), self.context.clone());
        let inner = self.context.clone();
        context
            .lifecycle
            .spawn("imap", async move { account.run(&inner).await.unwrap() });
    }

    /// Ends the watch; [`run`](Self::run) begins another on the same store.
    async fn stopped(mut self) -> Self {
        self.context.lifecycle.drain();
        assert!(self.context.lifecycle.finish(Duration::from_secs(5)).await);
        self.context.lifecycle = Lifecycle::new();
        self
    }

    /// Waits for the first run to have set its position.
    async fn settled(self) -> Self {
        while self.cursor().await.is_none() {
            tokio::task::yield_now().await;
        }
        self
    }

    async fn cursor(&self) -> Option<String> {
        self.inbox
            .cursor(&AccountName::new("mail", "imap"), "INBOX")
            .await
            .unwrap()
    }

    async fn messages(&self, count: usize) -> Vec<Incoming> {
        let waited = tokio::time::timeout(Duration::from_secs(20), self.inbox.wait_for(count));
        let events = waited.await.expect("the mails arrive");
        let message = |event| match event {
            Event::Message(message) => *message,
            other => panic!("{other:?}"),
        };
        events.into_iter().map(message).collect()
    }

    async fn texts(&self, count: usize) -> Vec<String> {
        self.messages(count)
            .await
            .into_iter()
            .map(|message| message.text)
            .collect()
    }
}

const ALICE: &str = "alice@mail.example.org";

#[tokio::test]
async fn the_first_run_starts_now_and_news_come_by_idle() {
    let host = Host::start().await;
    host.deliver(ALICE, "old");
    let watched = Watched::on(host).settled().await;
    assert!(watched.cursor().await.unwrap().starts_with("7:1:"));
    watched.host.deliver(ALICE, "new");
    let messages = watched.messages(1).await;
    assert_eq!(
        (messages[0].text.as_str(), messages[0].to.as_str()),
        ("new", ALICE)
    );
    assert!(watched.cursor().await.unwrap().starts_with("7:2:"));
    let changes = |command: &String| command.contains("STORE") || command.contains(" BODY[");
    assert!(
        !watched.host.server().commands.iter().any(changes),
        "nothing in the mailbox is changed"
    );
}

#[tokio::test]
async fn a_burst_is_read_in_order_and_once() {
    let watched = Watched::start().await.settled().await;
    let want: Vec<String> = (0..200).map(|number| format!("m{number}")).collect();
    for text in &want {
        watched.host.deliver(ALICE, text);
    }
    assert_eq!(watched.texts(200).await, want);
}

/// facts c9: what waited is counted exactly, comes in its order, and is asked for one mail at a time, so that the memory that it takes does
/// not grow with the number.
#[tokio::test]
async fn ten_thousand_mails_that_wait_are_read_in_order_and_once() {
    const WAITING: usize = 10_000;
    let watched = Watched::start().await.settled().await.stopped().await;
    let want: Vec<String> = (0..WAITING).map(|number| format!("m{number}")).collect();
    for text in &want {
        watched.host.deliver(ALICE, text);
    }
    watched.run();
    let waited = watched.inbox.wait_for(WAITING);
    let events = tokio::time::timeout(Duration::from_mins(5), waited).await;
    let text = |event: &Event| match event {
        Event::Message(message) => message.text.clone(),
        other => panic!("{other:?}"),
    };
    let got: Vec<String> = events.expect("all of them").iter().map(text).collect();
    assert!(
        got == want,
        "{} came, the first wrong one is {:?}",
        got.len(),
        {
            let mut pairs = got.iter().zip(&want);
            pairs.find(|(got, want)| got != want)
        }
    );
    let server = watched.host.server();
    let bodies = server
        .commands
        .iter()
        .filter(|command| command.contains("BODY.PEEK[]"));
    let several = bodies.filter(|command| command.contains([',', ':']));
    assert_eq!(several.count(), 0, "one mail a request");
}

#[tokio::test]
async fn mails_of_different_people_are_committed_together_and_in_their_order() {
    let watched = Watched::start().await.settled().await.stopped().await;
    let before = watched.inbox.commits();
    let want: Vec<String> = (0..96).map(|number| format!("m{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let from = format!("person{}@example.com", number % 40);
        watched.host.deliver_from(&from, ALICE, text);
    }
    watched.run();
    assert_eq!(watched.texts(want.len()).await, want);
    let commits = watched.inbox.commits() - before;
    assert!(commits < want.len() / 4, "{commits} commits");
}

#[tokio::test]
async fn a_mail_that_does_not_come_holds_up_none_before_it() {
    let watched = Watched::start().await.settled().await.stopped().await;
    watched.host.deliver_from("a@example.com", ALICE, "first");
    let second = watched.host.deliver_from("b@example.com", ALICE, "second");
    watched.host.server().hanging.push(second);
    watched.run();
    // The watch hangs at the second for as long as the deadline of a body.
    assert_eq!(watched.texts(1).await, ["first"]);
    assert_eq!(watched.host.server().connections, 2);
    watched.host.server().hanging.clear();
    assert_eq!(watched.texts(2).await, ["first", "second"]);
}

#[tokio::test]
async fn a_cut_in_a_batch_keeps_what_was_read_before_it() {
    let watched = Watched::start().await.settled().await.stopped().await;
    let want: Vec<String> = (0..10).map(|number| format!("c{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let from = format!("person{number}@example.com");
        let uid = watched.host.deliver_from(&from, ALICE, text);
        if number == 5 {
            watched.host.server().cuts.insert(uid, 1);
        }
    }
    watched.run();
    assert_eq!(watched.texts(want.len()).await, want);
    let server = watched.host.server();
    let bodies = server
        .commands
        .iter()
        .filter(|command| command.contains("BODY.PEEK[]"));
    assert_eq!(bodies.count(), want.len() + 1, "one was asked for twice");
}

/// facts c7: a mail that crashes the decoder is shown by its header, and the next one is read.
#[tokio::test]
async fn a_mail_that_crashes_the_decoder_is_named_and_the_next_is_read() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "before");
    watched.host.deliver(ALICE, crate::read::CRASHES);
    watched.host.deliver(ALICE, "behind");
    let messages = watched.messages(3).await;
    let texts: Vec<&str> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!(texts, ["before", "", "behind"]);
    assert!(matches!(
        messages[1].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    let original = messages[1].mail.original.as_ref().expect("the whole mail");
    assert!(original.ends_with(format!("{}\r\n", crate::read::CRASHES).as_bytes()));
}

/// facts c9: a server that goes away and comes back takes nothing with it.
#[tokio::test]
async fn a_server_that_restarts_between_two_mails_loses_and_doubles_nothing() {
    let watched = Watched::start().await.settled().await;
    let want: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let uid = watched.host.deliver(ALICE, text);
        if number % 5 == 4 {
            watched.host.server().cuts.insert(uid, 2);
        }
    }
    assert_eq!(watched.texts(want.len()).await, want);
    assert!(watched.host.server().connections > 4);
}

#[tokio::test]
async fn the_first_run_looks_back_when_asked_and_the_next_one_does_not() {
    let mut host = Host::start().await;
    host.since_days = 3650;
    host.deliver(ALICE, "old");
    host.deliver(ALICE, "older");
    let watched = Watched::on(host);
    assert_eq!(watched.texts(2).await, ["old", "older"]);
    let watched = watched.stopped().await;
    watched.run();
    watched.host.deliver(ALICE, "new");
    assert_eq!(watched.texts(3).await, ["old", "older", "new"]);
}

#[tokio::test]
async fn without_idle_the_mailbox_is_asked() {
    let host = Host::start().await;
    host.server().has_idle = false;
    let watched = Watched::on(host).settled().await;
    watched.host.deliver(ALICE, "polled");
    assert_eq!(watched.texts(1).await, ["polled"]);
}

#[tokio::test]
async fn idle_gone_deaf_is_noticed() {
    let host = Host::start().await;
    host.server().deaf = true;
    let watched = Watched::on(host).settled().await;
    watched.host.deliver(ALICE, "unheard");
    assert_eq!(watched.texts(1).await, ["unheard"]);
    assert!(
        watched.host.server().connections >= 2,
        "DONE was not answered either"
    );
}

#[tokio::test]
async fn a_cut_inside_a_mail_loses_and_doubles_nothing() {
    let watched = Watched::start().await.settled().await;
    let second = watched.host.server().next + 1;
    watched.host.server().cuts.insert(second, 2);
    for text in ["a", "b", "c"] {
        watched.host.deliver(ALICE, text);
    }
    assert_eq!(watched.texts(3).await, ["a", "b", "c"]);
}

/// A mail arrives whole where the server does this before it gives it.
async fn is_given_in_the_end(wrong: impl FnOnce(&mut Server)) {
    let watched = Watched::start().await.settled().await;
    wrong(&mut watched.host.server());
    watched.host.deliver(ALICE, "late");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("late"));
    assert!(messages[0].mail.notice.is_none(), "it is shown whole");
    assert_eq!(watched.meter.of("imap_gone"), 0);
}

#[tokio::test]
async fn rfc3501_a_mail_that_is_refused_is_not_one_that_is_gone() {
    is_given_in_the_end(|server| server.refusals.extend([(1, 3)])).await;
}

#[tokio::test]
async fn a_connection_that_ends_before_an_answer_takes_no_mail_with_it() {
    is_given_in_the_end(|server| server.hang_ups = 3).await;
}

#[tokio::test]
async fn where_no_mail_is_given_none_is_given_up() {
    let watched = Watched::start().await.settled().await;
    // Longer than any mail alone is asked for.
    watched.host.server().outage = 100;
    watched.host.deliver(ALICE, "first");
    watched.host.deliver(ALICE, "second");
    let messages = watched.messages(2).await;
    let subjects: Vec<_> = messages
        .iter()
        .map(|mail| mail.subject.as_deref())
        .collect();
    assert_eq!(subjects, [Some("first"), Some("second")]);
    assert!(messages.iter().all(|mail| mail.mail.notice.is_none()));
}

#[tokio::test]
async fn a_mail_that_alone_is_refused_stops_no_other() {
    let watched = Watched::start().await.settled().await;
    watched.host.server().refusals.insert(1, u32::MAX);
    watched.host.deliver(ALICE, "never");
    watched.host.deliver(ALICE, "next");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("next"));
    assert_eq!(watched.meter.of("imap_lethal"), 1);
}

#[tokio::test]
async fn poison_is_named_and_the_next_mail_is_read() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().garbled.push(first);
    watched.host.deliver(ALICE, "poison");
    watched.host.deliver(ALICE, "good");
    let messages = watched.messages(2).await;
    assert!(matches!(
        messages[0].mail.notice,
        Some(Notice::Unreadable { .. })
    ));
    assert_eq!(messages[0].subject.as_deref(), Some("poison"));
    assert_eq!(messages[1].text, "good");
}

#[tokio::test]
async fn a_mail_that_is_moved_away_before_it_is_read_holds_up_nothing() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().gone.push(first);
    watched.host.deliver(ALICE, "moved");
    watched.host.deliver(ALICE, "stays");
    assert_eq!(watched.texts(1).await, ["stays"]);
    assert_eq!(watched.meter.of("imap_gone"), 1);
}

#[tokio::test]
async fn too_large_is_named_without_being_read() {
    let watched = Watched::start().await.settled().await;
    let first = watched.host.server().next;
    watched.host.server().sizes.insert(first, 30_000_000);
    watched.host.deliver(ALICE, "large");
    let messages = watched.messages(1).await;
    assert_eq!(
        messages[0].mail.notice,
        Some(Notice::TooLarge { bytes: 30_000_000 })
    );
    let read = |command: &String| command.contains("BODY.PEEK[]");
    assert!(!watched.host.server().commands.iter().any(read));
}

#[tokio::test]
async fn nobodys_mail_is_counted_and_passed_by() {
    let watched = Watched::start().await.settled().await;
    watched
        .inbox
        .refuse(transom_adapter::Address::new("dave@mail.example.org"));
    watched.host.deliver("box@example.org", "foreign");
    watched.host.deliver("dave@mail.example.org", "unknown");
    watched.host.deliver(ALICE, "known");
    assert_eq!(watched.texts(1).await, ["known"]);
    let counts = (
        watched.meter.of("imap_no_recipient"),
        watched.meter.of("imap_unknown_recipient"),
    );
    assert_eq!(counts, (1, 1));
}

#[tokio::test]
async fn new_uids_lose_nothing_and_the_store_knows_the_rest() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "before");
    watched.messages(1).await;
    // The position's start lies after the INTERNALDATE of this host's mails, which would pass them by.
    let position = watched.cursor().await.unwrap();
    let mut parts: Vec<&str> = position.split(':').collect();
    parts[2] = "0";
    let watched = watched.stopped().await;
    let (inbox, name) = (&watched.inbox, AccountName::new("mail", "imap"));
    let cursor = transom_adapter::Cursor {
        name: "INBOX".to_owned(),
        value: parts.join(":"),
    };
    inbox.commit(&name, Vec::new(), Some(cursor)).await.unwrap();
    {
        let mut server = watched.host.server();
        (server.validity, server.next) = (8, 101);
        let (_, old) = server.mails.pop().unwrap();
        server.mails = vec![(100, old)];
    }
    watched.host.deliver(ALICE, "after");
    watched.run();
    assert_eq!(watched.texts(2).await, ["before", "after"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 1);
}

/// Facts: some servers number anew and keep the UIDVALIDITY, others say no UIDNEXT at all.
#[tokio::test]
async fn uids_that_go_back_lose_nothing_and_the_store_knows_the_rest() {
    let watched = Watched::start().await.settled().await;
    for text in ["one", "two", "three"] {
        watched.host.deliver(ALICE, text);
    }
    watched.messages(3).await;
    let position = watched.cursor().await.unwrap();
    let mut parts: Vec<&str> = position.split(':').collect();
    parts[2] = "0";
    let watched = watched.stopped().await;
    let cursor = transom_adapter::Cursor {
        name: "INBOX".to_owned(),
        value: parts.join(":"),
    };
    let name = AccountName::new("mail", "imap");
    watched
        .inbox
        .commit(&name, Vec::new(), Some(cursor))
        .await
        .unwrap();
    {
        let mut server = watched.host.server();
        let (_, three) = server.mails.pop().unwrap();
        (server.mails, server.next) = (vec![(1, three)], 2);
    }
    watched.host.deliver(ALICE, "four");
    watched.run();
    assert_eq!(watched.texts(4).await, ["one", "two", "three", "four"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 1);
}

#[tokio::test]
async fn a_server_that_is_late_with_the_next_uid_is_read_on() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "one");
    watched.messages(1).await;
    let watched = watched.stopped().await;
    watched.host.server().late = 2;
    watched.host.deliver(ALICE, "two");
    watched.run();
    assert_eq!(watched.texts(2).await, ["one", "two"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 0);
}

#[tokio::test]
async fn a_busy_store_is_asked_again_and_the_mail_is_not_lost() {
    let watched = Watched::start().await.settled().await;
    watched.inbox.set_busy(true);
    watched.host.deliver(ALICE, "patient");
    let fetched = |command: &String| command.contains("BODY.PEEK[]");
    while !watched.host.server().commands.iter().any(fetched) {
        tokio::task::yield_now().await;
    }
    watched.inbox.set_busy(false);
    assert_eq!(watched.texts(1).await, ["patient"]);
}

#[tokio::test]
async fn draining_ends_the_watch() {
    let watched = Watched::start().await.settled().await;
    watched.context.lifecycle.drain();
    assert!(
        watched
            .context
            .lifecycle
            .finish(Duration::from_secs(5))
            .await
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_and_never_shown() {
    let host = Host::start().await;
    host.server().password = "other";
    let report = account(&host, FAST).check().await;
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(
        report.faults[0].contains("the login is refused"),
        "{report:?}"
    );
    assert!(!report.faults[0].contains("s3cret"));
}

#[tokio::test]
async fn check_says_which_header_carries_the_recipient() {
    let host = Host::start().await;
    host.deliver(ALICE, "one");
    host.deliver("x@example.com", "two");
    let report = account(&host, FAST).check().await;
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(
        report.findings[0].contains("holds 2 mails and tells news at once"),
        "{report:?}"
    );
    assert_eq!(
        report.findings[1],
        "Delivered-To carries our recipient in 1 of the last 2 mails"
    );
}

#[tokio::test]
async fn hosts_that_are_no_imap_servers_are_survived() {
    for greeting in ["220 smtp\r\n", "* BYE full\r\n", "", "\0\0\0\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut host = Host::start().await;
        host.port = listener.local_addr().unwrap().port();
        host.lifecycle.spawn("no-imap", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        });
        let report = account(&host, FAST).check().await;
        assert_eq!(report.faults.len(), 1, "{greeting:?}: {report:?}");
    }
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_changed_for_a_new_one() {
    let host = Host::start().await;
    host.server().tokens = vec!["new"];
    let mut account = account(&host, FAST);
    account.config.whose = Whose::Owner(transom_adapter::Address::new("alice@corp.example"));
    account.config.login.tokens = Some(crate::oauth::tokens::tests::tokens(&host.lifecycle).await);
    account.open().await.expect("the new one is taken");
    assert_eq!(host.server().connections, 2);
    host.server().tokens.clear();
    // Kept again, and ended; the next one is refused as well.
    let refused = account.open().await.expect_err("neither is taken");
    assert!(matches!(refused, Trouble::Login(_)), "{refused:?}");
    assert_eq!(host.server().connections, 4);
}

#[tokio::test]
async fn a_renamed_folder_of_sent_mail_is_found_again() {
    let host = Host::start().await;
    host.server().sent = "Sent";
    let mut account = account(&host, FAST);
    account.config.sent_every = Duration::from_millis(20);
    let context = testkit::context(
        Arc::<RecordingInbox>::default(),
        FixedDirectory::default(),
        Arc::<CountingMeter>::default(),
    );
    let inner = context.clone();
    context
        .lifecycle
        .spawn("imap", async move { account.run(&inner).await.unwrap() });
    for name in ["Sent", "Gesendet"] {
        host.server().sent = name;
        let select = format!("SELECT \"{name}\"");
        let opened = async {
            while !host.server().commands.contains(&select) {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), opened).await;
        waited.unwrap_or_else(|_| panic!("{name} is opened"));
    }
    context.lifecycle.abort();
    host.lifecycle.abort();
}

#[test]
fn the_backoff_grows_and_stays_within_bounds() {
    for failures in 1..40 {
        let pause = PACE.backoff(failures);
        assert!(
            pause >= Duration::from_millis(500) && pause <= PACE.reconnect_max,
            "{failures}: {pause:?}"
        );
    }
}
