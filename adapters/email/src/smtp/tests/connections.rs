//! Which connection a mail goes by.

use super::*;

#[tokio::test]
async fn a_connection_is_kept_and_a_doubtful_one_is_not() {
    let again = [&SENT[..], &["250 reset"], &SENT[..]].concat();
    let server = Server::start([script(&again)]).await;
    let account = server.account(Security::None, false);
    for _ in 0..2 {
        let outcome = account.send(&message(), FIRST).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);

    let doubtful = script(&["250 ok", "250 ok", "354 go", HANG]);
    let server = Server::start([doubtful, script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let first = account.send(&message(), FIRST).await;
    assert!(matches!(first, Outcome::Unknown(_)), "{first:?}");
    let second = account.send(&message(), FIRST).await;
    assert!(matches!(second, Outcome::Accepted { .. }), "{second:?}");
    assert_eq!(*server.connections.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced_without_a_word() {
    let closing = [&SENT[..], &[CLOSE]].concat();
    let server = Server::start([script(&closing), script(&SENT)]).await;
    let account = server.account(Security::None, false);
    for _ in 0..2 {
        let outcome = account.send(&message(), FIRST).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    assert_eq!(*server.connections.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_dropped_send_takes_its_connection_with_it() {
    let server = Server::start([script(&["250 ok", HANG]), script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let message = message();
    let dropped = tokio::time::timeout(Duration::from_millis(200), account.send(&message, FIRST));
    assert!(dropped.await.is_err());
    let outcome = account.send(&message, FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}
