//! XEP-0050.

use proptest::prelude::*;

use super::*;
use crate::{
    commands::{ALL, Who},
    xmpp::xep::disco,
};

async fn listed(world: &mut World, from: &str) -> Vec<String> {
    let query = disco::Query {
        topic: disco::Topic::Items,
        node: Some(ns::COMMANDS.to_owned()),
    };
    let iq = Iq::get(jid(from), jid(SMS), query.to_element()).with_id("d");
    let answers = world.answers(iq).await;
    let [Stanza::Iq(answer)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    let items = answer.child("query", ns::DISCO_ITEMS).unwrap();
    let nodes = items.children().filter_map(|item| item.attr("node"));
    nodes.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_list_shows_what_one_may_use() {
    let mut world = World::new().await;
    let names = |admin: bool| -> Vec<&str> {
        let mine = ALL
            .iter()
            // A gateway for texts has nothing of mail, and this one wants no proof of anybody.
            .filter(|command| !matches!(command.who, Who::Mail | Who::Owner | Who::Prover))
            .filter(|command| admin || command.who != Who::Admin);
        mine.map(|command| command.name).collect()
    };
    assert_eq!(listed(&mut world, ALICE).await, names(false));
    assert_eq!(listed(&mut world, ADMIN).await, names(true));
}

#[tokio::test]
async fn a_form_is_walked_through() {
    let mut world = World::new().await;
    let stage = world.begin(BOB, "register").await.unwrap();
    assert_eq!(stage.status, "executing");
    let field = stage.field("address");
    assert_eq!(field.kind.as_deref(), Some("list-single"));
    assert_eq!(field.options, [(POOL.to_owned(), POOL.to_owned())]);
    let done = world
        .submit(BOB, &stage, &[("address", POOL)])
        .await
        .unwrap();
    assert_eq!(done.status, "completed");
    assert!(done.notes[0].contains(POOL), "{done:?}");
    // Over is over.
    let again = world.submit(BOB, &stage, &[("address", POOL)]).await;
    assert_eq!(again.unwrap_err(), "not-allowed");
}

#[tokio::test]
async fn what_does_not_fit_is_said_beside_the_same_form() {
    let mut world = World::new().await;
    world.say(ALICE, "register").await;
    let stage = world.begin(ALICE, "block").await.unwrap();
    for bad in ["", "nonsense", &"9".repeat(20_000)] {
        let same = world.submit(ALICE, &stage, &[("peer", bad)]).await.unwrap();
        assert_eq!(
            (same.status.as_str(), same.notes.len()),
            ("executing", 1),
            "{bad}"
        );
        assert_eq!(same.session, stage.session);
    }
    let done = world
        .submit(ALICE, &stage, &[("peer", PEER)])
        .await
        .unwrap();
    assert_eq!(done.status, "completed");
    let list = world.begin(ALICE, "blocks").await.unwrap();
    assert_eq!(list.form.unwrap().items[0][0], PEER);
}

#[tokio::test]
async fn one_can_go_back_and_give_up() {
    let mut world = World::new().await;
    let first = world.begin(ADMIN, "announce").await.unwrap();
    let second = world
        .submit(ADMIN, &first, &[("text", "hello")])
        .await
        .unwrap();
    assert!(
        second.form.as_ref().unwrap().instructions[0].contains("Really"),
        "{second:?}"
    );
    let action = |action: &str| {
        element("announce")
            .with_attr("sessionid", first.session.as_str())
            .with_attr("action", action)
    };
    let back = world.command(ADMIN, action("prev")).await.unwrap();
    back.field("text");
    assert_eq!(
        world.command(ADMIN, action("prev")).await.unwrap_err(),
        "bad-request",
        "there is nothing before"
    );
    assert_eq!(
        world.command(ADMIN, action("fly")).await.unwrap_err(),
        "bad-request"
    );
    let given_up = world.command(ADMIN, action("cancel")).await.unwrap();
    assert_eq!(given_up.status, "canceled");
}

#[tokio::test]
async fn a_session_is_its_owners_alone_and_there_are_only_so_many() {
    let mut world = World::new().await;
    let stage = world.begin(BOB, "register").await.unwrap();
    for other in [ALICE, "bob@example.org/another"] {
        let stolen = world.submit(other, &stage, &[("address", POOL)]).await;
        assert_eq!(stolen.unwrap_err(), "bad-request", "{other}");
    }
    for _ in 1..5 {
        world.begin(BOB, "register").await.unwrap();
    }
    assert_eq!(
        world.begin(BOB, "register").await.unwrap_err(),
        "resource-constraint"
    );
    assert!(
        world.begin(ALICE, "cost").await.is_ok(),
        "others are not kept out"
    );
    assert!(
        world
            .submit(BOB, &stage, &[("address", POOL)])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn admins_commands_are_refused_to_others() {
    let mut world = World::new().await;
    for command in ALL.iter().filter(|command| command.who == Who::Admin) {
        let refused = world.begin(ALICE, command.name).await;
        assert_eq!(refused.unwrap_err(), "forbidden", "{}", command.name);
    }
    assert_eq!(
        world.begin(ALICE, "nothing").await.unwrap_err(),
        "item-not-found"
    );
    assert_eq!(
        world
            .begin("eve@evil.example/x", "status")
            .await
            .unwrap_err(),
        "forbidden"
    );
}

#[tokio::test]
async fn results_are_tables_and_facts() {
    let mut world = World::new().await;
    let lines = world.begin(ADMIN, "lines").await.unwrap();
    let form = lines.form.unwrap();
    assert_eq!(form.kind, FormType::Result);
    assert_eq!(form.reported[0].label.as_deref(), Some("Number or address"));
    assert_eq!(form.items.len(), 2);
    let state = world.begin(ADMIN, "state").await.unwrap();
    let first = &state.form.unwrap().fields[0];
    assert_eq!(
        (first.label.as_deref(), first.values[0].as_str()),
        (Some("Database"), "commits")
    );
}

fn any_form() -> impl Strategy<Value = Form> {
    let names = prop_oneof![
        Just("address".to_owned()),
        Just("peer".to_owned()),
        Just("sure".to_owned()),
        Just("language".to_owned()),
        Just("ids".to_owned()),
        Just("user".to_owned()),
        "\\PC{0,20}"
    ];
    let field = (names, proptest::collection::vec("\\PC{0,40}", 0..4));
    let kinds = prop_oneof![
        Just(FormType::Submit),
        Just(FormType::Form),
        Just(FormType::Result),
        Just(FormType::Cancel)
    ];
    (kinds, proptest::collection::vec(field, 0..6)).prop_map(|(kind, fields)| Form {
        kind,
        fields: fields
            .into_iter()
            .map(|(var, values)| Field {
                var,
                values,
                ..Field::default()
            })
            .collect(),
        ..Form::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is put into a form, every command answers, and nobody gets what is another's.
    #[test]
    fn hostile_forms_break_nothing(forms in proptest::collection::vec(any_form(), 1..3), session in "\\PC{0,40}") {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for command in ALL {
                let Ok(mut stage) = world.begin(BOB, command.name).await else { continue };
                for form in &forms {
                    if stage.status != "executing" { break }
                    let filled = element(&stage.node).with_attr("sessionid", stage.session.as_str()).with_child(form.to_element());
                    match world.command(BOB, filled).await {
                        Ok(next) => stage = next,
                        Err(_) => break,
                    }
                }
                let wrong = element(command.name).with_attr("sessionid", session.as_str());
                prop_assert!(world.command(BOB, wrong).await.is_err());
            }
            let lines = world.operations.store.lines_of(world.operations.gateways[0].id, "alice@example.org").await.unwrap();
            prop_assert_eq!(lines, ["+12025550100"]);
            Ok(())
        })?;
    }
}
