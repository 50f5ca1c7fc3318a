//! PostgreSQL works, and each test has a database of its own.

use transom_test_servers::{Postgres, Server, skipped};

#[tokio::test]
async fn databases_are_apart() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::shared().await;
    let [one, two] = [postgres.database().await, postgres.database().await];
    assert_ne!(one, two);
    postgres.query(&one, "CREATE TABLE notes (text TEXT)").await;
    postgres
        .query(&one, "INSERT INTO notes VALUES ('kept')")
        .await;
    let name = one.rsplit('/').next().unwrap();
    let copy = postgres.database_like(name).await;
    assert_eq!(
        postgres.query(&copy, "SELECT text FROM notes").await,
        "kept"
    );
    assert_eq!(
        postgres.query(&two, "SELECT to_regclass('notes')").await,
        ""
    );
    assert_eq!(postgres.query(&two, "SHOW fsync").await, "on");
}

#[tokio::test]
async fn data_outlives_a_kill() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let mut postgres = Postgres::start().await;
    let database = postgres.database().await;
    postgres
        .query(&database, "CREATE TABLE notes AS SELECT 1 AS n")
        .await;
    postgres.kill().await;
    postgres.resume().await;
    assert_eq!(postgres.query(&database, "SELECT n FROM notes").await, "1");
    postgres.stop().await;
    postgres.resume().await;
    assert_eq!(postgres.query(&database, "SELECT 1").await, "1");
}
