//! A gateway where nobody becomes a user without an admin (semantics 14).

use transom_test_servers::{Element, Server};

use crate::world::{PLAIN, SMS, World, alices_line, chat, condition, contact};

on_each_server! {
    only_an_admin_makes_users_where_registration_is_closed,
}

const PEER: &str = "+12025550147";
const REGISTER: &str = "jabber:iq:register";

async fn only_an_admin_makes_users_where_registration_is_closed(on: Server) {
    proves!(
        "registration closed: nobody but an admin makes users",
        Prosody,
        Ejabberd
    );
    let mut world = World::prepare_on(on, &PLAIN, &alices_line(), "", |builder| builder).await;
    let config = world.transom.config_text();
    let config = config.replace("region = ", "registration = \"closed\"\nregion = ");
    world.transom.configure(&config);
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    alice.send(&chat(&contact(PEER), "m1", "too early")).await;
    let refused = alice
        .expect("the refusal", |stanza| stanza.attr("id") == Some("m1"))
        .await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("registration-required"),
        "{refused}"
    );
    let register = format!("<query xmlns='{REGISTER}'><phone/></query>");
    let refused = alice.iq("set", SMS, &register).await;
    assert_eq!(
        condition(&refused).as_deref(),
        Some("not-allowed"),
        "{refused}"
    );
    let added = world
        .transom
        .command(&["user", "add", "alice@example.org"])
        .await;
    assert!(added.status.success(), "{added:?}");
    let told = |stanza: &Element| stanza.attr("from") == Some(SMS) && stanza.body().is_some();
    alice.expect("the good news", told).await;
    alice
        .send(&chat(&contact(PEER), "m2", "now it works"))
        .await;
    world.twilio.text("now it works").await;
    assert_eq!(world.twilio.sent().len(), 1);
}
