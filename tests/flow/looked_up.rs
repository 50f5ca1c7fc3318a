//! A text of unknown fate: its provider is asked what became of it, and believed where that can be no other text (semantics 4).

use std::time::Duration;

use transom_test_servers::{
    Answer, PATIENCE, Request, Server, TurnedClock, XmppClient, skipped, until,
};

use crate::world::{Twilio, World, alices_line, chat, contact};

const PEER: &str = "+12025550147";
const DOUBT_AFTER: Duration = Duration::from_mins(16);

#[tokio::test]
async fn what_the_provider_shows_decides() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, _clock, mut alice) = world().await;
    unanswered(&world, &mut alice, "m1", "hello").await;
    state(&world, "m1", "accepted").await;
    assert_eq!(world.twilio.sent().len(), 1, "it is not sent again");
}

#[tokio::test]
async fn what_may_be_another_text_with_the_same_words_decides_nothing() {
    if skipped(&[Server::Prosody]) {
        return;
    }
    let (world, clock, mut alice) = world().await;
    unanswered(&world, &mut alice, "m1", "ok").await;
    alice.send(&chat(&contact(PEER), "m2", "ok")).await;
    state(&world, "m2", "accepted").await;
    // The list has one of these words: the second.
    let asked = "the look-up";
    world.twilio.api.request(asked, is_look_up).await;
    // Behind it, by the same account.
    alice.send(&chat(&contact(PEER), "m3", "behind it")).await;
    state(&world, "m3", "accepted").await;
    clock.turn(DOUBT_AFTER);
    let doubt = "⚠ \"ok\" may or may not have arrived. Send it again if you need to be sure.";
    let is_doubt = |stanza: &transom_test_servers::Element| stanza.body().as_deref() == Some(doubt);
    alice.expect("the doubt", is_doubt).await;
    state(&world, "m1", "unknown").await;
}

/// Twilio lists one text of the words that came last.
async fn world() -> (World, TurnedClock, XmppClient) {
    let mut world =
        World::prepare_on(Server::Prosody, &[], &alices_line(), "", |builder| builder).await;
    let clock = TurnedClock::of(&mut world.transom);
    world.twilio.api.answer_by(answer);
    world.transom.start().await;
    world.up().await;
    let alice = world.client("alice").await;
    (world, clock, alice)
}

fn answer(request: &Request) -> Answer {
    if !is_look_up(request) {
        let number = request.form("Body").map_or(0, |body| body.len());
        let sid = Twilio::sid(number as u64);
        let taken = format!(r#"{{"sid":"{sid}","status":"queued","num_segments":"1"}}"#);
        return Answer::json(201, &taken);
    }
    let now = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
    let created = jiff::fmt::rfc2822::to_string(&now).unwrap();
    let listed = |body: &str| {
        let sid = Twilio::sid(body.len() as u64);
        format!(
            r#"{{"sid":"{sid}","status":"sent","num_segments":"1","body":"{body}","date_created":"{created}"}}"#
        )
    };
    let messages = [listed("hello"), listed("ok")].join(",");
    let page = format!(r#"{{"messages":[{messages}],"next_page_uri":null}}"#);
    Answer::json(200, &page)
}

fn is_look_up(request: &Request) -> bool {
    request.method == "GET" && request.target.contains("/Messages.json")
}

/// A text that reaches the provider, which hangs up without a word.
async fn unanswered(world: &World, alice: &mut XmppClient, id: &str, body: &str) {
    world.twilio.api.answer_next(Answer::Close);
    alice.send(&chat(&contact(PEER), id, body)).await;
    world.twilio.text(body).await;
    state(world, id, "unknown").await;
}

/// Waits until a text is this.
async fn state(world: &World, id: &str, wanted: &str) {
    let wanted = format!(r#""state": "{wanted}""#);
    let is_it = async || {
        let traced = world.transom.command(&["trace", id, "--json"]).await;
        let traced = String::from_utf8_lossy(&traced.stdout).into_owned();
        traced.contains(&wanted).then_some(())
    };
    until(&wanted, PATIENCE, is_it)
        .await
        .unwrap_or_else(|why| panic!("{id}: {why}\n{}", world.transom.log()));
}
