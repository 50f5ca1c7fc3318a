//! The book alone: what is handed out when, and what is read again.

use super::*;
use crate::{queue::InWork, store::read::InRow};

fn work(delivery_id: i64) -> Work {
    Work::In(Box::new(InWork::from(InRow {
        delivery_id,
        lane_id: -1,
        attempts: 0,
        jid: String::new(),
        peer: String::new(),
        line: String::new(),
        stanza_id: String::new(),
        body: String::new(),
        payload: None,
        created_ms: 0,
        has_files: false,
    })))
}

fn found(works: impl IntoIterator<Item = Work>) -> Loaded {
    Loaded {
        works: works.into_iter().map(|work| (1, work)).collect(),
        held: Vec::new(),
    }
}

fn ids(works: &[Work]) -> Vec<i64> {
    works.iter().map(Work::delivery_id).collect()
}

#[test]
fn a_lane_keeps_its_order_through_memory_and_database() {
    let mut book = LaneBook::default();
    for id in 0..20 {
        book.arrive(1, 7, work(id));
    }
    let lane = book.next_ready().unwrap();
    assert_eq!(
        ids(&book.take(lane, WORK_PER_LANE, 0)),
        (0..16).collect::<Vec<_>>()
    );
    book.done(lane, Next::GoOn);
    assert_eq!(book.next_ready(), None, "the rest is in the database");
    assert_eq!(book.take_unloaded(10), [1]);
    book.arrive(1, 7, work(20));
    book.loaded(&[1], found((16..20).map(work)));
    assert_eq!(book.next_ready(), Some(1));
    assert_eq!(ids(&book.take(1, WORK_PER_LANE, 0)), [16, 17, 18, 19]);
    book.done(1, Next::GoOn);
    assert_eq!(
        book.take_unloaded(10),
        [1],
        "what arrived during the look is looked for"
    );
    book.loaded(&[1], found([work(20)]));
    assert_eq!(book.next_ready(), Some(1));
    assert_eq!(ids(&book.take(1, 1, 0)), [20]);
    book.done(1, Next::GoOn);
    assert_eq!(book.len(), 0, "an idle lane costs nothing");
}

#[test]
fn what_was_read_before_word_of_it_came_is_done_once() {
    let mut book = LaneBook::default();
    book.found(1, 7, 0, 0);
    book.wake(0);
    assert_eq!(book.take_unloaded(10), [1]);
    book.loaded(&[1], found([work(5)]));
    book.arrive(1, 7, work(5));
    assert_eq!(ids(&book.take(1, WORK_PER_LANE, 0)), [5]);
    book.arrive(1, 7, work(5));
    book.arrive(1, 7, work(6));
    book.done(1, Next::GoOn);
    assert_eq!(ids(&book.take(1, WORK_PER_LANE, 0)), [6]);
    book.done(1, Next::GoOn);
    book.arrive(1, 7, work(5));
    assert_eq!(book.len(), 0, "the lane is gone, and what it did is known");
}

#[test]
fn a_paused_lane_waits_with_everything_behind_it() {
    let mut book = LaneBook::default();
    book.arrive(1, 7, work(1));
    let lane = book.next_ready().unwrap();
    book.take(lane, 1, 0);
    book.done(
        lane,
        Next::At {
            due_ms: 100,
            failures: 1,
        },
    );
    book.arrive(1, 7, work(2));
    book.wake(99);
    assert_eq!((book.next_ready(), book.next_wake()), (None, Some(100)));
    book.wake(100);
    assert_eq!(book.take_unloaded(10), [1]);
    assert_eq!(book.failures(1), 1);
}

#[test]
fn what_is_held_is_read_when_its_time_comes_and_passed_by_nobody() {
    let mut book = LaneBook::default();
    book.hold(1, 7, 100);
    book.hold(1, 7, 150);
    book.arrive(1, 7, work(3));
    book.wake(99);
    assert_eq!((book.next_ready(), book.next_wake()), (None, Some(100)));
    book.wake(100);
    assert_eq!(book.take_unloaded(10), [1]);
    // The first was corrected, which restarted its time.
    let held = vec![(1, 200)];
    let works = Vec::new();
    book.loaded(&[1], Loaded { works, held });
    assert_eq!((book.next_ready(), book.next_wake()), (None, Some(200)));
    assert!(book.found(1, 7, 120, 0), "the row's time is the old one");
    book.wake(199);
    assert_eq!(book.take_unloaded(10), Vec::<i64>::new());
    book.wake(200);
    assert_eq!(book.take_unloaded(10), [1]);
    book.loaded(&[1], found([work(1), work(2), work(3)]));
    assert_eq!(book.next_ready(), Some(1));
    assert_eq!(ids(&book.take(1, 16, 0)), [1, 2, 3]);
    // Held while the others are on their way.
    book.hold(1, 7, 300);
    book.arrive(1, 7, work(5));
    book.done(1, Next::GoOn);
    assert_eq!((book.next_ready(), book.next_wake()), (None, Some(300)));
    book.wake(300);
    assert_eq!(book.take_unloaded(10), [1]);
    book.loaded(&[1], Loaded::default());
    assert_eq!(book.len(), 0, "taken back, and nothing is left");
}

#[test]
fn a_lane_that_was_moved_wakes_at_its_new_time() {
    let mut book = LaneBook::default();
    assert!(book.found(1, 7, 1_000_000, 0));
    assert!(book.found(1, 7, 50, 0), "moved by somebody");
    book.wake(60);
    assert_eq!(book.take_unloaded(10), [1]);
    book.wake(2_000_000);
    assert_eq!(
        book.take_unloaded(10),
        Vec::<i64>::new(),
        "the old time means nothing any more"
    );
}

#[test]
fn a_lane_that_is_moved_while_it_is_tried_goes_on_at_its_new_time() {
    let later = Next::At {
        due_ms: 9_000,
        failures: 1,
    };
    for (due_ms, wakes) in [(50, 9_000), (100, 9_000), (101, 101), (20_000, 9_000)] {
        let mut book = LaneBook::default();
        book.arrive(1, 7, work(1));
        let lane = book.next_ready().unwrap();
        book.take(lane, 1, 100);
        assert!(book.found(lane, 7, due_ms, 0));
        book.done(lane, later);
        assert_eq!(book.next_wake(), Some(wakes), "moved to {due_ms}");
    }
}

#[test]
fn what_was_sent_back_while_it_was_handed_over_holds_what_is_behind_it() {
    let mut book = LaneBook::default();
    book.arrive(1, 7, work(1));
    book.arrive(1, 7, work(2));
    let lane = book.next_ready().unwrap();
    book.take(lane, 1, 100);
    assert!(book.found(lane, 7, 20_000, 0));
    book.done(lane, Next::GoOn);
    assert_eq!(book.next_ready(), None, "nothing passes it");
    book.wake(20_000);
    assert_eq!(book.take_unloaded(10), [1]);
}

#[test]
fn what_was_changed_behind_its_back_is_read_again() {
    let mut book = LaneBook::default();
    book.arrive(1, 7, work(1));
    book.distrust();
    let lane = book.next_ready().unwrap();
    assert!(book.first(lane).is_none(), "the cancelled work is not done");
    book.done(lane, Next::GoOn);
    assert_eq!(book.take_unloaded(10), [1]);
    book.loaded(&[1], Loaded::default());
    assert_eq!(book.len(), 0);
}

#[test]
fn what_was_changed_while_it_was_under_way_is_read_again() {
    for next in [Next::Prepared, Next::GoOn] {
        let mut book = LaneBook::default();
        book.arrive(1, 7, work(1));
        let lane = book.next_ready().unwrap();
        let taken = book.take(lane, 1, 0);
        // Its user has another name now, or an admin takes it back.
        book.distrust();
        book.give_back(lane, taken);
        book.done(lane, next);
        assert_eq!(book.next_ready(), None, "{next:?}: as it was then");
        assert_eq!(book.take_unloaded(10), [1], "{next:?}");
        book.loaded(&[1], found([work(1)]));
        let lane = book.next_ready().unwrap();
        let taken = book.take(lane, 1, 0);
        book.give_back(lane, taken);
        book.done(lane, next);
        assert_eq!(book.next_ready(), Some(1), "{next:?}: as it is now");
    }
}

#[test]
fn what_was_moved_while_its_files_were_fetched_waits() {
    let mut book = LaneBook::default();
    book.arrive(1, 7, work(1));
    let lane = book.next_ready().unwrap();
    let taken = book.take(lane, 1, 0);
    book.found(1, 7, 5_000, 0);
    book.give_back(lane, taken);
    book.done(lane, Next::Prepared);
    assert_eq!((book.next_ready(), book.next_wake()), (None, Some(5_000)));
}

#[test]
fn work_that_a_link_lost_comes_back_in_front() {
    let mut book = LaneBook::default();
    for id in 1..=3 {
        book.arrive(1, 7, work(id));
    }
    let lane = book.next_ready().unwrap();
    let taken = book.take(lane, 2, 0);
    book.give_back(lane, taken);
    book.done(lane, Next::GoOn);
    let lane = book.next_ready().unwrap();
    assert_eq!(ids(&book.take(lane, 16, 0)), [1, 2, 3]);
}

#[test]
fn a_clock_that_was_set_back_makes_no_lane_wait_for_the_difference() {
    let mut book = LaneBook::default();
    book.found(1, 7, 5_000, 0);
    book.found(2, 7, 9_000, 0);
    book.set_back(4_000);
    assert_eq!(book.next_wake(), Some(1_000));
    book.wake(1_000);
    assert_eq!(book.take_unloaded(10), [1]);
    book.wake(5_000);
    assert_eq!(book.take_unloaded(10), [2]);
    assert_eq!(book.next_wake(), None);
}
