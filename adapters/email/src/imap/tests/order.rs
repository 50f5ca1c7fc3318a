//! Many mails at once come in their order and once.

use super::*;

#[tokio::test]
async fn a_burst_is_read_in_order_and_once() {
    let watched = Watched::start().await.settled().await;
    let want: Vec<String> = (0..200).map(|number| format!("m{number}")).collect();
    for text in &want {
        watched.host.deliver(ALICE, text);
    }
    assert_eq!(watched.texts(200).await, want);
}

/// facts c9: what waited is counted exactly, comes in its order, and is asked for one mail at a time, so that the memory that it takes does
/// not grow with the number.
#[tokio::test]
async fn ten_thousand_mails_that_wait_are_read_in_order_and_once() {
    const WAITING: usize = 10_000;
    let watched = Watched::start().await.settled().await.stopped().await;
    let want: Vec<String> = (0..WAITING).map(|number| format!("m{number}")).collect();
    for text in &want {
        watched.host.deliver(ALICE, text);
    }
    watched.run();
    let waited = watched.inbox.wait_for(WAITING);
    let events = tokio::time::timeout(Duration::from_mins(5), waited).await;
    let text = |event: &Event| match event {
        Event::Message(message) => message.text.clone(),
        other => panic!("{other:?}"),
    };
    let got: Vec<String> = events.expect("all of them").iter().map(text).collect();
    assert!(
        got == want,
        "{} came, the first wrong one is {:?}",
        got.len(),
        {
            let mut pairs = got.iter().zip(&want);
            pairs.find(|(got, want)| got != want)
        }
    );
    let server = watched.host.server();
    let bodies = server
        .commands
        .iter()
        .filter(|command| command.contains("BODY.PEEK[]"));
    let several = bodies.filter(|command| command.contains([',', ':']));
    assert_eq!(several.count(), 0, "one mail a request");
}

#[tokio::test]
async fn mails_of_different_people_are_committed_together_and_in_their_order() {
    let watched = Watched::start().await.settled().await.stopped().await;
    let before = watched.inbox.commits();
    let want: Vec<String> = (0..96).map(|number| format!("m{number}")).collect();
    for (number, text) in want.iter().enumerate() {
        let from = format!("person{}@example.com", number % 40);
        watched.host.deliver_from(&from, ALICE, text);
    }
    watched.run();
    assert_eq!(watched.texts(want.len()).await, want);
    let commits = watched.inbox.commits() - before;
    assert!(commits < want.len() / 4, "{commits} commits");
}
