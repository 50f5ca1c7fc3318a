//! Two processes that seal users' logins with one key file, and a key that is exchanged beside them.

use transom_test_servers::{
    Dovecot, Feature, HttpDouble, Mailboxes, Server, Transom, XmppClient, free_port, skipped,
};

use super::world::{OWN, Otherwise, OwnWorld, PASSWORD, ask, chat_from, mail, words};
use crate::mail::BOB;
use crate::world::Database;

const CAROLS: &str = "carol@corp.example";

/// The ids of the keys in the file, which are what stands first in each line.
fn keys(world: &OwnWorld) -> Vec<String> {
    let text = std::fs::read_to_string(world.transom.folder().join("transom.key"));
    let text = text.expect("the key file");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// A mail for each, which whoever opens the mailboxes next will find there.
async fn deliver(world: &OwnWorld, id: &str) {
    for own in [OWN, CAROLS] {
        let text = format!("{id} for {own}");
        world
            .deliver(own, &mail(&text.replace(' ', "-"), &text))
            .await;
    }
}

async fn both_read(clients: [&mut XmppClient; 2], id: &str) {
    for (client, own) in clients.into_iter().zip([OWN, CAROLS]) {
        chat_from(client, BOB, &format!("{id} for {own}")).await;
    }
}

/// Another process beside the one that has the gateway, with the same key file.
pub(super) async fn another(world: &OwnWorld) -> Transom {
    let http = free_port();
    let (mine, file) = (
        world.transom.http().to_string(),
        world.transom.folder().join("transom.key"),
    );
    let config = world
        .transom
        .config_text()
        .replace(&mine, &http.to_string())
        .replace("\"transom.key\"", &format!("\"{}\"", file.display()));
    let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"));
    builder.config(&config).http(http).start().await
}

#[tokio::test]
async fn a_key_that_is_exchanged_beside_two_processes_costs_neither_a_login() {
    let servers = [
        Server::Prosody,
        Server::Postfix,
        Server::Dovecot,
        Server::Postgres,
    ];
    if skipped(&servers) {
        return;
    }
    let dovecot = Dovecot::start(Mailboxes::WithPasswords).await;
    dovecot
        .set_passwords(&[("alice", PASSWORD), ("carol", PASSWORD)])
        .await;
    let otherwise = Otherwise {
        features: vec![Feature::KickOld],
        ..Otherwise::default()
    };
    let directory = HttpDouble::start().await;
    let mut world = OwnWorld::of(Database::Postgres, dovecot, directory, otherwise).await;
    let mut alice = world.alice().await;
    world.connect(&mut alice, OWN, PASSWORD).await;
    let old = keys(&world);

    let mut other = another(&world).await;
    let rotated = other.command(&["key", "rotate"]).await;
    assert!(rotated.status.success(), "{}", words(&rotated));
    let new = keys(&world);
    assert!(new.len() == 1 && new != old, "{new:?}");

    // The one with the gateway was told nothing, and seals what is new with the key that is there.
    let mut carol = world.server.client("carol", "phone").await;
    ask(&mut carol, "register carol").await;
    world.connect(&mut carol, CAROLS, PASSWORD).await;
    deliver(&world, "before").await;
    both_read([&mut alice, &mut carol], "before").await;

    // Whoever takes the mailboxes over opens both, and so does the first one when it is back.
    world.transom.kill9();
    deliver(&world, "one").await;
    both_read([&mut alice, &mut carol], "one").await;
    world.transom.start().await;
    let again = world.transom.command(&["key", "rotate"]).await;
    assert!(again.status.success(), "{}", words(&again));
    assert_ne!(keys(&world), new);
    other.kill9();
    deliver(&world, "two").await;
    both_read([&mut alice, &mut carol], "two").await;
}
