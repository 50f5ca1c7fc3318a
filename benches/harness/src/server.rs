//! The XMPP server's side of a component stream (XEP-0114): as fast as can be, so that it is never what is measured.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use sha1::{Digest, Sha1};

use crate::{cut::Cutter, tally::Tally};

/// The component's domain: the first that the tests' ejabberd has.
pub(crate) const DOMAIN: &str = "gw1.example.org";
/// The component's secret.
pub(crate) const SECRET: &str = "secret1";
/// The users' domain: the second, so that behind a real server the load generator is a component as well.
pub(crate) const HOME: &str = "gw2.example.org";
/// The load generator's secret.
pub(crate) const HOME_SECRET: &str = "secret2";
/// How long a gateway has to log in, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);
const STREAM_ID: &str = "bench";
/// Ends a stream.
pub(crate) const STREAM_END: &[u8] = b"</stream:stream>";

/// A server that waits for its component.
pub(crate) struct Server {
    door: TcpListener,
    /// What the component will hand over: a load can begin before it comes.
    pub(crate) tally: Arc<Tally>,
}

/// A component's stream. What it hands over is counted in the tally; its requests are answered.
pub(crate) struct Link {
    writer: Arc<Mutex<TcpStream>>,
    /// What came.
    pub(crate) tally: Arc<Tally>,
}

impl Server {
    pub(crate) fn bind() -> Result<Self> {
        Ok(Self {
            door: TcpListener::bind("127.0.0.1:0")?,
            tally: Arc::default(),
        })
    }

    pub(crate) fn addr(&self) -> Result<SocketAddr> {
        Ok(self.door.local_addr()?)
    }

    fn connection(&self) -> Result<TcpStream> {
        self.door.set_nonblocking(true)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match self.door.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ensure!(Instant::now() < until, "nobody logged in");
                    thread::sleep(POLL);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the component and shakes hands.
    pub(crate) fn accept(&self) -> Result<Link> {
        let mut stream = self.connection()?;
        stream.set_nodelay(true)?;
        read_until(&mut stream, |text| {
            text.find("<stream:stream")
                .is_some_and(|at| text.get(at..).is_some_and(|tag| tag.contains('>')))
        })?;
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams' from='{DOMAIN}' id='{STREAM_ID}'>"
        );
        stream.write_all(header.as_bytes())?;
        let shake = read_until(&mut stream, |text| text.contains("</handshake>"))?;
        let digest = hex::encode(
            Sha1::new()
                .chain_update(STREAM_ID)
                .chain_update(SECRET)
                .finalize(),
        );
        ensure!(shake.contains(&digest), "a wrong handshake");
        stream.write_all(b"<handshake/>")?;
        Link::counted(stream, Arc::clone(&self.tally))
    }
}

/// Logs in to a server as a component.
pub(crate) fn log_in(server: SocketAddr, domain: &str, secret: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let header = format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
         xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"
    );
    stream.write_all(header.as_bytes())?;
    let answer = read_until(&mut stream, |text| {
        text.find("<stream:stream")
            .is_some_and(|at| text.get(at..).is_some_and(|tag| tag.contains('>')))
    })?;
    let id = attribute(&answer, "id").context("a stream without an id")?;
    let digest = Sha1::new().chain_update(id).chain_update(secret).finalize();
    let shake = format!("<handshake>{}</handshake>", hex::encode(digest));
    stream.write_all(shake.as_bytes())?;
    read_until(&mut stream, |text| text.contains("handshake"))?;
    Ok(stream)
}

impl Link {
    /// On a stream that is logged in.
    pub(crate) fn on(stream: TcpStream) -> Result<Self> {
        Self::counted(stream, Arc::default())
    }

    fn counted(stream: TcpStream, tally: Arc<Tally>) -> Result<Self> {
        let writer = Arc::new(Mutex::new(stream.try_clone()?));
        let link = Self {
            writer: Arc::clone(&writer),
            tally: Arc::clone(&tally),
        };
        thread::spawn(move || tally.end(listen(stream, &writer, &tally).err()));
        Ok(link)
    }

    /// Ends the stream and waits until the server has closed it: only then nothing goes to this connection any more.
    pub(crate) fn close(&self) -> Result<()> {
        lock(&self.writer).write_all(STREAM_END)?;
        self.tally.ended()
    }

    /// Writes stanzas.
    pub(crate) fn write(&self, stanzas: &str) -> Result<()> {
        lock(&self.writer)
            .write_all(stanzas.as_bytes())
            .context("writing to the component")
    }
}

/// Counts and answers until the component goes.
fn listen(mut stream: TcpStream, writer: &Mutex<TcpStream>, tally: &Tally) -> Result<()> {
    let mut cutter = Cutter::default();
    let mut buffer = vec![0; 256 * 1024];
    let mut answers = String::new();
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        cutter.feed(buffer.get(..count).unwrap_or_default());
        let mut counting = tally.counting();
        while let Some(stanza) = cutter.next() {
            let stanza = str::from_utf8(stanza)?;
            if stanza.trim().as_bytes() == STREAM_END {
                // RFC 6120 §4.4: it waits for ours, and closes then.
                answers.push_str(stanza);
            } else if let Some(request) = Request::of(stanza) {
                request.answer(&mut answers);
            } else {
                counting.count(stanza);
            }
        }
        drop(counting);
        if !answers.is_empty() {
            lock(writer).write_all(answers.as_bytes())?;
            answers.clear();
        }
    }
}

/// An iq of type get or set.
struct Request<'a> {
    id: &'a str,
    from: &'a str,
    to: &'a str,
}

impl<'a> Request<'a> {
    fn of(stanza: &'a str) -> Option<Self> {
        let (head, _) = stanza.split_once('>')?;
        let is_request = matches!(attribute(head, "type"), Some("get" | "set"));
        if !head.trim_start().starts_with("<iq") || !is_request {
            return None;
        }
        Some(Self {
            id: attribute(head, "id")?,
            from: attribute(head, "from").unwrap_or(DOMAIN),
            to: attribute(head, "to")?,
        })
    }

    /// An empty result: a pong, and good enough for anything else.
    fn answer(&self, out: &mut String) {
        out.extend([
            "<iq type='result' id='",
            self.id,
            "' from='",
            self.to,
            "' to='",
            self.from,
            "'/>",
        ]);
    }
}

/// The value of an attribute, in whichever quotes.
pub(crate) fn attribute<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(&format!(" {name}="))?;
    let quote = rest.chars().next()?;
    rest.get(1..)?.split(quote).next()
}

fn read_until(stream: &mut TcpStream, is_enough: impl Fn(&str) -> bool) -> Result<String> {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !is_enough(&text) {
        let count = stream.read(&mut buffer)?;
        ensure!(
            count > 0,
            "the component went away during the login, after: {text}"
        );
        text.push_str(str::from_utf8(buffer.get(..count).unwrap_or_default())?);
    }
    Ok(text)
}

fn lock(stream: &Mutex<TcpStream>) -> MutexGuard<'_, TcpStream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}
