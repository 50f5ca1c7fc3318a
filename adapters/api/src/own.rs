//! Accounts that users bring: found from an address alone, proven, opened; they come and go while the process runs.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Account, AccountName, Address, Lifecycle};

/// What an adapter has whose users may bring accounts of their own.
///
/// The core keeps what it is given: the [`Place`] as it is, the [`Login`] sealed. It opens an account, runs it, and drops it
/// when its owner takes it away; [`Account::run`] returns by itself when the login is refused, after it has reported that.
#[async_trait]
pub trait OwnAccounts: Send + Sync {
    /// How many a user may have.
    fn per_user_max(&self) -> u32;

    /// Reads what a person typed as the address of an account. Pure.
    ///
    /// # Errors
    ///
    /// [`NotOwn`] for what can be none.
    fn address(&self, typed: &str) -> Result<Address, NotOwn>;

    /// Finds the servers of an address, with nothing but the address; `None` when nobody names them.
    async fn find(&self, address: &Address) -> Option<Place>;

    /// Reads servers as a person wrote them, `host` or `host:port`. Pure.
    ///
    /// # Errors
    ///
    /// [`Unproven::BadServer`].
    fn place(&self, username: &str, inward: &str, outward: &str) -> Result<Place, Unproven>;

    /// Logs in everywhere, and out again. What it gives back is to be kept: the same login, or the one that took its place by its use.
    ///
    /// # Errors
    ///
    /// [`Unproven`], in the words of whoever refused.
    async fn prove(
        &self,
        address: &Address,
        place: &Place,
        login: Login,
    ) -> Result<Login, Unproven>;

    /// Where the user signs in instead of entering a password; `None`: by password. Pure.
    fn sign_in(&self, _place: &Place, _grant: &Grant<'_>) -> Option<SignIn> {
        None
    }

    /// Makes a login of what the provider gave the user's browser.
    ///
    /// # Errors
    ///
    /// [`Unproven::Provider`].
    async fn exchange(
        &self,
        _place: &Place,
        _code: &str,
        _grant: &Grant<'_>,
    ) -> Result<Login, Unproven> {
        Err(Unproven::Provider {
            problem: "no provider is set up".to_owned(),
        })
    }

    /// Opens an account; connects nowhere.
    fn open(&self, account: OwnAccount) -> Arc<dyn Account>;
}

/// One try to sign in at a provider. RFC 6749 §4.1
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Where the provider sends the user's browser back to.
    pub redirect: &'a str,
    /// What it brings back unchanged.
    pub state: &'a str,
    /// What nobody else knows. RFC 7636
    pub verifier: &'a str,
}

/// Where a user signs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// The provider's name.
    pub provider: String,
    /// Its page.
    pub url: String,
}

/// An account that a user brought, with its login.
#[derive(Clone)]
pub struct OwnAccount {
    /// Its name: [`AccountName::own`].
    pub name: AccountName,
    /// Its address: what comes in by it is to this one, what goes out by it is from this one.
    pub address: Address,
    /// Where it is.
    pub place: Place,
    /// Its login, as it was kept when the account was opened.
    pub login: Login,
    /// Where that is kept; `None` for an account that is only proven.
    pub kept: Option<Arc<dyn KeptLogin>>,
}

/// Where the login of an account is kept, for providers that give the next one when one is used. RFC 6749 §6
///
/// Several processes may use an account at once, each with its own copy of the login: [`latest`](Self::latest) is asked before each use that may
/// end it, and what came of that is handed to [`renew`](Self::renew) at once. A login that its owner entered meanwhile is another matter: the
/// account is opened anew with that, and nothing that is handed in here takes its place.
#[async_trait]
pub trait KeptLogin: Send + Sync {
    /// What a use runs on, by [`Lifecycle::detached`]: where its caller is dropped half-way, the next login would be lost.
    fn lifecycle(&self) -> &Lifecycle;

    /// The login that is to be used now; `None` where nobody can say, and for an account that has been opened anew or was taken away.
    /// Ends within seconds.
    async fn latest(&self) -> Option<Login>;

    /// Keeps the login that took the place of the latest. When it returns that is stored; where the store is out of order it is kept in memory, is
    /// the latest from now on, and is stored as soon as that works. Ends within seconds.
    async fn renew(&self, login: Login);
}

/// Where an account is: data, kept as JSON, without secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The name that is logged in with.
    pub username: String,
    /// Where messages are read.
    pub inward: Server,
    /// Where they are sent.
    pub outward: Server,
}

/// A server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How a connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte. RFC 8314
    Implicit,
    /// After a command.
    Starttls,
    /// Not at all: for hosts that the admin excepts from the guard.
    None,
}

/// What an account is logged in to with.
#[derive(Clone, Debug)]
pub enum Login {
    /// A password.
    Password(SecretString),
    /// What a provider gives access tokens for. RFC 6749 §1.5
    Refresh(SecretString),
}

/// A login as it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

impl Login {
    /// As it is sealed.
    pub fn to_secret(&self) -> SecretSlice<u8> {
        let written = match self {
            Self::Password(password) => Written {
                password: Some(password.expose_secret().to_owned()),
                refresh: None,
            },
            Self::Refresh(token) => Written {
                password: None,
                refresh: Some(token.expose_secret().to_owned()),
            },
        };
        serde_json::to_vec(&written).unwrap_or_default().into()
    }

    /// What was sealed; `None` when it is nothing that this version knows.
    pub fn from_secret(secret: &SecretSlice<u8>) -> Option<Self> {
        let written: Written = serde_json::from_slice(secret.expose_secret()).ok()?;
        let password = written.password.map(|text| Self::Password(text.into()));
        password.or_else(|| Some(Self::Refresh(written.refresh?.into())))
    }
}

/// What can be no account of a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotOwn {
    /// It is no address.
    NoAddress,
    /// It is an address that the gateway itself gives out.
    OfGateway,
}

/// Why a login was not kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unproven {
    /// The name or the password is wrong, as the server says.
    Login {
        /// Its words.
        problem: String,
    },
    /// A server cannot be reached.
    Unreachable {
        /// Which.
        server: String,
        /// Why.
        problem: String,
    },
    /// A server may not be connected to: it is not public.
    Forbidden {
        /// Which.
        server: String,
    },
    /// The provider did not agree, or does not answer.
    Provider {
        /// Its words.
        problem: String,
    },
    /// What was written is no server.
    BadServer,
    /// The server lacks what is needed.
    Unfit {
        /// Which.
        server: String,
        /// What it lacks.
        problem: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_comes_back_and_is_not_in_logs() {
        let login = Login::Password("hunter\"2".into());
        let Some(Login::Password(back)) = Login::from_secret(&login.to_secret()) else {
            panic!("no login");
        };
        assert_eq!(back.expose_secret(), "hunter\"2");
        let token = Login::Refresh("for good".into());
        let Some(Login::Refresh(back)) = Login::from_secret(&token.to_secret()) else {
            panic!("no login");
        };
        assert_eq!(back.expose_secret(), "for good");
        assert!(!format!("{login:?}").contains("hunter"));
        for other in ["", "{}", "[]", "{\"token\": \"x\"}"] {
            assert!(Login::from_secret(&other.as_bytes().to_vec().into()).is_none());
        }
    }

    #[test]
    fn a_place_reads_back() {
        let server = |port, tls| Server {
            host: "mail.example.com".to_owned(),
            port,
            tls,
        };
        let place = Place {
            username: "alice".to_owned(),
            inward: server(993, Tls::Implicit),
            outward: server(587, Tls::Starttls),
        };
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), place);
    }
}
