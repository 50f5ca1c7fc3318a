//! A mail that the server does not give is asked for again, and holds up no other.

use super::{server::Server, *};

/// A mail arrives whole where the server does this before it gives it.
async fn is_given_in_the_end(wrong: impl FnOnce(&mut Server)) {
    let watched = Watched::start().await.settled().await;
    wrong(&mut watched.host.server());
    watched.host.deliver(ALICE, "late");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("late"));
    assert!(messages[0].mail.notice.is_none(), "it is shown whole");
    assert_eq!(watched.meter.of("imap_gone"), 0);
}

#[tokio::test]
async fn rfc3501_a_mail_that_is_refused_is_not_one_that_is_gone() {
    is_given_in_the_end(|server| server.refusals.extend([(1, 3)])).await;
}

#[tokio::test]
async fn a_connection_that_ends_before_an_answer_takes_no_mail_with_it() {
    is_given_in_the_end(|server| server.hang_ups = 3).await;
}

#[tokio::test]
async fn where_no_mail_is_given_none_is_given_up() {
    let watched = Watched::start().await.settled().await;
    // Longer than any mail alone is asked for.
    watched.host.server().outage = 100;
    watched.host.deliver(ALICE, "first");
    watched.host.deliver(ALICE, "second");
    let messages = watched.messages(2).await;
    let subjects: Vec<_> = messages
        .iter()
        .map(|mail| mail.subject.as_deref())
        .collect();
    assert_eq!(subjects, [Some("first"), Some("second")]);
    assert!(messages.iter().all(|mail| mail.mail.notice.is_none()));
}

#[tokio::test]
async fn a_mail_that_alone_is_refused_stops_no_other() {
    let watched = Watched::start().await.settled().await;
    watched.host.server().refusals.insert(1, u32::MAX);
    watched.host.deliver(ALICE, "never");
    watched.host.deliver(ALICE, "next");
    let messages = watched.messages(1).await;
    assert_eq!(messages[0].subject.as_deref(), Some("next"));
    assert_eq!(watched.meter.of("imap_lethal"), 1);
}
