//! A database that is out of order for a while, and people who were quicker.

use super::*;

const HOUR_MS: i64 = 3_600_000;

/// A device of alice's comes.
fn comes() -> Presence {
    fixture::presence(PresenceType::Available, "sms.example.org")
}

#[tokio::test]
async fn a_number_is_nobody_s_when_its_user_could_not_be_stored() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench
        .sql("CREATE TRIGGER full BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'full'); END")
        .await;
    bench.take(iq("")).await;
    let answer = bench.until("</iq>").await;
    assert!(answer.contains("<resource-constraint"), "{answer}");
    let free = bench.intake.store.free_lines(1, NOW.0, 10).await.unwrap();
    assert_eq!(free, [POOL]);
    bench.sql("DROP TRIGGER full").await;
    bench.take(iq("")).await;
    bench.until("type='result'").await;
    assert_eq!(bench.state().await.as_deref(), Some("active"));
}

#[tokio::test]
async fn whoever_comes_while_the_database_is_out_of_order_gets_what_is_held_with_the_next_presence()
{
    let mut bench = Bench::with_alice().await;
    let later = NOW.0 + HOUR_MS;
    let user = "(SELECT user_id FROM users)";
    let line = "(SELECT line_id FROM lines)";
    let held = format!(
        "INSERT INTO conversations (conversation_id, gateway_id, user_id, line_id, peer, created_ms, active_ms, plain_ms, members)
              VALUES (70, 1, {user}, {line}, '+12025550147', 1, 1, 1, 1);
         INSERT INTO lanes (lane_id, conversation_id, due_ms, failures) VALUES (-70, 70, {later}, 1)"
    );
    bench.sql(&held).await;
    bench.rename("lanes", "hidden").await;
    bench.take(comes()).await;
    bench.idle().await;
    bench.rename("hidden", "lanes").await;
    let is_held = async |bench: &Bench| {
        let held = bench.intake.store.has_held(1, ALICE, NOW.0).await;
        held.unwrap()
    };
    assert!(is_held(&bench).await);
    bench.take(comes()).await;
    bench.idle().await;
    assert!(!is_held(&bench).await, "within the same minute");
}

#[tokio::test]
async fn an_announcement_goes_on_when_the_database_answers_again() {
    let mut bench = Bench::new().await;
    crowd(&bench, 3).await;
    bench.rename("contacts", "hidden").await;
    announce(&bench.intake);
    // It reads before or while these do.
    for _ in 0..20 {
        let page = bench.intake.store.subscribers(1, "", 10).await;
        assert!(page.is_err());
    }
    bench.rename("hidden", "contacts").await;
    let mut heard = String::new();
    for _ in 0..3 {
        heard.push_str(&bench.until("</presence>").await);
    }
    for user in 0..3 {
        let to = format!("to='user{user}@example.org'");
        assert_eq!(heard.matches(&to).count(), 1, "{heard}");
    }
}

#[tokio::test]
async fn whoever_came_back_since_the_sweep_read_who_is_away_stays() {
    let bench = Bench::with_alice().await;
    let reception = Reception {
        intake: bench.intake.clone(),
        greeted: HashSet::new(),
        wakes: Throttle::new(1, MINUTE_MS),
        unlooked: HashSet::new(),
        calls: Throttle::new(1, MINUTE_MS),
    };
    let before_ms = NOW.0 + HOUR_MS;
    reception.end(ALICE.into(), before_ms).await.unwrap();
    assert_eq!(bench.state().await.as_deref(), Some("active"));
    bench.sql("UPDATE users SET state = 'disabled'").await;
    reception.end(ALICE.into(), before_ms).await.unwrap();
    assert_eq!(bench.state().await, None);
}
