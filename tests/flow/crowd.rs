//! Many contacts and many users: what a start and a login cost, and that no message waits for it (semantics 10).

use std::collections::HashSet;

use serde_json::Value;
use transom_test_servers::{Element, PATIENCE, Server, XmppClient};

use crate::world::{LINE, SMS, World, chat, contact};

on_each_server! {
    a_user_with_a_thousand_contacts_comes_and_no_text_waits_for_them,
    ten_thousand_users_see_one_presence_at_a_start_and_no_text_waits_for_it,
}

const PEER: &str = "+12025550147";
const CONTACTS: usize = 1000;
const USERS: i64 = 10_000;

/// The presence of the gateway or of a contact, and no question.
fn is_presence(stanza: &Element, from: &str) -> bool {
    let kind = stanza.attr("type");
    stanza.name() == "presence"
        && (kind.is_none() || kind == Some("unavailable"))
        && stanza.attr("from").is_some_and(|jid| jid.contains(from))
}

fn presences(client: &XmppClient, from: &str) -> usize {
    let received = client.received().iter();
    received.filter(|stanza| is_presence(stanza, from)).count()
}

async fn text_comes(world: &World, client: &mut XmppClient, sid: &str) {
    let taken = world.twilio.deliver(sid, PEER, LINE, sid).await;
    assert_eq!(taken, Ok(200));
    client
        .expect("the text", |stanza| stanza.body().as_deref() == Some(sid))
        .await;
}

async fn subscribed(client: &mut XmppClient, jid: &str) {
    client
        .send(&format!("<presence to='{jid}' type='subscribe'/>"))
        .await;
}

async fn a_user_with_a_thousand_contacts_comes_and_no_text_waits_for_them(on: Server) {
    proves!(
        "a thousand contacts: each answers one probe at a login, none says anything at a start, and texts pass them",
        Prosody,
        Ejabberd
    );
    let mut world = World::on(on, "").await;
    let mut phone = world.client("alice").await;
    phone.send(&chat(&contact(PEER), "m0", "hello")).await;
    world.twilio.text("hello").await;
    subscribed(&mut phone, SMS).await;
    for number in 0..CONTACTS {
        subscribed(&mut phone, &contact(&format!("+1202556{number:04}"))).await;
    }
    let last = contact(&format!("+1202556{:04}", CONTACTS - 1));
    phone
        .expect_within(PATIENCE * 2, "the last contact", |stanza| {
            is_presence(stanza, &last)
        })
        .await;
    phone.barrier().await;
    phone.disconnect().await;
    // She comes: her server asks a thousand times where they are.
    let mut desk = world.server.client("alice", "desk").await;
    text_comes(&world, &mut desk, "SMfirst").await;
    let before = presences(&desk, "+1202556");
    eprintln!("the text came behind {before} of {CONTACTS} presences");
    assert!(
        before < CONTACTS / 2,
        "the text came behind {before} presences"
    );
    let mut seen = HashSet::new();
    for stanza in desk.received() {
        if is_presence(stanza, "+1202556") {
            seen.insert(stanza.attr("from").unwrap_or_default().to_owned());
        }
    }
    while seen.len() < CONTACTS {
        let next = desk
            .expect_within(PATIENCE * 2, "another contact", |stanza| {
                let from = stanza.attr("from").unwrap_or_default();
                is_presence(stanza, "+1202556") && !seen.contains(from)
            })
            .await;
        seen.insert(next.attr("from").unwrap_or_default().to_owned());
    }
    text_comes(&world, &mut desk, "SMsecond").await;
    assert_eq!(presences(&desk, "+1202556"), CONTACTS, "each once");
    // Stop and start: the gateway, which she sees by now, goes and comes, and that is all.
    let own_jid = format!("{SMS}/gw");
    desk.expect("the gateway", |stanza| {
        stanza.attr("from") == Some(&own_jid) && stanza.attr("type").is_none()
    })
    .await;
    let own = presences(&desk, &own_jid) - CONTACTS;
    assert!(world.transom.sigterm().await.success());
    world.transom.start().await;
    world.up().await;
    text_comes(&world, &mut desk, "SMthird").await;
    desk.expect("the gateway again", |stanza| {
        stanza.attr("from") == Some(&own_jid) && stanza.attr("type").is_none()
    })
    .await;
    desk.barrier().await;
    assert_eq!(
        presences(&desk, "+1202556"),
        CONTACTS,
        "no contact said anything"
    );
    let later = presences(&desk, &own_jid) - CONTACTS - own;
    assert_eq!(later, 2, "gone, and there again");
}

/// The export with so many users more, who all see the gateway and come before alice.
fn with_a_crowd(export: &str) -> String {
    let mut lines: Vec<String> = export.lines().map(str::to_owned).collect();
    let end = lines.pop().expect("the last line");
    let end: Value = serde_json::from_str(&end).expect("JSON");
    let mut rows = end["rows"].as_i64().expect("how many rows");
    let mut crowded = Vec::new();
    for line in lines {
        let parsed: Value = serde_json::from_str(&line).expect("JSON");
        let (table, row) = (&parsed["table"], &parsed["row"]);
        let is_copied = table == "users" || table == "contacts" && row["peer"] == "";
        if is_copied {
            for number in 1..=USERS {
                let mut copy = parsed.clone();
                copy["row"]["user_id"] = number.into();
                if table == "users" {
                    copy["row"]["jid"] = format!("aa{number:05}@example.org").into();
                }
                crowded.push(copy.to_string());
                rows += 1;
            }
        }
        crowded.push(line);
    }
    crowded.push(serde_json::json!({ "rows": rows }).to_string());
    crowded.join("\n") + "\n"
}

async fn ten_thousand_users_see_one_presence_at_a_start_and_no_text_waits_for_it(on: Server) {
    proves!(
        "ten thousand users: one presence each at a start, paced, and texts pass them",
        Prosody,
        Ejabberd
    );
    let mut world = World::on(on, "").await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m0", "hello")).await;
    world.twilio.text("hello").await;
    subscribed(&mut alice, SMS).await;
    let here = |stanza: &Element| is_presence(stanza, SMS) && stanza.attr("type").is_none();
    alice.expect("the gateway", here).await;
    assert!(world.transom.sigterm().await.success());
    let file = world.transom.folder().join("moved.jsonl");
    let path = file.display().to_string();
    let exported = world.transom.command(&["export", &path]).await;
    assert!(exported.status.success(), "{exported:?}");
    let export = std::fs::read_to_string(&file).expect("the export");
    std::fs::write(&file, with_a_crowd(&export)).expect("the crowd");
    let config = world.transom.config_text();
    world
        .transom
        .configure(&format!("[store]\nurl = \"sqlite://crowd.db\"\n{config}"));
    let imported = world.transom.command(&["import", &path]).await;
    assert!(imported.status.success(), "{imported:?}");
    alice
        .expect("it went", |stanza| is_presence(stanza, SMS))
        .await;
    let before = presences(&alice, SMS);
    world.transom.start().await;
    world.up().await;
    // She is the last of them: what comes before her presence has passed all that still wait.
    text_comes(&world, &mut alice, "SMfirst").await;
    assert_eq!(
        presences(&alice, SMS),
        before,
        "the text waited for presences"
    );
    alice
        .expect_within(PATIENCE * 2, "the gateway again", here)
        .await;
    text_comes(&world, &mut alice, "SMsecond").await;
    assert_eq!(presences(&alice, SMS), before + 1, "one presence");
}
