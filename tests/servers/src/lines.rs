//! A connection of lines: SMTP, LMTP, IMAP, or anything else a test wants to speak by hand.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::wait::within;

/// A TCP connection that speaks lines ended by CR LF.
pub struct Lines {
    stream: BufReader<TcpStream>,
}

impl Lines {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(addr)).await;
        Self::on(stream.unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}")))
    }

    pub(crate) fn on(stream: TcpStream) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends a line; CR LF is added.
    pub async fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes()).await;
    }

    /// Sends bytes as they are.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let written = within("the peer to read", self.stream.write_all(bytes)).await;
        written.unwrap_or_else(|error| panic!("cannot send: {error}"));
    }

    /// Answers a client with a line; CR LF is added. One that is gone hears nothing, and its end is the next that is read of it.
    pub(crate) async fn answer(&mut self, line: &str) {
        let line = format!("{line}\r\n");
        let written = within("the client to read", self.stream.write_all(line.as_bytes())).await;
        written.ok();
    }

    /// The next line without its end; `None` when the peer closed.
    pub async fn line(&mut self) -> Option<String> {
        let bytes = within("a line", self.raw_line()).await?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads up to the line that `last` accepts, and returns all of them.
    pub async fn lines_until(&mut self, last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let line = line.unwrap_or_else(|| panic!("the peer closed after {lines:?}"));
            let done = last(&line);
            lines.push(line);
            if done {
                return lines;
            }
        }
    }

    /// An SMTP reply, RFC 5321 §4.2.1: its lines joined; the last one has no hyphen after the code.
    pub async fn reply(&mut self) -> String {
        let lines = self.lines_until(|line| line.as_bytes().get(3) != Some(&b'-'));
        lines.await.join("\n")
    }

    /// The next line without a deadline: a server waits for its clients as long as they like.
    pub(crate) async fn raw_line(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let count = self.stream.read_until(b'\n', &mut bytes).await.unwrap_or(0);
        if count == 0 {
            return None;
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Some(bytes)
    }
}
