//! Operations on real databases: SQLite in a folder of its own, and what differs between engines on PostgreSQL too.

use std::{collections::HashSet, os::unix::fs::PermissionsExt as _, path::Path};

use sqlx::{Connection as _, SqliteConnection};
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::UnixStream};
use transom_adapter::{Key, Lifecycle};
use transom_test_servers::{Postgres, Server, skipped};

use super::{
    control::{Answer, AskError, Control, ask},
    *,
};
use crate::{
    app::{Alone, App},
    config::{Config, Environment, StoreUrl},
    store::write::{
        ConversationRow, IdRow, NewIn, NewOut, Seen, Unowned, UserRow,
        fixture::{conversation, written},
    },
};

mod keys;
mod socket;
mod users;
mod waiting;

const ALICE: &str = "alice@example.org";
const PEER: &str = "+12025550147";

struct World {
    folder: tempfile::TempDir,
    alone: Alone,
}

impl World {
    async fn sqlite() -> Self {
        Self::on("sqlite://transom.db").await
    }

    async fn on(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let alone = open(folder.path(), url).await;
        Self { folder, alone }
    }

    /// The same database, with a part of the configuration replaced.
    async fn reopened(self, from: &str, to: &str) -> Self {
        let Self { folder, alone } = self;
        alone.close().await;
        let text = config("sqlite://transom.db");
        assert!(text.contains(from), "{from}");
        let alone = open_with(folder.path(), &text.replace(from, to)).await;
        Self { folder, alone }
    }

    /// Runs it behind transom's back.
    async fn sql(&self, sql: &'static str) {
        let file = self.folder.path().join("transom.db");
        let url = format!("sqlite://{}", file.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    fn on_it(&self) -> &Operations {
        &self.alone.operations
    }

    async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        self.on_it().perform(Actor::Admin, request).await
    }

    async fn refuses(&self, request: Request) -> String {
        self.ask(request).await.unwrap_err().to_string()
    }

    async fn line_id(&self, number: &str) -> i64 {
        let lines = self.on_it().store.lines_shown(None, Some(number), 9).await;
        lines.unwrap()[0].line_id
    }

    async fn user(&self, jid: &str) -> i64 {
        let on = self.on_it();
        let row = UserRow {
            user_id: on.ids.next(),
            gateway_id: on.gateways[0].id,
            jid: jid.to_owned(),
            state: "active",
            lang: None,
            at_ms: on.now_ms(),
        };
        on.commit(vec![Write::User(row)]).await.unwrap();
        on.store
            .user(on.gateways[0].id, jid)
            .await
            .unwrap()
            .unwrap()
            .0
    }

    async fn conversation(&self, user_id: i64, number: &str) -> ConversationRow {
        let on = self.on_it();
        let line_id = self.line_id(number).await;
        let known = on.store.conversation_id(user_id, PEER, line_id).await;
        let conversation_id = known.unwrap().unwrap_or_else(|| on.ids.next());
        ConversationRow {
            gateway_id: on.gateways[0].id,
            user_id,
            line_id,
            ..conversation(conversation_id, PEER, on.now_ms())
        }
    }

    /// A text from the user that waits; the stanza's id is `stanza`.
    async fn outgoing(&self, user_id: i64, number: &str, stanza: &str) -> i64 {
        let on = self.on_it();
        let message_id = on.ids.next();
        let id = IdRow {
            scope_id: on.gateways[0].id,
            kind: "message-id",
            value: format!("{stanza}@networks.example"),
            part: 0,
            delivery_id: message_id,
        };
        let conversation = self.conversation(user_id, number).await;
        let row = NewOut {
            body: "the secret text".to_owned(),
            stanza_id: stanza.to_owned(),
            repeat_key: Some(format!("o{}", {
                use sha2::{Digest, Sha256};
                hex::encode(Sha256::digest(format!("origin-{stanza}")))
            })),
            full_jid: format!("{ALICE}/phone"),
            receipt: true,
            routes: "[\"main\"]".to_owned(),
            ids: vec![id],
            ..written(message_id, conversation)
        };
        on.commit(vec![Write::Out(Box::new(row))]).await.unwrap();
        message_id
    }

    async fn incoming(&self, user_id: i64, number: &str) -> i64 {
        let on = self.on_it();
        let message_id = on.ids.next();
        let row = NewIn {
            seen: self.seen(message_id),
            conversation: self.conversation(user_id, number).await,
            message_id,
            body: "the secret text".to_owned(),
            payload: None,
            stanza_id: format!("in-{message_id}"),
            user_jid: ALICE.to_owned(),
            due_ms: Some(0),
            stranger: None,
            line: number.to_owned(),
            thread: None,
            ids: Vec::new(),
            files: Vec::new(),
            confirm: None,
            fleeting: false,
            repeat_key: None,
        };
        on.commit(vec![Write::In(Box::new(row))]).await.unwrap();
        message_id
    }

    async fn unowned(&self, number: &str) -> i64 {
        let on = self.on_it();
        let unowned_id = on.ids.next();
        let row = Unowned {
            seen: self.seen(unowned_id),
            unowned_id,
            line_id: self.line_id(number).await,
            peer: PEER.to_owned(),
            body: "the secret text".to_owned(),
            at_ms: on.now_ms(),
        };
        on.commit(vec![Write::Unowned(row)]).await.unwrap();
        unowned_id
    }

    fn seen(&self, digest: i64) -> Seen {
        Seen {
            scope_id: 1,
            digest: digest.to_string(),
            at_ms: self.on_it().now_ms(),
            stale_ms: 0,
        }
    }

    async fn queue(&self) -> Vec<Waiting> {
        let list = Request::QueueList {
            gateway: None,
            direction: None,
            limit: 100,
        };
        let Ok(Reply::Queue(waiting)) = self.ask(list).await else {
            panic!("no list")
        };
        waiting
    }

    async fn life(&self, id: i64) -> Life {
        let show = Request::QueueShow { id: id.to_string() };
        let Ok(Reply::Messages(mut lives)) = self.ask(show).await else {
            panic!("no life of {id}")
        };
        lives.remove(0)
    }
}

fn config(url: &str) -> String {
    format!(
        "[store]\nurl = \"{url}\"\n[xmpp]\nallow = [\"example.org\"]\n\
         [gateway.sms]\nadapter = \"sms\"\ndomain = \"sms.example.org\"\nsecret = \"component\"\nregion = \"US\"\n\
         [gateway.sms.provider.main]\nkind = \"simulator\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550100\"\nowner = \"alice@example.org\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550101\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550102\"\n\
         [[gateway.sms.line]]\nnumber = \"+12025550103\"\nshared = true\nfallback = \"alice@example.org\"\n"
    )
}

async fn open(folder: &Path, url: &str) -> Alone {
    open_with(folder, &config(url)).await
}

async fn open_with(folder: &Path, text: &str) -> Alone {
    let file = folder.join("transom.toml");
    let config = Config::parse(text, &file, &Environment::default())
        .unwrap()
        .config;
    if let StoreUrl::Sqlite(path) = &config.store.url {
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
    }
    App::builder().build(config).alone().await.unwrap()
}

fn retry(id: i64, to: Option<&str>) -> Request {
    Request::QueueRetry {
        ids: vec![id.to_string()],
        to: to.map(str::to_owned),
    }
}

fn rename(old: &str, new: &str) -> Request {
    Request::UserRename {
        old: old.to_owned(),
        new: new.to_owned(),
    }
}

fn assign(number: &str, user: &str) -> Request {
    Request::LineAssign {
        number: number.to_owned(),
        user: user.to_owned(),
    }
}

fn release(number: &str) -> Request {
    Request::LineRelease {
        number: number.to_owned(),
    }
}

fn trace(id: &str) -> Request {
    Request::Trace { id: id.to_owned() }
}

#[tokio::test]
async fn the_same_on_postgres() {
    if skipped(&[Server::Postgres]) {
        return;
    }
    let postgres = Postgres::shared().await;
    users::everything_of_a_user_moves(World::on(&postgres.database().await).await).await;
    waiting::what_waits_is_shown_tried_and_given_up(World::on(&postgres.database().await).await)
        .await;
    waiting::a_text_of_nobody_gets_somebody_once(World::on(&postgres.database().await).await).await;
    waiting::a_message_is_found_by_each_of_its_ids(World::on(&postgres.database().await).await)
        .await;
    let url = postgres.database().await;
    let world = World::on(&url).await;
    let alice = world.user(ALICE).await;
    let out = [
        world.outgoing(alice, "+12025550100", "s1").await,
        world.outgoing(alice, "+12025550100", "s2").await,
    ];
    let inward = world.incoming(alice, "+12025550100").await;
    let no_file = world
        .on_it()
        .store
        .copy_to(&world.folder.path().join("x"), "today")
        .await;
    assert!(no_file.is_err(), "PostgreSQL has tools of its own");
    world.alone.close().await;
    postgres
        .query(
            &url,
            "INSERT INTO meta (name, value) VALUES ('copy_of', 'pg_dump')",
        )
        .await;
    waiting::restored(&World::on(&url).await, &out, inward).await;
}
