//! What an answer, a cut or silence means for the mail.

use transom_adapter::Reason;

use super::*;

async fn outcome_of(after_greeting: &[&'static str]) -> Outcome {
    let server = Server::start([script(after_greeting)]).await;
    let account = server.account(Security::None, false);
    account.send(&message(), FIRST).await
}

#[tokio::test]
async fn before_the_dot_a_cut_means_surely_not_sent() {
    for cut in [CLOSE, HANG, "garbage", "220 what"] {
        for steps in [
            vec![cut],
            vec!["250 ok", cut],
            vec!["250 ok", "250 ok", cut],
        ] {
            let outcome = outcome_of(&steps).await;
            assert!(
                matches!(outcome, Outcome::Transient(_)),
                "{steps:?} gave {outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn after_the_dot_only_250_is_a_yes_and_silence_is_unknown() {
    for end in [CLOSE, HANG, "garbage", "354 go ahead", "220 what"] {
        let outcome = outcome_of(&["250 ok", "250 ok", "354 go", end]).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{end} gave {outcome:?}"
        );
    }
}

#[tokio::test]
async fn an_smtp_line_without_end_is_not_read_on() {
    let want = "the server wrote a reply of more than 131072 bytes";
    let greeting = Server::start([vec![ENDLESS]]).await;
    let outcome = greeting.account(Security::None, false);
    let outcome = outcome.send(&message(), FIRST).await;
    let Outcome::Transient(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.detail.as_deref(), Some(want));
    // Behind the dot nobody knows whether the mail was taken.
    let outcome = outcome_of(&["250 ok", "250 ok", "354 go", ENDLESS]).await;
    let Outcome::Unknown(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.detail.as_deref(), Some(want));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let reason = |outcome| match outcome {
        Outcome::Rejected(failure) => failure.reason,
        other => panic!("{other:?}"),
    };
    let unknown = outcome_of(&["250 ok", "550 5.1.1 <bob@example.com>: unknown"]).await;
    assert_eq!(reason(unknown), Reason::NoSuchRecipient);
    let filtered = outcome_of(&["250 ok", "250 ok", "354 go", "554 5.7.1 looks like spam"]).await;
    assert_eq!(reason(filtered), Reason::Filtered);
    for later in [
        vec!["250 ok", "450 4.2.0 greylisted"],
        vec!["421 4.3.2 closing"],
        vec!["250 ok", "250 ok", "354 go", "451 4.3.0 try again"],
    ] {
        let outcome = outcome_of(&later).await;
        assert!(
            matches!(outcome, Outcome::Transient(_)),
            "{later:?} gave {outcome:?}"
        );
    }
    let login = outcome_of(&["530 5.7.0 authentication required"]).await;
    assert!(matches!(login, Outcome::Misconfigured(_)), "{login:?}");
}
