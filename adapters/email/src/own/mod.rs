//! Mailboxes that users bring: found from the address, proven, watched and sent by as one account each.
//!
//! - [`find`]: the servers of an address, from what its domain, Thunderbird's directory and DNS say, else by guessing with proof.
//! - [`autoconfig`]: the document that most of them answer with; what DNS says is asked by `dns.rs`.
//! - [`account`]: one mailbox, IMAP in and SMTP out under its own address.
//!
//! A user says where we connect to. So every connection goes past the guard against private addresses, and without TLS to hosts alone
//! that the admin excepts from it.

mod account;
mod autoconfig;
mod find;

use std::sync::Arc;

use async_trait::async_trait;
use rustls::ClientConfig;
use secrecy::SecretString;
use tokio::sync::{OnceCell, Semaphore};
use transom_adapter::{
    Account, Address, AllowedHosts, Grant, HttpClient, HttpLimits, Login, NotOwn, OwnAccount,
    OwnAccounts, Place, Server, SignIn, Tls, Unproven,
};

use crate::{
    address,
    config::{ImapConfig, Login as Credentials, OwnConfig, SILENCE, SmtpConfig, Whose, Writing},
    ids::OwnIds,
    net::{Endpoint, Reach, Security},
    oauth::{Provider, Tokens},
};
use account::OwnMailbox;

/// Logins that are proven at once, in the whole process: nobody guesses passwords through us quickly.
const PROVING: usize = 4;

/// What the mailboxes of a gateway's users share.
pub(crate) struct OwnMailboxes {
    gateway: String,
    ids: OwnIds,
    config: OwnConfig,
    writing: Writing,
    tls: OnceCell<Arc<ClientConfig>>,
    http: OnceCell<HttpClient>,
    token_client: OnceCell<HttpClient>,
    proving: Semaphore,
}

impl std::fmt::Debug for OwnMailboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnMailboxes").finish_non_exhaustive()
    }
}

impl OwnMailboxes {
    pub(crate) fn new(gateway: &str, ids: OwnIds, config: OwnConfig, writing: Writing) -> Self {
        Self {
            gateway: gateway.to_owned(),
            // Whoever runs a user's mailbox is not our own mail server: nobody's verdicts count.
            ids: ids.trusting(Vec::new()),
            config,
            writing,
            tls: OnceCell::new(),
            http: OnceCell::new(),
            token_client: OnceCell::new(),
            proving: Semaphore::new(PROVING),
        }
    }

    fn allowed(&self) -> &AllowedHosts {
        &self.config.allow_hosts
    }

    /// The trust store, read when the first user needs it.
    fn tls(&self) -> Option<Arc<ClientConfig>> {
        if let Some(known) = self.tls.get() {
            return Some(Arc::clone(known));
        }
        match transom_adapter::client_config() {
            Ok(config) => {
                self.tls.set(Arc::clone(&config)).ok();
                Some(config)
            }
            Err(error) => {
                tracing::error!(gateway = self.gateway, error = %error, "The system's certificates cannot be read; install ca-certificates.");
                None
            }
        }
    }

    async fn http(&self) -> Option<&HttpClient> {
        let limits = HttpLimits {
            connect: find::ASK,
            total: find::ASK,
            body_bytes_max: autoconfig::BYTES_MAX,
        };
        let made = self.http.get_or_try_init(async || {
            HttpClient::new(limits).map(|http| http.except(self.allowed().clone()))
        });
        made.await.ok()
    }

    fn endpoint(&self, server: &Server) -> Endpoint {
        Endpoint {
            host: server.host.clone(),
            port: server.port,
            security: match server.tls {
                Tls::Implicit => Security::Implicit,
                Tls::Starttls => Security::Required,
                Tls::None => Security::None,
            },
            reach: Reach::Public(self.allowed().clone()),
        }
    }

    /// The provider that a place's users sign in at. Both servers have to be its own: who says where mail goes out may be somebody else,
    /// and would be shown the token.
    fn provider(&self, place: &Place) -> Option<&Arc<Provider>> {
        let mut providers = self.config.providers.iter();
        providers.find(|provider| {
            let is_its_own = |server: &Server| provider.hosts.contains(&server.host);
            is_its_own(&place.inward) && is_its_own(&place.outward)
        })
    }

    /// The client for token endpoints: an admin names those, so they are past the guard.
    fn token_client(&self) -> Option<HttpClient> {
        if let Some(known) = self.token_client.get() {
            return Some(known.clone());
        }
        let made = HttpClient::new(HttpLimits::default()).ok()?;
        self.token_client.set(made.clone()).ok();
        Some(made)
    }

    fn credentials(&self, account: &OwnAccount) -> Credentials {
        let username = account.place.username.clone();
        let (password, tokens) = match &account.login {
            Login::Password(password) => (password.clone(), None),
            Login::Refresh(token) => {
                let provider = self.provider(&account.place).zip(self.token_client());
                let tokens = provider.map(|(provider, http)| {
                    let (provider, kept) = (Arc::clone(provider), account.kept.clone());
                    Arc::new(Tokens::new(provider, http, token.clone(), kept))
                });
                (SecretString::from(String::new()), tokens)
            }
        };
        Credentials {
            username,
            password,
            tokens,
        }
    }

    fn parts(&self, account: &OwnAccount, login: Credentials) -> (ImapConfig, SmtpConfig) {
        let imap = ImapConfig {
            endpoint: self.endpoint(&account.place.inward),
            login: login.clone(),
            mailbox: "INBOX".to_owned(),
            whose: Whose::Owner(account.address.clone()),
            since_days: 0,
            sent_every: self.config.sent_every,
            silence: SILENCE,
        };
        let smtp = SmtpConfig {
            endpoint: self.endpoint(&account.place.outward),
            login: Some(login),
        };
        (imap, smtp)
    }

    fn mailbox(&self, account: &OwnAccount, login: Credentials) -> OwnMailbox {
        let (imap, smtp) = self.parts(account, login);
        let tls = self.tls();
        OwnMailbox::new(
            (&account.name, &account.address),
            (self.ids.clone(), self.writing.clone()),
            (imap, smtp),
            tls,
        )
    }

    /// Whether this server may be named at all: without TLS only one that the admin excepts.
    fn check(&self, server: &Server) -> Result<(), Unproven> {
        let excepted = self.allowed().contain_host(&server.host, server.port);
        if server.tls == Tls::None && !excepted {
            return Err(Unproven::Forbidden {
                server: server.to_string(),
            });
        }
        Ok(())
    }
}

/// Reads a document as [`find`] does, for whoever fuzzes it.
pub(crate) fn read_document(document: &[u8]) {
    autoconfig::read(document, &Address::new("alice@example.com"));
}

#[async_trait]
impl OwnAccounts for OwnMailboxes {
    fn per_user_max(&self) -> u32 {
        self.config.per_user
    }

    fn address(&self, typed: &str) -> Result<Address, NotOwn> {
        let address = address::read_typed(typed).ok_or(NotOwn::NoAddress)?;
        // A login of other characters is none that servers agree on.
        if !address.as_str().is_ascii() {
            return Err(NotOwn::NoAddress);
        }
        if self.ids.is_ours(&address) {
            return Err(NotOwn::OfGateway);
        }
        Ok(address)
    }

    async fn find(&self, address: &Address) -> Option<Place> {
        find::find(self, address).await
    }

    fn place(&self, username: &str, inward: &str, outward: &str) -> Result<Place, Unproven> {
        let username = username.trim();
        let plain = !username.is_empty() && username.len() <= 320;
        if !plain || username.chars().any(char::is_control) {
            return Err(Unproven::BadServer);
        }
        Ok(Place {
            username: username.to_owned(),
            inward: find::typed_server(inward, 993, self.allowed())?,
            outward: find::typed_server(outward, 465, self.allowed())?,
        })
    }

    async fn prove(
        &self,
        address: &Address,
        place: &Place,
        login: Login,
    ) -> Result<Login, Unproven> {
        self.check(&place.inward)?;
        self.check(&place.outward)?;
        let _turn = self.proving.acquire().await;
        let account = OwnAccount {
            name: transom_adapter::AccountName::own(&self.gateway, 0),
            address: address.clone(),
            place: place.clone(),
            login,
            kept: None,
        };
        let credentials = self.credentials(&account);
        let tokens = credentials.tokens.clone();
        self.mailbox(&account, credentials).prove(place).await?;
        Ok(match tokens {
            // The one that the user brought may have ended with its first use.
            Some(tokens) => Login::Refresh(tokens.refresh().await),
            None => account.login,
        })
    }

    fn sign_in(&self, place: &Place, grant: &Grant<'_>) -> Option<SignIn> {
        let provider = self.provider(place)?;
        Some(SignIn {
            provider: provider.name.clone(),
            url: provider.sign_in(&place.username, grant),
        })
    }

    async fn exchange(
        &self,
        place: &Place,
        code: &str,
        grant: &Grant<'_>,
    ) -> Result<Login, Unproven> {
        let away = || Unproven::Provider {
            problem: "it is not set up here any more".to_owned(),
        };
        let provider = self.provider(place).ok_or_else(away)?;
        let http = self.token_client().ok_or_else(away)?;
        let token = provider.exchange(&http, code, grant).await;
        let token = token.map_err(|error| Unproven::Provider {
            problem: error.to_string(),
        })?;
        Ok(Login::Refresh(token))
    }

    fn open(&self, account: OwnAccount) -> Arc<dyn Account> {
        let login = self.credentials(&account);
        Arc::new(self.mailbox(&account, login))
    }
}
