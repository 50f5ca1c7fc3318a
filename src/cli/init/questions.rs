//! The questions. An option answers its question; without a terminal the defaults answer the rest.

use std::io::{BufRead, Write};

use jid::BareJid;

use super::{InitError, MailPlan, Plan, SmsPlan, new_secret};
use crate::cli::{InitArguments, ProviderKind, XmppServer};

/// What stands for "none" in an answer.
const NONE: &str = "-";

impl Plan {
    pub(super) fn make(
        arguments: &InitArguments,
        input: &mut impl BufRead,
        output: &mut impl Write,
    ) -> Result<Self, InitError> {
        let mut dialog = Dialog {
            input,
            output,
            silent: arguments.non_interactive,
        };
        let domain = dialog.domain(arguments)?;
        let server = match arguments.server {
            Some(server) => server,
            None => dialog.choose(
                "Your XMPP server: prosody or ejabberd",
                &[
                    ("prosody", XmppServer::Prosody),
                    ("ejabberd", XmppServer::Ejabberd),
                ],
            )?,
        };
        let admin = match &arguments.admin {
            Some(admin) => admin.clone(),
            None => dialog.admin(&domain)?,
        };
        let sms = dialog.sms(arguments, &domain)?;
        let mail = dialog.mail(arguments, &domain)?;
        if sms.is_none() && mail.is_none() {
            return Err(InitError::NoGateway);
        }
        let public_url = match &arguments.public_url {
            Some(url) => url.clone(),
            None => dialog.ask(
                "The URL of the HTTP listener as seen from outside, or - for none",
                NONE,
            )?,
        };
        Ok(Self {
            server,
            domain,
            admin,
            public_url: there(public_url),
            sms,
            mail,
        })
    }
}

/// One question, one line of an answer.
struct Dialog<'a, R, W> {
    input: &'a mut R,
    output: &'a mut W,
    /// Nothing is asked; the defaults are the answers.
    silent: bool,
}

impl<R: BufRead, W: Write> Dialog<'_, R, W> {
    fn domain(&mut self, arguments: &InitArguments) -> Result<String, InitError> {
        let domain = match &arguments.domain {
            Some(domain) => domain.clone(),
            None if self.silent => return Err(InitError::Missing("domain")),
            None => self.ask("Your XMPP domain", "example.org")?,
        };
        match BareJid::new(&domain) {
            Ok(jid) if jid.node().is_none() => Ok(jid.as_str().to_owned()),
            _ => Err(InitError::NotADomain(domain)),
        }
    }

    fn admin(&mut self, domain: &str) -> Result<BareJid, InitError> {
        loop {
            let text = self.ask(
                "Who is told when something is wrong",
                &format!("admin@{domain}"),
            )?;
            match BareJid::new(&text) {
                Ok(admin) if admin.node().is_some() => return Ok(admin),
                _ if self.silent => return Err(InitError::Missing("admin")),
                _ => self.say("Write a JID, as admin@example.org.")?,
            }
        }
    }

    fn sms(
        &mut self,
        arguments: &InitArguments,
        domain: &str,
    ) -> Result<Option<SmsPlan>, InitError> {
        let gateway = match &arguments.sms {
            Some(gateway) => gateway.clone(),
            // Options that ask for mail alone mean mail alone.
            None if self.silent && arguments.mail.is_some() => NONE.to_owned(),
            None => self.ask(
                "The domain for text messages, or - for none",
                &format!("sms.{domain}"),
            )?,
        };
        let Some(gateway) = there(gateway) else {
            return Ok(None);
        };
        let provider = match arguments.provider {
            Some(provider) => provider,
            None => self.choose(
                "Who carries them: simulator (phones in the browser), kannel or twilio",
                &[
                    ("simulator", ProviderKind::Simulator),
                    ("kannel", ProviderKind::Kannel),
                    ("twilio", ProviderKind::Twilio),
                ],
            )?,
        };
        let region = match &arguments.region {
            Some(region) => region.clone(),
            None => self.ask("The country of numbers typed without a country code", "US")?,
        };
        let lines = if arguments.lines.is_empty() {
            let numbers = self.ask("Your own numbers, with blanks between them", "+12025550100")?;
            numbers.split_whitespace().map(str::to_owned).collect()
        } else {
            arguments.lines.clone()
        };
        Ok(Some(SmsPlan {
            domain: gateway,
            secret: new_secret(),
            provider,
            region,
            lines,
            webhook_token: new_secret(),
        }))
    }

    fn mail(
        &mut self,
        arguments: &InitArguments,
        domain: &str,
    ) -> Result<Option<MailPlan>, InitError> {
        let gateway = match &arguments.mail {
            Some(gateway) => gateway.clone(),
            None if self.silent => NONE.to_owned(),
            None => self.ask(
                "The domain for mail, or - for none",
                &format!("mail.{domain}"),
            )?,
        };
        Ok(there(gateway).map(|domain| MailPlan {
            domain,
            secret: new_secret(),
        }))
    }

    /// The answer with one of these names; the first is the default.
    fn choose<T: Copy>(&mut self, question: &str, choices: &[(&str, T)]) -> Result<T, InitError> {
        let default = choices.first().map_or("", |(name, _)| name);
        loop {
            let answer = self.ask(question, default)?;
            let chosen = choices
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(&answer));
            match chosen {
                Some((_, choice)) => return Ok(*choice),
                None => self.say("Write one of the words in the question.")?,
            }
        }
    }

    /// The answer, or the default for an empty line.
    fn ask(&mut self, question: &str, default: &str) -> Result<String, InitError> {
        if self.silent {
            return Ok(default.to_owned());
        }
        let asked =
            write!(self.output, "{question} [{default}]: ").and_then(|()| self.output.flush());
        asked.map_err(terminal)?;
        let mut line = String::new();
        if self.input.read_line(&mut line).map_err(terminal)? == 0 {
            return Err(InitError::EndOfInput);
        }
        Ok(match line.trim() {
            "" => default.to_owned(),
            answer => answer.to_owned(),
        })
    }

    fn say(&mut self, sentence: &str) -> Result<(), InitError> {
        writeln!(self.output, "{sentence}").map_err(terminal)
    }
}

fn there(answer: String) -> Option<String> {
    (answer != NONE).then_some(answer)
}

fn terminal(error: std::io::Error) -> InitError {
    InitError::Io("the terminal".into(), error)
}
