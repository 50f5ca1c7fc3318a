//! Commands as forms (XEP-0050) and by chat, on a real Prosody.

use transom_test_servers::{Element, Server, XmppClient};

use crate::world::{SMS, World, chat, contact};

on_each_server! {
    a_number_is_chosen_in_a_form_and_texts_leave_from_it,
    a_user_lives_by_chat_alone,
}

const PEER: &str = "+12025550147";
const POOL: &str = "+12025550105";
const COMMANDS: &str = "http://jabber.org/protocol/commands";
pub(crate) const FORMS: &str = "jabber:x:data";

fn pool() -> String {
    format!("[[gateway.sms.line]]\nnumber = \"{POOL}\"\n")
}

/// What the gateway says to this.
pub(crate) async fn say(client: &mut XmppClient, body: &str) -> String {
    client.take_rest();
    client.message(SMS, &format!("say-{body}"), body).await;
    let from_gateway = |stanza: &Element| {
        stanza.name() == "message" && stanza.attr("from") == Some(SMS) && stanza.body().is_some()
    };
    let answer = client.expect(body, from_gateway).await;
    answer.body().expect("a body")
}

pub(crate) async fn command(client: &mut XmppClient, inside: &str) -> Element {
    command_at(client, SMS, inside).await
}

pub(crate) async fn command_at(client: &mut XmppClient, gateway: &str, inside: &str) -> Element {
    let payload = format!("<command xmlns='{COMMANDS}' {inside}");
    let answer = client.iq("set", gateway, &payload).await;
    assert_eq!(answer.attr("type"), Some("result"), "{answer}");
    answer.find("command", COMMANDS).expect("a command").clone()
}

async fn a_number_is_chosen_in_a_form_and_texts_leave_from_it(on: Server) {
    proves!("XEP-0050, XEP-0004: commands as forms", Prosody, Ejabberd);
    let world = World::with(on, &pool(), "").await;
    let mut alice = world.client("alice").await;
    let list = format!("<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>");
    let list = alice.iq("get", SMS, &list).await;
    let query = list.child("query").expect("a query");
    let nodes: Vec<&str> = query
        .children()
        .filter_map(|item| item.attr("node"))
        .collect();
    assert!(
        nodes.contains(&"register") && !nodes.contains(&"users"),
        "{nodes:?}"
    );
    let form = command(&mut alice, "node='register' action='execute'/>").await;
    assert_eq!(form.attr("status"), Some("executing"), "{form}");
    assert!(form.to_string().contains(POOL), "{form}");
    let session = form.attr("sessionid").expect("a session").to_owned();
    let filled = format!(
        "node='register' sessionid='{session}'><x xmlns='{FORMS}' type='submit'>\
         <field var='address'><value>{POOL}</value></field></x></command>"
    );
    // Another resource of the same person is another session.
    let mut tablet = world.server.client("alice", "tablet").await;
    let payload = format!("<command xmlns='{COMMANDS}' {filled}");
    let stolen = tablet.iq("set", SMS, &payload).await;
    assert_eq!(stolen.attr("type"), Some("error"), "{stolen}");
    let done = command(&mut alice, &filled).await;
    assert_eq!(done.attr("status"), Some("completed"), "{done}");
    alice.send(&chat(&contact(PEER), "m1", "by form")).await;
    let sent = world.twilio.text("by form").await;
    assert_eq!(sent.form("From").as_deref(), Some(POOL));
}

/// Nobody sees or stops what is another's.
async fn another_sees_nothing(world: &World, id: &str) {
    let mut bob = world.client("bob").await;
    let other = say(&mut bob, &format!("trace {id}")).await;
    assert!(other.contains("There is no message"), "{other}");
    for admin in [
        "users",
        "queue",
        "announce hello",
        "user add bob@example.org",
    ] {
        let answer = say(&mut bob, admin).await;
        assert!(answer.contains("is not a command"), "{admin}: {answer}");
    }
}

async fn a_user_lives_by_chat_alone(on: Server) {
    proves!(
        "a user lives by the gateway's chat alone",
        Prosody,
        Ejabberd
    );
    let world = World::with(on, &pool(), "").await;
    let mut alice = world.client("alice").await;
    assert!(say(&mut alice, "help").await.contains("register"));
    assert!(
        say(&mut alice, "register")
            .await
            .contains(&format!("1. {POOL}"))
    );
    assert!(say(&mut alice, "1").await.contains(POOL));
    alice.send(&chat(&contact(PEER), "m1", "hello there")).await;
    world.twilio.text("hello there").await;
    assert!(say(&mut alice, "contacts").await.contains(PEER));
    assert!(say(&mut alice, "1").await.contains("What to do"));
    assert!(say(&mut alice, "1").await.contains("Name?"));
    assert!(
        say(&mut alice, "Bob from work")
            .await
            .contains("Bob from work")
    );
    assert!(say(&mut alice, "contacts").await.contains("Bob from work"));
    assert!(say(&mut alice, "cancel").await.contains("Stopped"));
    let messages = say(&mut alice, "messages").await;
    assert!(messages.contains(PEER), "{messages}");
    let usage = say(&mut alice, "usage").await;
    assert!(usage.contains("Messages: 1 / 200"), "{usage}");
    // A blocked person is refused, at no cost.
    assert!(
        say(&mut alice, &format!("block {PEER}"))
            .await
            .contains("is blocked")
    );
    alice.send(&chat(&contact(PEER), "m2", "blocked now")).await;
    alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m2"))
        .await;
    assert!(say(&mut alice, "contacts").await.contains("Bob from work"));
    assert!(say(&mut alice, "1").await.contains("Allow again"));
    assert!(say(&mut alice, "cancel").await.contains("Stopped"));
    let id = messages
        .lines()
        .last()
        .and_then(|line| line.split(' ').next())
        .expect("an id")
        .to_owned();
    another_sees_nothing(&world, &id).await;
    let life = say(&mut alice, &format!("trace {id}")).await;
    assert!(
        life.contains(PEER) && !life.contains("hello there"),
        "no text: {life}"
    );
    assert!(
        say(&mut alice, "unregister yes")
            .await
            .contains("no longer registered")
    );
    assert_eq!(
        world.twilio.sent().len(),
        1,
        "what is said to the gateway never leaves"
    );
}
