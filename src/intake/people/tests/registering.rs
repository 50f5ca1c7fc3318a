//! Registrations come, are refused and end.

use crate::gateway::registration::DISABLED_FOR;

use super::*;

#[tokio::test]
async fn a_registration_is_stored_before_it_is_answered_and_forgotten_on_request() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.take(iq("<phone>+1 202 555 0101</phone>")).await;
    let answer = bench.all(&["</message>", "type='subscribe'"]).await;
    assert!(answer.contains("type='result'"), "{answer}");
    assert_eq!(bench.state().await.as_deref(), Some("active"));
    bench.take(iq("<remove/>")).await;
    bench.until("type='unsubscribe'").await;
    assert_eq!(bench.state().await, None);
}

#[tokio::test]
async fn a_taken_number_is_a_conflict() {
    let mut bench = Bench::new().await;
    bench.line(POOL).await;
    bench.line("+12025550102").await;
    let owner = crate::store::write::OwnerRow {
        gateway_id: 1,
        address: POOL.into(),
        jid: "bob@example.org".into(),
        owned: true,
        at_ms: 1,
    };
    bench
        .intake
        .writer
        .commit_one(Write::Owner(owner))
        .await
        .unwrap();
    bench.take(iq(&format!("<phone>{POOL}</phone>"))).await;
    let answer = bench.until("</iq>").await;
    assert!(answer.contains("<conflict"), "{answer}");
    assert_eq!(bench.state().await, None);
}

#[tokio::test]
async fn after_thirty_days_a_disabled_registration_ends() {
    let mut bench = Bench::with_alice().await;
    bench.presence(PresenceType::Unsubscribe).await;
    bench.until("</message>").await;
    assert_eq!(bench.state().await.as_deref(), Some("disabled"));
    bench.clock.advance(DISABLED_FOR + 2 * SWEEP);
    let swept = async {
        while bench.state().await.is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, swept)
        .await
        .expect("the registration stays");
}
