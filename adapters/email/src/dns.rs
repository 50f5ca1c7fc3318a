//! Questions to the system's name server that the system's resolver has no call for: what `check --live` looks at, and where the mailbox
//! of an address is. RFC 1035
//!
//! What comes back is a hint, not a proof: servers that it names are shown to the user before a password is entered, and have to have a
//! certificate of their name.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use crate::address;

/// A name server of the machine answers in milliseconds; one that does not is asked once more.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// More records of one name than this are not looked at.
const RECORDS_MAX: usize = 64;
/// Labels and pointers of one name: more is a loop.
const STEPS_MAX: usize = 128;

/// A kind of record. RFC 1035 §3.2.2
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// An address.
    A,
    /// An address of the sixth version. RFC 3596
    Aaaa,
    /// Who takes a domain's mail.
    Mx,
    /// The name of an address.
    Ptr,
    /// Where a service is. RFC 2782
    Srv,
    /// Texts.
    Txt,
}

impl Kind {
    fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Srv => 33,
        }
    }
}

/// What a record says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Record {
    /// A text, a name or an address.
    pub(crate) text: String,
    /// Of several servers the one with the lowest is the best; 0 for all other kinds.
    pub(crate) priority: u16,
    /// The port of a service; 0 for all other kinds.
    pub(crate) port: u16,
}

impl Record {
    /// The server that it names; none for a lone dot, which says that there is none (RFC 2782, RFC 7505), and for what is no host name.
    pub(crate) fn host(&self) -> Option<String> {
        address::canonical_domain(&self.text)
    }
}

/// A name server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dns(SocketAddr);

impl Dns {
    /// The first one that the system uses.
    pub(crate) async fn of_system() -> Option<Self> {
        let text = tokio::fs::read_to_string("/etc/resolv.conf").await.ok()?;
        let mut lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next()? == "nameserver").then(|| words.next()?.parse::<IpAddr>().ok())?
        });
        lines.next().map(|address| Self((address, 53).into()))
    }

    /// This one.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(address)
    }

    /// The records of a name, the best server first; none where there are none.
    ///
    /// # Errors
    ///
    /// When the server does not say.
    pub(crate) async fn ask(self, name: &str, kind: Kind) -> io::Result<Vec<Record>> {
        let question = question(rand::random(), name, kind)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no name of the DNS"))?;
        for _ in 0..TRIES {
            if let Ok(answer) = timeout(ANSWER_MAX, self.ask_once(&question)).await {
                return read(&answer?, &question, kind);
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// The same, of each record its text.
    ///
    /// # Errors
    ///
    /// When the server does not say.
    pub(crate) async fn texts(self, name: &str, kind: Kind) -> io::Result<Vec<String>> {
        let found = self.ask(name, kind).await?;
        Ok(found.into_iter().map(|record| record.text).collect())
    }

    async fn ask_once(self, question: &[u8]) -> io::Result<Vec<u8>> {
        let answer = self.by_udp(question).await?;
        // RFC 1035 §4.2.1: what does not fit is asked for by TCP.
        if answer.get(2).is_some_and(|flags| flags & 0x02 != 0) {
            return self.by_tcp(question).await;
        }
        Ok(answer)
    }

    async fn by_udp(self, question: &[u8]) -> io::Result<Vec<u8>> {
        let local: SocketAddr = if self.0.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(local).await?;
        socket.connect(self.0).await?;
        socket.send(question).await?;
        let mut buffer = vec![0; 4096];
        loop {
            let length = socket.recv(&mut buffer).await?;
            let answer = buffer.get(..length).unwrap_or_default();
            // Anybody may send one: what answers something else is waited out.
            if answers(answer, question) {
                return Ok(answer.to_vec());
            }
        }
    }

    async fn by_tcp(self, question: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.0).await?;
        let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(question).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; length.into()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }
}

/// The name under which an address has a name. RFC 1035 §3.5, RFC 3596 §2.5
pub(crate) fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev();
            let labels: Vec<String> = nibbles
                .flat_map(|byte| [format!("{:x}", byte & 15), format!("{:x}", byte >> 4)])
                .collect();
            format!("{}.ip6.arpa", labels.join("."))
        }
    }
}

fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(name.len() + 18);
    bytes.extend(id.to_be_bytes());
    // A standard question; the server is to ask others.
    bytes.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(kind.number().to_be_bytes());
    bytes.extend([0, 1]);
    (bytes.len() <= 512).then_some(bytes)
}

/// Whether it is an answer, and to this very question.
fn answers(answer: &[u8], question: &[u8]) -> bool {
    let is_answer = answer.get(2).is_some_and(|flags| flags & 0x80 != 0);
    let of = |bytes: &[u8]| {
        (
            bytes.get(..2).map(<[u8]>::to_vec),
            bytes.get(4..6).map(<[u8]>::to_vec),
        )
    };
    let asked = answer.get(12..question.len()).zip(question.get(12..));
    is_answer && of(answer) == of(question) && asked.is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// The records of an answer.
fn read(answer: &[u8], question: &[u8], kind: Kind) -> io::Result<Vec<Record>> {
    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, "the answer makes no sense");
    if !answers(answer, question) {
        return Err(nonsense());
    }
    match answer.get(3).map(|flags| flags & 0x0f) {
        Some(0) => {}
        // RFC 1035 §4.1.1: there is no such name.
        Some(3) => return Ok(Vec::new()),
        _ => {
            let why = "the name server refuses or is out of order";
            return Err(io::Error::other(why));
        }
    }
    let mut found = records(answer, question.len(), kind).ok_or_else(nonsense)?;
    found.sort_by_key(|record| record.priority);
    Ok(found)
}

/// The records behind a place; `None` where the answer breaks off.
fn records(answer: &[u8], at: usize, kind: Kind) -> Option<Vec<Record>> {
    let mut reader = Reader {
        bytes: answer,
        at: 6,
    };
    let count = usize::from(reader.number()?).min(RECORDS_MAX);
    reader.at = at;
    let mut found = Vec::new();
    for _ in 0..count {
        reader.name()?;
        let number = reader.number()?;
        reader.skip(6)?;
        let length = usize::from(reader.number()?);
        let end = reader.at.checked_add(length)?;
        if number == kind.number() {
            found.extend(reader.data(kind, end));
        }
        reader.at = end;
    }
    Some(found)
}

/// Reads an answer to whichever question, which it takes from the answer itself: for whoever fuzzes it.
pub(crate) fn read_any(answer: &[u8]) {
    let mut reader = Reader {
        bytes: answer,
        at: 12,
    };
    if reader.name().is_none() {
        return;
    }
    let question = answer.get(..reader.at.saturating_add(4)).unwrap_or(answer);
    for kind in [
        Kind::A,
        Kind::Aaaa,
        Kind::Mx,
        Kind::Ptr,
        Kind::Srv,
        Kind::Txt,
    ] {
        // What it says does not matter here.
        read(answer, question, kind).ok();
    }
}

/// Reads an answer; every step stays inside it.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(drop)
    }

    fn number(&mut self) -> Option<u16> {
        let [high, low] = self.take(2)? else {
            return None;
        };
        Some(u16::from_be_bytes([*high, *low]))
    }

    /// A name; pointers lead back to where one stood before. RFC 1035 §4.1.4
    fn name(&mut self) -> Option<String> {
        let mut labels: Vec<String> = Vec::new();
        let mut behind = None;
        for _ in 0..STEPS_MAX {
            let [length] = self.take(1)? else {
                return None;
            };
            match length {
                0 => {
                    self.at = behind.unwrap_or(self.at);
                    return Some(labels.join(".").to_ascii_lowercase());
                }
                1..=63 => {
                    let label = self.take(usize::from(*length))?;
                    labels.push(String::from_utf8_lossy(label).into_owned());
                }
                192.. => {
                    let [low] = self.take(1)? else {
                        return None;
                    };
                    behind.get_or_insert(self.at);
                    self.at = usize::from(u16::from_be_bytes([length & 0x3f, *low]));
                }
                _ => return None,
            }
        }
        None
    }

    fn data(&mut self, kind: Kind, end: usize) -> Option<Record> {
        let mut record = Record::default();
        record.text = match kind {
            Kind::A => {
                let octets: [u8; 4] = self.take(4)?.try_into().ok()?;
                Ipv4Addr::from(octets).to_string()
            }
            Kind::Aaaa => {
                let octets: [u8; 16] = self.take(16)?.try_into().ok()?;
                Ipv6Addr::from(octets).to_string()
            }
            Kind::Mx => {
                record.priority = self.number()?;
                self.name()?
            }
            Kind::Ptr => self.name()?,
            Kind::Srv => {
                record.priority = self.number()?;
                self.skip(2)?;
                record.port = self.number()?;
                self.name()?
            }
            Kind::Txt => {
                let mut text = String::new();
                while self.at < end {
                    let [length] = self.take(1)? else {
                        return None;
                    };
                    let part = self.take(usize::from(*length))?;
                    text.push_str(&String::from_utf8_lossy(part));
                }
                text
            }
        };
        Some(record)
    }
}

#[cfg(test)]
mod tests;
