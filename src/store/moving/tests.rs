//! From SQLite to PostgreSQL and back: nothing is lost on the way.

use transom_adapter::Lifecycle;
use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::{
    config::StoreUrl,
    metrics::Metrics,
    store::{
        Write,
        write::{Done, Unregister},
    },
};

/// One row at least of every table, with what is hard to carry: quotes, line ends, other scripts, the largest numbers.
const ROWS: &str = r#"
INSERT INTO meta VALUES ('secret', 'abc'), ('ready', '1');
INSERT INTO gateways VALUES (1, 'sms'), (9223372036854775807, 'mail');
INSERT INTO users VALUES (2, 1, 'alice@example.org', 'active', 'de', 1, 2, '{"language":"de","name":"A \"B\""}');
INSERT INTO users VALUES (3, 1, 'bob@example.org', 'pending', NULL, 1, 2, '{}');
INSERT INTO contacts VALUES (2, '', 1, 0, NULL), (2, '+12025550147', 0, 1, 'Bob ''the'' builder');
INSERT INTO lines VALUES (4, 1, '+12025550100', 'owned', 'active', 'file', '["main"]', NULL, 5);
INSERT INTO line_owners VALUES (4, 'alice@example.org', 5);
INSERT INTO conversations VALUES (6, 1, 2, 4, '+12025550147', 'Zoë 🙂', 1, 2, 3, NULL, 1, NULL);
INSERT INTO members VALUES (6, 'carol@example.net', 'Carol "C."');
INSERT INTO threads VALUES (7, 6, 'Re: x', 't', NULL, '[]', 1);
INSERT INTO messages VALUES (8, 6, NULL, 'out', 1, 'line one
line "two" \ 漢字', '{"a":1}', 0);
INSERT INTO messages VALUES (9, 6, 7, 'out', 1, 'still waits', NULL, 1);
INSERT INTO message_stanzas VALUES (8, 2, 'id', 'oabc', 'alice@example.org/x', 1, 1);
INSERT INTO lanes VALUES (6, 6, 77, 0);
INSERT INTO deliveries (delivery_id, message_id, lane_id, state, units, units_done, segments, attempts, routes, created_ms)
VALUES (8, 8, 6, 'delivered', 1, 1, 1, 1, '["main"]', 1), (9, 9, 6, 'queued', 1, 0, 1, 0, '["main"]', 1);
INSERT INTO accounts VALUES (10, 'sms/main');
INSERT INTO accounts VALUES (14, 'sms/own-14');
INSERT INTO own_accounts VALUES (14, 1, 2, 4, '{}', 'k1', 'c2VhbGVk', 'refused', 'no', 1, 5, 6);
INSERT INTO external_ids VALUES (10, 'sid', 'SM1', 0, 8, 'delivered');
INSERT INTO parked_reports VALUES (10, 'sid', 'SM2', 'sent', NULL, NULL, 1);
INSERT INTO seen VALUES (1, 'digest', 1);
INSERT INTO unowned VALUES (11, 4, '+12025550148', 'for nobody', 1);
INSERT INTO files VALUES (12, 8, 0, 'stored', 'token', 'a "b".png', 'image/png', 3, 'ff', NULL, NULL, 'https://x/y', 0, 1, 2);
INSERT INTO gone_files VALUES ('nobody''s');
INSERT INTO parts VALUES (13, 1, 10, '+12025550100', '+12025550147', NULL, 7, 2, 1, 'half of', NULL, 1);
INSERT INTO troubles VALUES ('link', 'sms', 1, 2);
INSERT INTO cursors VALUES (10, 'INBOX', '1:2');
INSERT INTO usage_days VALUES (1, 2, 20000, 3, 4);
INSERT INTO optouts VALUES (4, '+12025550149', 1);
INSERT INTO blocks VALUES (1, 0, '+12025550150', 1);
INSERT INTO strangers VALUES (2, 'x@example.com', 'waiting', 'spam', NULL, 1, NULL);
"#;

async fn empty(url: &StoreUrl) -> Store {
    let store = Store::open(url, Lifecycle::new()).await.unwrap();
    store.migrate(true).await.unwrap();
    store
}

async fn filled(folder: &std::path::Path) -> Store {
    let store = empty(&StoreUrl::Sqlite(folder.join("from.db"))).await;
    let mut connection = store.database.writer().await.unwrap();
    connection.batch(ROWS).await.unwrap();
    drop(connection);
    store
}

async fn exported(store: &Store, bodies: bool) -> String {
    let mut out = Vec::new();
    store.export(&mut out, bodies).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn everything_survives_the_way_to_postgresql_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let from = filled(folder.path()).await;
    let text = exported(&from, true).await;
    for name in tables::names() {
        assert!(
            text.contains(&format!("{{\"table\":\"{name}\"")),
            "a row of each table is in the test: {name}"
        );
    }
    let back = empty(&StoreUrl::Sqlite(folder.path().join("back.db"))).await;
    if skipped(&[Server::Postgres]) {
        back.import(&mut text.as_bytes()).await.unwrap();
    } else {
        let url = Postgres::shared().await.database().await;
        let postgres = empty(&StoreUrl::Postgres(url.into())).await;
        postgres.import(&mut text.as_bytes()).await.unwrap();
        let there = exported(&postgres, true).await;
        assert_eq!(
            sorted(&there),
            sorted(&text),
            "each database has its own order of texts"
        );
        let again = postgres.import(&mut text.as_bytes()).await.unwrap_err();
        assert!(matches!(again, MoveError::NotEmpty { .. }), "{again}");
        back.import(&mut there.as_bytes()).await.unwrap();
    }
    assert_eq!(exported(&back, true).await, text);
}

/// Each table has a row above, a new one too (the test before says so): what names the user goes with the user. Whose a line of the
/// configuration file is stays: the file says so, and would say so again at the next start (semantics 17).
#[tokio::test]
async fn unregistering_leaves_no_row_that_names_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let gone = Unregister {
        gateway_id: 1,
        jid: "alice@example.org".to_owned(),
        disabled_before_ms: None,
        at_ms: 9,
    };
    let writer = store.writer(Metrics::new());
    let done = writer.commit_one(Write::Unregister(gone)).await.unwrap();
    assert_eq!(done, Done::Written);
    let text = exported(&store, true).await;
    let by_key = ["\"user_id\":2,", "\"user_id\":2}"];
    let by_word = [
        "alice@",
        "line one",
        "still waits",
        "Zoë",
        "the' builder",
        "Re: x",
        "c2VhbGVk",
        ".png",
    ];
    let of_file = r#"{"table":"line_owners","row":{"jid":"alice@example.org","line_id":4,"#;
    for row in text.lines().filter(|row| !row.starts_with(of_file)) {
        let left = by_key
            .iter()
            .chain(&by_word)
            .find(|word| row.contains(**word));
        assert_eq!(left, None, "{row}");
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn without_bodies_only_what_waits_keeps_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let text = exported(&filled(folder.path()).await, false).await;
    assert!(!text.contains("line one"), "{text}");
    assert!(
        text.contains("still waits") && text.contains("for nobody"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_broken_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let text = exported(&filled(folder.path()).await, true).await;
    let to = empty(&StoreUrl::Sqlite(folder.path().join("to.db"))).await;
    let lines: Vec<&str> = text.lines().collect();
    let broken = [
        String::new(),
        "nonsense\n".to_owned(),
        lines[..lines.len() - 1].join("\n") + "\n",
        text.trim_end_matches("}\n").to_owned(),
        text.replace("\"table\":\"users\"", "\"table\":\"sqlite_master\""),
        text.replace(
            "\"table\":\"users\"",
            "\"table\":\"users; DROP TABLE users\"",
        ),
        text.replacen("\"state\":\"active\"", "\"state\":7", 1),
        text.replacen("\"user_id\":2", "\"user_id\":\"2\"", 1),
        text.replacen("\"format\":1", "\"format\":2", 1),
        text.replace(lines[3], ""),
    ];
    for text in broken {
        let refused = to.import(&mut text.as_bytes()).await;
        assert!(refused.is_err(), "{}", text.get(..80).unwrap_or(&text));
        assert_eq!(
            exported(&to, true).await.lines().count(),
            2,
            "nothing of it is there"
        );
    }
    to.import(&mut text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn the_source_refuses_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    store.refuse_moved().await.unwrap();
    store.mark_moved("2026-11-26").await.unwrap();
    let refused = store.refuse_moved().await.unwrap_err();
    assert!(refused.to_string().contains("2026-11-26"), "{refused}");
    let to = empty(&StoreUrl::Sqlite(folder.path().join("to.db"))).await;
    to.import(&mut exported(&store, true).await.as_bytes())
        .await
        .unwrap();
    to.refuse_moved().await.unwrap();
}
