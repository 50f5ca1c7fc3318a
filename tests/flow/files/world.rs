//! The world of files: mail both ways and a number at Twilio's double on one server, an upload service, and what is shared.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use transom_test_servers::{
    Answer, Element, Feature, HttpDouble, Mail, MailSink, Mailer, Server, Transom, TransomBuilder,
    XmppClient, XmppServer, free_port, get,
};

use crate::world::{LINE, Seat, Twilio, condition, config, link_up};

pub(crate) const MAIL: &str = "mail.example.org";
pub(crate) const SMS: &str = "sms.example.org";
pub(crate) const BOB: &str = "bob\\40example.com@mail.example.org";
pub(crate) const PEER: &str = "+12025550147";

pub(crate) struct FileWorld {
    pub(crate) transom: Transom,
    pub(crate) server: XmppServer,
    pub(crate) sink: MailSink,
    pub(crate) twilio: Twilio,
    /// The upload service of a user, on a private address that the admin excepts.
    pub(crate) pictures: HttpDouble,
    pub(crate) lmtp: SocketAddr,
}

/// What a test wants otherwise.
#[derive(Default)]
pub(crate) struct Wish<'a> {
    /// Prosody, if nothing is said.
    pub(crate) on: Option<Server>,
    pub(crate) features: &'a [Feature],
    pub(crate) store: &'a str,
    /// Lines of `[files]`.
    pub(crate) files: &'a str,
    /// Sections of their own.
    pub(crate) more: &'a str,
}

impl FileWorld {
    pub(crate) async fn start(wish: Wish<'_>) -> Self {
        let mut world = Self::prepare(wish).await;
        world.transom.start().await;
        world.up().await;
        world
    }

    pub(crate) async fn prepare(wish: Wish<'_>) -> Self {
        let on = wish.on.unwrap_or(Server::Prosody);
        let components = [(MAIL, "secret"), (SMS, "secret")];
        let server = XmppServer::start(on, wish.features, &components, &["alice", "bob"]).await;
        let (http, lmtp) = (free_port(), free_port());
        let (sink, pictures) = (MailSink::start().await, HttpDouble::start().await);
        let twilio = Twilio::start(http).await;
        let seat = Seat {
            server: server.component_addr(),
            domain: SMS,
            secret: "secret",
        };
        let lines = format!(
            r#"
[[gateway.sms.line]]
number = "{LINE}"
owner = "alice@example.org"
[gateway.mail]
adapter = "email"
domain = "{MAIL}"
secret = "secret"
address_domain = "{MAIL}"
home = "example.org"
hold = "0s"
merge = "0s"
[gateway.mail.smtp]
url = "smtp://{smtp}?tls=none"
[gateway.mail.lmtp]
listen = "{lmtp}"
[files]
allow_hosts = ["{pictures}", "{uploads}"]
{files}
{more}
"#,
            smtp = sink.addr(),
            pictures = pictures.addr(),
            uploads = server.http_addr(),
            files = wish.files,
            more = wish.more,
        );
        let config = config(&seat, http, &twilio, &lines, wish.store);
        let builder: TransomBuilder = Transom::builder(env!("CARGO_BIN_EXE_transom"))
            .config(&config)
            .http(http);
        Self {
            transom: builder.prepare(),
            server,
            sink,
            twilio,
            pictures,
            lmtp,
        }
    }

    pub(crate) async fn up(&self) {
        link_up(&self.transom, "mail").await;
        link_up(&self.transom, "sms").await;
    }

    pub(crate) async fn alice(&self) -> XmppClient {
        self.server.client("alice", "phone").await
    }

    /// Alice has written once: now she has an address.
    pub(crate) async fn known(&self) -> XmppClient {
        let mut alice = self.alice().await;
        alice.message(BOB, "m0", "hello").await;
        self.sink.mail("the first mail", |_| true).await;
        alice
    }

    /// Alice has sent a text: now her line is hers.
    pub(crate) async fn texting(&self) -> XmppClient {
        let mut alice = self.alice().await;
        alice
            .message("+12025550147@sms.example.org", "t0", "hello")
            .await;
        self.twilio.text("hello").await;
        alice
    }

    /// A mail with files to alice.
    pub(crate) async fn mail(&self, id: &str, text: &str, files: &[(&str, &str, &[u8])]) {
        let mail = with_files(id, text, files);
        Mailer::lmtp(self.lmtp)
            .send("bob@example.com", &["alice@mail.example.org"], &mail)
            .await;
    }

    /// A picture from a phone; `status` of Twilio's answers to who fetches it: the last one again and again.
    pub(crate) async fn picture_message(&self, text: &str, content: &[u8], answers: &[u16]) {
        let content = content.to_vec();
        for status in answers {
            self.twilio
                .api
                .answer_next(Answer::with(*status, "image/png", content.clone()));
        }
        self.twilio
            .api
            .answer_by(move |_| Answer::with(200, "image/png", content.clone()));
        let url = self
            .twilio
            .api
            .url("/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1");
        let fields = [
            ("MessageSid", "MM1"),
            ("AccountSid", "AC1"),
            ("From", PEER),
            ("To", LINE),
            ("Body", text),
            ("NumMedia", "1"),
            ("MediaUrl0", &url),
            ("MediaContentType0", "image/png"),
        ];
        assert_eq!(self.twilio.call("", &fields).await, Ok(200));
    }
}

pub(crate) fn with_files(id: &str, text: &str, files: &[(&str, &str, &[u8])]) -> String {
    let mut mail = format!(
        "From: Bob <bob@example.com>\r\nTo: alice@mail.example.org\r\nSubject: Re: hello\r\nMessage-ID: <{id}@example.com>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    );
    for (name, content_type, content) in files {
        let encoded = BASE64_STANDARD.encode(content);
        let lines: Vec<&str> = (0..encoded.len())
            .step_by(76)
            .map(|at| &encoded[at..encoded.len().min(at + 76)])
            .collect();
        let part = format!(
            "--b\r\nContent-Type: {content_type}\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        );
        mail.push_str(&part);
    }
    mail.push_str("--b--\r\n");
    mail
}

/// Bytes that begin as a PNG does.
pub(crate) fn png(bytes: usize) -> Vec<u8> {
    let mut content = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    content.extend((0..=255).cycle().take(bytes));
    content
}

/// The URL of the file that a stanza shares, when its body is nothing else and the other way of sharing says the same.
pub(crate) fn shared(stanza: &Element) -> Option<String> {
    let oob = stanza.child_in("x", "jabber:x:oob")?;
    let url = oob.child("url")?.text();
    let sharing = stanza.child_in("file-sharing", "urn:xmpp:sfs:0")?;
    let data = sharing.find("url-data", "http://jabber.org/protocol/url-data")?;
    let same = stanza.body().as_ref() == Some(&url) && data.attr("target") == Some(&url);
    same.then_some(url)
}

/// What is behind a URL of this machine.
pub(crate) async fn fetched(url: &str) -> transom_test_servers::Response {
    let rest = url.strip_prefix("http://").expect("plain HTTP in tests");
    let (host, path) = rest.split_once('/').expect("a path");
    get(host.parse().unwrap(), &format!("/{path}"))
        .await
        .unwrap()
}

pub(crate) async fn shared_file(client: &mut XmppClient, what: &str) -> (Element, String) {
    let stanza = client.expect(what, |stanza| shared(stanza).is_some()).await;
    let url = shared(&stanza).unwrap();
    (stanza, url)
}

pub(crate) async fn text(client: &mut XmppClient, what: &str) -> String {
    let is_text = |stanza: &Element| {
        stanza.attr("type") == Some("chat") && stanza.body().is_some() && shared(stanza).is_none()
    };
    client.expect(what, is_text).await.body().unwrap()
}

/// A message that shares a file.
pub(crate) fn sharing(to: &str, id: &str, url: &str, caption: &str) -> String {
    let body = if caption.is_empty() {
        url.to_owned()
    } else {
        format!("{caption}\n{url}")
    };
    format!(
        "<message to='{to}' type='chat' id='{id}'><body>{body}</body><x xmlns='jabber:x:oob'><url>{url}</url></x>\
         <request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
    )
}

/// The content of a mail's attachment.
pub(crate) fn attached(mail: &Mail, name: &str) -> Option<Vec<u8>> {
    let text = mail.text();
    let (_, part) = text.split_once(&format!("filename=\"{name}\""))?;
    let (_, encoded) = part.split_once("\r\n\r\n").or(part.split_once("\n\n"))?;
    let (encoded, _) = encoded.split_once("--")?;
    let encoded: String = encoded.split_whitespace().collect();
    BASE64_STANDARD.decode(encoded).ok()
}

pub(crate) async fn error(client: &mut XmppClient, id: &str) -> (String, String) {
    let is_it =
        |stanza: &Element| stanza.attr("type") == Some("error") && stanza.attr("id") == Some(id);
    let stanza = client.expect("the error", is_it).await;
    let sentence = stanza.child("error").and_then(|error| error.child("text"));
    (
        condition(&stanza).unwrap_or_default(),
        sentence.map(Element::text).unwrap_or_default(),
    )
}
