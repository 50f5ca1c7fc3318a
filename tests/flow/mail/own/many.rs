//! Many mailboxes idle in one process: what each costs, and that a mail to any of them reaches its chat.
//!
//! Twenty by default, so that every run has it; `TRANSOM_OWN_ACCOUNTS=500` for the figure in docs/MAIL.md.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use transom::{
    config::StoreUrl,
    metrics::Metrics,
    seal::{Bound, KeyRing},
    store::{
        Store, Write,
        write::{KeptAccount, Operation, OwnAccount},
    },
};
use transom_adapter::{Lifecycle, Login, Place, Server as MailServer, Tls};
use transom_test_servers::{Server, skipped, until};

use super::world::{OwnWorld, chat_from, mail};
use crate::world::{Database, link_up};

const BOB: &str = crate::mail::BOB;
const PATIENCE: Duration = Duration::from_mins(5);

fn wanted() -> usize {
    let number = std::env::var("TRANSOM_OWN_ACCOUNTS").ok();
    number.and_then(|number| number.parse().ok()).unwrap_or(20)
}

#[tokio::test]
async fn many_mailboxes_idle_in_one_process_and_a_mail_to_any_reaches_its_chat() {
    if skipped(&[Server::Prosody, Server::Postfix, Server::Dovecot]) {
        return;
    }
    let number = wanted();
    let names: Vec<String> = (0..number).map(|at| format!("box{at}")).collect();
    let mailboxes: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "secret")).collect();
    let mut world = OwnWorld::on(Database::Sqlite, &mailboxes).await;
    let mut alice = world.alice().await;
    let without = settled(&world).await;
    world.transom.sigterm().await;
    insert(&world, &names).await;
    world.transom.start().await;
    link_up(&world.transom, "mail").await;
    let want = f64::from(u32::try_from(number).expect("few"));
    let up = until("all of them", PATIENCE, async || {
        let up = world
            .transom
            .metric("transom_own_accounts{state=\"up\"}")
            .await;
        (up == Some(want)).then_some(())
    });
    up.await
        .unwrap_or_else(|why| panic!("{why}:\n{}", world.transom.log()));
    let with = settled(&world).await;
    let each = with.saturating_sub(without) / number as u64;
    eprintln!("{number} mailboxes: {without} bytes without, {with} with, {each} each");
    for name in [&names[0], &names[number / 2], &names[number - 1]] {
        let to = format!("{name}@corp.example");
        world
            .deliver(&to, &mail(name, &format!("mail to {name}")))
            .await;
        chat_from(&mut alice, BOB, &format!("mail to {name}")).await;
    }
}

/// The resident memory, once it does not change any more.
async fn settled(world: &OwnWorld) -> u64 {
    let mut last = 0;
    let same = until("memory that stays", PATIENCE, async || {
        world.transom.metrics().await;
        let now = world.transom.resident_bytes();
        let same = now == last;
        last = now;
        same.then_some(now)
    });
    same.await.unwrap_or_else(|why| panic!("{why}"))
}

/// Accounts as the page would keep them, all of one user.
async fn insert(world: &OwnWorld, names: &[String]) {
    let folder = world.transom.folder();
    let ring = KeyRing::read(folder.join("transom.key")).expect("the key file");
    let url = StoreUrl::Sqlite(folder.join("transom.db"));
    let lifecycle = Lifecycle::new();
    let store = Store::open(&url, lifecycle.clone())
        .await
        .expect("the database");
    let writer = store.writer(Metrics::new());
    let gateway_id = store.gateway_id("mail", 1).await.expect("the gateway");
    let user = store
        .user(gateway_id, "alice@example.org")
        .await
        .expect("an answer");
    let (user_id, _) = user.expect("alice is a user");
    let server = |addr: std::net::SocketAddr| MailServer {
        host: addr.ip().to_string(),
        port: addr.port(),
        tls: Tls::None,
    };
    let mut rows = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let account_id = i64::try_from(at).expect("few") + 1_000_000;
        let place = Place {
            username: name.clone(),
            inward: server(world.dovecot.imap_addr()),
            outward: server(world.postfix.smtp_addr()),
        };
        let login = Login::Password("secret".into()).to_secret();
        let bound = Bound {
            account_id,
            user_id,
        };
        let sealed = ring.keys().seal(login.expose_secret(), bound);
        let kept = KeptAccount {
            account_id,
            name: format!("mail/own-{account_id}"),
            route: format!("own-{account_id}"),
            gateway_id,
            user_id,
            jid: "alice@example.org".to_owned(),
            line_id: account_id,
            address: format!("{name}@corp.example"),
            place: serde_json::to_string(&place).expect("JSON"),
            key_id: sealed.key,
            sealed: sealed.text,
            at_ms: 1,
        };
        rows.push(Write::Operation(Operation::Own(OwnAccount::Keep(
            Box::new(kept),
        ))));
    }
    writer.commit(rows).await.expect("a commit");
    drop(writer);
    lifecycle.drain();
    lifecycle.finish(Duration::from_secs(5)).await;
    store.close().await;
}
