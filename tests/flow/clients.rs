//! Real clients, as people use them: a library's on both servers, and Converse.js in a browser.

use serde_json::Value;
use sha2::{Digest, Sha256};
use transom_test_servers::{Answer, Feature, Roles, ScriptedClient, Server, skipped};

use crate::ejabberd;
use crate::simulated::{self, answer_on_the_phone, on_the_phone};
use crate::world::{LINE, SMS, Twilio, World, contact};

on_each_server! {
    somebody_in_a_browser_does_what_people_do,
}

const PEER: &str = "+12025550147";

/// What a phone sends: a hill and the sun.
const PICTURE: &[u8] = include_bytes!("picture.png");

/// A picture from the phone, through Twilio's double.
pub(crate) async fn picture_from_the_phone(twilio: &Twilio, content: &[u8]) {
    let kept = content.to_vec();
    twilio
        .api
        .answer_by(move |_| Answer::with(200, "image/png", kept.clone()));
    let taken = twilio
        .deliver_picture("MM1", PEER, LINE, "Look at this")
        .await;
    assert_eq!(taken, Ok(200));
}

fn roles<'a>(user: &'a str, gateway: &'a str, contact: &'a str) -> Roles<'a> {
    Roles {
        user,
        gateway,
        contact,
    }
}

/// What everybody shows of a new contact.
fn check_contact(seen: &Value, peer: &str) {
    assert_eq!(seen["subscription"], "both", "{seen}");
    assert_eq!(seen["available_from"], format!("{peer}/gw"), "{seen}");
    assert_eq!(
        seen["identities"],
        serde_json::json!([["client", "sms"]]),
        "{seen}"
    );
    assert_eq!(seen["name"], PEER, "{seen}");
    assert_eq!(seen["picture_type"], "image/png", "{seen}");
    assert!(seen["picture_bytes"].as_u64() > Some(100), "{seen}");
    let features = seen["features"].as_array().expect("features");
    let has = |feature: &str| features.iter().any(|known| known == feature);
    assert!(has("urn:xmpp:receipts"), "{seen}");
    assert!(!has("eu.siacs.conversations.axolotl"), "{seen}");
}

/// The form of a command, field by field, and the chat with the gateway.
async fn command_and_chat(client: &mut ScriptedClient, other_side: &str) {
    let commands = client.step("commands").await;
    let nodes = commands["nodes"].as_array().expect("nodes");
    assert!(nodes.iter().any(|node| node == "contacts"), "{commands}");
    let peer = client.step("form").await;
    assert_eq!(peer["status"], "executing");
    assert_eq!(peer["type"], "list-single");
    assert_eq!(peer["options"], serde_json::json!([other_side]));
    let action = client.step("form").await;
    let options = action["options"].as_array().expect("options");
    assert!(options.iter().any(|option| option == "rename"), "{action}");
    let name = client.step("form").await;
    assert_eq!(name["type"], "text-single");
    let done = client.step("done").await;
    assert_eq!(done["status"], "completed");
    assert!(done["notes"].to_string().contains("Carol"), "{done}");
    let help = client.step("talk").await;
    assert!(
        help["heard"].as_str().expect("text").contains("contacts"),
        "{help}"
    );
    let usage = client.step("talk").await;
    assert!(usage["heard"].to_string().contains("1 / 200"), "{usage}");
}

async fn check_picture(client: &mut ScriptedClient) -> Value {
    let seen = client.step("picture").await;
    assert_eq!(seen["inline"], true, "{seen}");
    assert_eq!(seen["type"], "image/png", "{seen}");
    assert_eq!(
        seen["sha256"],
        hex::encode(Sha256::digest(PICTURE)),
        "{seen}"
    );
    seen
}

fn check_answer(seen: &Value, peer: &str) {
    assert_eq!(seen["body"], "hello library");
    assert_eq!(seen["sender"], peer, "the same chat");
    assert_eq!(seen["type"], "chat");
}

#[tokio::test]
async fn a_library_client_does_what_people_do_on_prosody() {
    if skipped(&[Server::Prosody, Server::Slixmpp]) {
        return;
    }
    proves!("slixmpp as a client: all that people do", Prosody);
    let world = simulated::world().await;
    let peer = contact(PEER);
    let server = world.server.client_addr();
    let mut client = ScriptedClient::slixmpp(server, roles("alice@example.org", SMS, &peer));
    check_contact(&client.step("contact").await, &peer);
    let sent = client.step("sent").await;
    on_the_phone(world.transom.http(), "hello from a library").await;
    let receipt = client.step("receipt").await;
    assert_eq!(receipt["id"], sent["id"]);
    assert_eq!(receipt["sender"], peer);
    answer_on_the_phone(world.transom.http(), "hello library").await;
    check_answer(&client.step("answer").await, &peer);
    command_and_chat(&mut client, PEER).await;
    client.step("waiting for a picture").await;
    picture_from_the_phone(&world.twilio, PICTURE).await;
    check_picture(&mut client).await;
    client.end().await;
}

#[tokio::test]
async fn a_library_client_does_what_people_do_on_ejabberd() {
    if skipped(&[Server::Ejabberd, Server::Slixmpp]) {
        return;
    }
    proves!("slixmpp as a client: all that people do", Ejabberd);
    proves!("XEP-0050, XEP-0004: commands as forms", Ejabberd);
    proves!("the gateway is a chat partner", Ejabberd);
    proves!(
        "XEP-0363: files that come in go through the server's upload service",
        Ejabberd
    );
    let world = ejabberd::world("lea").await;
    let peer = world.contact();
    let server = world.server.client_addr();
    let mut client =
        ScriptedClient::slixmpp(server, roles("lea@example.org", &world.domain, &peer));
    check_contact(&client.step("contact").await, &peer);
    let sent = client.step("sent").await;
    let text = world.twilio.text("hello from a library").await;
    let reported = world
        .twilio
        .report(&text, &Twilio::sid(1), "delivered", "")
        .await;
    assert_eq!(reported, Ok(200));
    let receipt = client.step("receipt").await;
    assert_eq!(receipt["id"], sent["id"]);
    assert_eq!(receipt["sender"], peer);
    let answered = world
        .twilio
        .deliver("SMin", PEER, LINE, "hello library")
        .await;
    assert_eq!(answered, Ok(200));
    check_answer(&client.step("answer").await, &peer);
    command_and_chat(&mut client, PEER).await;
    client.step("waiting for a picture").await;
    picture_from_the_phone(&world.twilio, PICTURE).await;
    let seen = check_picture(&mut client).await;
    let url = seen["url"].as_str().expect("a URL");
    assert!(url.contains("/upload/"), "from the server's service: {url}");
    client.end().await;
}

async fn somebody_in_a_browser_does_what_people_do(on: Server) {
    proves!(
        "Converse.js in a browser: all that people do",
        Prosody,
        Ejabberd
    );
    if skipped(&[Server::Converse]) {
        return;
    }
    let features = [
        Feature::Offline,
        Feature::Privilege,
        Feature::Upload,
        Feature::WebSocket,
    ];
    let lines = simulated::line();
    let mut world = World::prepare_on(on, &features, &lines, "", |builder| builder).await;
    world.transom.start().await;
    world.up().await;
    let peer = contact(PEER);
    let roles = roles("alice@example.org", SMS, &peer);
    let mut client = ScriptedClient::converse(&world.server.websocket(), roles);
    client.step("logged in").await;
    let seen = client.step("contact").await;
    assert_eq!(seen["name"], PEER);
    client.step("sent").await;
    on_the_phone(world.transom.http(), "hello from a browser").await;
    client.step("receipt").await;
    answer_on_the_phone(world.transom.http(), "hello browser").await;
    let seen = client.step("answer").await;
    assert_eq!(seen["chats"], 1, "the same chat");
    // The gateway is in the roster, though only the number was added: by itself, or after its one question.
    let heard = client.step("talk").await;
    assert!(heard["heard"].to_string().contains("contacts: "), "{heard}");
    assert_eq!(heard["asks"], on == Server::Ejabberd, "{heard}");
    let seen = client.step("command").await;
    let names = seen["names"].as_array().expect("names");
    assert!(names.iter().any(|name| name == "Settings"), "{seen}");
    let labels = seen["labels"].as_array().expect("labels");
    assert!(labels.iter().any(|label| label == "Language"), "{seen}");
    assert_eq!(seen["told"], serde_json::json!(["Completed"]));
    client.step("waiting for a picture").await;
    picture_from_the_phone(&world.twilio, PICTURE).await;
    let seen = client.step("picture").await;
    assert_eq!(seen["size"], serde_json::json!([240, 160]));
    client.end().await;
}
