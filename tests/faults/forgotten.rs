//! What a user takes along, what is left when the user has gone, and what goes by itself when its time is over.

use std::{path::Path, time::Duration};

use serde_json::Value;
use transom_test_servers::{PATIENCE, Server, TurnedClock, get, post_with, skipped, until};

use crate::{
    lived::{Lived, Rows, rows},
    restored::copied,
    world::Database,
};

/// Words of alice's life, none of which may be left: her name, her friend's, numbers that she wrote to, and what was said.
const WORDS: [&str; 8] = [
    "alice@",
    "Zoë",
    "2025550140",
    "2025550141",
    "2025550143",
    "sent 0",
    "in 0",
    "look",
];

/// Those of them that are nobody else's, as they stand in a file.
const IN_FILES: [&str; 4] = ["Zoë from work", "sent 0", "held 0", "2025550140"];

#[tokio::test]
async fn a_user_takes_everything_along_and_leaves_nothing_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    takes_everything_along(Database::Sqlite).await;
}

#[tokio::test]
async fn a_user_takes_everything_along_and_leaves_nothing_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    takes_everything_along(Database::Postgres).await;
}

async fn takes_everything_along(database: Database) {
    let mut lived = Lived::on(database, "").await;
    let clock = TurnedClock::of(&mut lived.transom);
    lived.goes_on().await;
    let before = now(&lived, database, "before").await;
    let all = format!("{before:?}");
    for word in WORDS {
        assert!(all.contains(word), "{word} is there before");
    }
    assert_eq!(pictures(lived.transom.folder()), 1);

    let said = lived.say("export").await;
    let (_, path) = said.split_once("/admin/get/").expect("a link");
    let path = format!("/admin/get/{}", path.trim());
    let document = post_with(lived.transom.http(), &path, &[], b"").await;
    let document = document.expect("the document").text();
    let export: Value = serde_json::from_str(&document).unwrap();
    holds_all(&export);
    // What it names is fetched while its user is here.
    let looked = export["messages"].as_array().unwrap().iter();
    let mut looked = looked.filter(|message| message["text"] == "look");
    let file = &looked.next().unwrap()["files"][0];
    assert_eq!(file["type"], "image/png", "{file}");
    let (_, path) = file["url"].as_str().unwrap().split_once("/files/").unwrap();
    let content = get(lived.transom.http(), &format!("/files/{path}")).await;
    assert_eq!(content.unwrap().body, crate::world::PICTURE);

    let said = lived.say("unregister yes").await;
    assert!(said.contains("nicht mehr angemeldet"), "{said}");
    // It is looked for every minute.
    clock.turn(Duration::from_mins(2));
    let gone = async || (pictures(lived.transom.folder()) == 0).then_some(());
    until("the picture to go from the disk", PATIENCE, gone)
        .await
        .unwrap();
    assert_eq!(lived.picture().await, 404);
    let after = now(&lived, database, "after").await;
    for (table, rows) in &after {
        // Whose a line of the configuration file is stands in that file (semantics 17).
        for row in rows.iter().filter(|_| table != "line_owners") {
            let row = format!("{row:?}");
            let left = WORDS.iter().find(|word| row.contains(**word));
            assert_eq!(left, None, "{table}: {row}");
        }
    }
}

/// Of what is left in the rows nothing says that nobody else can read it in the file.
#[tokio::test]
async fn what_was_deleted_is_not_in_the_file_any_more() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut lived = Lived::on(Database::Sqlite, "").await;
    let clock = TurnedClock::of(&mut lived.transom);
    lived.goes_on().await;
    let folder = lived.transom.folder().to_owned();
    let left = || -> Vec<&str> {
        let files = ["transom.db", "transom.db-wal"].map(|name| std::fs::read(folder.join(name)));
        let bytes: Vec<u8> = files.into_iter().flatten().flatten().collect();
        let is_in = |word: &&str| {
            bytes
                .windows(word.len())
                .any(|found| found == word.as_bytes())
        };
        IN_FILES.into_iter().filter(is_in).collect()
    };
    assert_eq!(left(), IN_FILES);
    let said = lived.say("unregister yes").await;
    assert!(said.contains("nicht mehr angemeldet"), "{said}");
    let mut minutes = 0;
    let gone = async || {
        minutes += 2;
        clock.turn(Duration::from_mins(minutes));
        left().is_empty().then_some(())
    };
    until("the words to go from the file", PATIENCE, gone)
        .await
        .unwrap_or_else(|why| panic!("{why}: {:?}", left()));
}

/// The document holds something of everything.
fn holds_all(export: &Value) {
    assert_eq!(export["user"], "alice@example.org");
    assert_eq!(export["settings"]["language"], "de", "{export}");
    let messages = export["messages"].as_array().unwrap();
    for (text, direction) in [("sent 0", "out"), ("in 0", "in"), ("held 0", "out")] {
        let found = messages
            .iter()
            .find(|message| message["text"] == text)
            .unwrap_or_else(|| panic!("{text} is not there: {export}"));
        assert_eq!(found["direction"], direction);
        assert_eq!(found["peer"], "+12025550140");
    }
    for (place, word) in [
        ("contacts", "Zoë from work"),
        ("blocked", "+12025550141"),
        ("optouts", "+12025550142"),
        ("lines", "+12025550100"),
    ] {
        let part = export[place].to_string();
        assert!(part.contains(word), "{place}: {part}");
    }
    assert!(!export["usage"].is_null(), "{export}");
}

#[tokio::test]
async fn what_is_kept_goes_when_its_time_is_over() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let keep = "[keep]\nbodies = \"1h\"\nfiles = \"2h\"\nrecords = \"3h\"\n";
    let mut lived = Lived::on(Database::Sqlite, keep).await;
    let clock = TurnedClock::of(&mut lived.transom);
    lived.goes_on().await;
    let turned = |minutes: u64| clock.turn(Duration::from_mins(minutes));
    let all = [
        "messages",
        "deliveries",
        "message_stanzas",
        "external_ids",
        "seen",
        "files",
    ];
    let first = now(&lived, Database::Sqlite, "first").await;
    for table in all {
        assert!(first.contains_key(table), "{table} before");
    }

    let becomes = async |name: &str, minutes: u64, is_so: fn(&Rows) -> bool| {
        let mut number = 0;
        let probe = async || {
            number += 1;
            turned(minutes + 2 * number);
            let rows = now(&lived, Database::Sqlite, &format!("{name}-{number}")).await;
            is_so(&rows).then_some(rows)
        };
        let seen = until(name, 2 * PATIENCE, probe).await;
        seen.unwrap_or_else(|why| panic!("{why}: {}", lived.transom.log()))
    };
    let bodiless = |rows: &Rows| rows["messages"].iter().all(|row| row["body"].is_null());
    let rows = becomes("texts-gone", 70, bodiless).await;
    for table in all {
        assert!(rows.contains_key(table), "{table} is still known");
    }
    assert_eq!(lived.picture().await, 200, "its time is not over");

    turned(130);
    let gone = async || (pictures(lived.transom.folder()) == 0).then_some(());
    until("the picture to go", 2 * PATIENCE, gone)
        .await
        .unwrap();
    assert!([404, 410].contains(&lived.picture().await));

    // A record is kept in any case while a report may still come, which is for a day.
    let nothing = |rows: &Rows| {
        [
            "messages",
            "deliveries",
            "message_stanzas",
            "external_ids",
            "seen",
            "files",
        ]
        .iter()
        .all(|table| !rows.contains_key(*table))
    };
    let rows = becomes("records-gone", 30 * 60, nothing).await;
    // The chat with somebody is no record of a message.
    assert!(rows.contains_key("conversations") && rows.contains_key("users"));
}

/// Every row as it is now, while it runs.
async fn now(lived: &Lived, database: Database, name: &str) -> Rows {
    let copy = copied(database, &lived.transom, name).await;
    rows(&lived.transom, &copy, |_| ()).await
}

/// How many pictures lie in a folder and those below it.
fn pictures(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return pictures(&path);
            }
            let content = std::fs::read(&path).unwrap_or_default();
            usize::from(content == crate::world::PICTURE)
        })
        .sum()
}
