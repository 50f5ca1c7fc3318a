//! Logging in at a real Prosody, private to the test, and at nothing.

use std::path::Path;

use transom_test_servers::{Prosody, Server, free_port, skipped};

use super::*;
use crate::config::{Config, Environment};

const DOMAIN: &str = "sms.example.org";

fn app(server: std::net::SocketAddr, secret: &str, folder: &Path) -> App {
    let text = format!(
        "[xmpp]\nserver = \"{server}\"\nallow = [\"example.org\"]\n\
         [gateway.sms]\nadapter = \"sms\"\ndomain = \"{DOMAIN}\"\nsecret = \"{secret}\"\nregion = \"US\"\n\
         [gateway.sms.provider.main]\nkind = \"simulator\"\n"
    );
    let file = folder.join("transom.toml");
    let config = Config::parse(&text, &file, &Environment::default());
    App::builder().build(config.unwrap().config)
}

fn find<'a>(live: &'a Live, subject: &str) -> &'a Finding {
    let mut findings = live.findings.iter();
    findings.find(|found| found.subject == subject).unwrap()
}

#[tokio::test]
async fn a_login_is_told_from_a_wrong_secret() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let prosody = Prosody::builder().component(DOMAIN, "right").start().await;
    let live = app(prosody.component_addr(), "right", folder.path())
        .check_live(None)
        .await;
    assert!(live.works(), "{live:?}");
    let link = find(&live, "gateway.sms");
    assert!(
        link.text.ends_with("accepts the component sms.example.org"),
        "{link:?}"
    );
    assert!(
        find(&live, "database")
            .text
            .contains("`transom run` makes it"),
        "{live:?}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "a check makes no database"
    );
    let live = app(prosody.component_addr(), "wrong", folder.path())
        .check_live(None)
        .await;
    let link = find(&live, "gateway.sms");
    assert!(!live.works() && !link.works, "{link:?}");
    assert!(link.text.contains("refused the secret"), "{link:?}");
    assert!(
        link.remedies[0].starts_with("Prosody: ") && link.remedies[1].starts_with("ejabberd: "),
        "{link:?}"
    );
}

#[tokio::test]
async fn a_running_process_is_asked_instead() {
    let folder = tempfile::tempdir().unwrap();
    let link = crate::operations::LinkNow {
        gateway: "sms".to_owned(),
        up: true,
        detail: "up".to_owned(),
        remedies: Vec::new(),
    };
    let now = Now {
        store_commits: true,
        links: vec![link],
        accounts: Vec::new(),
    };
    // Nothing listens there: a login would fail.
    let live = app(free_port(), "any", folder.path())
        .check_live(Some(now))
        .await;
    assert!(live.works(), "{live:?}");
    let alone = app(free_port(), "any", folder.path())
        .check_live(None)
        .await;
    assert!(
        find(&alone, "gateway.sms").text.contains("cannot reach"),
        "{alone:?}"
    );
}
