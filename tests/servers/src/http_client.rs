//! One HTTP request, one connection: for health pages, metrics and the servers' own interfaces.

use std::net::SocketAddr;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::http_message::{Response, read_response};
use crate::wait::within;

/// GETs `target` (path and query) from a server.
///
/// # Errors
///
/// When the server does not listen or does not answer in HTTP.
pub async fn get(addr: SocketAddr, target: &str) -> Result<Response, String> {
    exchange(addr, &format!("GET {target} HTTP/1.1\r\n"), b"").await
}

/// POSTs a body of the given type.
///
/// # Errors
///
/// When the server does not listen or does not answer in HTTP.
pub async fn post(
    addr: SocketAddr,
    target: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Response, String> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
        body.len()
    );
    exchange(addr, &head, body).await
}

/// POSTs a body with these headers.
///
/// # Errors
///
/// When the server does not listen or does not answer in HTTP.
pub async fn post_with(
    addr: SocketAddr,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, String> {
    let mut head = format!(
        "POST {target} HTTP/1.1\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([*name, ": ", *value, "\r\n"]);
    }
    exchange(addr, &head, body).await
}

async fn exchange(addr: SocketAddr, head: &str, body: &[u8]) -> Result<Response, String> {
    let work = async {
        let mut stream = TcpStream::connect(addr)
            .await
            .map_err(|error| error.to_string())?;
        let head = format!("{head}Host: {addr}\r\nConnection: close\r\n\r\n");
        let bytes = [head.as_bytes(), body].concat();
        stream
            .write_all(&bytes)
            .await
            .map_err(|error| error.to_string())?;
        let answer = read_response(&mut BufReader::new(stream)).await;
        answer.ok_or_else(|| format!("{addr} did not answer in HTTP"))
    };
    within("an HTTP answer", work).await
}
