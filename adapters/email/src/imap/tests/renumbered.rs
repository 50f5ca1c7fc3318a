//! Servers that number their mails anew, or are late with the next number.

use super::*;

/// Ends the watch, with a position that began at no time: a later one than this host's INTERNALDATEs would pass its mails by.
async fn stopped_without_start(watched: Watched) -> Watched {
    let position = watched.cursor().await.unwrap();
    let mut parts: Vec<&str> = position.split(':').collect();
    parts[2] = "0";
    let watched = watched.stopped().await;
    let (inbox, name) = (&watched.inbox, AccountName::new("mail", "imap"));
    let cursor = transom_adapter::Cursor {
        name: "INBOX".to_owned(),
        value: parts.join(":"),
    };
    inbox.commit(&name, Vec::new(), Some(cursor)).await.unwrap();
    watched
}

#[tokio::test]
async fn new_uids_lose_nothing_and_the_store_knows_the_rest() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "before");
    watched.messages(1).await;
    let watched = stopped_without_start(watched).await;
    {
        let mut server = watched.host.server();
        (server.validity, server.next) = (8, 101);
        let (_, old) = server.mails.pop().unwrap();
        server.mails = vec![(100, old)];
    }
    watched.host.deliver(ALICE, "after");
    watched.run();
    assert_eq!(watched.texts(2).await, ["before", "after"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 1);
}

/// Facts: some servers number anew and keep the UIDVALIDITY, others say no UIDNEXT at all.
#[tokio::test]
async fn uids_that_go_back_lose_nothing_and_the_store_knows_the_rest() {
    let watched = Watched::start().await.settled().await;
    for text in ["one", "two", "three"] {
        watched.host.deliver(ALICE, text);
    }
    watched.messages(3).await;
    let watched = stopped_without_start(watched).await;
    {
        let mut server = watched.host.server();
        let (_, three) = server.mails.pop().unwrap();
        (server.mails, server.next) = (vec![(1, three)], 2);
    }
    watched.host.deliver(ALICE, "four");
    watched.run();
    assert_eq!(watched.texts(4).await, ["one", "two", "three", "four"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 1);
}

#[tokio::test]
async fn a_server_that_is_late_with_the_next_uid_is_read_on() {
    let watched = Watched::start().await.settled().await;
    watched.host.deliver(ALICE, "one");
    watched.messages(1).await;
    let watched = watched.stopped().await;
    watched.host.server().late = 2;
    watched.host.deliver(ALICE, "two");
    watched.run();
    assert_eq!(watched.texts(2).await, ["one", "two"]);
    assert_eq!(watched.meter.of("imap_renumbered"), 0);
}
