//! What is forgotten and what is not, on a real SQLite file; and that no statement of it looks at every row.

use tempfile::TempDir;
use transom_adapter::Lifecycle;

use super::*;
use crate::{
    config::StoreUrl,
    metrics::Metrics,
    store::{
        Param, Store, Write, Writer,
        write::{
            LineRow, NewIn, NewOut, Operation, OwnerRow, Seen, StrangerRow, Unowned, UserRow,
            fixture::{conversation, written},
        },
    },
};

const GATEWAY: i64 = 1;

/// A database with alice and a line of her own.
pub(in crate::store::write) struct Base {
    pub(in crate::store::write) store: Store,
    pub(in crate::store::write) writer: Writer,
    _folder: Option<TempDir>,
}

impl Base {
    pub(in crate::store::write) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("test.db"));
        Self::on(&url, Some(folder)).await
    }

    pub(in crate::store::write) async fn on(url: &StoreUrl, folder: Option<TempDir>) -> Self {
        let store = Store::open(url, Lifecycle::new()).await.unwrap();
        store.migrate(true).await.unwrap();
        let writer = store.writer(Metrics::new());
        store.gateway_id("sms", GATEWAY).await.unwrap();
        let base = Self {
            store,
            writer,
            _folder: folder,
        };
        let user = UserRow {
            user_id: 10,
            gateway_id: GATEWAY,
            jid: "alice@example.org".into(),
            state: "active",
            lang: None,
            at_ms: 0,
        };
        let line = LineRow {
            line_id: 20,
            gateway_id: GATEWAY,
            address: "+12025550100".into(),
            kind: "pool",
            state: "active",
            source: "command",
            routes: "[]".into(),
            fallback: None,
            at_ms: 0,
        };
        let owner = OwnerRow {
            gateway_id: GATEWAY,
            address: "+12025550100".into(),
            jid: "alice@example.org".into(),
            owned: true,
            at_ms: 0,
        };
        let rows = vec![Write::User(user), Write::Line(line), Write::Owner(owner)];
        base.writer.commit(rows).await.unwrap();
        base
    }

    async fn sweep(&self, what: Kept, before: i64, limit: i64) -> u64 {
        let sweep = Sweep {
            what,
            before,
            limit,
        };
        match self.writer.commit_one(Write::Sweep(sweep)).await.unwrap() {
            Done::Swept(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    /// A message of this key and time that was taken back, so that it is done with; or one that waits.
    async fn message(&self, message_id: i64, waits: bool) {
        self.message_of(message(message_id, false), message_id, waits)
            .await;
    }

    async fn message_of(&self, message: Write, message_id: i64, waits: bool) {
        self.writer.commit_one(message).await.unwrap();
        if !waits {
            let cancel = Operation::Cancel {
                delivery_id: message_id,
                at_ms: message_id,
            };
            self.writer
                .commit_one(Write::Operation(cancel))
                .await
                .unwrap();
            let told = crate::store::write::Told {
                delivery_id: message_id,
                what: crate::store::write::TellKind::Error,
            };
            self.writer.commit_one(Write::Told(told)).await.unwrap();
        }
    }

    async fn has(&self, message_id: i64) -> Option<bool> {
        let life = self.store.life(message_id).await.unwrap();
        life.map(|life| life.has_body)
    }
}

/// What alice wrote.
pub(in crate::store::write) fn message(message_id: i64, fleeting: bool) -> Write {
    let conversation = conversation(50, "+12025550147", message_id);
    Write::Out(Box::new(NewOut {
        fleeting,
        day: message_id,
        ..written(message_id, conversation)
    }))
}

#[tokio::test]
async fn what_is_done_with_is_forgotten_and_what_waits_is_not() {
    let base = Base::new().await;
    for message_id in [100, 200, 300] {
        base.message(message_id, message_id == 200).await;
    }
    assert_eq!(base.sweep(Kept::Bodies, 300, 10).await, 1);
    assert_eq!(base.has(100).await, Some(false), "its text is gone");
    assert_eq!(base.has(200).await, Some(true), "it waits");
    assert_eq!(base.has(300).await, Some(true), "it is not old enough");
    assert_eq!(base.sweep(Kept::Bodies, 300, 10).await, 0);
    assert_eq!(base.sweep(Kept::Records, 1_000, 1).await, 1, "a few a pass");
    assert_eq!(base.has(100).await, None);
    assert_eq!(base.sweep(Kept::Records, 1_000, 10).await, 1);
    assert_eq!(base.has(300).await, None);
    assert_eq!(base.has(200).await, Some(true));
    assert_eq!(base.sweep(Kept::Records, 1_000, 10).await, 0);
}

#[tokio::test]
async fn what_its_user_wants_kept_nowhere_goes_as_soon_as_it_is_done_with() {
    let base = Base::new().await;
    for (message_id, fleeting, waits) in
        [(100, true, false), (200, true, true), (300, false, false)]
    {
        let message = message(message_id, fleeting);
        base.message_of(message, message_id, waits).await;
    }
    assert_eq!(base.sweep(Kept::Fleeting, 1_000, 10).await, 1);
    assert_eq!(base.has(100).await, Some(false), "its text is gone");
    assert_eq!(base.has(200).await, Some(true), "it waits");
    assert_eq!(base.has(300).await, Some(true), "it may be kept");
    assert_eq!(base.sweep(Kept::Fleeting, 1_000, 10).await, 0);
}

#[tokio::test]
async fn marks_days_and_unowned_texts_are_forgotten_by_their_age() {
    let base = Base::new().await;
    base.message(100, true).await;
    let unowned = |unowned_id: i64| {
        Write::Unowned(Unowned {
            seen: Seen {
                scope_id: 1,
                digest: format!("d{unowned_id}"),
                at_ms: unowned_id,
                stale_ms: 0,
            },
            unowned_id,
            line_id: 20,
            peer: "+12025550147".into(),
            body: "for whom?".into(),
            at_ms: unowned_id,
        })
    };
    base.writer
        .commit(vec![unowned(100), unowned(200)])
        .await
        .unwrap();
    assert_eq!(base.sweep(Kept::Unowned, 200, 10).await, 1);
    assert_eq!(base.sweep(Kept::Seen, 200, 10).await, 1);
    // Alice's and that of all together.
    assert_eq!(base.sweep(Kept::UsageDays, 101, 10).await, 2);
    assert_eq!(base.sweep(Kept::ParkedReports, 200, 10).await, 0);
    let again = base.writer.commit_one(unowned(200)).await.unwrap();
    assert_eq!(again, Done::Unchanged, "what is not old is still known");
}

#[tokio::test]
async fn the_conversations_of_a_line_that_was_given_up_go_when_it_has_rested() {
    let base = Base::new().await;
    base.message(100, true).await;
    let release = Operation::ReleaseLine {
        line_id: 20,
        at_ms: 500,
    };
    base.writer
        .commit_one(Write::Operation(release))
        .await
        .unwrap();
    assert_eq!(base.sweep(Kept::ReleasedLines, 500, 10).await, 0);
    assert_eq!(base.has(100).await, Some(true));
    assert_eq!(base.sweep(Kept::ReleasedLines, 501, 10).await, 1);
    assert_eq!(base.has(100).await, None, "and everything in them");
}

/// A mail that waits for alice's word since this time, in a chat of its own.
fn stranger(message_id: i64, peer: &str, at_ms: i64) -> Write {
    let mut row = incoming(message_id, peer, at_ms);
    row.due_ms = None;
    row.stranger = Some(StrangerRow {
        user_id: 10,
        peer: peer.to_owned(),
        why: "spam",
        subject: None,
        at_ms,
    });
    Write::In(Box::new(row))
}

/// What came for alice at this time, in a chat of its own.
pub(in crate::store::write) fn incoming(message_id: i64, peer: &str, at_ms: i64) -> NewIn {
    NewIn {
        seen: Seen {
            scope_id: 1,
            digest: format!("mail{message_id}"),
            at_ms,
            stale_ms: 0,
        },
        conversation: conversation(message_id + 1, peer, at_ms),
        message_id,
        body: "buy this".into(),
        payload: None,
        stanza_id: format!("in{message_id}"),
        fleeting: false,
        repeat_key: None,
        user_jid: "alice@example.org".into(),
        due_ms: Some(at_ms),
        stranger: None,
        thread: None,
        line: "+12025550100".into(),
        ids: Vec::new(),
        files: Vec::new(),
        confirm: None,
    }
}

#[tokio::test]
async fn a_stranger_nobody_decided_on_is_forgotten_with_the_mail() {
    let base = Base::new().await;
    let mails = vec![
        stranger(1_000, "eve@example.net", 1_000),
        stranger(2_000, "dan@example.net", 2_000),
    ];
    base.writer.commit(mails).await.unwrap();
    assert_eq!(base.sweep(Kept::Strangers, 1_000, 10).await, 0, "not yet");
    assert_eq!(base.sweep(Kept::Strangers, 2_000, 10).await, 1);
    assert_eq!(base.has(1_000).await, None, "thrown away");
    assert_eq!(base.has(2_000).await, Some(true), "that one waits still");
    // Who was forgotten is asked about again.
    let again = stranger(3_000, "eve@example.net", 3_000);
    base.writer.commit_one(again).await.unwrap();
    assert_eq!(base.sweep(Kept::Strangers, 2_500, 10).await, 1, "dan's");
    assert_eq!(base.has(3_000).await, Some(true));
}

#[tokio::test]
async fn no_sweep_looks_at_every_row() {
    let base = Base::new().await;
    let statements = [
        BODIES,
        FLEETING,
        OLD_RECORDS,
        OWN_LANES,
        RECORDS,
        SEEN,
        PARKED,
        UNOWNED,
        USAGE_DAYS,
        RELEASED_LINES,
    ];
    let mut connection = base.store.database.reader().await.unwrap();
    for statement in statements {
        let text: &'static str =
            Box::leak(format!("EXPLAIN QUERY PLAN {}", statement.sqlite).into_boxed_str());
        let params: &[Param] = if statement.sqlite.contains("$2") {
            &[Param::Int(1), Param::Int(1)]
        } else {
            &[Param::Text("[1]".to_owned())]
        };
        for row in connection.rows(Sql::both(text), params).await.unwrap() {
            let step = row.text(3).unwrap();
            let scans = step.starts_with("SCAN")
                && !step.contains("INDEX")
                && !step.contains("PRIMARY KEY")
                && !step.contains(" r ")
                && !step.contains("VIRTUAL TABLE");
            assert!(!scans, "{step}\nof {}", statement.sqlite);
        }
    }
}
