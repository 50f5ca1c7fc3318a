//! From a command line to what is printed.

use std::{ffi::OsString, path::Path};

use super::*;
use crate::{
    cli::Arguments,
    config::Environment,
    operations::{Life, StanzaSeen, Waiting, WaitingState},
};

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn asked(line: &str) -> (Request, bool) {
    let words = line.split(' ').map(OsString::from);
    request(Arguments::read(words).unwrap().command).unwrap()
}

fn config(folder: &Path) -> Config {
    let text = "[store]\nurl = \"sqlite://transom.db\"\n[xmpp]\nallow = [\"example.org\"]\n\
        [gateway.sms]\nadapter = \"sms\"\ndomain = \"sms.example.org\"\nsecret = \"component\"\nregion = \"US\"\n\
        [gateway.sms.provider.main]\nkind = \"simulator\"\n\
        [[gateway.sms.line]]\nnumber = \"+12025550100\"\nowner = \"alice@example.org\"\n\
        [[gateway.sms.line]]\nnumber = \"+12025550101\"\n";
    Config::parse(text, &folder.join("transom.toml"), &Environment::default())
        .unwrap()
        .config
}

#[test]
fn arguments_become_requests() {
    let (list, json) = asked("transom queue list --direction in --limit 7 --json");
    let want = Request::QueueList {
        gateway: None,
        direction: Some(operations::Direction::In),
        limit: 7,
    };
    assert_eq!((list, json), (want, true));
    assert_eq!(
        asked("transom queue release --all").0,
        Request::QueueRelease { ids: Vec::new() }
    );
    let add = Request::BlockAdd {
        peer: "bob@example.com".to_owned(),
        gateway: Some("mail".to_owned()),
    };
    assert_eq!(
        asked("transom block add bob@example.com --gateway mail").0,
        add
    );
    assert_eq!(
        asked("transom trace SM1").0,
        Request::Trace {
            id: "SM1".to_owned()
        }
    );
}

#[tokio::test]
async fn commands_work_on_the_store_alone() {
    let folder = tempfile::tempdir().unwrap();
    let say = async |line: &str| {
        let (request, json) = asked(line);
        match perform(config(folder.path()), request).await {
            Ok(reply) => (shown_at(&reply, json, now()), Exit::Done),
            Err(trouble) => (trouble.text, trouble.exit),
        }
    };
    let (text, exit) = say("transom user list").await;
    assert!(text.contains("there is no database"), "{text}");
    assert_eq!(exit, Exit::Unavailable);
    assert!(
        !folder.path().join("transom.db").exists(),
        "a command must not make one"
    );
    std::fs::write(folder.path().join("transom.db"), "").unwrap();
    assert_eq!(
        say("transom user list").await,
        ("There are no users.".to_owned(), Exit::Done)
    );
    assert_eq!(say("transom queue list").await.0, "Nothing waits.");
    assert_eq!(say("transom block list").await.0, "Nobody is blocked.");
    assert_eq!(
        say("transom queue list --json").await.0,
        "{\n  \"queue\": []\n}"
    );
    assert_eq!(
        say("transom user add bob@example.org").await.0,
        "bob@example.org is a user of sms, with +12025550101."
    );
    assert_eq!(
        say("transom line list").await.0,
        "NUMBER OR ADDRESS  GATEWAY  KIND   STATE   PROVIDERS  FROM  OWNERS\n\
         +12025550100       sms      owned  active  main       file  alice@example.org\n\
         +12025550101       sms      pool   active  main       file  bob@example.org\n"
    );
    let refused = ("there is no message \"5\"".to_owned(), Exit::BadData);
    assert_eq!(say("transom queue cancel 5").await, refused);
}

#[tokio::test]
async fn a_run_that_holds_the_store_and_does_not_listen_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("transom.db"), "").unwrap();
    let running = App::builder()
        .build(config(folder.path()))
        .alone()
        .await
        .unwrap();
    let trouble = perform(config(folder.path()), Request::UserList { gateway: None })
        .await
        .unwrap_err();
    assert!(
        trouble.text.starts_with("a transom runs"),
        "{}",
        trouble.text
    );
    assert_eq!(trouble.exit, Exit::Unavailable);
    running.close().await;
    assert!(
        perform(config(folder.path()), Request::UserList { gateway: None })
            .await
            .is_ok()
    );
}

fn waiting(state: WaitingState) -> Waiting {
    Waiting {
        id: "385012345678901234".to_owned(),
        gateway: "sms".to_owned(),
        direction: operations::Direction::Out,
        user: Some("alice@example.org".to_owned()),
        line: "+12025550100".to_owned(),
        peer: "+12025550147".to_owned(),
        state,
        accepted: "2026-11-23T09:30:00Z".parse().unwrap(),
        due: Some("2026-11-23T12:04:30Z".parse().unwrap()),
        attempts: 3,
        reason: Some("network-down".to_owned()),
        code: Some("30008".to_owned()),
    }
}

#[test]
fn a_queue_says_why() {
    let queue = [
        WaitingState::Queued,
        WaitingState::Sending,
        WaitingState::Restored,
        WaitingState::Unowned,
    ];
    let text = shown_at(&Reply::Queue(queue.map(waiting).into()), false, now());
    assert_eq!(
        text,
        "ID                  WAY  AGE  USER               CONTACT       TRIES  NEXT     WHY\n\
         385012345678901234  out  2h   alice@example.org  +12025550147  3      in 4m    network-down 30008\n\
         385012345678901234  out  2h   alice@example.org  +12025550147  3      sending  network-down 30008\n\
         385012345678901234  out  2h   alice@example.org  +12025550147  3      held     restored copy\n\
         385012345678901234  out  2h   alice@example.org  +12025550147  3      held     no owner on +1202555…\n"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_life_is_told_in_full_and_moves_no_cursor() {
    let one = waiting(WaitingState::Queued);
    let life = Life {
        id: one.id,
        key: "ajl2gs5r5e2o4".to_owned(),
        gateway: one.gateway,
        direction: one.direction,
        user: one.user,
        line: one.line,
        peer: one.peer,
        contact: Some("+12025550147@sms.example.org".to_owned()),
        state: "queued".to_owned(),
        accepted: one.accepted,
        started: None,
        ended: None,
        due: one.due,
        attempts: 3,
        account: Some("sms/main".to_owned()),
        providers: vec!["main".to_owned()],
        units: 2,
        units_done: 1,
        segments: 2,
        reason: one.reason,
        code: one.code,
        told: None,
        to_tell: None,
        text_is_kept: true,
        stanzas: vec![StanzaSeen {
            id: "a\u{1b}[2J".to_owned(),
            jid: "alice@example.org/phone".to_owned(),
            wants_receipt: true,
        }],
        network_ids: Vec::new(),
    };
    assert_eq!(
        shown_at(&Reply::Messages(vec![life]), false, now()),
        "id         385012345678901234 (ajl2gs5r5e2o4)\n\
         from       alice@example.org, as +12025550100\n\
         to         +12025550147\n\
         gateway    sms\n\
         contact    +12025550147@sms.example.org\n\
         accepted   2026-11-23 09:30:00 UTC\n\
         state      queued, 1 of 2 parts through\n\
         next       in 4m (2026-11-23 12:04:30 UTC)\n\
         attempts   3, the last by sms/main\n\
         can go by  main\n\
         segments   2\n\
         reason     network-down, code 30008\n\
         text       still kept\n\
         stanza     a\u{fffd}[2J · alice@example.org/phone, wants a receipt\n"
    );
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_said_fault_by_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    std::fs::write(folder.path().join("transom.db"), "").unwrap();
    config.store.key_file = Some(folder.path().join("transom.key"));
    let trouble = perform(config, asked("transom user list").0)
        .await
        .unwrap_err();
    assert_eq!(trouble.exit, Exit::Config);
    for said in ["error   store.key_file", "transom.key", "fix  "] {
        assert!(trouble.text.contains(said), "{}", trouble.text);
    }
}
