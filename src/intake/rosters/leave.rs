//! What is done about the roster of somebody who has left: it is tidied where the server lets us (XEP-0356); elsewhere each contact takes
//! its leave, so that none seems to be there.

use std::sync::Arc;

use super::{Leaver, registrar::Registrar};
use crate::{
    gateway::presence,
    intake::people::present,
    xmpp::{
        jid::BareJid,
        stanza::Stanza,
        stream::RequestError,
        xep::{privilege::Privileges, roster::Item},
    },
};

impl Registrar {
    /// The gateway itself has taken its leave when it said so.
    pub(super) async fn leave(&mut self, leaver: Leaver) {
        let Leaver { user, contacts } = leaver;
        let may = |known: Privileges| known.roster.set && known.roster.get;
        let host = user.domain().to_string();
        if self.announced(&host).is_some_and(may) {
            match self.tidy(&user).await {
                Ok(()) => return,
                Err(error) => self.cannot(&host, &error),
            }
        }
        let gateway = Arc::clone(&self.intake.gateway);
        for contact in contacts.iter().filter_map(|key| gateway.jid_of_key(key)) {
            for stanza in presence::farewell(&contact, &user) {
                let Stanza::Presence(presence) = stanza else {
                    continue;
                };
                // Without a link nobody is seen anyway; the answer to the next probe says the rest.
                if !present(&self.intake, presence).await {
                    return;
                }
            }
        }
    }

    /// Takes everything of ours out of a roster.
    async fn tidy(&mut self, user: &BareJid) -> Result<(), RequestError> {
        self.books.forget(user);
        let entries = self.books.entries(&self.intake, user).await?;
        self.books.forget(user);
        for jid in entries {
            let gone = Item {
                subscription: Some("remove".to_owned()),
                ..Item::default()
            };
            self.set(user, gone.set(&jid)).await?;
        }
        Ok(())
    }
}
