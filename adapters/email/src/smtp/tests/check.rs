//! What a check says of the server.

use super::*;

#[tokio::test]
async fn check_says_what_it_found() {
    let server = Server::start([script(&["221 bye"])]).await;
    let report = server.account(Security::None, false).check().await;
    let want = format!(
        "127.0.0.1:{} answers without TLS: mails up to 10000 bytes, tells failures in a standard form",
        server.port
    );
    assert_eq!(report.findings[0], want);
    assert!(report.notes.iter().any(|note| note.contains("v=spf1")));
    assert_eq!(report.faults, Vec::<String>::new());
}

#[tokio::test]
async fn nobody_listening_is_transient_and_check_says_so() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut server = Server::start([]).await;
    server.port = port;
    let account = server.account(Security::None, false);
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Transient(_)), "{outcome:?}");
    let report = account.check().await;
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.contains("answers"))
    );
    assert!(report.faults[0].contains("cannot be reached"), "{report:?}");
}
