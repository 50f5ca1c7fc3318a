//! An XMPP server, a provider's double, and a transom between them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use transom_test_servers::{
    Answer, Element, Feature, HttpDouble, PATIENCE, Postgres, Request, Server, Transom,
    TransomBuilder, XmppClient, XmppServer, free_port, post_with, until,
};

/// The component's domain.
pub(crate) const SMS: &str = "sms.example.org";
/// Alice's line.
pub(crate) const LINE: &str = "+12025550100";
/// What the server and transom know the component by.
pub(crate) const SECRET: &str = "component-secret";
const TOKEN: &str = "12345";
/// A picture, by its beginning.
pub(crate) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

/// What a server has when nothing is asked for.
pub(crate) const PLAIN: [Feature; 2] = [Feature::Offline, Feature::Upload];

/// The table of alice's line.
pub(crate) fn alices_line() -> String {
    format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n")
}

/// Twilio as transom sees it, and as it calls transom.
pub(crate) struct Twilio {
    pub(crate) api: HttpDouble,
    /// Where it calls.
    pub(crate) webhook: SocketAddr,
}

impl Twilio {
    /// Accepts every text, each under a new id.
    pub(crate) async fn start(webhook: SocketAddr) -> Self {
        let api = HttpDouble::start().await;
        let count = Arc::new(AtomicU64::new(1));
        api.answer_by(move |request| {
            if request.method == "GET" {
                return Answer::with(200, "image/png", PICTURE);
            }
            let number = count.fetch_add(1, Ordering::Relaxed);
            Answer::json(
                201,
                &format!(r#"{{"sid":"SM{number:032x}","status":"queued","num_segments":"1"}}"#),
            )
        });
        Self { api, webhook }
    }

    /// The texts that it was asked to send.
    pub(crate) fn sent(&self) -> Vec<Request> {
        self.api
            .requests()
            .into_iter()
            .filter(|request| request.method == "POST")
            .collect()
    }

    /// The text with this body.
    pub(crate) async fn text(&self, body: &str) -> Request {
        self.api
            .request(body, |request| {
                request.form("Body").as_deref() == Some(body)
            })
            .await
    }

    /// Calls transom about something, signed as Twilio signs; the status of the answer.
    pub(crate) async fn call(&self, query: &str, fields: &[(&str, &str)]) -> Result<u16, String> {
        let path = format!("/webhook/sms/main{query}");
        let mut sorted = fields.to_vec();
        sorted.sort_unstable();
        let mut signed = format!("http://{}{path}", self.webhook);
        for (name, value) in &sorted {
            signed.push_str(name);
            signed.push_str(value);
        }
        let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = [
            ("X-Twilio-Signature", signature.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        post_with(self.webhook, &path, &headers, body.as_bytes())
            .await
            .map(|response| response.status)
    }

    /// The same with a picture, which stays with Twilio until it is fetched.
    pub(crate) async fn deliver_picture(
        &self,
        sid: &str,
        from: &str,
        to: &str,
        body: &str,
    ) -> Result<u16, String> {
        let url = self.api.url(&format!("/2010-04-01/Media/{sid}"));
        let fields = [
            ("MessageSid", sid),
            ("AccountSid", "AC1"),
            ("From", from),
            ("To", to),
            ("Body", body),
            ("NumMedia", "1"),
            ("MediaUrl0", &url),
            ("MediaContentType0", "image/png"),
        ];
        self.call("", &fields).await
    }

    /// A text from a phone to a line.
    pub(crate) async fn deliver(
        &self,
        sid: &str,
        from: &str,
        to: &str,
        body: &str,
    ) -> Result<u16, String> {
        let fields = [
            ("MessageSid", sid),
            ("AccountSid", "AC1"),
            ("From", from),
            ("To", to),
            ("Body", body),
            ("NumMedia", "0"),
        ];
        self.call("", &fields).await
    }

    /// What became of a text that transom sent: the callback that it asked for.
    pub(crate) async fn report(
        &self,
        sent: &Request,
        sid: &str,
        status: &str,
        code: &str,
    ) -> Result<u16, String> {
        let callback = sent.form("StatusCallback").expect("a status callback");
        let query = callback
            .find('?')
            .map_or("", |at| &callback[at..])
            .to_owned();
        let mut fields = vec![
            ("MessageSid", sid),
            ("MessageStatus", status),
            ("AccountSid", "AC1"),
        ];
        if !code.is_empty() {
            fields.push(("ErrorCode", code));
        }
        self.call(&query, &fields).await
    }

    /// The id that was given to the `number`th text, counted from 1.
    pub(crate) fn sid(number: u64) -> String {
        format!("SM{number:032x}")
    }
}

/// Everything that a text needs.
pub(crate) struct World {
    pub(crate) transom: Transom,
    pub(crate) twilio: Twilio,
    pub(crate) server: XmppServer,
}

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl World {
    /// Alice and Bob on Prosody, alice with a line of her own; `more` is added to the configuration.
    pub(crate) async fn start(more: &str) -> Self {
        Self::on(Server::Prosody, more).await
    }

    /// The same on either server.
    pub(crate) async fn on(server: Server, more: &str) -> Self {
        Self::begin(server, &PLAIN, &format!("{}{more}", alices_line()), "").await
    }

    /// Bob is an admin, and lets people in.
    pub(crate) async fn approval(server: Server) -> Self {
        let mut world =
            Self::prepare_on(server, &PLAIN, &alices_line(), "", |builder| builder).await;
        let config = world.transom.config_text();
        let config = config
            .replace("admin@example.org", "bob@example.org")
            .replace("region = ", "registration = \"approval\"\nregion = ");
        world.transom.configure(&config);
        world.transom.start().await;
        world.up().await;
        world
    }

    /// Alice's line, on a server that lets the gateway change rosters: ejabberd 23.01 is told to, announces it, and refuses each change.
    pub(crate) async fn privileged_on(server: Server, more: &str) -> Self {
        let features = [Feature::Offline, Feature::Privilege];
        let lines = format!("{}{more}", alices_line());
        Self::begin(server, &features, &lines, "").await
    }

    /// On either server with these lines, and `store` for the section of the database.
    pub(crate) async fn with(server: Server, lines: &str, store: &str) -> Self {
        Self::begin(server, &PLAIN, lines, store).await
    }

    async fn begin(server: Server, features: &[Feature], lines: &str, store: &str) -> Self {
        let mut world = Self::prepare_on(server, features, lines, store, |builder| builder).await;
        world.transom.start().await;
        world.up().await;
        world
    }

    /// On Prosody, not started.
    pub(crate) async fn prepare(
        lines: &str,
        store: &str,
        change: impl FnOnce(TransomBuilder) -> TransomBuilder,
    ) -> Self {
        Self::prepare_on(Server::Prosody, &PLAIN, lines, store, change).await
    }

    /// The same on either server, with these features.
    pub(crate) async fn prepare_on(
        server: Server,
        features: &[Feature],
        lines: &str,
        store: &str,
        change: impl FnOnce(TransomBuilder) -> TransomBuilder,
    ) -> Self {
        let components = [(SMS, SECRET)];
        let mut users = vec!["alice", "bob"];
        if features.contains(&Feature::SecondHost) {
            users.push("carol@other.net");
        }
        let server = XmppServer::start(server, features, &components, &users).await;
        Self::around(server, lines, store, change).await
    }

    /// At a server that runs already, not started.
    pub(crate) async fn around(
        server: XmppServer,
        lines: &str,
        store: &str,
        change: impl FnOnce(TransomBuilder) -> TransomBuilder,
    ) -> Self {
        let http = free_port();
        let twilio = Twilio::start(http).await;
        let seat = Seat {
            server: server.component_addr(),
            domain: SMS,
            secret: SECRET,
        };
        let config = config(&seat, http, &twilio, lines, store);
        let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"))
            .config(&config)
            .http(http);
        Self {
            transom: change(builder).prepare(),
            twilio,
            server,
        }
    }

    /// Waits until the link is up.
    pub(crate) async fn up(&self) {
        link_up(&self.transom, "sms").await;
    }

    /// A client of a user.
    pub(crate) async fn client(&self, user: &str) -> XmppClient {
        self.server.client(user, "phone").await
    }
}

/// A place at an XMPP server.
pub(crate) struct Seat<'a> {
    pub(crate) server: SocketAddr,
    pub(crate) domain: &'a str,
    pub(crate) secret: &'a str,
}

/// A configuration with Twilio's double behind one SMS gateway.
pub(crate) fn config(
    seat: &Seat<'_>,
    http: SocketAddr,
    twilio: &Twilio,
    lines: &str,
    store: &str,
) -> String {
    format!(
        r#"
{store}
[xmpp]
server = "{server}"
allow = ["example.org"]
admins = ["admin@example.org"]
[http]
listen = "{http}"
public_url = "http://{http}"
[gateway.sms]
adapter = "sms"
domain = "{domain}"
secret = "{secret}"
region = "US"
balance_low = 0
[gateway.sms.provider.main]
kind = "twilio"
account_sid = "AC1"
auth_token = "{TOKEN}"
base_url = "{api}"
{lines}
"#,
        server = seat.server,
        domain = seat.domain,
        secret = seat.secret,
        api = twilio.api.url(""),
    )
}

/// Waits until the link of a gateway is up.
pub(crate) async fn link_up(transom: &Transom, gateway: &str) {
    let name = format!("transom_link_up{{gateway=\"{gateway}\"}}");
    let is_up = async || (transom.metric(&name).await == Some(1.0)).then_some(());
    until("the link to be up", PATIENCE, is_up)
        .await
        .unwrap_or_else(|why| panic!("{why}: {}", transom.log()));
}

/// Waits until the links of these gateways are up; false when the process has ended before.
pub(crate) async fn up_or_ended(transom: &mut Transom, gateways: &[&str]) -> bool {
    let is_up = until("the links to be up, or the end", PATIENCE, async || {
        if !transom.is_running() {
            return Some(false);
        }
        let page = transom.metrics_if_any().await?;
        let up = |gateway: &&str| {
            page.contains(&format!("transom_link_up{{gateway=\"{gateway}\"}} 1\n"))
        };
        gateways.iter().all(up).then_some(true)
    });
    let is_up = is_up.await.unwrap_or_else(|why| panic!("{why}"));
    if !is_up {
        transom.wait().await;
    }
    is_up
}

/// The section of a database.
pub(crate) async fn store(database: Database) -> String {
    match database {
        Database::Sqlite => String::new(),
        Database::Postgres => format!(
            "[store]\nurl = \"{}\"\n",
            Postgres::shared().await.database().await
        ),
    }
}

/// The JID of a contact.
pub(crate) fn contact(number: &str) -> String {
    format!("{number}@{SMS}")
}

/// A chat message that asks for a receipt.
pub(crate) fn chat(to: &str, id: &str, body: &str) -> String {
    format!(
        "<message to='{to}' type='chat' id='{id}'><body>{body}</body><request xmlns='urn:xmpp:receipts'/>\
         <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
    )
}

/// The condition of an error stanza.
pub(crate) fn condition(stanza: &Element) -> Option<String> {
    let error = stanza.child("error")?;
    let condition = error.children().find(|child| child.name() != "text");
    condition.map(|child| child.name().to_owned())
}

/// Whether a stanza is the receipt of a message.
pub(crate) fn is_receipt_of(stanza: &Element, id: &str) -> bool {
    stanza
        .child_in("received", "urn:xmpp:receipts")
        .is_some_and(|received| received.attr("id") == Some(id))
}
