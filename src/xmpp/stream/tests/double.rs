//! A server of one's own: each test says line by line what it hears and what it says.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    time::timeout,
};
use transom_adapter::Lifecycle;

use crate::xmpp::{
    jid::Jid,
    stanza::{Element, Iq, Limits, Message, Parser, Stanza},
    stream::{
        Backoff, Batch, Link, LinkConfig, LinkError, LinkEvent, LinkHandle, Received, Timing,
        cutter::{Cut, Cutter},
    },
};

pub(crate) const SECRET: &str = "s3cr3t";
/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A link and the server it connects to.
pub(crate) struct Bench {
    pub(crate) listener: TcpListener,
    pub(crate) link: LinkHandle,
    pub(crate) events: mpsc::Receiver<LinkEvent>,
    pub(crate) life: Lifecycle,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut LinkConfig)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = config(&listener.local_addr().unwrap().to_string());
        change(&mut config);
        let life = Lifecycle::new();
        let (sender, events) = mpsc::channel(4);
        let link = Link::spawn(config, &life, sender);
        Self {
            listener,
            link,
            events,
            life,
        }
    }

    /// A link that is up.
    pub(crate) async fn up() -> (Self, Peer) {
        let mut bench = Self::new().await;
        let peer = bench.log_in().await;
        (bench, peer)
    }

    /// The same, for stanzas of so many bytes.
    pub(crate) async fn narrow(stanza_bytes: usize) -> (Self, Peer) {
        let mut bench = Self::with(|config| config.limits.stanza_bytes = stanza_bytes).await;
        let peer = bench.log_in().await;
        (bench, peer)
    }

    pub(crate) async fn accept(&mut self) -> Peer {
        let (stream, _) = timeout(PATIENCE, self.listener.accept())
            .await
            .expect("nobody connects")
            .unwrap();
        Peer::new(stream)
    }

    pub(crate) async fn log_in(&mut self) -> Peer {
        let mut peer = self.accept().await;
        peer.welcome().await;
        assert!(matches!(self.event().await, LinkEvent::Up));
        peer
    }

    pub(crate) async fn event(&mut self) -> LinkEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("no event")
            .expect("the link is gone")
    }

    pub(crate) async fn batch(&mut self) -> Batch {
        match self.event().await {
            LinkEvent::Batch(batch) => batch,
            other => panic!("not a batch: {other:?}"),
        }
    }

    pub(crate) async fn down(&mut self) -> LinkError {
        match self.event().await {
            LinkEvent::Down(error) => error,
            other => panic!("not down: {other:?}"),
        }
    }

    /// Sends in the background.
    pub(crate) fn tracked(&self, stanzas: Vec<Stanza>) -> mpsc::Receiver<Result<(), super::Lost>> {
        let link = self.link.clone();
        let (told, outcome) = mpsc::channel(1);
        self.life.spawn("test.tracked", async move {
            let result = link.send_tracked(stanzas).await;
            told.send(result).await.ok();
        });
        outcome
    }
}

/// The server's side of a connection.
pub(crate) struct Peer {
    stream: Box<dyn Both>,
    cutter: Cutter,
    parser: Parser,
}

pub(crate) trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}

/// What the link wrote.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Open(String),
    Stanza(Stanza),
    Other(Element),
    Close,
    End,
}

pub(crate) const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
     xmlns:stream='http://etherx.jabber.org/streams' from='sms.example.org' id='3BF96D32'>";

impl Peer {
    pub(crate) fn new(stream: impl Both + 'static) -> Self {
        let limits = Limits {
            stanza_bytes: 10 << 20,
            ..Limits::default()
        };
        Self {
            stream: Box::new(stream),
            cutter: Cutter::new(&limits),
            parser: Parser::new(limits),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        timeout(PATIENCE, self.next())
            .await
            .expect("the link says nothing")
    }

    async fn next(&mut self) -> Heard {
        loop {
            match self.cutter.next().unwrap() {
                Some(Cut::Open(tag)) => {
                    let text = tag.to_owned();
                    self.parser.adopt(&text).unwrap();
                    return Heard::Open(text);
                }
                Some(Cut::Stanza(text)) => {
                    let element = self.parser.parse(text).unwrap();
                    return match Stanza::try_from(element.clone()) {
                        Ok(stanza) => Heard::Stanza(stanza),
                        Err(_) => Heard::Other(element),
                    };
                }
                Some(Cut::TooBig(_)) => panic!("too big"),
                Some(Cut::Close) => return Heard::Close,
                None => {}
            }
            let buffer = self.cutter.buffer();
            buffer.reserve(65_536);
            if matches!(self.stream.read_buf(buffer).await, Ok(0) | Err(_)) {
                return Heard::End;
            }
        }
    }

    /// Accepts the login.
    pub(crate) async fn welcome(&mut self) {
        self.hear_handshake().await;
        self.say("<handshake/>").await;
    }

    pub(crate) async fn hear_handshake(&mut self) -> String {
        assert!(matches!(self.hear().await, Heard::Open(_)));
        self.say(HEADER).await;
        match self.hear().await {
            Heard::Other(element) if element.name() == "handshake" => element.text().into_owned(),
            other => panic!("no handshake: {other:?}"),
        }
    }

    pub(crate) async fn hear_message(&mut self) -> Message {
        match self.hear().await {
            Heard::Stanza(Stanza::Message(message)) => message,
            other => panic!("no message: {other:?}"),
        }
    }

    pub(crate) async fn hear_iq(&mut self) -> Iq {
        match self.hear().await {
            Heard::Stanza(Stanza::Iq(iq)) => iq,
            other => panic!("no iq: {other:?}"),
        }
    }

    /// Takes messages up to the next ping, and answers that.
    pub(crate) async fn take(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            match self.hear().await {
                Heard::Stanza(Stanza::Message(message)) => messages.push(message),
                Heard::Stanza(Stanza::Iq(ping)) => {
                    self.answer(&ping).await;
                    return messages;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn answer(&mut self, iq: &Iq) {
        self.say_stanza(iq.result(None).unwrap()).await;
    }

    pub(crate) async fn say_stanza(&mut self, stanza: impl Into<Stanza>) {
        let mut out = Vec::new();
        stanza.into().write(&mut out);
        self.say(str::from_utf8(&out).unwrap()).await;
    }

    pub(crate) async fn say_stream_error(&mut self, condition: &str, text: &str) {
        let namespace = "urn:ietf:params:xml:ns:xmpp-streams";
        self.say(&format!(
            "<stream:error><{condition} xmlns='{namespace}'/><text xmlns='{namespace}'>{text}</text></stream:error>\
             </stream:stream>"
        ))
        .await;
    }
}

pub(crate) fn config(endpoint: &str) -> LinkConfig {
    let domain = "sms.example.org".parse().unwrap();
    let mut config = LinkConfig::new(endpoint.parse().unwrap(), domain, SECRET.into());
    config.home_domains = vec!["example.org".parse().unwrap()];
    config.timing = Timing {
        stop: Duration::from_secs(5),
        ..Timing::default()
    };
    let soon = Duration::from_millis(1);
    config.backoff = Backoff {
        min: soon,
        max: soon,
        conflict_min: soon,
        conflict_max: soon,
        handed_over: soon,
    };
    config
}

pub(crate) fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

/// A message that goes out.
pub(crate) fn outgoing(body: &str) -> Message {
    Message::chat(
        jid("+12025550147@sms.example.org"),
        jid("alice@example.org"),
    )
    .with_body(body)
}

/// A message that comes in.
pub(crate) fn incoming(body: &str) -> Message {
    Message::chat(
        jid("alice@example.org/phone"),
        jid("+12025550147@sms.example.org"),
    )
    .with_body(body)
}

/// The texts of a batch.
pub(crate) fn bodies(received: &[Received]) -> Vec<String> {
    received
        .iter()
        .map(|received| match received {
            Received::Stanza(Stanza::Message(message)) => {
                message.body().unwrap_or_default().into_owned()
            }
            other => format!("{other:?}"),
        })
        .collect()
}
