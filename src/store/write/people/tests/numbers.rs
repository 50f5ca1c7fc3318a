//! Who gets which number, and when it is free again.

use crate::store::read::Ask;

use super::*;

#[tokio::test]
async fn a_number_of_the_pool_is_given_once() {
    let base = Base::new().await;
    base.write(line(20, POOL, "pool", "file", 1)).await;
    assert_eq!(base.store.free_lines(GATEWAY, 1, 10).await.unwrap(), [POOL]);
    assert_eq!(base.write(owner(POOL, ALICE, 2)).await, Done::Written);
    assert_eq!(
        base.write(owner(POOL, ALICE, 3)).await,
        Done::Written,
        "it is hers already"
    );
    assert_eq!(
        base.write(owner(POOL, "bob@example.org", 3)).await,
        Done::Unchanged
    );
    assert!(
        base.store
            .free_lines(GATEWAY, 4, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_number_that_was_given_up_rests_ninety_days_across_restarts() {
    let base = Base::new().await;
    let writes = vec![
        line(20, POOL, "pool", "file", 0),
        owner(POOL, ALICE, 0),
        user(ALICE, "active", 0),
    ];
    base.writer.commit(writes).await.unwrap();
    base.write(unregister(ALICE, 10)).await;
    base.write(line(21, POOL, "pool", "file", 50 * DAY)).await;
    base.write(line(21, POOL, "pool", "file", 89 * DAY)).await;
    assert_eq!(base.state_of(POOL).await, "resting");
    assert!(
        base.store
            .free_lines(GATEWAY, 89 * DAY, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        base.store.free_lines(GATEWAY, 91 * DAY, 10).await.unwrap(),
        [POOL]
    );
    base.write(owner(POOL, "bob@example.org", 91 * DAY)).await;
    assert_eq!(base.state_of(POOL).await, "active");
}

#[tokio::test]
async fn the_configuration_s_lines_stay_their_owner_s() {
    let base = Base::new().await;
    let writes = vec![
        line(20, POOL, "owned", "file", 0),
        owner(POOL, ALICE, 0),
        user(ALICE, "active", 0),
    ];
    base.writer.commit(writes).await.unwrap();
    base.write(unregister(ALICE, 1)).await;
    assert_eq!(base.state_of(POOL).await, "active");
    assert_eq!(base.store.lines(GATEWAY).await.unwrap()[0].owners, [ALICE]);
}

#[tokio::test]
async fn an_address_made_at_registration_goes_to_nobody_else_and_back_to_its_user() {
    const MAIL: &str = "alice@mail.example.org";
    let base = Base::new().await;
    let made = || {
        vec![
            line(20, MAIL, "owned", "registration", 0),
            owner(MAIL, ALICE, 0),
            user(ALICE, "active", 0),
        ]
    };
    base.writer.commit(made()).await.unwrap();
    base.write(unregister(ALICE, 1)).await;
    assert_eq!(base.state_of(MAIL).await, "resting");
    assert_eq!(
        base.write(owner(MAIL, "bob@example.org", 2)).await,
        Done::Unchanged
    );
    assert_eq!(base.state_of(MAIL).await, "resting");
    let done = base.writer.commit(made()).await.unwrap();
    assert!(done.iter().all(|done| *done == Done::Written));
    assert_eq!(base.state_of(MAIL).await, "active");
    let ask = Ask::about_user(ALICE.into(), None);
    let view = base.store.outward(GATEWAY, &[ask], 3).await.unwrap();
    assert_eq!(view.lines[ALICE][0].line_id, 20);
}
