//! Opening a connection: greeting, encryption, login.

use std::sync::Arc;

use async_imap::{
    Authenticator, Client,
    error::Error,
    imap_proto::{Response, Status},
};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::{io::AsyncReadExt, time::timeout};

use super::{
    Pace, login,
    trouble::{Trouble, late},
};
use crate::{
    config::{ImapConfig, Login},
    net::{Endpoint, Security, Stream},
    oauth::NoToken,
    status::for_log,
};

/// Whether a server answers there, with a good certificate, and begins as the protocol wants.
pub(crate) async fn greets(
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
    greeting: &str,
) -> bool {
    let Ok(mut stream) = endpoint.connect(tls).await else {
        return false;
    };
    let mut first = vec![0; greeting.len()];
    let read = stream.read_exact(&mut first).await;
    read.is_ok() && first == greeting.as_bytes()
}

/// A connection behind its greeting, encrypted as the configuration asks.
async fn greeted(
    config: &ImapConfig,
    tls: Option<&Arc<ClientConfig>>,
    pace: Pace,
) -> Result<Client<Stream>, Trouble> {
    let broken = |error: std::io::Error| Trouble::Broken(for_log(&error.to_string()));
    let stream = config.endpoint.connect(tls).await;
    let stream = stream.map_err(|error| Trouble::opening(&error))?;
    let mut client = Client::new(stream.with_answers());
    let greeting = timeout(pace.command, client.read_response()).await;
    let greeting = greeting.map_err(|_| late(pace.command))?.map_err(broken)?;
    let greeting =
        greeting.ok_or_else(|| Trouble::Broken("closed without a greeting".to_owned()))?;
    // RFC 3501 §7.1: OK, PREAUTH or BYE.
    let welcome = matches!(
        greeting.parsed(),
        Response::Data {
            status: Status::Ok,
            ..
        }
    );
    if !welcome {
        return Err(Trouble::Broken(
            "the server does not want us now".to_owned(),
        ));
    }
    if config.endpoint.security != Security::Required {
        return Ok(client);
    }
    let started = client.run_command_and_check_ok("STARTTLS", None);
    match timeout(pace.command, started).await {
        Ok(Ok(())) => {}
        Ok(Err(Error::No(_) | Error::Bad(_))) => {
            let problem = "the server offers no STARTTLS; set tls=none if this is what you want";
            return Err(Trouble::Unfit(problem));
        }
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => return Err(late(pace.command)),
    }
    // What was read ahead of the handshake is thrown away with the client. RFC 3501 §6.2.1
    let tcp = client.into_inner().into_tcp();
    let tcp = tcp.ok_or(Trouble::Unfit("the connection is encrypted already"))?;
    let encrypted = config.endpoint.encrypt(tcp, tls).await.map_err(broken)?;
    Ok(Client::new(encrypted.with_answers()))
}

/// A connection that is logged in. Where the token of an earlier login is refused, another connection tries a new one.
pub(super) async fn logged_in(
    config: &ImapConfig,
    tls: Option<&Arc<ClientConfig>>,
    pace: Pace,
) -> Result<async_imap::Session<Stream>, Trouble> {
    let client = greeted(config, tls, pace).await?;
    match log_in(client, &config.login, pace).await {
        Err(Trouble::Stale) => {
            let client = greeted(config, tls, pace).await?;
            log_in(client, &config.login, pace).await
        }
        other => other,
    }
}

async fn log_in(
    client: Client<Stream>,
    login: &Login,
    pace: Pace,
) -> Result<async_imap::Session<Stream>, Trouble> {
    let opened = match &login.tokens {
        None => {
            let password = login.password.expose_secret();
            timeout(pace.command, client.login(&login.username, password)).await
        }
        Some(tokens) => {
            let token = tokens.access().await.map_err(|error| match error {
                NoToken::Refused(_) => Trouble::Provider(error.to_string()),
                NoToken::Away(_) => Trouble::Broken(error.to_string()),
            })?;
            let bearer = Bearer::new(&login.username, &token.token);
            let opened = timeout(pace.command, client.authenticate("XOAUTH2", bearer)).await;
            if matches!(&opened, Ok(Err((Error::No(_), _)))) {
                tokens.forget(&token).await;
                if token.was_kept {
                    return Err(Trouble::Stale);
                }
            }
            opened
        }
    };
    match opened {
        Ok(Ok(session)) => Ok(session),
        Ok(Err((Error::No(text), _))) => Err(Trouble::Login(for_log(login::said(&text)))),
        Ok(Err((Error::Validate(_), _))) => Err(Trouble::Unfit(
            "username or password holds a line end or a null",
        )),
        Ok(Err((error, _))) => Err(error.into()),
        Err(_) => Err(late(pace.command)),
    }
}

/// The answers of SASL XOAUTH2: the token, and nothing to the words with which it is refused.
struct Bearer(Option<String>);

impl Bearer {
    fn new(username: &str, token: &SecretString) -> Self {
        let token = token.expose_secret();
        Self(Some(format!(
            "user={username}\x01auth=Bearer {token}\x01\x01"
        )))
    }
}

impl Authenticator for Bearer {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}
