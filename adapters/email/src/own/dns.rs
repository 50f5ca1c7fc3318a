//! DNS questions that the system's resolver has no call for: SRV (RFC 2782) and MX. One question by UDP to the machine's own name server.
//!
//! What comes back is a hint, not a proof: the servers that it names are shown to the user before the password is entered, and have
//! to have a certificate of their name.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::UdpSocket, time::timeout};

use crate::address;

/// A name server of the machine answers in milliseconds; one that does not is asked once more.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// Without EDNS an answer has no more. RFC 1035 §2.3.4
const ANSWER_BYTES_MAX: usize = 512;
/// More answers than this are not looked at.
const ANSWERS_MAX: usize = 16;
/// A name that points to another more often points in circles.
const JUMPS_MAX: usize = 8;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Where a service is. RFC 2782
    Srv,
    /// Who takes a domain's mail.
    Mx,
}

/// An answer: how good, which host, which port (0 for MX).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Target {
    pub(super) priority: u16,
    pub(super) host: String,
    pub(super) port: u16,
}

/// The targets of a name, the best first; none when there are none or nobody answers.
pub(super) async fn ask(name: &str, kind: Kind) -> Vec<Target> {
    let Some(server) = name_server().await else {
        return Vec::new();
    };
    for _ in 0..TRIES {
        match timeout(PATIENCE, ask_once(server, name, kind)).await {
            Ok(Some(targets)) => return targets,
            Ok(None) => return Vec::new(),
            Err(_) => {}
        }
    }
    Vec::new()
}

async fn ask_once(server: SocketAddr, name: &str, kind: Kind) -> Option<Vec<Target>> {
    let id = rand::random::<u16>();
    let question = question(id, name, kind)?;
    let own: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((own, 0)).await.ok()?;
    // Nobody else is heard on a connected socket.
    socket.connect(server).await.ok()?;
    socket.send(&question).await.ok()?;
    let mut answer = [0; ANSWER_BYTES_MAX];
    loop {
        let length = socket.recv(&mut answer).await.ok()?;
        let answer = answer.get(..length)?;
        // An answer to another question is waited out.
        if answer.get(..2) == Some(&id.to_be_bytes()) {
            return read(answer, &question, kind);
        }
    }
}

/// The machine's first name server. resolv.conf(5)
async fn name_server() -> Option<SocketAddr> {
    let text = tokio::fs::read_to_string("/etc/resolv.conf").await.ok()?;
    let mut servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_server = words.next() == Some("nameserver");
        is_server.then(|| words.next()?.parse::<IpAddr>().ok())?
    });
    servers.next().map(|address| SocketAddr::new(address, 53))
}

fn code(kind: Kind) -> u16 {
    match kind {
        Kind::Srv => 33,
        Kind::Mx => 15,
    }
}

/// RFC 1035 §4.1: a header that wants recursion, and one question.
fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(id.to_be_bytes());
    bytes.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(code(kind).to_be_bytes());
    bytes.extend([0, 1]);
    (bytes.len() <= 12 + 255 + 4).then_some(bytes)
}

/// The targets of an answer to this very question; `None` for anything else.
fn read(answer: &[u8], question: &[u8], kind: Kind) -> Option<Vec<Target>> {
    let flags = number(answer, 2)?;
    let is_answer = flags & 0x8000 != 0;
    let failed = flags & 0x000f != 0;
    let asked = answer.get(12..question.len())?;
    if !is_answer || !asked.eq_ignore_ascii_case(question.get(12..)?) || number(answer, 4)? != 1 {
        return None;
    }
    if failed {
        return Some(Vec::new());
    }
    let count = usize::from(number(answer, 6)?).min(ANSWERS_MAX);
    let mut at = question.len();
    let mut targets = Vec::new();
    for _ in 0..count {
        // A truncated answer ends in the middle of a record.
        let Some((target, next)) = record(answer, at, kind) else {
            break;
        };
        targets.extend(target);
        at = next;
    }
    targets.sort();
    Some(targets)
}

/// Takes the question from the answer itself: for whoever fuzzes it.
pub(super) fn read_any(answer: &[u8]) {
    let Some((_, end)) = name(answer, 12) else {
        return;
    };
    let question = answer.get(..end.saturating_add(4)).unwrap_or(answer);
    for kind in [Kind::Srv, Kind::Mx] {
        read(answer, question, kind);
    }
}

/// One record, and where the next begins.
fn record(answer: &[u8], at: usize, kind: Kind) -> Option<(Option<Target>, usize)> {
    let (_, at) = name(answer, at)?;
    let (of_kind, length) = (number(answer, at)?, number(answer, at + 8)?);
    let data = at + 10;
    let next = data + usize::from(length);
    answer.get(data..next)?;
    if of_kind != code(kind) {
        return Some((None, next));
    }
    let (port_at, host_at) = match kind {
        Kind::Srv => (Some(data + 4), data + 6),
        Kind::Mx => (None, data + 2),
    };
    let (host, _) = name(answer, host_at)?;
    let port = match port_at {
        Some(at) => number(answer, at)?,
        None => 0,
    };
    // RFC 2782: a lone dot says that the service is not there. What is no host name is none here either.
    let target = address::canonical_domain(&host).map(|host| Target {
        priority: number(answer, data).unwrap_or(u16::MAX),
        host,
        port,
    });
    Some((target, next))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(two.try_into().ok()?))
}

/// A name, and where what follows it begins. RFC 1035 §4.1.4
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let (mut at, mut end, mut jumps) = (start, None, 0);
    loop {
        let length = *bytes.get(at)?;
        if length & 0xc0 == 0xc0 {
            let low = *bytes.get(at + 1)?;
            end = end.or(Some(at + 2));
            at = (usize::from(length & 0x3f) << 8) | usize::from(low);
            jumps += 1;
            if jumps > JUMPS_MAX {
                return None;
            }
            continue;
        }
        if length == 0 {
            return Some((text, end.unwrap_or(at + 1)));
        }
        let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
        if length > 63 || text.len() > 255 || !label.is_ascii() {
            return None;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.extend(label.iter().map(|byte| char::from(*byte)));
        at += 1 + usize::from(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "_imaps._tcp.example.com";

    fn srv(priority: u16, port: u16, host: &str) -> Vec<u8> {
        let mut data = Vec::new();
        data.extend(priority.to_be_bytes());
        data.extend(1_u16.to_be_bytes());
        data.extend(port.to_be_bytes());
        for label in host.split('.').filter(|label| !label.is_empty()) {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend(label.as_bytes());
        }
        data.push(0);
        let mut record = vec![0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60];
        record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        record.extend(data);
        record
    }

    fn answered(question: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
        let mut answer = question.to_vec();
        answer[2] |= 0x80;
        answer[7] = u8::try_from(records.len()).unwrap();
        answer.extend(records.concat());
        answer
    }

    #[test]
    fn the_best_target_comes_first() {
        let asked = question(7, NAME, Kind::Srv).unwrap();
        let records = [
            srv(20, 993, "b.example.com"),
            srv(10, 1993, "A.example.com"),
        ];
        let targets = read(&answered(&asked, &records), &asked, Kind::Srv).unwrap();
        let hosts: Vec<_> = targets
            .iter()
            .map(|target| (target.host.as_str(), target.port))
            .collect();
        assert_eq!(hosts, [("a.example.com", 1993), ("b.example.com", 993)]);
    }

    #[test]
    fn a_service_that_is_not_there_has_no_target() {
        let asked = question(7, NAME, Kind::Srv).unwrap();
        let none = answered(&asked, &[srv(0, 0, "")]);
        assert_eq!(read(&none, &asked, Kind::Srv), Some(Vec::new()));
        let mut unknown = answered(&asked, &[]);
        unknown[3] |= 3;
        assert_eq!(read(&unknown, &asked, Kind::Srv), Some(Vec::new()));
    }

    #[test]
    fn the_answer_to_another_question_is_none() {
        let asked = question(7, NAME, Kind::Srv).unwrap();
        let other = question(7, "_imaps._tcp.example.net", Kind::Srv).unwrap();
        let answer = answered(&other, &[srv(0, 993, "evil.example")]);
        assert_eq!(read(&answer, &asked, Kind::Srv), None);
        assert_eq!(read(&asked, &asked, Kind::Srv), None, "a question");
        assert_eq!(question(7, &"x".repeat(64), Kind::Srv), None);
        assert_eq!(question(7, "a..b", Kind::Srv), None);
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let asked = question(7, NAME, Kind::Srv).unwrap();
        let mut record = srv(0, 993, "x.example");
        let own = u16::try_from(asked.len()).unwrap() | 0xc000;
        record[..2].copy_from_slice(&own.to_be_bytes());
        let answer = answered(&asked, &[record]);
        assert_eq!(read(&answer, &asked, Kind::Srv), Some(Vec::new()));
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(tail: Vec<u8>, flip in 0_usize..200, byte: u8) {
            let asked = question(7, NAME, Kind::Srv).unwrap();
            let mut answer = answered(&asked, &[srv(1, 993, "a.example.com")]);
            answer.extend(tail);
            if let Some(slot) = answer.get_mut(flip) {
                *slot = byte;
            }
            for kind in [Kind::Srv, Kind::Mx] {
                read(&answer, &asked, kind);
            }
        }
    }
}
