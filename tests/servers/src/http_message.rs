//! HTTP/1.1 messages, read by hand: the harness wants the exact bytes and compiles in seconds.

use std::fmt::{self, Display, Formatter};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// More than any test sends; a peer that sends more is broken.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query, still percent-encoded.
    pub target: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header's first value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// A parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        parameter(query, name)
    }

    /// A field of a form body, decoded.
    pub fn form(&self, name: &str) -> Option<String> {
        parameter(&self.text(), name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Display for Request {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.method, self.target, self.text())
    }
}

/// An answer as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub body: Vec<u8>,
}

impl Response {
    /// A header's first value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads one request; `None` when the peer closed or does not speak HTTP.
pub(crate) async fn read_request(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Request> {
    let (first, headers) = read_head(stream).await?;
    let mut words = first.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?.to_owned();
    let body = read_body(stream, &headers, false).await?;
    Some(Request {
        method,
        target,
        headers,
        body,
    })
}

/// Reads one answer.
pub(crate) async fn read_response(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Response> {
    let (first, headers) = read_head(stream).await?;
    let status = first.split(' ').nth(1)?.parse().ok()?;
    let body = read_body(stream, &headers, true).await?;
    Some(Response {
        status,
        headers,
        body,
    })
}

type Head = (String, Vec<(String, String)>);

async fn read_head(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Head> {
    let first = read_line(stream).await?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        if line.is_empty() {
            return Some((first, headers));
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// RFC 9112 §6: chunks, a length, or, for answers alone, all up to the end.
async fn read_body(
    stream: &mut (impl AsyncBufRead + Unpin),
    headers: &[(String, String)],
    to_the_end: bool,
) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if find(headers, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        loop {
            let line = read_line(stream).await?;
            let size = line.split(';').next()?.trim();
            let size = u64::from_str_radix(size, 16).ok()?;
            read_exactly(stream, size, &mut body).await?;
            read_line(stream).await?;
            if size == 0 {
                return Some(body);
            }
        }
    }
    match find(headers, "content-length") {
        Some(length) => read_exactly(stream, length.parse().ok()?, &mut body).await?,
        None if to_the_end => {
            stream
                .take(BODY_BYTES_MAX)
                .read_to_end(&mut body)
                .await
                .ok()?;
        }
        None => {}
    }
    Some(body)
}

async fn read_exactly(
    stream: &mut (impl AsyncBufRead + Unpin),
    count: u64,
    body: &mut Vec<u8>,
) -> Option<()> {
    if count > BODY_BYTES_MAX {
        return None;
    }
    let read = stream.take(count).read_to_end(body).await.ok()?;
    (read as u64 == count).then_some(())
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = String::new();
    let count = stream.read_line(&mut line).await.ok()?;
    (count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// The first parameter of this name in a query or a form, decoded. application/x-www-form-urlencoded
#[must_use]
pub fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (percent_decode(key) == name.as_bytes())
            .then(|| String::from_utf8_lossy(&percent_decode(value)).into_owned())
    })
}

/// Undoes percent-encoding; a plus is a blank.
pub(crate) fn percent_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'?'), bytes.next().unwrap_or(b'?')];
                let digits = std::str::from_utf8(&digits).unwrap_or("??");
                u8::from_str_radix(digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    decoded
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
pub(crate) fn percent_encode(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(*byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chunks_are_joined_and_parameters_decoded() {
        let mut wire =
            &b"POST /a?x=1%2B2&y=%D0%BF+q HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"[..];
        let request = read_request(&mut wire).await.unwrap();
        assert_eq!(request.path(), "/a");
        assert_eq!(request.query("x").unwrap(), "1+2");
        assert_eq!(request.query("y").unwrap(), "п q");
        assert_eq!(request.text(), "abcde");
    }

    #[test]
    fn a_parameter_is_read_as_it_was_written() {
        let form =
            "To=%2B12025550120&StatusCallback=http%3A%2F%2F127.0.0.1%3A1%2Fa%3Fkey%3D7&Body=a+b";
        let read = |name| parameter(form, name);
        assert_eq!(
            read("StatusCallback").as_deref(),
            Some("http://127.0.0.1:1/a?key=7")
        );
        assert_eq!(read("Body").as_deref(), Some("a b"));
        assert_eq!(read("From"), None);
    }

    #[tokio::test]
    async fn a_cut_off_body_is_no_request() {
        let mut wire = &b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"[..];
        assert_eq!(read_request(&mut wire).await, None);
    }
}
