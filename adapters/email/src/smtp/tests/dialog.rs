//! What a mail says to the server, by what the server offers.

use transom_adapter::Reason;

use super::*;

#[tokio::test]
async fn a_mail_goes_out_with_its_bounce_address_and_a_dsn_request() {
    let server = Server::start([script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let outcome = account.send(&message(), FIRST).await;
    let Outcome::Accepted { ids } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        ids,
        [ExternalId::new(
            "message-id",
            account.ids.message_id(message().key)
        )]
    );
    let lines = server.lines();
    assert_eq!(lines[0], "EHLO mail.example.org");
    let bounce = account.ids.bounce_address(message().key);
    let sender = format!("MAIL FROM:<{bounce}> SIZE=");
    assert!(lines[2].starts_with(&sender), "{}", lines[2]);
    let envelope_id = account.ids.envelope_id(message().key);
    let notification = format!(" RET=HDRS ENVID={envelope_id}");
    assert!(lines[2].contains(&notification), "{}", lines[2]);
    assert_eq!(
        lines[3],
        "RCPT TO:<bob@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob@example.com"
    );
    assert_eq!(lines[4], "DATA");
    assert!(
        lines.contains(&"..".to_owned()),
        "a dot in the text is stuffed: {lines:?}"
    );
}

/// The same to somebody whose address is not ASCII.
fn to_mueller() -> Outgoing {
    Outgoing {
        to: transom_adapter::Address::new("müller@example.com"),
        ..message()
    }
}

#[tokio::test]
async fn rfc6531_an_address_beyond_ascii_goes_as_it_is_where_the_server_takes_it() {
    const UTF8: &str = "250-mx\r\n250-DSN\r\n250 SMTPUTF8";
    let steps = ["220 mx", UTF8, UTF8, "250 ok", "250 ok", "354 go", "250 ok"];
    let server = Server::start([steps.to_vec()]).await;
    let account = server.account(Security::None, false);
    let outcome = account.send(&to_mueller(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let lines = server.lines();
    assert!(lines[2].ends_with(" SMTPUTF8"), "{}", lines[2]);
    assert_eq!(lines[3], "RCPT TO:<müller@example.com>");
    assert!(
        lines.contains(&"To: müller@example.com".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn rfc6531_without_the_extension_such_a_mail_fails_at_once_and_says_why() {
    let server = Server::start([GREETED.to_vec()]).await;
    let account = server.account(Security::None, false);
    let Outcome::Rejected(failure) = account.send(&to_mueller(), FIRST).await else {
        panic!("not rejected")
    };
    assert_eq!(failure.reason, Reason::Unsupported);
}

#[tokio::test]
async fn rfc5321_a_note_that_a_mail_was_displayed_has_the_null_sender() {
    let server = Server::start([script(&SENT)]).await;
    let account = server.account(Security::None, false);
    let mut note = message();
    note.mail.displayed = Some(transom_adapter::Displayed {
        message_id: None,
        subject: None,
    });
    let outcome = account.send(&note, FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let lines = server.lines();
    assert!(lines[2].starts_with("MAIL FROM:<> SIZE="), "{}", lines[2]);
    assert!(!lines[3].contains("NOTIFY"), "{}", lines[3]);
}

#[tokio::test]
async fn what_is_not_offered_is_not_used() {
    let server = Server::start([vec![
        "220 mx", "250 mx", "250 mx", "250 ok", "250 ok", "354 go", "250 ok",
    ]])
    .await;
    let account = server.account(Security::None, false);
    let outcome = account.send(&message(), FIRST).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let lines = server.lines();
    assert!(
        lines[2].ends_with('>') && lines[3].ends_with('>'),
        "{lines:?}"
    );
}

#[tokio::test]
async fn too_large_is_known_without_asking() {
    let server = Server::start([script(&[])]).await;
    let account = server.account(Security::None, false);
    let mut large = message();
    large.text = "x".repeat(20_000);
    let outcome = account.send(&large, FIRST).await;
    let Outcome::Rejected(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.reason, Reason::TooLarge);
    assert!(!server.lines().iter().any(|line| line.starts_with("MAIL")));
}
