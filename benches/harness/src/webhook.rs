//! One keep-alive connection that calls as Twilio does.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::world::TOKEN;

const PATH: &str = "/webhook/sms/main";
/// Whose texts they are.
pub(crate) const ACCOUNT: &str = "AC1";

/// A connection to the webhooks.
pub(crate) struct Caller {
    stream: TcpStream,
    http: SocketAddr,
    buffer: Vec<u8>,
}

impl Caller {
    pub(crate) fn connect(http: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(http)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            http,
            buffer: vec![0; 16 * 1024],
        })
    }

    /// Tells of a text, and waits for the answer: it was committed.
    pub(crate) fn deliver(&mut self, sid: &str, from: &str, to: &str, body: &str) -> Result<()> {
        self.call(
            PATH,
            &[
                ("AccountSid", ACCOUNT),
                ("Body", body),
                ("From", from),
                ("MessageSid", sid),
                ("NumMedia", "0"),
                ("NumSegments", "1"),
                ("To", to),
            ],
        )
    }

    /// Tells what became of a text, at the path that came with it.
    pub(crate) fn report(&mut self, path: &str, sid: &str, status: &str) -> Result<()> {
        self.call(
            path,
            &[
                ("AccountSid", ACCOUNT),
                ("ApiVersion", "2010-04-01"),
                ("MessageSid", sid),
                ("MessageStatus", status),
                ("SmsSid", sid),
                ("SmsStatus", status),
            ],
        )
    }

    fn call(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        let request = self.request(path, fields)?;
        self.stream.write_all(&request)?;
        let answer = self.answer()?;
        ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "a webhook was answered: {answer}"
        );
        Ok(())
    }

    /// A signed request; the fields are sorted.
    fn request(&self, path: &str, fields: &[(&str, &str)]) -> Result<Vec<u8>> {
        let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes())?;
        mac.update(format!("http://{}{path}", self.http).as_bytes());
        let mut form = String::new();
        for (name, value) in fields {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
            if !form.is_empty() {
                form.push('&');
            }
            form.extend([name, "="]);
            encode(&mut form, value);
        }
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\
             User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\nX-Twilio-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{form}",
            self.http,
            form.len()
        );
        Ok(head.into_bytes())
    }

    /// A whole answer with a Content-Length.
    fn answer(&mut self) -> Result<String> {
        let mut filled = 0;
        loop {
            let count = self
                .stream
                .read(self.buffer.get_mut(filled..).unwrap_or_default())?;
            ensure!(count > 0, "a keep-alive connection was closed");
            filled += count;
            let text = str::from_utf8(self.buffer.get(..filled).unwrap_or_default())?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length
                .context("an answer without Content-Length")?
                .trim()
                .parse()?;
            if body.len() >= length {
                return Ok(text.to_owned());
            }
        }
    }
}

/// application/x-www-form-urlencoded.
fn encode(out: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                out.push(char::from(byte));
            }
            _ => {
                write!(out, "%{byte:02X}").ok();
            }
        }
    }
}
