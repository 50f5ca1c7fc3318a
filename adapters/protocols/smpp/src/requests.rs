//! Requests on their way into whatever session is there now.

use std::future::Future;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The other side answered: its status, and the answer's body.
    Answered(u32, Bytes),
    /// It was surely not sent: there is no session.
    NotSent,
    /// It may have been received, and no answer came.
    Unknown,
}

/// Sends requests into whatever session is there now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(mpsc::Sender<Request>);

/// The other end of a [`Client`], for one session after the other.
#[derive(Debug)]
pub struct Requests(pub(crate) mpsc::Receiver<Request>);

/// What a request is about, in the caller's own numbers: a message and its part. Never on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark(pub i64, pub u16);

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) mark: Option<Mark>,
    pub(crate) command: u32,
    pub(crate) body: Bytes,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// A client, and what sessions serve it from.
pub fn channel() -> (Client, Requests) {
    // A rendezvous would do: what waits here was not sent, and nobody waits long.
    let (sender, receiver) = mpsc::channel(1);
    (Client(sender), Requests(receiver))
}

impl Client {
    /// Sends one request and waits for its answer. When it is dropped before, the answer is thrown away.
    pub async fn request(&self, command: u32, body: Bytes) -> Outcome {
        self.ask(command, body, None).await
    }

    /// The same; an answer that comes too late is for [`Handler::late`](crate::Handler::late), with this mark.
    pub async fn request_marked(&self, command: u32, body: Bytes, mark: Mark) -> Outcome {
        self.ask(command, body, Some(mark)).await
    }

    async fn ask(&self, command: u32, body: Bytes, mark: Option<Mark>) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            mark,
            command,
            body,
            answer,
        };
        if self.0.send(request).await.is_err() {
            return Outcome::NotSent;
        }
        // A request that was thrown away unsent, with its sender.
        answered.await.unwrap_or(Outcome::NotSent)
    }
}

impl Requests {
    /// Refuses everything until `until` is done: there is no session now.
    pub async fn refuse_until<T>(&mut self, until: impl Future<Output = T>) -> T {
        let mut until = std::pin::pin!(until);
        loop {
            tokio::select! {
                biased;
                done = &mut until => return done,
                Some(request) = self.0.recv() => {
                    request.answer.send(Outcome::NotSent).ok();
                }
            }
        }
    }
}
