//! The key that logins are sealed with is exchanged.

use transom_test_servers::{Server, skipped};

use super::words;
use super::world::{OWN, OwnWorld, PASSWORD};
use crate::world::link_up;

#[tokio::test]
async fn a_rotation_that_is_killed_half_way_goes_on_and_the_mailbox_too() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::start().await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    let file = world.transom.folder().join("transom.key");
    let keys = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = keys(&std::fs::read_to_string(&file).expect("the key file"));
    // Alone, killed right after the first commit.
    world.transom.sigterm().await;
    world.transom.set_env("TRANSOM_ABORT_AT", "Resealed:1");
    let killed = world.transom.command(&["key", "rotate"]).await;
    assert!(!killed.status.success(), "{}", words(&killed));
    let during = keys(&std::fs::read_to_string(&file).expect("the key file"));
    assert_eq!((during.len(), &during[0]), (2, &before[0]));
    world.transom.set_env("TRANSOM_ABORT_AT", "");
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    // Beside the running process it is finished, and the old key is gone.
    let finished = world.transom.command(&["key", "rotate"]).await;
    assert!(finished.status.success(), "{}", words(&finished));
    let after = keys(&std::fs::read_to_string(&file).expect("the key file"));
    assert_eq!(after, during[1..]);
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    world.reads(&mut alice, OWN).await;
}

#[tokio::test]
async fn a_key_that_systemd_hands_over_is_rotated_with_a_restart() {
    const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
    const NONE: &str = "/nowhere";
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let mut world = OwnWorld::start().await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    world.transom.sigterm().await;
    let file = world.transom.folder().join("transom.key");
    let credentials = world.transom.folder().join("credentials");
    std::fs::create_dir(&credentials).expect("a folder");
    // As LoadCredential= does at each start; commands that root types are given nothing.
    let hand_over = || std::fs::copy(&file, credentials.join("transom.key")).expect("a copy");
    let folder = credentials.to_str().expect("a path").to_owned();

    hand_over();
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).expect("it goes");
    world.transom.set_env(CREDENTIALS, &folder);
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    world.reads(&mut alice, OWN).await;

    std::fs::rename(&away, &file).expect("it is back");
    world.transom.set_env(CREDENTIALS, NONE);
    let early = world.transom.command(&["key", "rotate"]).await;
    assert!(!early.status.success(), "{}", words(&early));
    assert!(
        words(&early).contains("restart transom, then repeat this"),
        "{}",
        words(&early)
    );
    hand_over();
    world.transom.set_env(CREDENTIALS, &folder);
    world.transom.restart().await;
    world.transom.set_env(CREDENTIALS, NONE);
    let rotated = world.transom.command(&["key", "rotate"]).await;
    assert!(rotated.status.success(), "{}", words(&rotated));
    hand_over();
    world.transom.set_env(CREDENTIALS, &folder);
    world.transom.restart().await;
    link_up(&world.transom, "mail").await;
    world.reads(&mut alice, OWN).await;
}
