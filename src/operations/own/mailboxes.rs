//! The mail accounts that a user brought.

use transom_adapter::{AccountState, NotOwn, OwnAccounts};

use super::{Me, said_text};
use crate::{
    operations::{Mailbox, Refusal, Reply, mailboxes::Ticket, once::Purpose, time},
    store::{
        Write,
        read::OwnAccountRow,
        write::{Done, Operation, OwnAccount},
    },
    texts::Own,
};

/// Characters of what was typed that are said again.
const SHOWN: usize = 100;

impl Me<'_> {
    pub(super) async fn mailboxes(&self) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self.on.store.own_accounts_of(user_id).await?;
        let shown = rows.iter().map(|row| self.on.mailbox(row));
        Ok(Reply::Mailboxes(shown.collect()))
    }

    pub(super) async fn mailbox_add(&self, typed: &str) -> Result<Reply, Refusal> {
        let adapter = self.own_accounts()?;
        if self.on.keys.is_none() {
            return Err(said_text(Own::NoKeys));
        }
        let user_id = self.mine().await?.user_id;
        let typed: String = typed.trim().chars().take(SHOWN).collect();
        let address = adapter.address(&typed).map_err(|why| match why {
            NotOwn::NoAddress => said_text(Own::BadAddress {
                typed: typed.clone(),
            }),
            NotOwn::OfGateway => said_text(Own::GatewaysOwn {
                address: typed.clone(),
            }),
        })?;
        let rows = self.on.store.own_accounts_of(user_id).await?;
        let is_new = rows.iter().all(|row| row.address != address.as_str());
        let most = adapter.per_user_max();
        if is_new && rows.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(said_text(Own::TooMany { most }));
        }
        let now = self.on.clock.now();
        if !self.on.asked.may(&self.jid, now) {
            return Err(said_text(Own::TooOften));
        }
        let ticket = Ticket::new(
            &self.gateway.config.name,
            self.asker.jid.clone(),
            address.clone(),
        );
        let link = self.on.once.link(Purpose::Mailbox(ticket), now)?;
        let address = address.as_str().to_owned();
        Ok(Reply::MailboxLink { address, link })
    }

    pub(super) async fn mailbox_remove(&self, typed: &str) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let rows = self.on.store.own_accounts_of(user_id).await?;
        let typed = typed.trim().to_lowercase();
        let Some(row) = rows.into_iter().find(|row| row.address == typed) else {
            let address = typed.chars().take(SHOWN).collect();
            return Err(said_text(Own::NotYours { address }));
        };
        let drop = OwnAccount::Drop {
            account_id: row.account_id,
            user_id,
            at_ms: self.on.now_ms(),
        };
        let done = self
            .on
            .commit(vec![Write::Operation(Operation::Own(drop))])
            .await?;
        for done in &done {
            if let (Done::Tells(tells), Some(running)) = (done, &self.on.running) {
                running.tell(tells.iter().map(|tell| tell.delivery_id).collect());
            }
        }
        tracing::info!(
            gateway = self.gateway.config.name,
            account_id = row.account_id,
            "A user took a mail account away."
        );
        self.on.look_again().await;
        Ok(Reply::MailboxRemoved {
            address: row.address,
        })
    }

    fn own_accounts(&self) -> Result<&dyn OwnAccounts, Refusal> {
        let adapter = self.gateway.adapter.own_accounts();
        adapter
            .filter(|adapter| adapter.per_user_max() > 0)
            .ok_or_else(|| said_text(Own::NotHere))
    }
}

impl crate::operations::Operations {
    /// An account as it is shown: what is stored of it, and what it says itself.
    pub(in crate::operations) fn mailbox(&self, row: &OwnAccountRow) -> Mailbox {
        let running = self.running.as_ref();
        let state = running.and_then(|running| running.own_account(row.account_id));
        let (state, problem) = match state {
            _ if row.refused => ("refused", row.problem.clone()),
            Some(AccountState::Up) => ("up", None),
            Some(AccountState::Down(failure) | AccountState::LoggedOut(failure)) => {
                ("down", failure.detail)
            }
            None => ("connecting", None),
        };
        Mailbox {
            address: row.address.clone(),
            state: state.to_owned(),
            problem,
            since: time(row.since_ms),
        }
    }
}
