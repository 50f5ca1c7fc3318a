//! A copy that was made while transom ran, and is put back: what it had queued has been sent since (semantics 36).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::Value;
use transom_test_servers::{
    Answer, PATIENCE, Postgres, Server, Transom, XmppClient, skipped, until,
};

use crate::{
    house::{alone, lines, prosody},
    lived::{rows, without_store},
    world::{Database, Twilio, chat, contact, link_up, store},
};

/// Texts that wait for the provider when the copy is made; the last one is not sent by the original either.
const LATER: usize = 5;

/// What the network has taken, by body.
type Taken = Arc<Mutex<BTreeMap<String, usize>>>;

#[tokio::test]
async fn a_copy_that_is_put_back_sends_nothing_again_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    is_put_back(Database::Sqlite).await;
}

#[tokio::test]
async fn a_copy_that_is_put_back_sends_nothing_again_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    is_put_back(Database::Postgres).await;
}

async fn is_put_back(database: Database) {
    let prosody = prosody(&["alice"]).await;
    let section = store(database).await;
    let (mut transom, twilio) = alone(prosody.component_addr(), &lines("alice"), &section).await;
    let (is_down, taken) = network(&twilio);
    transom.start().await;
    link_up(&transom, "sms").await;
    let mut alice = prosody.client("alice", "phone").await;
    copies_under_traffic(database, &transom, &mut alice).await;

    // One send is under way, and others wait.
    write(&mut alice, 0, "slow").await;
    twilio.text("slow").await;
    is_down.store(true, Ordering::Relaxed);
    for number in 0..LATER {
        write(&mut alice, 1 + number, &format!("later {number}")).await;
    }
    let all = async || (waiting(&transom).await.len() == 1 + LATER).then_some(());
    until("all to wait", PATIENCE, all).await.unwrap();
    let states: Vec<String> = waiting(&transom).await.into_values().collect();
    assert!(states.contains(&"sending".to_owned()), "{states:?}");
    let copy = copied(database, &transom, "last").await;

    is_down.store(false, Ordering::Relaxed);
    let last = format!("later {}", LATER - 1);
    sends_all_but(&last, &transom, &taken).await;
    transom.kill9();

    let config = without_store(&transom);
    transom.configure(&format!("[store]\nurl = \"{copy}\"\n{config}"));
    let before = twilio.sent().len();
    transom.start().await;
    link_up(&transom, "sms").await;
    let log = transom.log();
    assert!(log.contains("queue release"), "it says so: {log}");
    let restored = waiting(&transom).await;
    assert_eq!(restored.len(), 1 + LATER, "{restored:?}");
    assert!(
        restored.values().all(|state| state == "restored"),
        "{restored:?}"
    );
    // New ones pass, in the same chats too.
    for number in 0..=LATER {
        write(&mut alice, number, &format!("fresh {number}")).await;
        twilio.text(&format!("fresh {number}")).await;
    }
    let since: Vec<String> = twilio.sent()[before..]
        .iter()
        .filter_map(|sent| sent.form("Body"))
        .collect();
    assert!(
        since.iter().all(|body| body.starts_with("fresh ")),
        "sent by the copy: {since:?}"
    );

    // The oldest first: what was under way, what was sent since, what was not.
    let mut ids: Vec<&String> = restored.keys().collect();
    ids.sort_by_key(|id| id.parse::<i64>().unwrap());
    let (unsent, sent) = ids.split_last().unwrap();
    let mut cancel = vec!["queue", "cancel"];
    cancel.extend(sent.iter().map(|id| id.as_str()));
    for arguments in [cancel, vec!["queue", "release", unsent.as_str()]] {
        let done = transom.command(&arguments).await;
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }
    twilio.text(&last).await;
    let empty = async || waiting(&transom).await.is_empty().then_some(());
    until("nothing to wait", PATIENCE, empty).await.unwrap();
    let taken = taken.lock().unwrap();
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    assert!(taken.contains_key(&last), "{taken:?}");
}

/// The original goes on, and sends what waits.
async fn sends_all_but(last: &str, transom: &Transom, taken: &Taken) {
    let through = async || {
        let ids: Vec<String> = waiting(transom).await.into_keys().collect();
        let mut retry = vec!["queue", "retry"];
        retry.extend(ids.iter().map(String::as_str));
        transom.command(&retry).await;
        let taken = taken.lock().unwrap();
        (0..LATER)
            .map(|number| format!("later {number}"))
            .all(|body| body == last || taken.contains_key(&body))
            .then_some(())
    };
    until("what waits to be sent", PATIENCE, through)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", transom.log()));
}

/// Refuses texts that can wait while it is down, and the last of those always before the copy runs; never answers the slow one.
fn network(twilio: &Twilio) -> (Arc<AtomicBool>, Taken) {
    let (is_down, taken) = (Arc::new(AtomicBool::new(false)), Taken::default());
    let (down, book, count) = (Arc::clone(&is_down), Arc::clone(&taken), AtomicU64::new(1));
    let last = format!("later {}", LATER - 1);
    let fresh = AtomicBool::new(false);
    twilio.api.answer_by(move |request| {
        if request.method != "POST" {
            return Answer::status(404);
        }
        let body = request.form("Body").unwrap_or_default();
        fresh.fetch_or(body.starts_with("fresh "), Ordering::Relaxed);
        let is_early = body == last && !fresh.load(Ordering::Relaxed);
        if body.starts_with("later ") && (is_early || down.load(Ordering::Relaxed)) {
            return Answer::status(503);
        }
        *book.lock().unwrap().entry(body.clone()).or_default() += 1;
        if body == "slow" {
            return Answer::Hang;
        }
        let number = count.fetch_add(1, Ordering::Relaxed);
        Answer::json(
            201,
            &format!(r#"{{"sid":"SM{number:032x}","status":"queued","num_segments":"1"}}"#),
        )
    });
    (is_down, taken)
}

/// Copies while texts go out: each is whole.
async fn copies_under_traffic(database: Database, transom: &Transom, alice: &mut XmppClient) {
    let writing = async {
        for number in 0..60 {
            write(alice, number % 7, &format!("traffic {number}")).await;
            alice.barrier().await;
        }
    };
    let copying = async {
        let mut copies = Vec::new();
        for number in 0..3 {
            copies.push(copied(database, transom, &number.to_string()).await);
        }
        copies
    };
    let ((), copies) = tokio::join!(writing, copying);
    for copy in copies {
        is_whole(transom, &copy).await;
    }
}

/// Every row of the copy can be read, and each delivery has its message.
async fn is_whole(transom: &Transom, copy: &str) {
    let rows = rows(transom, copy, |_| ()).await;
    let ids = |table: &str| -> BTreeSet<_> {
        let rows = rows.get(table).into_iter().flatten();
        rows.filter_map(|row| row["message_id"].as_i64()).collect()
    };
    assert_eq!(ids("messages"), ids("deliveries"), "{copy}");
}

/// Makes a copy as docs/guides/operating.md says; its URL.
pub(crate) async fn copied(database: Database, transom: &Transom, name: &str) -> String {
    if database == Database::Postgres {
        let postgres = Postgres::shared().await;
        let config = transom.config_text();
        let url = config
            .lines()
            .find_map(|line| line.strip_prefix("url = \"postgres"));
        let url = format!("postgres{}", url.unwrap().trim_end_matches('"'));
        let copy = postgres.dumped(&url).await;
        let mark = "INSERT INTO meta (name, value) VALUES ('copy_of', 'pg_dump')";
        postgres.query(&copy, mark).await;
        return copy;
    }
    let file = transom.folder().join(format!("copy-{name}.db"));
    let file = file.display().to_string();
    let made = transom.command(&["backup", &file]).await;
    assert!(made.status.success(), "{made:?}");
    format!("sqlite://{file}")
}

async fn write(alice: &mut XmppClient, chat_number: usize, body: &str) {
    let to = contact(&format!("+1202555014{chat_number}"));
    let id = body.replace(' ', "-");
    alice.send(&chat(&to, &id, body)).await;
}

/// What waits outwards: the states by id.
async fn waiting(transom: &Transom) -> BTreeMap<String, String> {
    let list = transom.command(&["queue", "list", "--json"]).await;
    let list: Value = serde_json::from_slice(&list.stdout).unwrap_or_default();
    let rows = list["queue"].as_array().cloned().unwrap_or_default();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.iter()
        .filter(|row| row["direction"] == "out")
        .map(|row| (word(row, "id"), word(row, "state")))
        .collect()
}
