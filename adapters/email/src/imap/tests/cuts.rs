//! Connections that end or hang inside a mail lose and double nothing.

use super::*;

#[tokio::test]
async fn a_mail_that_does_not_come_holds_up_none_before_it() {
    let watched = Watched::start().await.settled().await.stopped().await;
    watched.host.deliver_from("a@example.com", ALICE, "first");
    let second = watched.host.deliver_from("b@example.com", ALICE, "second");
    watched.host.server().hanging.push(second);
    watched.run();
    // The watch hangs at the second for as long as the deadline of a body.
    assert_eq!(watched.texts(1).await, ["first"]);
    assert_eq!(watched.host.server().connections, 2);
    watched.host.server().hanging.clear();
    assert_eq!(watched.texts(2).await, ["first", "second"]);
}

#[tokio::test]
async fn a_cut_in_a_batch_keeps_what_was_read_before_it() {
    let watched = Watched::start().await.settled().await.stopped().await;
    let want: Vec<String> = (0..10).map(|number| format!("c{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let from = format!("person{number}@example.com");
        let uid = watched.host.deliver_from(&from, ALICE, text);
        if number == 5 {
            watched.host.server().cuts.insert(uid, 1);
        }
    }
    watched.run();
    assert_eq!(watched.texts(want.len()).await, want);
    let server = watched.host.server();
    let bodies = server
        .commands
        .iter()
        .filter(|command| command.contains("BODY.PEEK[]"));
    assert_eq!(bodies.count(), want.len() + 1, "one was asked for twice");
}

/// facts c9: a server that goes away and comes back takes nothing with it.
#[tokio::test]
async fn a_server_that_restarts_between_two_mails_loses_and_doubles_nothing() {
    let watched = Watched::start().await.settled().await;
    let want: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let uid = watched.host.deliver(ALICE, text);
        if number % 5 == 4 {
            watched.host.server().cuts.insert(uid, 2);
        }
    }
    assert_eq!(watched.texts(want.len()).await, want);
    assert!(watched.host.server().connections > 4);
}

#[tokio::test]
async fn a_cut_inside_a_mail_loses_and_doubles_nothing() {
    let watched = Watched::start().await.settled().await;
    let second = watched.host.server().next + 1;
    watched.host.server().cuts.insert(second, 2);
    for text in ["a", "b", "c"] {
        watched.host.deliver(ALICE, text);
    }
    assert_eq!(watched.texts(3).await, ["a", "b", "c"]);
}
