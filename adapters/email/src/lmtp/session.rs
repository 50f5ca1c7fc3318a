//! One LMTP or SMTP connection.
//!
//! The parser is a library's; the rules are here: RFC 2033 over RFC 5321, or the latter alone, PIPELINING (RFC 2920), SIZE (RFC 1870),
//! 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), ENHANCEDSTATUSCODES (RFC 2034).

use std::{io, time::Duration};

use smtp_proto::{
    Request,
    request::receiver::{DataReceiver, DummyDataReceiver},
};
use tokio::time::timeout;
use transom_adapter::{AccountName, Address, Context, Event, Recipient, Verdict};

use super::{
    listener::Stream,
    wire::{Line, Wire, refusal},
};
use crate::{
    address,
    ids::OwnIds,
    intake::{self, Fate, Source},
    read::Letter,
};

/// What one connection may cost, and how many there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) mail_bytes_max: usize,
    /// RFC 5321 §4.5.3.1.8 asks for at least 100.
    pub(crate) recipients_max: usize,
    /// Commands that are refused, in a row or not, before the connection is closed.
    pub(crate) refusals_max: u32,
    /// RFC 5321 §4.5.3.2.7
    pub(crate) command: Duration,
    /// For a whole mail.
    pub(crate) data: Duration,
    /// Connections at the same time.
    pub(crate) connections_max: usize,
    /// So long the next one waits for one of them to end.
    pub(crate) turn: Duration,
}

/// Said to whoever comes while the process ends.
pub(crate) const CLOSING: &str = "421 4.3.2 closing down, please come back";
/// Said of a mail that the store does not take now.
const LATER: &str = "451 4.3.0 cannot be kept now, please come back";
/// The only end of a mail. RFC 5321 §4.1.1.4
const END: &[u8] = b"\r\n.\r\n";
/// For whoever is turned away to take the words.
const TURN_AWAY: Duration = Duration::from_secs(1);

/// Says why a connection is not served, and closes it.
pub(crate) async fn turn_away(stream: Stream, why: &str) {
    let mut wire = Wire::new(stream);
    wire.say(why);
    timeout(TURN_AWAY, wire.flush()).await.ok();
}

/// How the other side speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protocol {
    /// One answer a recipient.
    Lmtp,
    /// One answer a mail.
    Smtp,
}

/// What a connection works with.
pub(crate) struct Session {
    pub(crate) account: AccountName,
    pub(crate) ids: OwnIds,
    pub(crate) context: Context,
    pub(crate) limits: Limits,
    pub(crate) protocol: Protocol,
}

/// Where the dialog stands.
#[derive(Default)]
struct State {
    greeted: bool,
    /// The envelope's sender; empty for the null sender, which is always welcome: bounces come from it.
    sender: Option<String>,
    recipients: Vec<Address>,
    refusals: u32,
}

impl State {
    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }
}

/// What follows a command.
enum Next {
    Reply(String),
    Mail,
    Bye,
}

impl Session {
    /// Serves the connection until it ends.
    pub(crate) async fn run(self, stream: Stream) {
        let mut wire = Wire::new(stream);
        if let Err(error) = self.serve(&mut wire).await {
            tracing::debug!(account = %self.account, %error, "An LMTP connection broke.");
        }
    }

    async fn serve(&self, wire: &mut Wire) -> io::Result<()> {
        let mut state = State::default();
        let protocol = match self.protocol {
            Protocol::Lmtp => "LMTP",
            Protocol::Smtp => "ESMTP",
        };
        wire.say(&format!("220 {} {protocol} transom", self.ids.domain()));
        loop {
            let line = tokio::select! {
                line = wire.line(self.limits.command) => line?,
                () = self.context.lifecycle.draining(), if state.sender.is_none() => {
                    wire.say(CLOSING);
                    return wire.flush().await;
                }
            };
            let next = match line {
                Line::Whole(line) => self.command(&line, &mut state).await,
                Line::TooLong => Next::Reply("500 5.5.6 the line is too long".to_owned()),
                Line::Late => Next::Reply("421 4.4.2 nothing came for too long".to_owned()),
                Line::End => return Ok(()),
            };
            match next {
                Next::Reply(reply) => {
                    state.refusals += u32::from(reply.starts_with('5'));
                    wire.say(&reply);
                    if reply.starts_with("421") {
                        return wire.flush().await;
                    }
                }
                Next::Mail => self.mail(wire, &mut state).await?,
                Next::Bye => {
                    wire.say("221 2.0.0 bye");
                    return wire.flush().await;
                }
            }
            if state.refusals > self.limits.refusals_max {
                wire.say("421 4.7.0 too many commands were refused");
                return wire.flush().await;
            }
        }
    }

    async fn command(&self, line: &[u8], state: &mut State) -> Next {
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return Next::Reply(refusal(&error).to_owned()),
        };
        let reply = match request {
            Request::Lhlo { .. } | Request::Ehlo { .. } | Request::Helo { .. } => {
                self.hello(state, &request)
            }
            Request::Mail { from } => self.sender(state, &from.address, from.size),
            Request::Rcpt { to } => self.recipient(state, &to.address).await,
            // RFC 2033 §4.2
            Request::Data if state.recipients.is_empty() => {
                "503 5.5.1 there is no valid recipient".to_owned()
            }
            Request::Data => return Next::Mail,
            Request::Rset => {
                state.reset();
                "250 2.0.0 ok".to_owned()
            }
            Request::Noop { .. } => "250 2.0.0 ok".to_owned(),
            Request::Vrfy { .. } => "252 2.5.0 send it and see".to_owned(),
            Request::Quit => return Next::Bye,
            _ => "502 5.5.1 not offered".to_owned(),
        };
        Next::Reply(reply)
    }

    /// RFC 2033 §4.1: each greets in its own way, and in no other.
    fn hello(&self, state: &mut State, request: &Request<std::borrow::Cow<'_, str>>) -> String {
        let fits = match request {
            Request::Lhlo { .. } => self.protocol == Protocol::Lmtp,
            _ => self.protocol == Protocol::Smtp,
        };
        if !fits {
            return match self.protocol {
                Protocol::Lmtp => "500 5.5.1 this is LMTP, say LHLO".to_owned(),
                Protocol::Smtp => "500 5.5.1 this is SMTP, say EHLO".to_owned(),
            };
        }
        state.reset();
        state.greeted = true;
        match request {
            // RFC 5321 §4.1.1.1: who says HELO knows no extensions.
            Request::Helo { .. } => format!("250 {}", self.ids.domain()),
            _ => self.offers(),
        }
    }

    fn offers(&self) -> String {
        let size = self.limits.mail_bytes_max;
        format!(
            "250-{}\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {size}",
            self.ids.domain()
        )
    }

    fn sender(&self, state: &mut State, address: &str, size: usize) -> String {
        if !state.greeted {
            return "503 5.5.1 say hello first".to_owned();
        }
        if state.sender.is_some() {
            return "503 5.5.1 there is a sender already".to_owned();
        }
        if size > self.limits.mail_bytes_max {
            return self.too_large();
        }
        state.sender = Some(address.to_owned());
        "250 2.1.0 ok".to_owned()
    }

    /// Asks who has the address, so that nobody's mail is refused before it is sent. semantics 29
    async fn recipient(&self, state: &mut State, address: &str) -> String {
        if state.sender.is_none() {
            return "503 5.5.1 there is no sender yet".to_owned();
        }
        if state.recipients.len() >= self.limits.recipients_max {
            return "452 4.5.3 too many recipients".to_owned();
        }
        if self.protocol == Protocol::Smtp && !state.recipients.is_empty() {
            // Its one answer would be said of copies that fare differently; the rest come in a mail of their own.
            return "452 4.5.3 one recipient at a time".to_owned();
        }
        // RFC 5321 §4.1.1.3: `<postmaster>` needs no domain; the parser gives it as nothing.
        let whole = match address {
            "" => format!("postmaster@{}", self.ids.domain()),
            address => address.to_owned(),
        };
        let unknown = || "550 5.1.1 nobody here has that address".to_owned();
        let Some(address) = address::canonical(&whole).filter(|to| self.ids.is_ours(to)) else {
            self.count("lmtp_unknown_recipient");
            return unknown();
        };
        let known = if self.is_always_taken(&address) {
            Ok(Recipient::Known)
        } else {
            self.context
                .directory
                .recipient(&self.account, &self.ids.mailbox(&address))
                .await
        };
        match known {
            Ok(Recipient::Known) => {
                state.recipients.push(address);
                "250 2.1.5 ok".to_owned()
            }
            Ok(Recipient::Unknown) => {
                self.count("lmtp_unknown_recipient");
                unknown()
            }
            Err(_) => "451 4.3.0 cannot tell now, please come back".to_owned(),
        }
    }

    /// Bounce addresses with a token of ours, and who every mail host has. RFC 5321 §4.5.1, RFC 2142 §4
    fn is_always_taken(&self, address: &Address) -> bool {
        let local = address.as_str().split('@').next().unwrap_or_default();
        matches!(local, "postmaster" | "abuse") || self.ids.key_of_bounce_address(address).is_some()
    }

    fn too_large(&self) -> String {
        let max = self.limits.mail_bytes_max;
        format!("552 5.3.4 the mail has more than {max} bytes")
    }

    /// DATA: the mail, and one reply a recipient. RFC 2033 §4.2
    async fn mail(&self, wire: &mut Wire, state: &mut State) -> io::Result<()> {
        wire.say("354 go ahead");
        let received = timeout(self.limits.data, self.receive(wire)).await;
        let raw = received.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let replies = match raw {
            Some(raw) => {
                let letter = intake::read(raw, state.sender.take(), &self.ids).await;
                self.deliver(&letter, &state.recipients).await
            }
            None => vec![self.too_large(); state.recipients.len()],
        };
        let replies = match self.protocol {
            Protocol::Lmtp => replies,
            // Of one recipient.
            Protocol::Smtp => replies.into_iter().take(1).collect(),
        };
        state.reset();
        for reply in replies {
            wire.say(&reply);
        }
        Ok(())
    }

    /// The mail without its stuffed dots; `None` when it is too large, then it was read to its end all the same.
    async fn receive(&self, wire: &mut Wire) -> io::Result<Option<Vec<u8>>> {
        let (mut data, mut mail) = (DataReceiver::new(), Vec::new());
        // The parser looks for the dot behind a line end only; an empty mail has none before it.
        data.ingest(&mut b"\r\n".iter(), &mut mail);
        mail.clear();
        let mut rest: Option<DummyDataReceiver> = None;
        let mut last = b"\r\n".to_vec();
        loop {
            let mut unread = wire.unread().iter();
            let ended = match &mut rest {
                Some(rest) => rest.ingest(&mut unread),
                None => data.ingest(&mut unread, &mut mail),
            };
            let left = unread.as_slice().len();
            let taken = wire.unread().len() - left;
            let taken = wire.unread().get(taken.saturating_sub(END.len())..taken);
            last.extend_from_slice(taken.unwrap_or_default());
            last.drain(..last.len().saturating_sub(END.len()));
            wire.keep_last(left);
            if rest.is_none() && mail.len() > self.limits.mail_bytes_max {
                rest = Some(DummyDataReceiver::new_data(&data));
                mail = Vec::new();
            }
            if ended && last != END {
                // The parser takes more than one return for an end. What follows may be anybody's commands.
                return Err(io::ErrorKind::InvalidData.into());
            }
            if ended {
                return Ok(rest.is_none().then_some(mail));
            }
            wire.flush().await?;
            if !wire.read_more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// One copy for each reader, however many of the recipients are addresses of theirs: each takes memory, and room for its files. Every
    /// recipient is told what became of its reader's copy.
    async fn deliver(&self, letter: &Letter, recipients: &[Address]) -> Vec<String> {
        let (firsts, copies) = self.ids.readers(recipients);
        let replies = self.deliver_each(letter, &firsts).await;
        let reply = |copy: usize| replies.get(copy).copied().unwrap_or(LATER);
        copies
            .into_iter()
            .map(|copy| reply(copy).to_owned())
            .collect()
    }

    /// Commits for all recipients at once; each is told what became of its own copy, and only after the commit.
    async fn deliver_each(&self, letter: &Letter, recipients: &[&Address]) -> Vec<&'static str> {
        let mut replies = Vec::with_capacity(recipients.len());
        let (mut events, mut waiting): (Vec<Event>, Vec<usize>) = (Vec::new(), Vec::new());
        for (index, recipient) in recipients.iter().enumerate() {
            replies.push(
                match intake::decide(letter, recipient, Source::Server, &self.ids) {
                    Fate::Take(event) => {
                        events.push(*event);
                        waiting.push(index);
                        LATER
                    }
                    Fate::Drop(word) => {
                        self.count(word);
                        "250 2.1.5 ok"
                    }
                    Fate::Loop => {
                        self.count("mail_loop");
                        "554 5.4.6 too many hops"
                    }
                },
            );
        }
        let inbox = &self.context.inbox;
        let verdicts = if events.is_empty() {
            Ok(Vec::new())
        } else {
            inbox.commit(&self.account, events, None).await
        };
        for (index, verdict) in waiting.into_iter().zip(verdicts.unwrap_or_default()) {
            if let Some(reply) = replies.get_mut(index) {
                *reply = match verdict {
                    Verdict::Stored | Verdict::Duplicate => "250 2.1.5 ok",
                    Verdict::NoSuchRecipient => "550 5.1.1 nobody here has that address",
                };
            }
        }
        replies
    }

    fn count(&self, what: &'static str) {
        self.context.meter.count(&self.account, what);
    }
}
