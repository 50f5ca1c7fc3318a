//! A database that moves, or gets another form: nothing is lost on the way, and nothing is sent twice.

use transom_test_servers::{Postgres, Server, Transom, skipped};

use crate::{
    lived::{Lived, Rows, copy_of_file, rows},
    upgrade::Next,
    world::Database,
};

const CORE: &str = include_str!("../../migrations/sqlite/0001_core.sql");
/// The table that most others hang on.
const TABLE: &str = "messages";
/// What the next version keeps in it.
const COLUMN: &str = "next_version";

#[tokio::test]
async fn an_installation_moves_from_sqlite_to_postgresql_with_what_waits() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut lived = Lived::on(Database::Sqlite, "").await;
    let url = Postgres::shared().await.database().await;
    moves(&mut lived, &url).await;
}

#[tokio::test]
async fn an_installation_moves_from_postgresql_to_sqlite_with_what_waits() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut lived = Lived::on(Database::Postgres, "").await;
    let url = format!("sqlite://{}/moved.db", lived.transom.folder().display());
    moves(&mut lived, &url).await;
}

#[tokio::test]
async fn a_database_that_a_process_of_another_machine_works_on_does_not_move() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut lived = Lived::on(Database::Postgres, "").await;
    // What is there of it on this machine: its configuration.
    let here = Transom::builder(env!("CARGO_BIN_EXE_transom"));
    let here = here.config(&lived.transom.config_text()).prepare();
    let file = here.folder().join("moved.jsonl");
    let name = file.display().to_string();
    lived.transom.start().await;
    for command in ["export", "import"] {
        if command == "import" {
            std::fs::write(&file, "").expect("a file");
        }
        let refused = here.command(&[command, &name]).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("stop it, then repeat this"), "{said}");
        assert_eq!(refused.status.code(), Some(69), "{said}");
    }
    std::fs::remove_file(&file).expect("it goes");
    assert!(lived.transom.sigterm().await.success());
    let exported = here.command(&["export", &name]).await;
    assert!(exported.status.success(), "{exported:?}");
}

async fn moves(lived: &mut Lived, to: &str) {
    let file = lived.transom.folder().join("moved.jsonl");
    let file = file.display().to_string();
    let export = ["export", &file, "--with-bodies"];
    let exported = lived.transom.command(&export).await;
    assert!(exported.status.success(), "{exported:?}");
    assert!(!lived.transom.start_or_end().await, "the source runs on");
    lived.on_database(to);
    let imported = lived.transom.command(&["import", &file]).await;
    assert!(imported.status.success(), "{imported:?}");
    lived.goes_on().await;
}

#[tokio::test]
async fn a_migration_that_makes_a_table_anew_keeps_every_row_on_sqlite() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let mut lived = Lived::on(Database::Sqlite, "").await;
    let before = copy_of_file(&lived.transom, "before.db");
    let next = Next::of(&rebuilt(), 1);
    next.version(&mut lived.transom, true);
    let migrated = lived.transom.command(&["migrate"]).await;
    assert!(migrated.status.success(), "{migrated:?}");
    let after = copy_of_file(&lived.transom, "after.db");
    compare(&lived.transom, &before, &after, &next).await;
    lived.goes_on().await;
    // And back, to the version before, which reads it still.
    assert!(lived.transom.sigterm().await.success());
    next.version(&mut lived.transom, false);
    assert!(lived.transom.start_or_end().await);
}

#[tokio::test]
async fn a_migration_that_changes_a_table_keeps_every_row_on_postgresql() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let mut lived = Lived::on(Database::Postgres, "").await;
    let config = lived.transom.config_text();
    let url = config
        .split('"')
        .find(|word| word.starts_with("postgres://"))
        .unwrap();
    let postgres = Postgres::shared().await;
    let before = postgres.dumped(url).await;
    let next = Next::of(
        &format!(
            "ALTER TABLE {TABLE} ADD COLUMN {COLUMN} TEXT; UPDATE {TABLE} SET {COLUMN} = 'kept';"
        ),
        1,
    );
    next.version(&mut lived.transom, true);
    let migrated = lived.transom.command(&["migrate"]).await;
    assert!(migrated.status.success(), "{migrated:?}");
    let after = postgres.dumped(url).await;
    compare(&lived.transom, &before, &after, &next).await;
    lived.goes_on().await;
}

/// SQLite changes few things of a table in place: a new one is filled from it and takes its name.
fn rebuilt() -> String {
    let start = CORE.find(&format!("CREATE TABLE {TABLE} (")).unwrap();
    let (made, _) = CORE[start..].split_once("\n);\n").unwrap();
    let made = made.replacen(TABLE, "made_anew", 1);
    let (rest, columns) = made.split_once("(\n").unwrap();
    let indexes: String = CORE
        .lines()
        .filter(|line| line.contains(&format!(" ON {TABLE} (")))
        .fold(String::new(), |all, line| all + line + "\n");
    format!(
        "{rest}(\n{columns},\n    {COLUMN} TEXT\n);\nINSERT INTO made_anew SELECT *, 'kept' FROM {TABLE};\nDROP TABLE {TABLE};\n\
         ALTER TABLE made_anew RENAME TO {TABLE};\n{indexes}"
    )
}

/// Every row of the one is in the other, and each of the table that was made anew has the new column.
async fn compare(like: &Transom, before: &str, after: &str, next: &Next) {
    let before = rows(like, before, |_| ()).await;
    let mut after = rows(like, after, |transom| next.version(transom, true)).await;
    for row in after.get_mut(TABLE).into_iter().flatten() {
        assert_eq!(row.remove(COLUMN), Some("kept".into()), "{row:?}");
    }
    for table in [
        "messages",
        "deliveries",
        "files",
        "optouts",
        "blocks",
        "external_ids",
        "seen",
    ] {
        assert!(
            before.contains_key(table),
            "a row of {table} is in the test"
        );
    }
    let tables = |rows: &Rows| {
        rows.iter()
            .map(|(table, rows)| (table.clone(), rows.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(tables(&before), tables(&after));
    assert_eq!(before, after);
}
