//! A plain XMPP client: what a person's phone would see.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wait::{PATIENCE, within};
use crate::xml::{Element, StreamEvent, StreamParser, escape};

/// One logged-in resource. Dropping it cuts the connection; [`disconnect`](Self::disconnect) closes the stream.
///
/// It reads the socket only while a method of it waits. Everything that arrived stays in [`received`](Self::received);
/// a stanza that an `expect` returned is not returned by another.
pub struct XmppClient {
    socket: TcpStream,
    parser: StreamParser,
    buffer: Vec<u8>,
    jid: String,
    inbox: VecDeque<Element>,
    received: Vec<Element>,
    last_id: u32,
}

impl XmppClient {
    /// Logs in as `user@domain` and becomes available; returns once the server has spread the presence.
    pub async fn connect(server: SocketAddr, jid: &str, password: &str, resource: &str) -> Self {
        let mut client = Self::login(server, jid, password, resource).await;
        client.send("<presence/>").await;
        let own = client.jid.clone();
        client
            .expect("the own presence", |stanza| {
                stanza.name() == "presence" && stanza.attr("from") == Some(&own)
            })
            .await;
        client
    }

    /// Logs in and binds the resource, but stays unavailable: messages to the bare JID do not come here.
    pub async fn login(server: SocketAddr, jid: &str, password: &str, resource: &str) -> Self {
        let (user, domain) = jid.split_once('@').expect("user@domain");
        let socket = within("an XMPP connection", TcpStream::connect(server)).await;
        let mut client = Self {
            socket: socket.expect("the XMPP server accepts connections"),
            parser: StreamParser::new(),
            buffer: vec![0; 16 * 1024],
            jid: jid.to_owned(),
            inbox: VecDeque::new(),
            received: Vec::new(),
            last_id: 0,
        };
        client.open(domain).await;
        client.authenticate(user, password).await;
        client.open(domain).await;
        client.bind(resource).await;
        client.received.clear(); // nobody asks for the features again
        client
    }

    /// The full JID that the server gave.
    pub fn jid(&self) -> &str {
        &self.jid
    }

    /// Every stanza since the resource was bound, oldest first.
    pub fn received(&self) -> &[Element] {
        &self.received
    }

    /// Sends text as it is.
    pub async fn send(&mut self, xml: &str) {
        let written = within("the server to read", self.socket.write_all(xml.as_bytes())).await;
        written.unwrap_or_else(|error| panic!("{} cannot send: {error}", self.jid));
    }

    /// Sends a chat message.
    pub async fn message(&mut self, to: &str, id: &str, body: &str) {
        let stanza = format!(
            "<message to='{}' id='{}' type='chat'><body>{}</body></message>",
            escape(to),
            escape(id),
            escape(body)
        );
        self.send(&stanza).await;
    }

    /// Sends a request with a fresh id and waits for its answer: a result, or an error just as well.
    pub async fn iq(&mut self, kind: &str, to: &str, payload: &str) -> Element {
        self.last_id += 1;
        let id = format!("request-{}", self.last_id);
        let to = escape(to);
        self.send(&format!(
            "<iq type='{kind}' to='{to}' id='{id}'>{payload}</iq>"
        ))
        .await;
        self.expect("an IQ's answer", |stanza| {
            stanza.name() == "iq"
                && stanza.attr("id") == Some(&id)
                && matches!(stanza.attr("type"), Some("result" | "error"))
        })
        .await
    }

    /// Waits until the server has worked off all that was sent before, and all that it had for us is received.
    pub async fn barrier(&mut self) {
        let domain = domain_of(&self.jid).to_owned();
        self.iq("get", &domain, "<ping xmlns='urn:xmpp:ping'/>")
            .await;
    }

    /// The first stanza, of those not yet returned and those to come, that `wanted` accepts.
    pub async fn expect(&mut self, what: &str, wanted: impl Fn(&Element) -> bool) -> Element {
        self.expect_within(PATIENCE, what, wanted).await
    }

    /// As [`expect`](Self::expect), with a deadline of its own.
    pub async fn expect_within(
        &mut self,
        patience: Duration,
        what: &str,
        wanted: impl Fn(&Element) -> bool,
    ) -> Element {
        let search = tokio::time::timeout(patience, self.search(wanted)).await;
        let found = search.unwrap_or_else(|_| Err(format!("not within {patience:?}")));
        found.unwrap_or_else(|fault| {
            panic!("{} waits for {what}: {fault}\n{}", self.jid, self.seen())
        })
    }

    /// Takes the stanzas that arrived and that no `expect` returned.
    pub fn take_rest(&mut self) -> Vec<Element> {
        self.inbox.drain(..).collect()
    }

    /// Closes the stream as a client does that is switched off.
    pub async fn disconnect(mut self) {
        self.send("</stream:stream>").await;
        let closed = within("the stream's end", async {
            while let Ok(Some(_)) = self.event().await {}
        });
        closed.await;
    }

    async fn search(&mut self, wanted: impl Fn(&Element) -> bool) -> Result<Element, String> {
        loop {
            if let Some(place) = self.inbox.iter().position(&wanted) {
                return Ok(self.inbox.remove(place).expect("found just now"));
            }
            match self.event().await? {
                Some(StreamEvent::Stanza(stanza)) => {
                    self.received.push(stanza.clone());
                    self.inbox.push_back(stanza);
                }
                Some(StreamEvent::Opened) => {}
                Some(StreamEvent::Closed) | None => return Err("the stream ended".to_owned()),
            }
        }
    }

    /// Cancel safe: bytes are in the parser before anything else is awaited.
    async fn event(&mut self) -> Result<Option<StreamEvent>, String> {
        loop {
            if let Some(event) = self.parser.next()? {
                return Ok(Some(event));
            }
            let count = self
                .socket
                .read(&mut self.buffer)
                .await
                .map_err(|error| error.to_string())?;
            if count == 0 {
                return Ok(None);
            }
            self.parser.feed(&self.buffer[..count]);
        }
    }

    fn seen(&self) -> String {
        let lines: Vec<String> = self.received.iter().map(Element::to_string).collect();
        format!("it received {} stanzas:\n{}", lines.len(), lines.join("\n"))
    }

    /// RFC 6120 §4.2: a stream header each way, then the features.
    async fn open(&mut self, domain: &str) {
        self.parser = StreamParser::new();
        let header = format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        self.send(&header).await;
        self.expect("the stream's features", |stanza| {
            stanza.name() == "features"
        })
        .await;
    }

    /// RFC 6120 §6.4, with SASL PLAIN (RFC 4616).
    async fn authenticate(&mut self, user: &str, password: &str) {
        let proof = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{proof}</auth>"
        ))
        .await;
        let verdict = self
            .expect("the login's outcome", |stanza| {
                matches!(stanza.name(), "success" | "failure")
            })
            .await;
        assert_eq!(
            verdict.name(),
            "success",
            "{} cannot log in: {verdict}",
            self.jid
        );
    }

    /// RFC 6120 §7.6.
    async fn bind(&mut self, resource: &str) {
        let domain = domain_of(&self.jid).to_owned();
        let bind = format!(
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{}</resource></bind>",
            escape(resource)
        );
        let answer = self.iq("set", &domain, &bind).await;
        let jid = answer.child("bind").and_then(|bind| bind.child("jid"));
        self.jid = jid.unwrap_or_else(|| panic!("no JID in {answer}")).text();
    }
}

fn domain_of(jid: &str) -> &str {
    let bare = jid.split('/').next().unwrap_or(jid);
    bare.rsplit('@').next().unwrap_or(bare)
}
