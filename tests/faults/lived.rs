//! An installation that has been lived in: something of everything that a gateway for texts keeps, and what waits.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::{Map, Value};
use transom_test_servers::{
    Answer, Element, PATIENCE, Prosody, Request, Transom, XmppClient, get, until,
};

use crate::{
    house::{alone, lines, prosody},
    world::{
        Database, LINE, PICTURE, SMS, Twilio, chat, condition, contact, is_receipt_of, link_up,
        store,
    },
};

const FRIEND: &str = "+12025550140";
const BLOCKED: &str = "+12025550141";
const STOPPED: &str = "+12025550142";
const DOUBTED: &str = "+12025550143";
/// What waits: for the provider, the last one for a correction.
const WAITING: [&str; 3] = ["queued 0", "queued 1", "held 0"];

/// What the network has, by body.
type Taken = Arc<Mutex<BTreeMap<String, usize>>>;

/// The rows of a database by table, each whole.
pub(crate) type Rows = BTreeMap<String, Vec<Map<String, Value>>>;

pub(crate) struct Lived {
    /// It does not run.
    pub(crate) transom: Transom,
    twilio: Twilio,
    alice: XmppClient,
    _prosody: Prosody,
    is_down: Arc<AtomicBool>,
    taken: Taken,
    /// Of which no report has come yet.
    unreported: (Request, String),
    /// Where the picture is.
    picture: String,
}

impl Lived {
    /// Alice's life so far; then it was shut down.
    /// `tables`: more of the configuration.
    pub(crate) async fn on(database: Database, tables: &str) -> Self {
        let prosody = prosody(&["alice"]).await;
        let section = format!("{}{tables}", store(database).await);
        let (mut transom, twilio) =
            alone(prosody.component_addr(), &lines("alice"), &section).await;
        let (is_down, taken) = network(&twilio);
        transom.start().await;
        link_up(&transom, "sms").await;
        let mut alice = prosody.client("alice", "phone").await;
        let picture = texts(&twilio, &mut alice).await;
        choices(&twilio, &mut alice).await;
        write(&mut alice, FRIEND, "unreported").await;
        let unreported = twilio.text("unreported").await;
        let logged = async |words: &str| {
            let logged = async || transom.log().contains(words).then_some(());
            until(words, PATIENCE, logged).await.unwrap();
        };
        write(&mut alice, DOUBTED, "unknown 0").await;
        logged("outcome=\"unknown\"").await;
        is_down.store(true, Ordering::Relaxed);
        write(&mut alice, FRIEND, WAITING[0]).await;
        write(&mut alice, FRIEND, WAITING[1]).await;
        // What is held for corrections, which takes another configuration for a while.
        let config = transom.config_text();
        transom.configure(&config.replacen("region = ", "hold = \"8s\"\nregion = ", 1));
        transom.restart().await;
        link_up(&transom, "sms").await;
        write(&mut alice, FRIEND, WAITING[2]).await;
        let all = async || (waiting(&transom).await.len() == WAITING.len()).then_some(());
        until("all to wait", PATIENCE, all).await.unwrap();
        assert!(transom.sigterm().await.success());
        transom.configure(&config);
        let sid = taken_as(&taken, "unreported");
        Self {
            transom,
            twilio,
            alice,
            _prosody: prosody,
            is_down,
            taken,
            unreported: (unreported, sid),
            picture,
        }
    }

    /// From now on its database is this one.
    pub(crate) fn on_database(&self, url: &str) {
        let config = without_store(&self.transom);
        self.transom
            .configure(&format!("[store]\nurl = \"{url}\"\n{config}"));
    }

    /// It starts again, as whatever it is by now: what waited is sent, once; nothing else is; and all that was known is known.
    pub(crate) async fn goes_on(&mut self) {
        self.transom.start().await;
        link_up(&self.transom, "sms").await;
        let waits = waiting(&self.transom).await;
        assert_eq!(waits.len(), WAITING.len(), "{waits:?}");
        self.is_down.store(false, Ordering::Relaxed);
        for id in &waits {
            // Unless it is still held.
            self.transom.command(&["queue", "retry", id]).await;
        }
        for body in WAITING {
            self.twilio_has(body).await;
        }
        // The chat, the file, and what the network calls a text.
        let (sent, sid) = &self.unreported;
        let reported = self.twilio.report(sent, sid, "delivered", "").await;
        assert_eq!(reported, Ok(200));
        let is_it = |stanza: &Element| is_receipt_of(stanza, "unreported");
        self.alice.expect("the late receipt", is_it).await;
        let told = self.twilio.deliver("SMnew", FRIEND, LINE, "and on").await;
        assert_eq!(told, Ok(200));
        let is_it = |stanza: &Element| stanza.body().as_deref() == Some("and on");
        let came = self.alice.expect("the answer", is_it).await;
        assert_eq!(came.attr("from"), Some(contact(FRIEND).as_str()));
        assert_eq!(self.picture().await, 200);
        // A phone's text that came before comes again, as providers do.
        let again = self.twilio.deliver("SMin0", FRIEND, LINE, "in 0").await;
        assert_eq!(again, Ok(200));
        // Who is blocked, who said STOP, and which language is hers.
        for (number, peer) in [BLOCKED, STOPPED].into_iter().enumerate() {
            write(&mut self.alice, peer, &format!("refused {number}")).await;
            let id = format!("refused-{number}");
            let is_it =
                |stanza: &Element| stanza.attr("id") == Some(&id) && condition(stanza).is_some();
            self.alice.expect("the refusal", is_it).await;
        }
        let contacts = say(&mut self.alice, "contacts").await;
        for word in ["Zoë from work", "Antworte mit einer Zahl"] {
            assert!(contacts.contains(word), "{contacts}");
        }
        say(&mut self.alice, "cancel").await;
        let nothing = async || waiting(&self.transom).await.is_empty().then_some(());
        until("nothing to wait", PATIENCE, nothing).await.unwrap();
        let taken = self.taken.lock().unwrap();
        let doubled: Vec<_> = taken.iter().filter(|(_, count)| **count > 1).collect();
        assert!(doubled.is_empty(), "sent again: {doubled:?}");
        let heard = self.alice.received();
        let first = heard
            .iter()
            .filter(|stanza| stanza.body().as_deref() == Some("in 0"));
        assert_eq!(first.count(), 1, "a repeat was shown");
    }

    /// How the gateway answers whoever asks for the picture.
    pub(crate) async fn picture(&self) -> u16 {
        let (_, path) = self.picture.split_once("/files/").unwrap();
        let file = get(self.transom.http(), &format!("/files/{path}")).await;
        let file = file.unwrap();
        assert_eq!(file.status == 200, file.body == PICTURE);
        file.status
    }

    /// What the gateway says to alice's words.
    pub(crate) async fn say(&mut self, words: &str) -> String {
        say(&mut self.alice, words).await
    }

    async fn twilio_has(&self, body: &str) {
        let there = async || self.taken.lock().unwrap().contains_key(body).then_some(());
        let there = until(body, PATIENCE, there).await;
        there.unwrap_or_else(|why| panic!("{why}: {}", self.transom.log()));
    }
}

/// Every row of a database that nobody uses, by `transom export`, which marks it as moved: of a copy. `change` makes the process another.
pub(crate) async fn rows(like: &Transom, url: &str, change: impl FnOnce(&mut Transom)) -> Rows {
    let config = format!("[store]\nurl = \"{url}\"\n{}", without_store(like));
    let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"));
    let mut opened = builder.config(&config).prepare();
    change(&mut opened);
    let file = opened.folder().join("all.jsonl").display().to_string();
    let made = opened.command(&["export", &file, "--with-bodies"]).await;
    assert!(made.status.success(), "{url}: {made:?}");
    let mut rows = Rows::new();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let parsed: Value = serde_json::from_str(line).unwrap();
        if let (Some(table), Some(row)) = (parsed["table"].as_str(), parsed["row"].as_object()) {
            rows.entry(table.to_owned()).or_default().push(row.clone());
        }
    }
    rows
}

/// The configuration but for the section of the database, which comes first.
pub(crate) fn without_store(transom: &Transom) -> String {
    let config = transom.config_text();
    let rest = config.find("[xmpp]").unwrap();
    config[rest..].to_owned()
}

/// A copy of the file of a process that does not run; its URL.
pub(crate) fn copy_of_file(transom: &Transom, name: &str) -> String {
    let (from, to) = (
        transom.folder().join("transom.db"),
        transom.folder().join(name),
    );
    assert!(
        !Path::new(&from).with_extension("db-wal").exists(),
        "all is in the file"
    );
    std::fs::copy(from, &to).unwrap();
    format!("sqlite://{}", to.display())
}

/// Takes texts, refuses those that can wait while it is down, and says of one nothing that helps.
fn network(twilio: &Twilio) -> (Arc<AtomicBool>, Taken) {
    let (is_down, taken) = (Arc::new(AtomicBool::new(false)), Taken::default());
    let (down, book) = (Arc::clone(&is_down), Arc::clone(&taken));
    let count = AtomicU64::new(1);
    twilio.api.answer_by(move |request| {
        if request.method != "POST" {
            return Answer::with(200, "image/png", PICTURE);
        }
        if down.load(Ordering::Relaxed) {
            return Answer::status(503);
        }
        let body = request.form("Body").unwrap_or_default();
        let mut book = book.lock().unwrap();
        *book.entry(body.clone()).or_default() += 1;
        if body == "unknown 0" {
            return Answer::json(500, "{}");
        }
        let number = count.fetch_add(1, Ordering::Relaxed);
        let sid = format!("SM{number:032x}");
        let json = format!(r#"{{"sid":"{sid}","status":"queued","num_segments":"1"}}"#);
        Answer::json(201, &json)
    });
    (is_down, taken)
}

/// Texts and a picture; where the picture is.
async fn texts(twilio: &Twilio, alice: &mut XmppClient) -> String {
    write(alice, FRIEND, "sent 0").await;
    let sent = twilio.text("sent 0").await;
    let sid = Twilio::sid(1);
    assert_eq!(twilio.report(&sent, &sid, "delivered", "").await, Ok(200));
    alice
        .expect("the receipt", |stanza| is_receipt_of(stanza, "sent-0"))
        .await;
    assert_eq!(twilio.deliver("SMin0", FRIEND, LINE, "in 0").await, Ok(200));
    let pictured = twilio.deliver_picture("SMpic", FRIEND, LINE, "look");
    assert_eq!(pictured.await, Ok(200));
    let is_it = |stanza: &Element| stanza.child_in("x", "jabber:x:oob").is_some();
    let shown = alice.expect("the picture", is_it).await;
    let url = shown.find("url", "jabber:x:oob").expect("a URL");
    url.text()
}

/// A name for somebody, a block, a STOP, a language.
async fn choices(twilio: &Twilio, alice: &mut XmppClient) {
    for words in ["contacts", "1", "1"] {
        say(alice, words).await;
    }
    say(alice, "Zoë from work").await;
    say(alice, &format!("block {BLOCKED}")).await;
    write(alice, STOPPED, "hello").await;
    twilio.text("hello").await;
    let stopped = twilio.deliver("SMstop", STOPPED, LINE, "STOP").await;
    assert_eq!(stopped, Ok(200));
    let is_it = |stanza: &Element| {
        stanza.attr("from") == Some(&contact(STOPPED)) && stanza.body().is_some()
    };
    alice.expect("the STOP", is_it).await;
    let command = |inside: &str| {
        format!("<command xmlns='http://jabber.org/protocol/commands' node='settings' {inside}")
    };
    let form = alice.iq("set", SMS, &command("action='execute'/>")).await;
    let session = form
        .find("command", "http://jabber.org/protocol/commands")
        .and_then(|command| command.attr("sessionid"))
        .expect("a session")
        .to_owned();
    let filled = format!(
        "sessionid='{session}'><x xmlns='jabber:x:data' type='submit'>\
         <field var='language'><value>de</value></field></x></command>"
    );
    let done = alice.iq("set", SMS, &command(&filled)).await;
    assert_eq!(done.attr("type"), Some("result"), "{done}");
}

fn taken_as(taken: &Taken, body: &str) -> String {
    assert!(taken.lock().unwrap().contains_key(body));
    // Behind "sent 0" and "hello".
    Twilio::sid(3)
}

async fn write(alice: &mut XmppClient, peer: &str, body: &str) {
    let id = body.replace(' ', "-");
    alice.send(&chat(&contact(peer), &id, body)).await;
}

/// What the gateway says to this.
async fn say(alice: &mut XmppClient, words: &str) -> String {
    alice.take_rest();
    alice.message(SMS, &format!("say-{words}"), words).await;
    let from_gateway = |stanza: &Element| {
        stanza.name() == "message" && stanza.attr("from") == Some(SMS) && stanza.body().is_some()
    };
    let answer = alice.expect(words, from_gateway).await;
    answer.body().expect("a body")
}

/// The ids of what waits.
async fn waiting(transom: &Transom) -> Vec<String> {
    let list = transom.command(&["queue", "list", "--json"]).await;
    let list: Value = serde_json::from_slice(&list.stdout).unwrap_or_default();
    let rows = list["queue"].as_array().cloned().unwrap_or_default();
    let id = |row: &Value| row["id"].as_str().map(str::to_owned);
    rows.iter().filter_map(id).collect()
}
