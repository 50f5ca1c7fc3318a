//! What is read of a user: the contacts, their names, and who is blocked.

use crate::store::{read::Subscription, write::Operation};

use super::*;

#[tokio::test]
async fn a_member_is_read_with_one_contact() {
    let base = Base::new().await;
    assert_eq!(base.store.member(GATEWAY, ALICE, "").await.unwrap(), None);
    base.writer
        .commit(vec![
            user(ALICE, "active", 5),
            contact("", 1, 1),
            contact("+1", 0, 1),
        ])
        .await
        .unwrap();
    let member = base
        .store
        .member(GATEWAY, ALICE, "+1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (member.user_id, member.state.as_str(), member.changed_ms),
        (10, "active", 5)
    );
    assert_eq!(
        member.contact,
        Subscription {
            subscribed: false,
            asked: true
        }
    );
    assert_eq!(member.lang.as_deref(), Some("de"));
    assert_eq!(
        base.store.subscribers(GATEWAY, "", 10).await.unwrap(),
        [ALICE]
    );
    base.write(user(ALICE, "disabled", 6)).await;
    assert!(
        base.store
            .subscribers(GATEWAY, "", 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        base.store.disabled_before(GATEWAY, 7, 10).await.unwrap(),
        [ALICE]
    );
    assert!(
        base.store
            .disabled_before(GATEWAY, 6, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_book_holds_everybody_once() {
    let base = Base::new().await;
    base.write(user(ALICE, "active", 5)).await;
    base.write(line(20, POOL, "pool", "file", 5)).await;
    base.write(message(6)).await;
    for (peer, name) in [("+12025550147", "Bob"), ("+12025550148", "Eve")] {
        base.write(Write::Operation(Operation::NameContact {
            user_id: 10,
            peer: peer.into(),
            name: Some(name.into()),
            yields: false,
        }))
        .await;
    }
    base.write(contact("", 1, 1)).await;
    base.write(contact("+12025550147;line=+12025550101", 1, 1))
        .await;
    let book = base.store.book(GATEWAY, ALICE, 100).await.unwrap();
    let seen: Vec<_> = book
        .iter()
        .map(|known| (known.peer.as_str(), known.name.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [("+12025550147", Some("Bob")), ("+12025550148", Some("Eve"))]
    );
    assert_eq!(
        base.store
            .contacts_counted(10, "+12025550147")
            .await
            .unwrap(),
        3
    );
    assert!(
        base.store
            .book(GATEWAY, "eve@example.org", 100)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_name_that_the_user_gave_beats_the_networks_and_is_kept_by_what_the_roster_says() {
    let base = Base::new().await;
    let name = |name: Option<&str>| {
        Write::Operation(Operation::NameContact {
            user_id: 10,
            peer: "+12025550147".into(),
            name: name.map(str::to_owned),
            yields: false,
        })
    };
    let known = async || {
        let member = base.store.member(GATEWAY, ALICE, "+12025550147").await;
        member.unwrap().unwrap()
    };
    base.write(user(ALICE, "active", 5)).await;
    base.write(line(20, POOL, "pool", "file", 5)).await;
    let Write::Out(mut named) = message(6) else {
        unreachable!()
    };
    named.conversation.peer_name = Some("R. Smith".into());
    base.write(Write::Out(named)).await;
    assert_eq!(known().await.name.as_deref(), Some("R. Smith"));
    base.write(name(Some("Bob"))).await;
    assert_eq!(known().await.name.as_deref(), Some("Bob"));
    base.write(contact("+12025550147", 1, 1)).await;
    let pinned = base
        .store
        .member(GATEWAY, ALICE, "+12025550147;line=+12025550101")
        .await;
    assert_eq!(pinned.unwrap().unwrap().name.as_deref(), Some("Bob"));
    assert_eq!(known().await.name.as_deref(), Some("Bob"));
    assert!(
        known().await.contact.subscribed,
        "a name says nothing of the roster"
    );
    base.write(name(None)).await;
    assert_eq!(known().await.name.as_deref(), Some("R. Smith"));
}

#[tokio::test]
async fn a_user_blocks_for_nobody_else_and_takes_it_back() {
    let base = Base::new().await;
    base.write(user(ALICE, "active", 5)).await;
    base.write(user("bob@example.org", "active", 5)).await;
    let block = |blocked| {
        Write::Operation(Operation::Block {
            gateway_id: GATEWAY,
            user_id: 10,
            peer: "+1".into(),
            blocked,
            at_ms: 6,
        })
    };
    base.writer
        .commit(vec![block(true), block(true)])
        .await
        .unwrap();
    let of = async |user_id| {
        let blocks = base.store.blocks_of(GATEWAY, user_id, 10).await.unwrap();
        blocks.into_iter().map(|(peer, _)| peer).collect::<Vec<_>>()
    };
    assert_eq!(of(10).await, ["+1"]);
    assert!(of(11).await.is_empty());
    base.write(block(false)).await;
    assert!(of(10).await.is_empty());
}
