//! Questions to a name server on loopback, and answers that were made up.

use proptest::prelude::*;

use super::*;

/// An answer with one record, whose name points to the question's.
fn answer(question: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = question.to_vec();
    bytes[2] = 0x81;
    bytes[3] = 0x80;
    bytes[7] = 1;
    bytes.extend([0xc0, 12]);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 60]);
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

async fn served(kind: Kind, data: &'static [u8], truncated: bool) -> Vec<String> {
    // The number of a port that is free for both.
    let (udp, tcp, address) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        if let Ok(tcp) = tokio::net::TcpListener::bind(address).await {
            break (udp, tcp, address);
        }
    };
    let number = kind.number();
    let serve = async move {
        let mut buffer = [0; 600];
        let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
        let whole = answer(&buffer[..length], number, data);
        // A stranger's answer comes first, and then one to another question.
        udp.send_to(&[0, 0, 0x81, 0x80], from).await.unwrap();
        let mut another = whole.clone();
        another[13] ^= 1;
        udp.send_to(&another, from).await.unwrap();
        let mut said = whole.clone();
        if truncated {
            said[2] |= 0x02;
        }
        udp.send_to(&said, from).await.unwrap();
        if truncated {
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut question = vec![0; length.into()];
            stream.read_exact(&mut question).await.unwrap();
            let length = u16::try_from(whole.len()).unwrap();
            stream.write_u16(length).await.unwrap();
            stream.write_all(&whole).await.unwrap();
        }
    };
    let (found, ()) = tokio::join!(Dns::at(address).texts("mail.example.org", kind), serve);
    found.unwrap()
}

#[tokio::test]
async fn records_are_read_by_udp_and_by_tcp() {
    let text = b"\x06v=spf1\x08 mx -all";
    assert_eq!(served(Kind::Txt, text, false).await, ["v=spf1 mx -all"]);
    assert_eq!(served(Kind::Txt, text, true).await, ["v=spf1 mx -all"]);
    let mx = b"\x00\x0a\x02mx\xc0\x0c";
    assert_eq!(served(Kind::Mx, mx, false).await, ["mx.mail.example.org"]);
    assert_eq!(served(Kind::A, &[192, 0, 2, 1], false).await, ["192.0.2.1"]);
}

#[test]
fn an_address_is_asked_for_backwards() {
    let reversed = |address: &str| reverse(address.parse().unwrap());
    assert_eq!(reversed("192.0.2.1"), "1.2.0.192.in-addr.arpa");
    assert!(reversed("2001:db8::1").starts_with("1.0.0.0."));
    assert!(reversed("2001:db8::1").ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"));
}

const NAME: &str = "_imaps._tcp.example.com";

/// An answer with these services: priority, port, host.
fn services(question: &[u8], targets: &[(u16, u16, &str)]) -> Vec<u8> {
    let mut bytes = answer(question, 33, &[]);
    bytes.truncate(question.len());
    bytes[7] = u8::try_from(targets.len()).unwrap();
    for (priority, port, host) in targets {
        let mut data = [priority.to_be_bytes(), [0, 1], port.to_be_bytes()].concat();
        for label in host.split('.').filter(|label| !label.is_empty()) {
            data.push(u8::try_from(label.len()).unwrap());
            data.extend(label.as_bytes());
        }
        data.push(0);
        bytes.extend(&answer(question, 33, &data)[question.len()..]);
    }
    bytes
}

#[test]
fn the_best_service_comes_first() {
    let asked = question(7, NAME, Kind::Srv).unwrap();
    let targets = [(20, 993, "b.example.com"), (10, 1993, "A.example.com")];
    let found = read(&services(&asked, &targets), &asked, Kind::Srv).unwrap();
    let hosts: Vec<_> = found
        .iter()
        .map(|record| (record.host().unwrap(), record.port))
        .collect();
    let wanted = [("a.example.com", 1993), ("b.example.com", 993)];
    assert_eq!(hosts, wanted.map(|(host, port)| (host.to_owned(), port)));
}

#[test]
fn a_service_that_is_not_there_has_no_host() {
    let asked = question(7, NAME, Kind::Srv).unwrap();
    let none = read(&services(&asked, &[(0, 0, "")]), &asked, Kind::Srv).unwrap();
    assert_eq!(none[0].host(), None);
    let mut unknown = services(&asked, &[]);
    unknown[3] |= 3;
    assert_eq!(read(&unknown, &asked, Kind::Srv).unwrap(), []);
}

#[test]
fn the_answer_to_another_question_is_none() {
    let asked = question(7, NAME, Kind::Srv).unwrap();
    let other = question(7, "_imaps._tcp.example.net", Kind::Srv).unwrap();
    let evil = services(&other, &[(0, 993, "evil.example")]);
    assert!(read(&evil, &asked, Kind::Srv).is_err());
    assert!(read(&asked, &asked, Kind::Srv).is_err(), "a question");
    assert_eq!(question(7, &"x".repeat(64), Kind::Srv), None);
    assert_eq!(question(7, "a..b", Kind::Srv), None);
}

#[test]
fn a_name_that_points_to_itself_comes_to_an_end() {
    let question = question(7, "a.example", Kind::Ptr).unwrap();
    let loops = answer(&question, 12, b"\xc0\x27");
    assert_eq!(read(&loops, &question, Kind::Ptr).unwrap(), []);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_any(&bytes);
    }

    #[test]
    fn a_broken_answer_is_read_or_refused(tail: Vec<u8>, flip in 0_usize..200, byte: u8) {
        let asked = question(7, NAME, Kind::Srv).unwrap();
        let mut bytes = services(&asked, &[(1, 993, "a.example.com")]);
        bytes.extend(tail);
        if let Some(slot) = bytes.get_mut(flip) {
            *slot = byte;
        }
        read(&bytes, &asked, Kind::Srv).ok();
    }
}
