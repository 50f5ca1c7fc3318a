//! What the file says, unchecked: the keys as they are written.

use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use transom_adapter::{optional_plain_or_text, plain_or_text};

use super::own::RawOwn;

/// `[gateway.NAME]`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// The domain of the users' mail addresses: `mail.example.org`.
    pub(super) address_domain: String,
    /// The XMPP domain whose users are `name@address_domain`; others are `name=their.domain@address_domain`.
    pub(super) home: Option<String>,
    /// The name under which your own mail server writes Authentication-Results, the first word of that header; or several. Only
    /// their verdicts count; missing: nobody's.
    #[serde(default)]
    pub(super) trusted_authserv_id: OneOrMore,
    /// Who reads mail to postmaster and abuse: the address of one of your users here. Every mail domain has to have somebody.
    pub(super) postmaster: Option<String>,
    /// The name server that `transom check --live` asks for the domain's records: `192.0.2.53`, with a port where it is not 53. Default
    /// the first one that the system uses.
    pub(super) resolver: Option<String>,
    /// Where mail goes out.
    #[schemars(with = "Option<RawSmtp>")]
    pub(super) smtp: Option<Map<String, Value>>,
    /// The catch-all mailbox that mail comes in by.
    #[schemars(with = "Option<RawImap>")]
    pub(super) imap: Option<Map<String, Value>>,
    /// Where the mail server hands mail over, instead of IMAP or beside it.
    #[schemars(with = "Option<RawLmtp>")]
    pub(super) lmtp: Option<Map<String, Value>>,
    /// Where mail servers named one by one hand mail over by SMTP.
    #[schemars(with = "Option<RawSmtpIn>")]
    pub(super) smtp_in: Option<Map<String, Value>>,
    /// The key that signs what goes out; missing: the mail server signs, or nobody does.
    #[schemars(with = "Option<RawDkim>")]
    #[expect(dead_code, reason = "the table is read by itself")]
    pub(super) dkim: Option<Map<String, Value>>,
    /// Mail accounts that users connect themselves.
    #[schemars(with = "Option<RawOwn>")]
    pub(super) own: Option<Map<String, Value>>,
    /// What stands below every mail; default nothing.
    pub(super) signature: Option<String>,
    /// The subject of a thread that has none; default the text's first words.
    pub(super) default_subject: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(all) => all,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Smtp")]
pub(super) struct RawSmtp {
    /// `smtps://host:465`, `smtp://host:587?tls=required` (the default), `tls=opportunistic`, `tls=none`.
    pub(super) url: String,
    /// The login; missing: none is made.
    pub(super) username: Option<String>,
    /// Its password.
    #[schemars(with = "Option<String>")]
    pub(super) password: Option<SecretString>,
    /// A file that holds the password.
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Imap")]
pub(super) struct RawImap {
    /// `imaps://host:993`, `imap://host:143?tls=required` (the default), `tls=none`.
    pub(super) url: String,
    /// The login.
    pub(super) username: String,
    /// Its password.
    #[schemars(with = "Option<String>")]
    pub(super) password: Option<SecretString>,
    /// A file that holds the password.
    pub(super) password_file: Option<PathBuf>,
    /// The mailbox that is watched; default `INBOX`.
    pub(super) mailbox: Option<String>,
    /// The header that shows a mail's envelope recipient; default `Delivered-To`. Its topmost instance counts.
    pub(super) recipient_header: Option<String>,
    /// Whether To and Cc are looked at when that header is missing; default false.
    #[serde(default, deserialize_with = "plain_or_text")]
    pub(super) recipient_fallback: bool,
    /// What the first run begins with: `now` (the default), or the mails of the last days: `7d`.
    pub(super) since: Option<String>,
    /// For how long the server may say nothing before the connection is tried, in seconds; 1 to 1500, default 300. Smaller where a
    /// firewall forgets connections sooner.
    #[serde(default, deserialize_with = "optional_plain_or_text")]
    #[schemars(with = "Option<u32>")]
    pub(super) silence_seconds: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Lmtp")]
pub(super) struct RawLmtp {
    /// `127.0.0.1:2424` or `unix:/run/transom/lmtp.sock`.
    pub(super) listen: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SmtpIn")]
pub(super) struct RawSmtpIn {
    /// `192.0.2.1:25`.
    pub(super) listen: String,
    /// The addresses that may connect: `["192.0.2.7", "2001:db8::/64"]`. Nobody else is heard.
    pub(super) from_hosts: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Dkim")]
pub(super) struct RawDkim {
    /// The name of the key in DNS: `SELECTOR._domainkey.ADDRESS_DOMAIN`.
    pub(super) selector: String,
    /// The private key in PEM form, RSA or Ed25519.
    pub(super) key_file: PathBuf,
}
