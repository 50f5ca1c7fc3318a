//! What a provider gives in place of a login, on a real SQLite file.

use tempfile::TempDir;

use super::*;
use crate::{
    config::StoreUrl,
    metrics::Metrics,
    seal::{Keys, write as write_keys},
    store::{
        fixture::rename,
        write::{KeptAccount, UserRow},
    },
};

const GATEWAY: i64 = 1;
const BOUND: Bound = Bound {
    account_id: 70,
    user_id: 10,
};

struct World {
    folder: TempDir,
    store: Store,
    writer: Writer,
    keys: KeyRing,
    lifecycle: Lifecycle,
    board: OwnBoard,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("transom.key");
        write_keys(&file, &Keys::generate()).unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("test.db"));
        let lifecycle = Lifecycle::new();
        let store = Store::open(&url, lifecycle.clone()).await.unwrap();
        store.migrate(true).await.unwrap();
        let writer = store.writer(Metrics::new());
        store.gateway_id("mail", GATEWAY).await.unwrap();
        let user = UserRow {
            user_id: BOUND.user_id,
            gateway_id: GATEWAY,
            jid: "alice@example.org".to_owned(),
            state: "active",
            lang: None,
            at_ms: 0,
        };
        writer.commit_one(Write::User(user)).await.unwrap();
        Self {
            folder,
            store,
            writer,
            keys: KeyRing::read(file).unwrap(),
            lifecycle,
            board: OwnBoard::new(Metrics::new()),
        }
    }

    /// Its owner enters this.
    async fn enter(&self, text: &str, at_ms: i64) {
        let keys = self.keys.keys();
        let sealed = keys.seal(token(text).to_secret().expose_secret(), BOUND);
        let kept = KeptAccount {
            account_id: BOUND.account_id,
            name: "mail/own-70".to_owned(),
            route: "own-70".to_owned(),
            gateway_id: GATEWAY,
            user_id: BOUND.user_id,
            jid: "alice@example.org".to_owned(),
            line_id: 1070,
            address: "alice@corp.example".to_owned(),
            place: "{}".to_owned(),
            key_id: sealed.key,
            sealed: sealed.text,
            at_ms,
        };
        let keep = Operation::Own(Change::Keep(Box::new(kept)));
        let write = Write::Operation(keep);
        self.writer.commit_one(write).await.unwrap();
    }

    async fn row(&self) -> OwnAccountRow {
        self.store.own_accounts(GATEWAY).await.unwrap().remove(0)
    }

    /// As the account is opened in one process.
    async fn opened(&self) -> StoredLogin {
        let database = (&self.store, &self.writer);
        let life = (&self.lifecycle, &self.board);
        StoredLogin::new(&self.row().await, &self.keys, database, life)
    }

    /// What a process that starts now opens it with.
    async fn stored(&self) -> String {
        let row = self.row().await;
        text(&open(&self.keys, &row.sealed, row.bound()).unwrap())
    }

    async fn rename(&self, table: &str, new: &str) {
        let file = self.folder.path().join("test.db");
        rename(&file, table, new).await;
    }
}

fn token(text: &str) -> Login {
    Login::Refresh(text.to_owned().into())
}

fn text(login: &Login) -> String {
    match login {
        Login::Refresh(token) => token.expose_secret().to_owned(),
        Login::Password(_) => panic!("a password"),
    }
}

#[tokio::test]
async fn what_one_process_was_given_is_the_latest_in_all() {
    let world = World::start().await;
    world.enter("first", 1).await;
    let (one, other) = (world.opened().await, world.opened().await);
    one.renew(token("second")).await;
    assert_eq!(text(&other.latest().await.unwrap()), "second");
    assert_eq!(world.stored().await, "second");
    other.renew(token("third")).await;
    assert_eq!(text(&one.latest().await.unwrap()), "third");
    assert!(one.catch_up().await, "nothing waits");
    assert_eq!(world.stored().await, "third");
}

#[tokio::test]
async fn what_cannot_be_stored_waits_and_is_the_latest_meanwhile() {
    let world = World::start().await;
    world.enter("first", 1).await;
    let login = world.opened().await;
    world.rename("own_accounts", "away").await;
    login.renew(token("second")).await;
    // Whoever tries it again is called.
    timeout(PATIENCE, world.board.rung()).await.unwrap();
    assert_eq!(text(&login.latest().await.unwrap()), "second");
    assert!(!login.catch_up().await);
    // What comes after it takes its place there as well.
    login.renew(token("third")).await;
    world.rename("away", "own_accounts").await;
    assert_eq!(world.stored().await, "first");
    assert!(login.catch_up().await);
    assert_eq!(world.stored().await, "third");
    assert_eq!(text(&login.latest().await.unwrap()), "third");
}

#[tokio::test]
async fn what_its_owner_enters_stays_whatever_is_renewed_late() {
    let world = World::start().await;
    world.enter("first", 1).await;
    let login = world.opened().await;
    world.enter("hers", 2).await;
    login.renew(token("late")).await;
    assert!(login.catch_up().await, "it does not wait for anything");
    assert!(login.latest().await.is_none());
    assert_eq!(world.stored().await, "hers");
}

#[tokio::test]
async fn it_is_sealed_with_the_newest_key_of_the_file() {
    let world = World::start().await;
    world.enter("first", 1).await;
    let login = world.opened().await;
    let newest = Keys::generate();
    write_keys(world.keys.path(), &newest).unwrap();
    login.renew(token("second")).await;
    assert_eq!(world.row().await.sealed.key, newest.newest_id());
    assert_eq!(world.stored().await, "second");
}
