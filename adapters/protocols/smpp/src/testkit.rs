//! An SMSC on loopback that a test tells what to say, PDU by PDU.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a failing test panics"
)]

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{Endpoint, Frame, Submit, command};

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Listens for ESMEs.
#[derive(Debug)]
pub struct Smsc(TcpListener);

/// A connection of one.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    read: BytesMut,
    sequence: u32,
}

impl Smsc {
    /// On a port of the system's choice.
    pub async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port: self.0.local_addr().unwrap().port(),
            tls: None,
        }
    }

    /// The next connection; nothing was said on it.
    pub async fn accept(&self) -> Connection {
        let (stream, _) = timeout(PATIENCE, self.0.accept()).await.unwrap().unwrap();
        Connection {
            stream,
            read: BytesMut::new(),
            sequence: 100,
        }
    }

    /// The next connection, its bind answered with this status; and the bind.
    pub async fn bound(&self, status: u32) -> (Connection, Frame) {
        let mut connection = self.accept().await;
        let bind = connection.next().await.unwrap();
        connection.answer(&bind, status, b"smsc\0").await;
        (connection, bind)
    }
}

impl Connection {
    /// The next PDU; `None` when the other side closed.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = Frame::take(&mut self.read).unwrap() {
                return Some(frame);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read))
                .await
                .unwrap();
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next PDU of this kind; enquiries before it are answered, other PDUs are passed over.
    pub async fn next_of(&mut self, kind: u32) -> Frame {
        loop {
            let frame = self.next().await.unwrap();
            if frame.command == kind {
                return frame;
            }
            if frame.command == command::ENQUIRE_LINK {
                self.answer(&frame, 0, b"").await;
            }
        }
    }

    /// Answers a request.
    pub async fn answer(&mut self, request: &Frame, status: u32, body: &'static [u8]) {
        self.write(&request.answer(status, body)).await;
    }

    /// Sends a request of its own.
    pub async fn request(&mut self, command: u32, body: impl Into<Bytes>) -> u32 {
        self.sequence += 1;
        self.write(&Frame::new(command, self.sequence, body)).await;
        self.sequence
    }

    /// Brings a message or a receipt; the status that it is answered with.
    pub async fn deliver(&mut self, deliver: &Submit) -> u32 {
        let sequence = self.request(command::DELIVER_SM, deliver.body()).await;
        loop {
            let answer = self.next_of(command::DELIVER_SM | command::RESPONSE).await;
            if answer.sequence == sequence {
                return answer.status;
            }
        }
    }

    /// Writes a PDU.
    pub async fn write(&mut self, frame: &Frame) {
        let mut wire = BytesMut::new();
        frame.write(&mut wire);
        self.raw(&wire).await;
    }

    /// Writes what may be no PDU.
    pub async fn raw(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }
}
