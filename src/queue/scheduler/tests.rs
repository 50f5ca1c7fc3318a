//! What the scheduler hands out, and when.

use super::*;
use crate::{
    gateway::registration::fixture::NOW,
    queue::{
        Online,
        tests::{ACCOUNT, Bench, LANE, PATIENCE, account_name, row, row_by, text, word_of},
    },
    store::{
        Write,
        write::{OutcomeRow, Start, State},
    },
};
use transom_adapter::{Lifecycle, Repeat};
use transom_test_servers::until;

#[tokio::test]
async fn what_waits_at_the_start_is_passed_by_nothing_that_comes_while_it_is_read() {
    let mut bench = Bench::new().await;
    bench.write((11..14).map(row).collect()).await;
    let queue = Queue::start(
        &bench.surroundings,
        Online::default(),
        bench.tells,
        mpsc::channel(1).1,
    );
    // A user writes before the scheduler has had its first look.
    bench
        .surroundings
        .writer
        .commit(vec![row(14)])
        .await
        .unwrap();
    queue.arrived(vec![word_of(14)]).await;
    for number in 11..=14 {
        let sent = tokio::time::timeout(PATIENCE, bench.sent.recv()).await;
        assert_eq!(sent.unwrap().unwrap(), text(number).text);
    }
}

#[tokio::test]
async fn what_waits_is_asked_for_again_while_the_database_is_out_of_order() {
    let bench = Bench::new().await;
    bench.write(vec![row(11)]).await;
    for table in ["lanes", "deliveries"] {
        bench.rename(table, "hidden").await;
        let stopping = Lifecycle::new();
        stopping.drain();
        let surroundings = Surroundings {
            lifecycle: stopping,
            ..bench.surroundings.clone()
        };
        let found = left_over(&surroundings).await;
        assert!(found.is_none(), "{table}: nothing is known of what waits");
        bench.rename("hidden", table).await;
    }
    let found = left_over(&bench.surroundings).await.unwrap();
    let lanes: Vec<i64> = found.iter().map(|lane| lane.lane_id).collect();
    assert_eq!(lanes, [LANE]);
}

#[tokio::test]
async fn what_was_put_off_by_a_clock_that_was_set_back_waits_no_longer_than_any_pause() {
    let mut bench = Bench::new().await;
    let put_off = OutcomeRow {
        attempts: 1,
        lane_due_ms: NOW.after(Duration::from_hours(36)).0,
        failures: 1,
        ..OutcomeRow::new(11, LANE, State::Queued)
    };
    bench.write(vec![row(11), Write::Outcome(put_off)]).await;
    let (mut scheduler, mut inbox) = scheduler(&bench);
    let lanes = left_over(&bench.surroundings).await.unwrap();
    let look = Look::Again;
    scheduler.handle(Order::Found { lanes, look });
    let latest = NOW.after(PAUSE_MAX);
    assert_eq!(scheduler.book.next_wake(), Some(latest.0));
    scheduler.wake(latest);
    scheduler.load();
    let loaded = inbox.recv().await.unwrap();
    scheduler.handle(loaded);
    scheduler.dispatch();
    let sent = tokio::time::timeout(PATIENCE, bench.sent.recv()).await;
    assert_eq!(sent.unwrap().unwrap(), text(11).text);
}

#[tokio::test]
async fn a_place_that_a_chat_has_no_use_for_is_the_next_ones() {
    let bench = Bench::new().await;
    let (mut scheduler, _inbox) = scheduler(&bench);
    let account = scheduler.by_account[&account_name()];
    scheduler.slots[account].free = 0;
    let chats = [LANE, LANE + 1, LANE + 2];
    let word_in = |lane_id| Waiting {
        lane_id,
        ..word_of(lane_id)
    };
    scheduler.handle(Order::Arrived(chats.map(word_in).into()));
    scheduler.dispatch();
    assert_eq!(scheduler.slots[account].waiting, chats, "nothing is free");
    // An admin takes back all that waits; then the attempt that was under way is over.
    scheduler.book.distrust();
    scheduler.release(account);
    scheduler.dispatch();
    assert_eq!(scheduler.book.take_unloaded(8), chats, "each is read again");
    assert_eq!(scheduler.slots[account].free, 1);
}

#[tokio::test]
async fn what_waits_in_a_chat_that_changes_hands_is_passed_by_nothing() {
    let bench = Bench::new().await;
    let (mut scheduler, mut inbox) = scheduler(&bench);
    // Another process left it there.
    bench.write(vec![row(11)]).await;
    scheduler.handle(Order::Changed);
    bench.write(vec![row(12)]).await;
    scheduler.handle(Order::Arrived(vec![word_of(12)]));
    assert_eq!(
        scheduler.book.next_ready(),
        None,
        "what is before it comes first"
    );
    let found = inbox.recv().await.unwrap();
    scheduler.handle(found);
    scheduler.wake(bench.surroundings.clock.now());
    scheduler.load();
    let loaded = inbox.recv().await.unwrap();
    scheduler.handle(loaded);
    let works = scheduler.take(LANE, 16);
    let keys: Vec<i64> = works.iter().map(Work::delivery_id).collect();
    assert_eq!(keys, [11, 12]);
    // After that word of what comes in is enough.
    scheduler.book = LaneBook::default();
    scheduler.handle(Order::Arrived(vec![word_of(13)]));
    assert_eq!(scheduler.book.next_ready(), Some(LANE));
}

#[tokio::test]
async fn a_mail_in_a_lane_of_its_own_waits_longer_each_time() {
    let bench = Bench::new().await;
    let (mut scheduler, _inbox) = scheduler(&bench);
    let account = scheduler.by_account[&account_name()];
    scheduler.handle(Order::Arrived(vec![word_of(11)]));
    scheduler.book.take(LANE, 1, NOW.0);
    let (due_ms, failures) = (NOW.0 + 300_000, 2);
    let finished = Finished {
        own_lane: Some((LANE, due_ms, failures)),
        ..Finished::go_on()
    };
    scheduler.handle(Order::Finished {
        lane_id: LANE,
        slot: account,
        finished,
    });
    assert_eq!(scheduler.book.next_wake(), Some(due_ms));
    assert_eq!(scheduler.book.failures(LANE), failures);
}

#[tokio::test]
async fn what_no_account_carries_any_more_is_given_up_in_its_time() {
    let bench = Bench::new().await;
    bench.write(vec![row_by(11, r#"[["gone",1]]"#)]).await;
    let (mut scheduler, mut inbox) = scheduler(&bench);
    let state = async || {
        let life = bench.surroundings.store.life(11).await.unwrap().unwrap();
        life.waiting.state
    };
    // In time, and after that; in neither case at the first looks.
    for (hours, looks, expected) in [
        (1, 3, State::Queued),
        (4, 0, State::Queued),
        (0, 3, State::Expired),
    ] {
        bench.clock.advance(Duration::from_hours(hours));
        scheduler.book = LaneBook::default();
        let now = bench.surroundings.clock.now();
        scheduler.book.found(LANE, 1, now.0, looks);
        scheduler.wake(now);
        scheduler.load();
        for _ in 0..=u32::from(expected == State::Expired) {
            let order = inbox.recv().await.unwrap();
            scheduler.handle(order);
            scheduler.dispatch();
        }
        assert_eq!(state().await, Some(expected), "after {hours} hours more");
    }
    assert_eq!(scheduler.book.len(), 0, "the chat goes on");
}

#[tokio::test]
async fn what_a_network_has_forgotten_is_not_repeated() {
    for (hours, is_repeated) in [(1, true), (25, false)] {
        let mut bench = Bench::with(Repeat::Within(Duration::from_hours(20))).await;
        let start = Start {
            delivery_id: 11,
            account_id: ACCOUNT,
            process_id: bench.surroundings.processes.id(),
            units: 1,
            at_ms: NOW.0,
        };
        let unknown = OutcomeRow {
            account_id: Some(ACCOUNT),
            process_id: Some(start.process_id),
            attempts: 1,
            unknowns: 1,
            lane_due_ms: NOW.0,
            ..OutcomeRow::new(11, LANE, State::Queued)
        };
        let before = vec![row(11), Write::Start(start), Write::Outcome(unknown)];
        bench.write(before).await;
        // Nothing ran for so long.
        bench.clock.advance(Duration::from_hours(hours));
        Queue::start(
            &bench.surroundings,
            Online::default(),
            bench.tells,
            mpsc::channel(1).1,
        );
        let store = &bench.surroundings.store;
        let ended = async || {
            let life = store.life(11).await.unwrap().unwrap();
            let state = life.waiting.state;
            state.filter(|state| !matches!(state, State::Queued | State::Sending))
        };
        let ended = until("the end of it", PATIENCE, ended).await.unwrap();
        let expected = if is_repeated {
            State::Accepted
        } else {
            State::Unknown
        };
        assert_eq!(ended, expected, "after {hours} hours");
        assert_eq!(bench.sent.try_recv().is_ok(), is_repeated);
    }
}

fn scheduler(bench: &Bench) -> (Scheduler, mpsc::Receiver<Order>) {
    let (orders, inbox) = mpsc::channel(8);
    let processes = bench.surroundings.processes.clone();
    let queue = Queue { orders, processes };
    (Scheduler::new(bench.surroundings.clone(), queue), inbox)
}
