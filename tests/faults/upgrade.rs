//! The next version of transom beside this one: the same binary, which knows one migration more.

use transom_test_servers::{Request, Server, Transom, free_port, skipped};

use crate::{
    house::{Xmpp, alone, lines, prosody},
    processes::rolling_restart,
    world::{SMS, chat, link_up},
};

/// Names the next version's migration to the binary.
const NEXT: &str = "TRANSOM_NEXT_MIGRATION";

/// What a version adds without disturbing the one before: a column, a table, an index.
const ADDS: &str = "ALTER TABLE messages ADD COLUMN next_version TEXT;
CREATE TABLE next_things (thing_id BIGINT NOT NULL PRIMARY KEY, what TEXT);
CREATE INDEX next_things_by_what ON next_things (what);
";

/// The migration in a file; `oldest_reader`: the newest migration that a binary must know to work on it.
pub(crate) struct Next {
    folder: tempfile::TempDir,
    oldest_reader: u32,
}

impl Next {
    fn adding(oldest_reader: u32) -> Self {
        Self::of(ADDS, oldest_reader)
    }

    pub(crate) fn of(text: &str, oldest_reader: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("0002_next.sql"), text).unwrap();
        Self {
            folder,
            oldest_reader,
        }
    }

    /// From its next start on the process is of the next version, or of this one again.
    pub(crate) fn version(&self, transom: &mut Transom, is_next: bool) {
        let file = self.folder.path().join("0002_next.sql");
        let named = format!("{}:{}", self.oldest_reader, file.display());
        transom.set_env(NEXT, if is_next { &named } else { "" });
    }
}

/// One process after the other, the first one back again in the end.
#[tokio::test]
async fn a_rolling_upgrade_fails_no_message() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    let next = Next::adding(1);
    let change = |restart: u64, transom: &mut Transom| next.version(transom, restart < 2);
    let unheard = rolling_restart(Xmpp::prosody().await, "upgrade, Prosody", change).await;
    assert_eq!(unheard, 0, "texts without a word");
}

#[tokio::test]
async fn an_older_binary_goes_on_with_what_a_newer_one_has_added() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let server = prosody(&["alice"]).await;
    let (mut transom, twilio) = alone(server.component_addr(), &lines("alice"), "").await;
    let mut alice = server.client("alice", "phone").await;
    let next = Next::adding(1);
    for (is_next, id) in [(false, "m1"), (true, "m2"), (false, "m3")] {
        next.version(&mut transom, is_next);
        transom.start().await;
        link_up(&transom, "sms").await;
        let stanza = chat(&format!("+12025550140@{SMS}"), id, id);
        alice.send(&stanza).await;
        let is_it = |request: &Request| request.form("Body").as_deref() == Some(id);
        twilio.api.request("the text", is_it).await;
        assert!(transom.sigterm().await.success());
    }
}

#[tokio::test]
async fn an_older_binary_refuses_what_it_cannot_read() {
    let (mut transom, _twilio) = alone(free_port(), &lines("alice"), "").await;
    let next = Next::adding(2);
    next.version(&mut transom, true);
    transom.start().await;
    assert!(transom.sigterm().await.success());
    next.version(&mut transom, false);
    assert!(!transom.start_or_end().await, "it started");
    let log = transom.log();
    let why = "the database has migration 2; this transom knows 1: install the newer one again";
    assert!(log.contains(why), "{log}");
}
