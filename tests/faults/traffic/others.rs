//! Every network but texts by HTTP.

use std::net::SocketAddr;

use super::{
    mails::{MAIL, Mails},
    network::{Moods, Network},
    smsc::{SMPP, Smsc},
};

/// Mail, and texts by an SMSC.
pub(crate) struct Others {
    mails: Mails,
    smsc: Smsc,
}

impl Others {
    /// The names of all gateways with them.
    pub(crate) const GATEWAYS: [&str; 3] = ["sms", "mail", "smpp"];
    /// Their domains.
    pub(crate) const DOMAINS: [&str; 2] = [MAIL, SMPP];

    /// They have `moods` in a thousand messages that they do not simply take.
    pub(crate) async fn start(seed: u64, moods: u64) -> Self {
        Self {
            mails: Mails::start(Moods::new(seed ^ 0xa11, moods)).await,
            smsc: Smsc::start(seed ^ 0x0535c, moods).await,
        }
    }

    /// The gateways' part of the configuration.
    pub(crate) fn config(&self, secret: &str) -> String {
        self.mails.config(secret) + &self.smsc.config(secret)
    }

    /// The same for one of several transoms, by where it listens for webhooks.
    pub(crate) fn config_of(&mut self, secret: &str, http: SocketAddr) -> String {
        self.mails.config_of(secret, http) + &self.smsc.config(secret)
    }

    pub(super) fn networks(self) -> [Box<dyn Network>; 2] {
        [Box::new(self.mails), Box::new(self.smsc)]
    }
}
