//! Logging in, and what a check says of the mailbox.

use super::*;

#[tokio::test]
async fn a_wrong_password_is_said_and_never_shown() {
    let host = Host::start().await;
    host.server().password = "other";
    let report = account(&host, FAST).check().await;
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(
        report.faults[0].contains("the login is refused"),
        "{report:?}"
    );
    assert!(!report.faults[0].contains("s3cret"));
}

#[tokio::test]
async fn check_says_which_header_carries_the_recipient() {
    let host = Host::start().await;
    host.deliver(ALICE, "one");
    host.deliver("x@example.com", "two");
    let report = account(&host, FAST).check().await;
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(
        report.findings[0].contains("holds 2 mails and tells news at once"),
        "{report:?}"
    );
    assert_eq!(
        report.findings[1],
        "Delivered-To carries our recipient in 1 of the last 2 mails"
    );
}

#[tokio::test]
async fn hosts_that_are_no_imap_servers_are_survived() {
    for greeting in ["220 smtp\r\n", "* BYE full\r\n", "", "\0\0\0\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut host = Host::start().await;
        host.port = listener.local_addr().unwrap().port();
        host.lifecycle.spawn("no-imap", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        });
        let report = account(&host, FAST).check().await;
        assert_eq!(report.faults.len(), 1, "{greeting:?}: {report:?}");
    }
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_changed_for_a_new_one() {
    let host = Host::start().await;
    host.server().tokens = vec!["new"];
    let mut account = account(&host, FAST);
    account.config.whose = Whose::Owner(transom_adapter::Address::new("alice@corp.example"));
    account.config.login.tokens = Some(crate::oauth::tokens::tests::tokens(&host.lifecycle).await);
    account.open().await.expect("the new one is taken");
    assert_eq!(host.server().connections, 2);
    host.server().tokens.clear();
    // Kept again, and ended; the next one is refused as well.
    let refused = account.open().await.expect_err("neither is taken");
    assert!(matches!(refused, Trouble::Login(_)), "{refused:?}");
    assert_eq!(host.server().connections, 4);
}
