//! An HTTP server on loopback that answers from a script, byte for byte, and records what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::Lifecycle;

/// A provider's double. It serves one request a connection; the last reply of the script is repeated.
#[derive(Debug)]
pub struct ScriptedHttp {
    base_url: String,
    state: Arc<Mutex<State>>,
    lifecycle: Lifecycle,
}

/// What to answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A proper response.
    Http {
        /// The status code.
        status: u16,
        /// Header lines besides `Content-Length` and `Connection`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// These bytes and nothing else, then close.
    Raw(Vec<u8>),
    /// Nothing, and close.
    Close,
    /// Nothing, and keep the connection open.
    Hang,
}

impl Reply {
    /// A response with a JSON body.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Http {
            status,
            headers,
            body: body.into(),
        }
    }

    /// A response with a text body.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::Http {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Reply>,
    requests: Vec<Recorded>,
}

impl ScriptedHttp {
    /// Listens on a free port and answers from this script.
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            script: script.into_iter().collect(),
            requests: Vec::new(),
        }));
        let lifecycle = Lifecycle::new();
        let (shared, life) = (Arc::clone(&state), lifecycle.clone());
        lifecycle.spawn("scripted-http", async move {
            while let Ok((stream, _)) = listener.accept().await {
                life.spawn(
                    "scripted-http-connection",
                    serve(stream, Arc::clone(&shared)),
                );
            }
        });
        Self {
            base_url,
            state,
            lifecycle,
        }
    }

    /// `http://127.0.0.1:port`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Adds to the script.
    pub fn then(&self, reply: Reply) {
        self.state.lock().unwrap().script.push_back(reply);
    }
}

impl Drop for ScriptedHttp {
    fn drop(&mut self) {
        self.lifecycle.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    let reply = {
        let mut state = state.lock().unwrap();
        state.requests.push(request);
        let last = state.script.len() <= 1;
        let next = if last {
            state.script.front().cloned()
        } else {
            state.script.pop_front()
        };
        next.unwrap_or_else(|| panic!("the script is empty"))
    };
    let bytes = match reply {
        Reply::Http {
            status,
            headers,
            body,
        } => {
            let mut head = format!(
                "HTTP/1.1 {status} Scripted\r\nContent-Length: {}\r\nConnection: close\r\n",
                body.len()
            );
            for (name, value) in headers {
                head.extend([name, ": ", &value, "\r\n"]);
            }
            format!("{head}\r\n{body}").into_bytes()
        }
        Reply::Raw(bytes) => bytes,
        Reply::Close => return,
        Reply::Hang => return std::future::pending().await,
    };
    drop(stream.write_all(&bytes).await);
    drop(stream.shutdown().await);
}

async fn read_request(stream: &mut TcpStream) -> Option<Recorded> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let count = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(buffer.get(..count)?);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let (head, body) = bytes.split_at(end + 4);
        let head = String::from_utf8_lossy(head).into_owned();
        if body.len() >= content_length(&head) {
            return Some(Recorded {
                head,
                body: body.to_vec(),
            });
        }
    }
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")
            .map(str::to_owned)
    });
    line.and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}
