//! One SMTP connection: opening it, and one mail over it.

use std::{sync::Arc, time::Duration};

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::AsyncSmtpConnection,
    commands::{Data, Ehlo, Mail, Quit, Rcpt},
    extension::{ClientId, MailParameter, RcptParameter},
    response::Response,
};
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::{
    outcome::{Phase, Trouble},
    starttls::secure,
};
use crate::{
    config::Login,
    net::{Endpoint, Security},
    oauth::{NoToken, Tokens},
};

/// How long each phase may take. Together less than the account's `send_seconds_max`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// TCP, TLS, greeting, EHLO and AUTH together.
    pub(crate) open: Duration,
    /// MAIL, RCPT and DATA each. RFC 5321 §4.5.3.2 asks for up to five minutes; the queue tries again anyway.
    pub(crate) command: Duration,
    /// The mail and the reply to its dot. RFC 5321 §4.5.3.2.6: ten minutes, since a double follows from less.
    pub(crate) mail: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            open: Duration::from_mins(1),
            command: Duration::from_mins(1),
            mail: Duration::from_mins(10),
        }
    }
}

/// What opening a connection takes.
#[derive(Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) login: Option<&'a Login>,
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    pub(crate) hello: &'a str,
    pub(crate) deadlines: Deadlines,
}

/// One mail to one recipient.
pub(crate) struct Transaction {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) envelope_id: String,
    pub(crate) mail: Vec<u8>,
}

/// An open connection, logged in. The first doubt about it makes it unfit for another mail.
pub(crate) struct Connection {
    smtp: AsyncSmtpConnection,
    extensions: Extensions,
    encrypted: bool,
    deadlines: Deadlines,
    sound: bool,
}

/// What the server offers beyond RFC 5321.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Extensions {
    /// RFC 1870; zero: no limit given.
    size_max: usize,
    /// RFC 3461
    dsn: bool,
    /// RFC 6531
    utf8: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects, encrypts, greets and logs in; where the token of an earlier login is refused, on another connection with a new one.
    pub(crate) async fn open(opening: Opening<'_>) -> Result<Self, Trouble> {
        let deadline = opening.deadlines.open;
        let opened = async {
            match Self::open_slowly(opening).await {
                Err(Trouble::Stale) => Self::open_slowly(opening).await,
                other => other,
            }
        };
        timeout(deadline, opened)
            .await
            .unwrap_or_else(|_| Err(silence(Phase::Connect, deadline)))
    }

    async fn open_slowly(opening: Opening<'_>) -> Result<Self, Trouble> {
        let stream = secure(opening).await?;
        let encrypted = stream.is_encrypted();
        let hello = ClientId::Domain(opening.hello.to_owned());
        let mut smtp = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)
            .await
            .map_err(|error| trouble(Phase::Connect, &error))?;
        // The library keeps of the EHLO reply only what it uses itself, so it is asked for again.
        let offers = smtp
            .command(Ehlo::new(hello))
            .await
            .map_err(|error| trouble(Phase::Connect, &error))?;
        let mut connection = Self {
            smtp,
            extensions: Extensions::read(offers.message()),
            encrypted,
            deadlines: opening.deadlines,
            sound: true,
        };
        if let Some(login) = opening.login {
            connection.log_in(login, opening.endpoint.security).await?;
        }
        Ok(connection)
    }

    async fn log_in(&mut self, login: &Login, security: Security) -> Result<(), Trouble> {
        if security == Security::Opportunistic && !self.encrypted {
            let detail = "the server offers no TLS, and a password is not sent without it; \
                          set tls=none if this is what you want";
            return Err(unfit(detail));
        }
        if let Some(tokens) = &login.tokens {
            return self.log_in_by_token(&login.username, tokens).await;
        }
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if self
            .smtp
            .server_info()
            .get_auth_mechanism(&mechanisms)
            .is_none()
        {
            return Err(unfit("the server offers neither AUTH PLAIN nor AUTH LOGIN"));
        }
        let password = login.password.expose_secret().to_owned();
        let credentials = Credentials::new(login.username.clone(), password);
        let reply = self.smtp.auth(&mechanisms, &credentials).await;
        expect(Phase::Login, reply, &[235])
    }

    async fn log_in_by_token(&mut self, name: &str, tokens: &Arc<Tokens>) -> Result<(), Trouble> {
        let token = tokens.access().await.map_err(|error| match error {
            NoToken::Refused(text) => Trouble::Reply {
                phase: Phase::Login,
                code: 535,
                text,
            },
            NoToken::Away(detail) => Trouble::Broken {
                phase: Phase::Connect,
                detail,
            },
        })?;
        let secret = token.token.expose_secret().to_owned();
        let credentials = Credentials::new(name.to_owned(), secret);
        let reply = self.smtp.auth(&[Mechanism::Xoauth2], &credentials).await;
        let expected = expect(Phase::Login, reply, &[235]);
        if expected.is_err() {
            tokens.forget(&token).await;
        }
        match expected {
            Err(Trouble::Reply { code: 500.., .. }) if token.was_kept => Err(Trouble::Stale),
            expected => expected,
        }
    }

    /// Hands over one mail.
    pub(crate) async fn deliver(&mut self, transaction: &Transaction) -> Result<(), Trouble> {
        let result = self.deliver_once(transaction).await;
        // After a refusal the connection is still in step; after anything else nobody knows which reply comes next.
        self.sound = match &result {
            Ok(()) | Err(Trouble::TooLarge { .. } | Trouble::NotUtf8 | Trouble::Ours { .. }) => {
                true
            }
            Err(Trouble::Reply { code, .. }) => (400..600).contains(code) && *code != 421,
            Err(Trouble::Broken { .. } | Trouble::Unfit { .. } | Trouble::Stale) => false,
        };
        result
    }

    async fn deliver_once(&mut self, transaction: &Transaction) -> Result<(), Trouble> {
        let Extensions {
            size_max,
            dsn,
            utf8,
        } = self.extensions;
        let bytes = transaction.mail.len();
        if size_max > 0 && bytes > size_max {
            return Err(Trouble::TooLarge {
                bytes,
                bytes_max: size_max,
            });
        }
        let needs_utf8 = !transaction.to.is_ascii();
        if needs_utf8 && !utf8 {
            // RFC 6531 §3.2: there is no other way to write such an address.
            return Err(Trouble::NotUtf8);
        }
        // RFC 5321 §4.5.5: the null sender.
        let is_null = transaction.from.is_empty();
        let from = (!is_null).then(|| address(&transaction.from)).transpose()?;
        let to = address(&transaction.to)?;
        let mut sender = Vec::new();
        let mut recipient = Vec::new();
        if size_max > 0 {
            sender.push(MailParameter::Size(bytes));
        }
        if needs_utf8 {
            sender.push(MailParameter::SmtpUtfEight);
        }
        if dsn && !is_null && !needs_utf8 {
            // RFC 3461 §4
            sender.extend([
                mail_parameter("RET", "HDRS"),
                mail_parameter("ENVID", &transaction.envelope_id),
            ]);
            // A comma in xtext would read as itself, but the library escapes nothing that need not be.
            recipient.extend([
                rcpt_parameter("NOTIFY", "FAILURE,DELAY"),
                rcpt_parameter("ORCPT", &format!("rfc822;{}", transaction.to)),
            ]);
        }
        self.command(Phase::Sender, Mail::new(from, sender), &[250])
            .await?;
        self.command(Phase::Recipient, Rcpt::new(to, recipient), &[250, 251])
            .await?;
        self.command(Phase::Data, Data, &[354]).await?;
        let deadline = self.deadlines.mail;
        let reply = timeout(deadline, self.smtp.message(&transaction.mail)).await;
        match reply {
            // Only 250 says that the mail is theirs; any other success belongs to another question.
            Ok(reply) => expect(Phase::Dot, reply, &[250]),
            Err(_) => Err(silence(Phase::Dot, deadline)),
        }
    }

    async fn command(
        &mut self,
        phase: Phase,
        command: impl std::fmt::Display,
        want: &[u16],
    ) -> Result<(), Trouble> {
        let deadline = self.deadlines.command;
        match timeout(deadline, self.smtp.command(command)).await {
            Ok(reply) => expect(phase, reply, want),
            Err(_) => Err(silence(phase, deadline)),
        }
    }

    /// Whether it still answers, with an empty transaction.
    pub(crate) async fn reset(&mut self) -> bool {
        let short = Duration::from_secs(5);
        let answered = |reply: Result<Response, _>| reply.is_ok_and(|reply| reply.has_code(250));
        timeout(short, self.smtp.command(Reset))
            .await
            .is_ok_and(answered)
    }

    /// Whether another mail may go over it.
    pub(crate) fn is_reusable(&self) -> bool {
        self.sound && !self.smtp.has_broken()
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Says goodbye; whether anybody hears it does not matter.
    pub(crate) async fn quit(mut self) {
        drop(timeout(Duration::from_secs(2), self.smtp.command(Quit)).await);
    }

    /// What was found, for `check`.
    pub(crate) fn describe(&self, place: &str) -> Vec<String> {
        let tls = if self.encrypted {
            "with TLS"
        } else {
            "without TLS"
        };
        let size = match self.extensions.size_max {
            0 => "no size limit".to_owned(),
            bytes => format!("mails up to {bytes} bytes"),
        };
        let dsn = if self.extensions.dsn {
            "tells failures in a standard form"
        } else {
            "no DSN"
        };
        vec![format!("{place} answers {tls}: {size}, {dsn}")]
    }
}

/// RFC 5321 §4.1.1.5; the library knows only NOOP, which leaves a half-done transaction as it is.
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RSET\r\n")
    }
}

impl Extensions {
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut extensions = Self::default();
        for line in lines.skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default();
            if keyword.eq_ignore_ascii_case("DSN") {
                extensions.dsn = true;
            } else if keyword.eq_ignore_ascii_case("SMTPUTF8") {
                extensions.utf8 = true;
            } else if keyword.eq_ignore_ascii_case("SIZE") {
                extensions.size_max = words.next().and_then(|size| size.parse().ok()).unwrap_or(0);
            }
        }
        extensions
    }
}

fn expect(
    phase: Phase,
    reply: Result<Response, lettre::transport::smtp::Error>,
    want: &[u16],
) -> Result<(), Trouble> {
    let reply = reply.map_err(|error| trouble(phase, &error))?;
    let code = u16::from(reply.code());
    if want.contains(&code) {
        return Ok(());
    }
    let text = reply.message().collect::<Vec<_>>().join(" ");
    Err(Trouble::Reply { phase, code, text })
}

fn trouble(phase: Phase, error: &lettre::transport::smtp::Error) -> Trouble {
    let source = std::error::Error::source(error).map(ToString::to_string);
    match error.status() {
        Some(code) => Trouble::Reply {
            phase,
            code: code.into(),
            text: source.unwrap_or_default(),
        },
        None => Trouble::Broken {
            phase,
            detail: source.unwrap_or_else(|| error.to_string()),
        },
    }
}

pub(super) fn broken(phase: Phase, error: &std::io::Error) -> Trouble {
    Trouble::Broken {
        phase,
        detail: error.to_string(),
    }
}

fn silence(phase: Phase, deadline: Duration) -> Trouble {
    Trouble::Broken {
        phase,
        detail: format!("no answer within {} s", deadline.as_secs()),
    }
}

pub(super) fn unfit(detail: &str) -> Trouble {
    Trouble::Unfit {
        detail: detail.to_owned(),
    }
}

fn address(text: &str) -> Result<lettre::Address, Trouble> {
    text.parse().map_err(|_| Trouble::Ours {
        detail: "an address of the envelope cannot be written".to_owned(),
    })
}

fn mail_parameter(keyword: &str, value: &str) -> MailParameter {
    MailParameter::Other {
        keyword: keyword.to_owned(),
        value: Some(value.to_owned()),
    }
}

fn rcpt_parameter(keyword: &str, value: &str) -> RcptParameter {
    RcptParameter::Other {
        keyword: keyword.to_owned(),
        value: Some(value.to_owned()),
    }
}
