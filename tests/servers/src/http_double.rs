//! A scripted HTTP server: plays a provider's API, or receives webhooks.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::http_message::{Request, read_request};
use crate::ports::free_port;
use crate::wait::{PATIENCE, until};

/// What the double does with a request, which it has read and recorded in any case.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A proper answer.
    Reply {
        /// The status code.
        status: u16,
        /// Headers beside `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Keeps the connection open and never answers.
    Hang,
    /// Closes without a byte.
    Close,
    /// Sends these bytes, which may be no HTTP at all, and closes.
    Raw(Vec<u8>),
}

impl Answer {
    /// An empty answer.
    pub fn status(status: u16) -> Self {
        Self::with(status, "text/plain", "")
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &str) -> Self {
        Self::with(status, "application/json", body)
    }

    /// An answer of any type.
    pub fn with(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Reply {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// Adds a header to a reply.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// The server. It answers each request from the queue that [`answer_next`](Self::answer_next) fills and, when that is
/// empty, by the function of [`answer_by`](Self::answer_by): 200 without a body at first.
pub struct HttpDouble {
    addr: SocketAddr,
    script: Arc<Mutex<Script>>,
    server: JoinSet<()>,
}

type Responder = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

struct Script {
    queue: VecDeque<Answer>,
    otherwise: Responder,
    requests: Vec<Request>,
    /// Which of the requests a test has not yet taken, oldest first.
    untaken: VecDeque<usize>,
}

impl HttpDouble {
    /// Starts to listen on a port of its own.
    pub async fn start() -> Self {
        let script = Script {
            queue: VecDeque::new(),
            otherwise: Arc::new(|_| Answer::status(200)),
            requests: Vec::new(),
            untaken: VecDeque::new(),
        };
        let mut double = Self {
            addr: free_port(),
            script: Arc::new(Mutex::new(script)),
            server: JoinSet::new(),
        };
        double.resume().await;
        double
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of a path: `url("/sms")`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Queues the answer to one request.
    pub fn answer_next(&self, answer: Answer) {
        self.lock().queue.push_back(answer);
    }

    /// Answers all requests that find the queue empty.
    pub fn answer_by(&self, respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        self.lock().otherwise = Arc::new(respond);
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// The oldest request not yet taken that `wanted` accepts; waits for it.
    pub async fn request(&self, what: &str, wanted: impl Fn(&Request) -> bool) -> Request {
        let found = until(what, PATIENCE, async || self.lock().take(&wanted)).await;
        found.unwrap_or_else(|late| {
            let seen: Vec<String> = self.requests().iter().map(Request::to_string).collect();
            panic!("{late}; requests so far:\n{}", seen.join("\n"))
        })
    }

    /// Goes away: connections are cut and new ones refused.
    pub async fn pause(&mut self) {
        self.server.shutdown().await;
    }

    /// Comes back on the same port.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.addr).await.expect("our own port");
        self.server.spawn(serve(listener, Arc::clone(&self.script)));
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn take(&mut self, wanted: impl Fn(&Request) -> bool) -> Option<Request> {
        let place = self
            .untaken
            .iter()
            .position(|index| wanted(&self.requests[*index]))?;
        let index = self.untaken.remove(place)?;
        Some(self.requests[index].clone())
    }

    fn record(&mut self, request: &Request) -> Option<Answer> {
        self.untaken.push_back(self.requests.len());
        self.requests.push(request.clone());
        self.queue.pop_front()
    }
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new(); // they end with the server
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&script)));
    }
}

async fn converse(stream: TcpStream, script: Arc<Mutex<Script>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let (queued, otherwise) = {
            let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
            (script.record(&request), Arc::clone(&script.otherwise))
        };
        let answer = queued.unwrap_or_else(|| otherwise(&request));
        let bytes = match answer {
            Answer::Reply {
                status,
                headers,
                body,
            } => encode(status, &headers, &body, request.method == "HEAD"),
            Answer::Hang => return std::future::pending().await,
            Answer::Close => return,
            Answer::Raw(bytes) => {
                stream.write_all(&bytes).await.ok();
                return;
            }
        };
        let close = request
            .header("connection")
            .is_some_and(|value| value.contains("close"));
        if stream.write_all(&bytes).await.is_err() || close {
            return;
        }
    }
}

fn encode(status: u16, headers: &[(String, String)], body: &[u8], head_only: bool) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status} Scripted\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    let body = if head_only { &[] } else { body };
    [head.as_bytes(), body].concat()
}
