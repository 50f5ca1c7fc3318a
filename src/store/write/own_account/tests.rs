//! Accounts that users brought, on a real SQLite file and on PostgreSQL.

use tempfile::TempDir;
use transom_adapter::Lifecycle;
use transom_test_servers::{Postgres, Server, skipped};

use super::*;
use crate::{
    config::StoreUrl,
    metrics::Metrics,
    store::{
        Store, Write, Writer,
        read::OwnAccountRow,
        write::{
            ConversationRow, Kept, NewOut, Operation, Sweep, Unregister, UserRow,
            fixture::{conversation, written},
        },
    },
};

const GATEWAY: i64 = 1;
const ALICE: (i64, &str) = (10, "alice@example.org");
const BOB: (i64, &str) = (11, "bob@example.org");
const ADDRESS: &str = "alice@corp.example";

struct Base {
    store: Store,
    writer: Writer,
    _folder: Option<TempDir>,
}

impl Base {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("test.db"));
        Self::on(&url, Some(folder)).await
    }

    async fn on(url: &StoreUrl, folder: Option<TempDir>) -> Self {
        let store = Store::open(url, Lifecycle::new()).await.unwrap();
        store.migrate(true).await.unwrap();
        let writer = store.writer(Metrics::new());
        store.gateway_id("mail", GATEWAY).await.unwrap();
        let user = |(user_id, jid): (i64, &str)| {
            Write::User(UserRow {
                user_id,
                gateway_id: GATEWAY,
                jid: jid.to_owned(),
                state: "active",
                lang: None,
                at_ms: 0,
            })
        };
        let users = vec![user(ALICE), user(BOB)];
        writer.commit(users).await.unwrap();
        Self {
            store,
            writer,
            _folder: folder,
        }
    }

    async fn own(&self, change: OwnAccount) -> Done {
        let write = Write::Operation(Operation::Own(change));
        self.writer.commit_one(write).await.unwrap()
    }

    async fn keep(&self, account_id: i64, user: (i64, &str), sealed: &str, at_ms: i64) -> Done {
        let kept = KeptAccount {
            account_id,
            name: format!("mail/own-{account_id}"),
            route: format!("own-{account_id}"),
            gateway_id: GATEWAY,
            user_id: user.0,
            jid: user.1.to_owned(),
            line_id: 1000 + account_id,
            address: ADDRESS.to_owned(),
            place: "{}".to_owned(),
            key_id: "k1".to_owned(),
            sealed: sealed.to_owned(),
            at_ms,
        };
        self.own(OwnAccount::Keep(Box::new(kept))).await
    }

    async fn all(&self) -> Vec<OwnAccountRow> {
        self.store.own_accounts(GATEWAY).await.unwrap()
    }

    /// A mail of the user's that waits.
    async fn outgoing(&self, line_id: i64) {
        let conversation = ConversationRow {
            gateway_id: GATEWAY,
            user_id: ALICE.0,
            line_id,
            ..conversation(50, "peer@example.com", 5)
        };
        let new = NewOut {
            routes: "[[\"own-70\",1]]".to_owned(),
            ..written(60, conversation)
        };
        self.writer
            .commit_one(Write::Out(Box::new(new)))
            .await
            .unwrap();
    }

    async fn sweep(&self) {
        let sweep = Sweep {
            what: Kept::GoneAccounts,
            before: i64::MAX,
            limit: 10,
        };
        self.writer.commit_one(Write::Sweep(sweep)).await.unwrap();
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let rows = self.store.rows(Sql::both(sql), Vec::new()).await.unwrap();
        rows[0].int(0).unwrap()
    }
}

async fn is_kept_and_refused(base: Base) {
    assert_eq!(base.keep(70, ALICE, "one", 1).await, Done::Written);
    let all = base.all().await;
    assert_eq!((all.len(), all[0].address.as_str()), (1, ADDRESS));
    assert!(!all[0].refused && all[0].is_user_active);
    let bound = all[0].bound();
    assert_eq!((bound.account_id, bound.user_id), (70, ALICE.0));
    // Nobody else gets the address, and nothing is left of the try.
    assert_eq!(base.keep(71, BOB, "two", 2).await, Done::Unchanged);
    assert_eq!(base.count("SELECT COUNT(*) FROM accounts").await, 1);
    // Refused once, told once; a login that was entered meanwhile is another matter.
    let refuse = |version_ms| OwnAccount::Refuse {
        account_id: 70,
        version_ms,
        problem: "no".to_owned(),
    };
    let told = |version_ms| OwnAccount::Told {
        account_id: 70,
        version_ms,
    };
    assert_eq!(base.own(refuse(0)).await, Done::Unchanged);
    assert_eq!(base.own(refuse(1)).await, Done::Written);
    assert_eq!(base.own(refuse(1)).await, Done::Unchanged);
    assert_eq!(base.own(told(1)).await, Done::Written);
    assert_eq!(base.own(told(1)).await, Done::Unchanged);
    let row = base.all().await.remove(0);
    assert!(row.refused && row.told);
    assert_eq!(row.problem.as_deref(), Some("no"));
    assert_eq!(base.keep(70, ALICE, "three", 3).await, Done::Written);
    let row = base.all().await.remove(0);
    assert!(!row.refused && !row.told);
    assert_eq!((row.sealed.text.as_str(), row.version_ms), ("three", 3));
    assert_eq!(base.own(refuse(1)).await, Done::Unchanged);
}

async fn is_renewed_where_its_owner_entered_nothing_since(base: Base) {
    let renew = |version_ms, sealed: &str| OwnAccount::Renew {
        account_id: 70,
        version_ms,
        key_id: "k2".to_owned(),
        sealed: sealed.to_owned(),
    };
    assert_eq!(base.own(renew(1, "next")).await, Done::Unchanged, "none");
    base.keep(70, ALICE, "one", 1).await;
    let before = base.all().await.remove(0);
    assert_eq!(base.own(renew(1, "next")).await, Done::Written);
    let row = base.all().await.remove(0);
    assert_eq!(
        (row.sealed.key.as_str(), row.sealed.text.as_str()),
        ("k2", "next")
    );
    // Nothing but the login is another: nobody opens the account anew, and its owner is told nothing.
    let sealed = before.sealed.clone();
    assert_eq!(OwnAccountRow { sealed, ..row }, before);
    let login = base.store.sealed_login(70, 1).await.unwrap();
    assert_eq!(login.map(|sealed| sealed.text).as_deref(), Some("next"));
    // A change of the key that read what was there before leaves it alone.
    let reseal = OwnAccount::Reseal {
        account_id: 70,
        before: "one".to_owned(),
        key_id: "k2".to_owned(),
        sealed: "one anew".to_owned(),
    };
    assert_eq!(base.own(reseal).await, Done::Unchanged);
    // Its owner signs in anew, and what is renewed late is of no use.
    base.keep(70, ALICE, "hers", 2).await;
    assert_eq!(base.own(renew(1, "late")).await, Done::Unchanged);
    assert_eq!(base.all().await[0].sealed.text, "hers");
    assert_eq!(base.store.sealed_login(70, 1).await.unwrap(), None);
    let drop = OwnAccount::Drop {
        account_id: 70,
        user_id: ALICE.0,
        at_ms: 3,
    };
    base.own(drop).await;
    assert_eq!(base.own(renew(2, "late")).await, Done::Unchanged);
    assert!(base.all().await.is_empty());
}

async fn is_resealed_where_nothing_changed(base: Base) {
    base.keep(70, ALICE, "one", 1).await;
    let reseal = |before: &str| OwnAccount::Reseal {
        account_id: 70,
        before: before.to_owned(),
        key_id: "k2".to_owned(),
        sealed: "anew".to_owned(),
    };
    assert_eq!(base.own(reseal("other")).await, Done::Unchanged);
    assert_eq!(base.own(reseal("one")).await, Done::Written);
    let page = base.store.sealed_after(0, 10).await.unwrap();
    assert_eq!(
        (page[0].1.key.as_str(), page[0].1.text.as_str()),
        ("k2", "anew")
    );
    assert!(base.store.sealed_after(70, 10).await.unwrap().is_empty());
}

async fn is_dropped_with_all_that_hung_on_it(base: Base) {
    base.keep(70, ALICE, "one", 1).await;
    let cursor = Write::Cursor {
        account_id: 70,
        name: "INBOX".to_owned(),
        value: "1:2:3:4".to_owned(),
    };
    base.writer.commit_one(cursor).await.unwrap();
    base.outgoing(1070).await;
    let drop = |user_id| OwnAccount::Drop {
        account_id: 70,
        user_id,
        at_ms: 9,
    };
    assert_eq!(base.own(drop(BOB.0)).await, Done::Unchanged, "not his");
    let Done::Tells(tells) = base.own(drop(ALICE.0)).await else {
        panic!("what waits has to be told");
    };
    assert_eq!(tells[0].delivery_id, 60);
    assert!(base.all().await.is_empty());
    let left = "SELECT (SELECT COUNT(*) FROM accounts) + (SELECT COUNT(*) FROM cursors) + (SELECT COUNT(*) FROM line_owners)";
    assert_eq!(base.count(left).await, 0);
    assert!(!base.store.has_line(GATEWAY, ADDRESS).await.unwrap());
    // The record goes when its sender was told, and the address with it.
    base.sweep().await;
    assert_eq!(base.count("SELECT COUNT(*) FROM messages").await, 1);
    let mut connection = base.store.database.writer().await.unwrap();
    let told = Sql::both("UPDATE deliveries SET tell = NULL WHERE delivery_id = 60");
    connection.run(told, &[]).await.unwrap();
    std::mem::drop(connection);
    base.sweep().await;
    base.sweep().await;
    let left = "SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM lines)";
    assert_eq!(base.count(left).await, 0);
    // Now it can be somebody else's.
    assert_eq!(base.keep(72, BOB, "two", 10).await, Done::Written);
}

async fn goes_with_its_user(base: Base) {
    base.keep(70, ALICE, "one", 1).await;
    let gone = Write::Unregister(Unregister {
        gateway_id: GATEWAY,
        jid: ALICE.1.to_owned(),
        disabled_before_ms: None,
        at_ms: 9,
    });
    base.writer.commit_one(gone).await.unwrap();
    assert!(base.all().await.is_empty());
    assert_eq!(base.count("SELECT COUNT(*) FROM accounts").await, 0);
    base.sweep().await;
    assert_eq!(base.count("SELECT COUNT(*) FROM lines").await, 0);
}

#[tokio::test]
async fn an_account_is_its_user_s_own() {
    is_kept_and_refused(Base::sqlite().await).await;
    is_renewed_where_its_owner_entered_nothing_since(Base::sqlite().await).await;
    is_resealed_where_nothing_changed(Base::sqlite().await).await;
    is_dropped_with_all_that_hung_on_it(Base::sqlite().await).await;
    goes_with_its_user(Base::sqlite().await).await;
}

#[tokio::test]
async fn an_account_is_its_user_s_own_on_postgresql() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::start().await;
    let base = async || Base::on(&StoreUrl::Postgres(postgres.database().await.into()), None).await;
    is_kept_and_refused(base().await).await;
    is_renewed_where_its_owner_entered_nothing_since(base().await).await;
    is_resealed_where_nothing_changed(base().await).await;
    is_dropped_with_all_that_hung_on_it(base().await).await;
    goes_with_its_user(base().await).await;
}

#[tokio::test]
async fn no_statement_looks_at_every_row() {
    let base = Base::sqlite().await;
    let mut connection = base.store.database.reader().await.unwrap();
    for statement in [
        LINE,
        OWNER,
        KEEP,
        UNNAME,
        REFUSE,
        TOLD,
        RENEW,
        RESEAL,
        LINE_OF,
        GIVE_UP,
        GIVE_UP_LANES,
        DISOWN,
        REST,
        FORGET,
    ] {
        let text: &'static str =
            Box::leak(format!("EXPLAIN QUERY PLAN {}", statement.sqlite).into_boxed_str());
        let params = (1..=9)
            .take_while(|at| text.contains(&format!("${at}")))
            .map(super::super::super::Param::Int);
        let params: Vec<_> = params.collect();
        for row in connection.rows(Sql::both(text), &params).await.unwrap() {
            let step = row.text(3).unwrap();
            assert!(
                !step.starts_with("SCAN") || step.contains("CONSTANT"),
                "{step}\nof {}",
                statement.sqlite
            );
        }
    }
}
