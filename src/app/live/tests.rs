//! Logging in at a real Prosody, private to the test, and at nothing.

use std::path::Path;

use transom_test_servers::{Feature, Prosody, Server, free_port, skipped};

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
async fn what_the_users_server_has_is_told() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let prosody = || Prosody::builder().component(DOMAIN, "right");
    let plain = prosody().start().await;
    let full = prosody().with(Feature::Privilege).with(Feature::Upload);
    let full = full.start().await;
    for (prosody, said) in [
        (
            plain,
            [
                "example.org gives no privileges",
                "example.org has no upload service",
            ],
        ),
        (
            full,
            [
                "example.org allows to add contacts",
                "example.org has an upload service for files, upload.example.org, up to ",
            ],
        ),
    ] {
        let live = app(prosody.component_addr(), "right", folder.path())
            .check_live(None)
            .await;
        assert!(live.works(), "{live:?}");
        for said in said {
            let is_it = |one: &Finding| {
                one.subject == "gateway.sms" && one.is_note && one.text.starts_with(said)
            };
            assert!(live.findings.iter().any(is_it), "{said}: {live:?}");
        }
    }
}

#[tokio::test]
async fn a_running_process_is_asked_instead() {
    let folder = tempfile::tempdir().unwrap();
    let link = crate::operations::LinkNow {
        gateway: "sms".to_owned(),
        up: true,
        detail: "up".to_owned(),
        remedies: Vec::new(),
        found: vec!["example.org has an upload service".to_owned()],
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
    let of_link = live
        .findings
        .iter()
        .filter(|one| one.subject == "gateway.sms");
    let of_link: Vec<&str> = of_link.map(|one| one.text.as_str()).collect();
    assert_eq!(of_link[1], "example.org has an upload service");
    let alone = app(free_port(), "any", folder.path())
        .check_live(None)
        .await;
    assert!(
        find(&alone, "gateway.sms").text.contains("cannot reach"),
        "{alone:?}"
    );
}
