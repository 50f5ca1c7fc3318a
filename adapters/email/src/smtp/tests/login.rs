//! Logging in by password and by token.

use super::*;

#[tokio::test]
async fn a_login_is_made_when_there_is_one() {
    let steps = [&["235 2.7.0 welcome"], &SENT[..]].concat();
    let server = Server::start([script(&steps)]).await;
    let outcome = server
        .account(Security::None, true)
        .send(&message(), FIRST)
        .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    // RFC 4616: NUL user NUL password
    assert_eq!(server.lines()[2], "AUTH PLAIN AHVzZXIAczNjcmV0");
}

#[tokio::test]
async fn a_wrong_password_is_the_accounts_fault_and_never_shown() {
    let server = Server::start([script(&["535 5.7.8 bad credentials"])]).await;
    let outcome = server
        .account(Security::None, true)
        .send(&message(), FIRST)
        .await;
    let Outcome::Misconfigured(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.code.as_deref(), Some("535 5.7.8"));
    assert!(!format!("{failure:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_changed_for_a_new_one() {
    const BY_TOKEN: &str = "250-mx\r\n250 AUTH XOAUTH2";
    let refusing = || vec!["220 mx", BY_TOKEN, BY_TOKEN, "535 5.7.8 no", "221 bye"];
    let taking = vec!["220 mx", BY_TOKEN, BY_TOKEN, "235 ok", "221 bye"];
    let server = Server::start([refusing(), taking, refusing(), refusing()]).await;
    let login = Login {
        username: "user".to_owned(),
        password: String::new().into(),
        tokens: Some(crate::oauth::tokens::tests::tokens(&server.lifecycle).await),
    };
    let account = server.account_of(Some(login), Security::None, None);
    let report = account.check().await;
    assert_eq!(report.faults, Vec::<String>::new());
    let report = account.check().await;
    assert!(report.faults[0].contains("refuses the login"), "{report:?}");
    assert_eq!(*server.connections.lock().unwrap(), 4);
}
