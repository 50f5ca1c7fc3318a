//! A scripted SMSC for Kannel: speaks the lines of its `fake` connection, in which one line is one message part.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

use crate::http_message::{percent_decode, percent_encode};
use crate::wait::{PATIENCE, until, within};

/// One part of a message that Kannel handed to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// Kannel's word for the coding: `text` (GSM 7 bit), `ucs-2` or `data` (8 bit).
    pub coding: String,
    /// The user data header; empty for a message of one part.
    pub udh: Vec<u8>,
    /// The user data; UTF-16BE for `ucs-2`.
    pub data: Vec<u8>,
}

impl Sms {
    /// What a phone would show of this part.
    pub fn text(&self) -> String {
        if self.coding != "ucs-2" {
            return String::from_utf8_lossy(&self.data).into_owned();
        }
        let units: Vec<u16> = self
            .data
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    }
}

/// The connection. Dropping it is the SMSC going away.
pub struct FakeSmsc {
    writer: OwnedWriteHalf,
    inbox: Arc<Mutex<Inbox>>,
    _reader: JoinSet<()>,
}

#[derive(Default)]
struct Inbox {
    all: Vec<Sms>,
    untaken: VecDeque<usize>,
}

impl FakeSmsc {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = within("bearerbox", TcpStream::connect(addr)).await;
        let (reader, writer) = stream.expect("bearerbox listens for its SMSC").into_split();
        let inbox = Arc::<Mutex<Inbox>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(read(BufReader::new(reader), Arc::clone(&inbox)));
        Self {
            writer,
            inbox,
            _reader: tasks,
        }
    }

    /// A text comes in from a phone, in the GSM alphabet; it must be one line.
    pub async fn deliver(&mut self, from: &str, to: &str, text: &str) {
        self.line(&format!("{from} {to} text {text}")).await;
    }

    /// A text comes in as UCS-2.
    pub async fn deliver_ucs2(&mut self, from: &str, to: &str, text: &str) {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        self.line(&format!("{from} {to} ucs2 {}", percent_encode(&bytes)))
            .await;
    }

    /// One part of a longer text comes in: `part` of `parts`, counted from one.
    pub async fn deliver_part(
        &mut self,
        from: &str,
        to: &str,
        (part, parts): (u8, u8),
        text: &str,
    ) {
        // 3GPP TS 23.040 §9.2.3.24.1: concatenated short messages, 8-bit reference number.
        let udh = percent_encode(&[5, 0, 3, 42, parts, part]);
        self.line(&format!("{from} {to} udh-text {udh} {text}"))
            .await;
    }

    /// All parts that Kannel handed over, oldest first.
    pub fn received(&self) -> Vec<Sms> {
        self.lock().all.clone()
    }

    /// The oldest part not yet taken that `wanted` accepts; waits for it.
    pub async fn sms(&self, what: &str, wanted: impl Fn(&Sms) -> bool) -> Sms {
        let found = until(what, PATIENCE, async || self.lock().take(&wanted)).await;
        found.unwrap_or_else(|late| panic!("{late}; parts so far: {:#?}", self.received()))
    }

    async fn line(&mut self, line: &str) {
        let line = format!("{line}\n");
        let written = self.writer.write_all(line.as_bytes());
        within("bearerbox to read", written)
            .await
            .expect("bearerbox is there");
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    fn take(&mut self, wanted: impl Fn(&Sms) -> bool) -> Option<Sms> {
        let place = self
            .untaken
            .iter()
            .position(|index| wanted(&self.all[*index]))?;
        let index = self.untaken.remove(place)?;
        Some(self.all[index].clone())
    }

    fn keep(&mut self, line: &[u8]) {
        if let Some(sms) = parse(line) {
            self.untaken.push_back(self.all.len());
            self.all.push(sms);
        } else if let Some(last) = self.all.last_mut() {
            // Kannel writes a `text` as it is, line breaks and all.
            last.data.push(b'\n');
            last.data.extend_from_slice(line);
        }
    }
}

async fn read(mut reader: BufReader<OwnedReadHalf>, inbox: Arc<Mutex<Inbox>>) {
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await.unwrap_or(0) > 0 {
        let content = line.strip_suffix(b"\n").unwrap_or(&line);
        inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(content);
        line.clear();
    }
}

/// `from to [udh HEADER] coding DATA`.
fn parse(line: &[u8]) -> Option<Sms> {
    let mut rest = line;
    let from = word(&mut rest)?;
    let to = word(&mut rest)?;
    let mut coding = word(&mut rest)?;
    let mut udh = Vec::new();
    if coding == "udh" {
        udh = percent_decode(&word(&mut rest)?);
        coding = word(&mut rest)?;
    }
    let data = match coding.as_str() {
        "text" => rest.to_vec(),
        "data" | "ucs-2" => percent_decode(&String::from_utf8_lossy(rest)),
        _ => return None,
    };
    Some(Sms {
        from,
        to,
        coding,
        udh,
        data,
    })
}

fn word(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|byte| *byte == b' ')?;
    let (word, after) = rest.split_at(end);
    *rest = after.get(1..).unwrap_or_default();
    Some(String::from_utf8_lossy(word).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_parts_and_stray_lines_belong_to_the_text_before() {
        let mut inbox = Inbox::default();
        inbox.keep(b"2222 +15551230000 text one");
        inbox.keep(b"two");
        inbox.keep(b"2222 +15551230000 ucs-2 %04%1F%04%40");
        inbox.keep(b"2222 +15551230000 udh %05%00%03%01%02%01 data abc");
        assert_eq!(inbox.all[0].text(), "one\ntwo");
        assert_eq!(inbox.all[1].text(), "Пр");
        assert_eq!(inbox.all[2].udh, [5, 0, 3, 1, 2, 1]);
        assert_eq!(inbox.all[2].text(), "abc");
    }
}
