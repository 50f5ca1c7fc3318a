//! What waits, what is known of a message, and a copy that is put back.

use super::*;

pub(super) async fn what_waits_is_shown_tried_and_given_up(world: World) {
    let alice = world.user(ALICE).await;
    let first = world.outgoing(alice, "+12025550100", "s1").await;
    let second = world.outgoing(alice, "+12025550100", "s2").await;
    let inward = world.incoming(alice, "+12025550100").await;
    let orphan = world.unowned("+12025550103").await;
    let waiting = world.queue().await;
    let ids: Vec<String> = [first, second, inward, orphan]
        .map(|id| id.to_string())
        .into();
    assert_eq!(
        waiting.iter().map(|one| one.id.clone()).collect::<Vec<_>>(),
        ids,
        "the oldest first"
    );
    assert_eq!(waiting[3].state, WaitingState::Unowned);
    assert_eq!(waiting[2].direction, Direction::In);
    assert_eq!(
        world.ask(retry(first, None)).await.unwrap(),
        Reply::Retried(1)
    );
    let cancel = |id: i64| Request::QueueCancel {
        ids: vec![id.to_string(), id.to_string()],
    };
    let told = |messages, told| Reply::Cancelled { messages, told };
    assert_eq!(world.ask(cancel(first)).await.unwrap(), told(1, 1));
    let life = world.life(first).await;
    assert_eq!(
        (life.state.as_str(), life.to_tell.as_deref()),
        ("cancelled", Some("error"))
    );
    assert!(
        world.life(second).await.due.is_some(),
        "what waits behind it goes on"
    );
    assert_eq!(
        world.ask(cancel(inward)).await.unwrap(),
        told(1, 0),
        "nothing goes back to the outside"
    );
    assert_eq!(
        world.refuses(cancel(first)).await,
        format!("message {first} does not wait: it is cancelled")
    );
    let lanes = world.on_it().store.due_lanes(i64::MIN, 10).await.unwrap();
    assert_eq!(lanes.len(), 1, "a lane with nothing left is due never");
}

#[tokio::test]
async fn what_waits_is_shown_tried_and_given_up_on_sqlite() {
    what_waits_is_shown_tried_and_given_up(World::sqlite().await).await;
}

#[tokio::test]
async fn one_bad_id_means_that_nothing_is_done() {
    let world = World::sqlite().await;
    let alice = world.user(ALICE).await;
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    for bad in [
        "7",
        "x",
        "",
        "-1",
        "99999999999999999999",
        "'; DROP TABLE deliveries; --",
    ] {
        let ids = vec![out.to_string(), bad.to_owned()];
        let refusal = world.ask(Request::QueueCancel { ids }).await.unwrap_err();
        assert_eq!(refusal.fault(), Fault::Data, "{bad}");
    }
    assert_eq!(world.life(out).await.state, "queued");
}

pub(super) async fn a_text_of_nobody_gets_somebody_once(world: World) {
    let alice = world.user(ALICE).await;
    let orphans = [
        world.unowned("+12025550103").await,
        world.unowned("+12025550103").await,
    ];
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    assert!(
        world
            .refuses(retry(orphans[0], None))
            .await
            .contains("--to JID")
    );
    assert!(
        world
            .refuses(retry(out, Some(ALICE)))
            .await
            .contains("is alice@example.org's")
    );
    assert_eq!(
        world
            .refuses(retry(orphans[0], Some("bob@example.org")))
            .await,
        "bob@example.org is not a user of sms"
    );
    let both = Request::QueueRetry {
        ids: orphans.map(|id| id.to_string()).into(),
        to: Some(ALICE.to_owned()),
    };
    let delivered = Reply::Delivered {
        texts: 2,
        to: ALICE.to_owned(),
    };
    assert_eq!(world.ask(both).await.unwrap(), delivered);
    assert!(
        world
            .refuses(retry(orphans[0], Some(ALICE)))
            .await
            .contains("no message")
    );
    let inward: Vec<Waiting> = world
        .queue()
        .await
        .into_iter()
        .filter(|one| one.direction == Direction::In)
        .collect();
    assert_eq!(inward.len(), 2);
    assert!(
        inward
            .iter()
            .all(|one| one.user.as_deref() == Some(ALICE) && one.peer == PEER)
    );
}

#[tokio::test]
async fn a_text_of_nobody_gets_somebody_once_on_sqlite() {
    a_text_of_nobody_gets_somebody_once(World::sqlite().await).await;
}

pub(super) async fn a_message_is_found_by_each_of_its_ids(world: World) {
    let alice = world.user(ALICE).await;
    let out = world.outgoing(alice, "+12025550100", "s1").await;
    world.outgoing(alice, "+12025550100", "s2").await;
    let (decimal, key) = (out.to_string(), Key(out).to_string());
    for id in [
        decimal.as_str(),
        &key,
        "s1",
        "origin-s1",
        "s1@networks.example",
        "<s1@networks.example>",
        " s1 ",
    ] {
        let Ok(Reply::Messages(lives)) = world.ask(trace(id)).await else {
            panic!("{id} is not found")
        };
        assert_eq!(
            lives.iter().map(|life| &life.id).collect::<Vec<_>>(),
            [&decimal],
            "by {id}"
        );
        let json = serde_json::to_string(&lives).unwrap();
        assert!(!json.contains("secret text"), "a body is shown");
        assert_eq!(
            lives[0].contact.as_deref(),
            Some("+12025550147@sms.example.org")
        );
        assert_eq!(lives[0].network_ids[0].kind, "message-id");
    }
    for id in ["", "s", "<>", "%", &"x".repeat(2000)] {
        assert!(
            matches!(
                world.ask(trace(id)).await,
                Err(Refusal::NoSuchMessage { .. })
            ),
            "by {id}"
        );
    }
}

#[tokio::test]
async fn a_message_is_found_by_each_of_its_ids_on_sqlite() {
    a_message_is_found_by_each_of_its_ids(World::sqlite().await).await;
}

pub(super) async fn restored(world: &World, out: &[i64], inward: i64) {
    let on = world.on_it();
    assert_eq!(
        world.life(inward).await.state,
        "queued",
        "repeats inwards are recognised"
    );
    for id in out {
        assert_eq!(world.life(*id).await.state, "restored");
    }
    assert!(
        world
            .refuses(retry(out[0], None))
            .await
            .contains("queue release")
    );
    let due: HashSet<i64> = on
        .store
        .due_lanes(i64::MIN, 10)
        .await
        .unwrap()
        .iter()
        .map(|lane| lane.lane_id)
        .collect();
    assert!(
        due.iter().all(|lane| *lane < 0),
        "nothing outwards is due: {due:?}"
    );
    let fresh = world
        .outgoing(world.user(ALICE).await, "+12025550100", "new")
        .await;
    assert_eq!(world.life(fresh).await.state, "queued", "new messages pass");
    let one = Request::QueueRelease {
        ids: vec![out[1].to_string()],
    };
    assert_eq!(world.ask(one.clone()).await.unwrap(), Reply::Released(1));
    assert!(matches!(world.ask(one).await, Err(Refusal::NotHeld { .. })));
    let all = Request::QueueRelease { ids: Vec::new() };
    assert_eq!(world.ask(all).await.unwrap(), Reply::Released(1));
    let lane = on
        .store
        .due_lanes(i64::MIN, 10)
        .await
        .unwrap()
        .iter()
        .map(|lane| lane.lane_id)
        .find(|lane| *lane > 0);
    let rows = on.store.waiting_out(&[lane.unwrap()], 10).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.delivery_id).collect::<Vec<_>>(),
        [out[0], out[1], fresh],
        "in their order"
    );
}

#[tokio::test]
async fn a_copy_sends_nothing_again_by_itself() {
    let world = World::sqlite().await;
    let alice = world.user(ALICE).await;
    let out = [
        world.outgoing(alice, "+12025550100", "s1").await,
        world.outgoing(alice, "+12025550100", "s2").await,
    ];
    let inward = world.incoming(alice, "+12025550100").await;
    let put_back = tempfile::tempdir().unwrap();
    let copy = put_back.path().join("transom.db");
    world.on_it().store.copy_to(&copy, "today").await.unwrap();
    let again = world
        .on_it()
        .store
        .copy_to(&copy, "today")
        .await
        .unwrap_err()
        .to_string();
    assert!(again.contains("exists"), "{again}");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::read_dir(put_back.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    let on = world.on_it();
    assert_eq!(
        restored::hold_if_copy(&on.store, &on.writer).await.unwrap(),
        None,
        "the original is none"
    );
    let alone = open(put_back.path(), "sqlite://transom.db").await;
    let world = World {
        folder: put_back,
        alone,
    };
    let on = world.on_it();
    assert_eq!(
        restored::hold_if_copy(&on.store, &on.writer).await.unwrap(),
        None,
        "it was held at the opening"
    );
    restored(&world, &out, inward).await;
}
