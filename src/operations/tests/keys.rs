//! Exchanging the key that logins are sealed with: whole, half, and with what does not open.

use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    seal::{Bound, KeyRing, Keys, Sealed, write as write_keys},
    store::write::{KeptAccount, OwnAccount},
};

const LOGINS: usize = 250;

impl World {
    /// With a key file, and as many accounts as fit into a few commits.
    async fn with_logins() -> (Self, std::path::PathBuf) {
        let mut world = Self::sqlite().await;
        let file = world.folder.path().join("transom.key");
        write_keys(&file, &Keys::generate()).unwrap();
        let ring = KeyRing::read(file.clone()).unwrap();
        let keys = ring.keys();
        world.alone.operations.keys = Some(ring);
        let user_id = world.user(ALICE).await;
        for number in 0..LOGINS {
            let account_id = i64::try_from(number).unwrap() + 1;
            let bound = Bound {
                account_id,
                user_id,
            };
            let sealed = keys.seal(secret(account_id).as_bytes(), bound);
            world.keep(bound, number, sealed).await;
        }
        (world, file)
    }

    async fn keep(&self, bound: Bound, number: usize, sealed: Sealed) {
        let kept = KeptAccount {
            account_id: bound.account_id,
            name: format!("sms/own-{number}"),
            route: format!("own-{number}"),
            gateway_id: self.on_it().gateways[0].id,
            user_id: bound.user_id,
            jid: ALICE.to_owned(),
            line_id: self.on_it().ids.next(),
            address: format!("{number}@corp.example"),
            place: "{}".to_owned(),
            key_id: sealed.key,
            sealed: sealed.text,
            at_ms: 1,
        };
        self.own(OwnAccount::Keep(Box::new(kept))).await;
    }

    async fn own(&self, change: OwnAccount) {
        assert!(self.on_it().operate(Operation::Own(change)).await.unwrap());
    }

    async fn sealed(&self) -> Vec<(Bound, Sealed)> {
        let all = self.on_it().store.sealed_after(0, 10_000).await;
        all.unwrap()
    }

    async fn reseal(&self, keys: &Keys) -> Resealed {
        let key = keys.newest_id().to_owned();
        match self.ask(Request::Reseal { key }).await.unwrap() {
            Reply::Resealed(report) => report,
            other => panic!("{other:?}"),
        }
    }
}

fn secret(account_id: i64) -> String {
    format!("password of {account_id}")
}

fn all_open(all: &[(Bound, Sealed)], keys: &Keys) {
    for (bound, sealed) in all {
        let opened = keys.open(sealed, *bound).unwrap();
        let want = secret(bound.account_id);
        assert_eq!(opened.expose_secret(), want.as_bytes());
    }
}

#[tokio::test]
async fn every_login_gets_the_new_key_and_the_old_one_can_go() {
    let (world, file) = World::with_logins().await;
    let old = world.on_it().keys.as_ref().unwrap().keys();
    // A process that does not see the new key yet changes nothing.
    let both = old.with_another();
    let key = both.newest_id().to_owned();
    let refused = world.refuses(Request::Reseal { key }).await;
    assert!(refused.contains("does not have the new one"), "{refused}");
    all_open(&world.sealed().await, &old);
    write_keys(&file, &both).unwrap();
    let report = world.reseal(&both).await;
    assert_eq!((report.sealed, report.unreadable), (LOGINS, 0));
    let alone = both.only(&report.needed);
    assert_eq!(alone.count(), 1);
    write_keys(&file, &alone).unwrap();
    assert_eq!(world.reseal(&alone).await, Resealed::default());
    all_open(&world.sealed().await, &alone);
    let stale = world.sealed().await;
    assert!(old.open(&stale[0].1, stale[0].0).is_err());
}

#[tokio::test]
async fn a_rotation_that_was_killed_half_way_goes_on() {
    let (world, file) = World::with_logins().await;
    let old = world.on_it().keys.as_ref().unwrap().keys();
    let both = old.with_another();
    write_keys(&file, &both).unwrap();
    // Some are done, as the commit before the kill left them.
    for (bound, sealed) in world.sealed().await.into_iter().take(100) {
        let secret = both.open(&sealed, bound).unwrap();
        let anew = both.seal(secret.expose_secret(), bound);
        world
            .own(OwnAccount::Reseal {
                account_id: bound.account_id,
                before: sealed.text,
                key_id: anew.key,
                sealed: anew.text,
            })
            .await;
    }
    all_open(&world.sealed().await, &both);
    let report = world.reseal(&both).await;
    assert_eq!(report.sealed, LOGINS - 100);
    all_open(&world.sealed().await, &both.only(&report.needed));
}

#[tokio::test]
async fn what_does_not_open_stays_and_keeps_its_key() {
    let (world, file) = World::with_logins().await;
    let old = world.on_it().keys.as_ref().unwrap().keys();
    let all = world.sealed().await;
    // Somebody exchanged two rows by hand, and a third was sealed elsewhere.
    let swap = |into: usize, from: usize| OwnAccount::Reseal {
        account_id: all[into].0.account_id,
        before: all[into].1.text.clone(),
        key_id: all[from].1.key.clone(),
        sealed: all[from].1.text.clone(),
    };
    world.own(swap(0, 1)).await;
    let elsewhere = Keys::generate().seal(b"x", all[2].0);
    world
        .own(OwnAccount::Reseal {
            account_id: all[2].0.account_id,
            before: all[2].1.text.clone(),
            key_id: elsewhere.key.clone(),
            sealed: elsewhere.text,
        })
        .await;
    let both = old.with_another();
    write_keys(&file, &both).unwrap();
    let report = world.reseal(&both).await;
    assert_eq!((report.sealed, report.unreadable), (LOGINS - 2, 2));
    assert!(report.needed.contains(&old.newest_id().to_owned()));
    assert!(report.needed.contains(&elsewhere.key));
    assert_eq!(both.only(&report.needed).count(), 2, "the old key stays");
}

#[tokio::test]
async fn without_a_key_file_there_is_nothing_to_exchange() {
    let world = World::sqlite().await;
    let key = "k1".to_owned();
    let refused = world.refuses(Request::Reseal { key }).await;
    assert!(refused.contains("store.key_file"), "{refused}");
}
