//! The XEP-0114 handshake.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    LinkError, Phase, Waiting,
    cutter::{Cut, Cutter},
    endpoint::Connection,
    error::one_line,
};
use crate::xmpp::{
    jid::DomainRef,
    ns,
    stanza::{Element, Limits, Parser},
};

/// A stream after the handshake, with what was read beyond it.
pub(crate) struct LoggedIn {
    pub(crate) stream: Box<dyn Connection>,
    pub(crate) cutter: Cutter,
    pub(crate) parser: Parser,
}

/// Logs in, all in `deadline`.
pub(crate) async fn log_in(
    stream: Box<dyn Connection>,
    domain: &DomainRef,
    secret: &SecretString,
    limits: Limits,
    deadline: Duration,
) -> Result<LoggedIn, LinkError> {
    let login = Login {
        stream,
        cutter: Cutter::new(&limits),
        parser: Parser::new(limits),
    };
    timeout(deadline, login.run(domain, secret))
        .await
        .unwrap_or(Err(LinkError::TimedOut(Waiting::Login)))
}

struct Login {
    stream: Box<dyn Connection>,
    cutter: Cutter,
    parser: Parser,
}

impl Login {
    async fn run(
        mut self,
        domain: &DomainRef,
        secret: &SecretString,
    ) -> Result<LoggedIn, LinkError> {
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' to='{domain}'>",
            ns::COMPONENT,
            ns::STREAM
        );
        self.write(&header).await?;
        loop {
            match self.step(secret)? {
                Step::LookOn => {}
                Step::Read => self.read().await?,
                Step::Answer(handshake) => self.write(&handshake).await?,
                Step::Done => break,
            }
        }
        let Self {
            stream,
            cutter,
            parser,
        } = self;
        Ok(LoggedIn {
            stream,
            cutter,
            parser,
        })
    }

    fn step(&mut self, secret: &SecretString) -> Result<Step, LinkError> {
        match self.cutter.next()? {
            None => Ok(Step::Read),
            Some(Cut::Close) => Err(LinkError::Closed(Phase::Login)),
            Some(Cut::TooBig(_)) => Err(LinkError::Malformed(
                "the handshake's answer is too big".to_owned(),
            )),
            Some(Cut::Open(tag)) => {
                let header = self.parser.head(tag)?;
                self.parser.adopt(tag)?;
                if !header.is("stream", ns::STREAM) {
                    return Err(LinkError::Malformed("no stream header".to_owned()));
                }
                match self.parser.default_namespace() {
                    Some(ns::COMPONENT) => {}
                    other => {
                        return Err(LinkError::WrongPort {
                            namespace: one_line(other.unwrap_or("something else")),
                        });
                    }
                }
                // Prosody opens a stream without id when an error is all that follows.
                Ok(match header.attr("id").filter(|id| !id.is_empty()) {
                    Some(id) => Step::Answer(handshake(id, secret)),
                    None => Step::LookOn,
                })
            }
            Some(Cut::Stanza(text)) => {
                let element = self.parser.parse(text)?;
                judge(&element)
            }
        }
    }

    async fn read(&mut self) -> Result<(), LinkError> {
        let buffer = self.cutter.buffer();
        buffer.reserve(4096);
        match self.stream.read_buf(buffer).await {
            Ok(0) | Err(_) => Err(LinkError::Closed(Phase::Login)),
            Ok(_) => Ok(()),
        }
    }

    async fn write(&mut self, text: &str) -> Result<(), LinkError> {
        let written = async {
            self.stream.write_all(text.as_bytes()).await?;
            self.stream.flush().await
        };
        written.await.map_err(|_| LinkError::Closed(Phase::Login))
    }
}

enum Step {
    /// More has been read already.
    LookOn,
    Read,
    Answer(String),
    Done,
}

fn judge(element: &Element) -> Result<Step, LinkError> {
    if element.is("handshake", ns::CLIENT) {
        Ok(Step::Done)
    } else if element.is("error", ns::STREAM) {
        Err(LinkError::from_stream_error(element, Phase::Login))
    } else {
        Err(LinkError::Malformed(
            "something else than an answer to the handshake".to_owned(),
        ))
    }
}

/// XEP-0114 §3: the hexadecimal SHA-1 of the stream's id and the secret.
fn handshake(stream_id: &str, secret: &SecretString) -> String {
    let digest = Sha1::new()
        .chain_update(stream_id)
        .chain_update(secret.expose_secret())
        .finalize();
    format!("<handshake>{}</handshake>", hex::encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_the_one_of_the_document() {
        // sha1("3BF96D32" + "secret")
        assert_eq!(
            handshake("3BF96D32", &"secret".into()),
            "<handshake>b09ea9b3b7f586be8a08d0a3dd7466f110aeb136</handshake>"
        );
    }
}
