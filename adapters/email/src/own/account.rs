//! One mailbox of a user's: read by IMAP, written from by SMTP, as one account.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rustls::ClientConfig;
use tokio::time::timeout;
use transom_adapter::{
    Account, AccountName, AccountState, Address, Attempt, Capabilities, Context, Failure, Holder,
    Outcome, Outgoing, Place, Reason, Unproven,
};

use crate::{
    config::{ImapConfig, SmtpConfig, Writing},
    ids::OwnIds,
    imap::{Copied, ImapAccount},
    smtp::{Deadlines, SmtpAccount},
};

/// A copy for the folder of sent mail is not waited for longer: what became of the mail is not told before.
const KEEPING: Duration = Duration::from_secs(20);

/// A user's mailbox.
#[derive(Debug)]
pub(super) struct OwnMailbox {
    imap: ImapAccount,
    smtp: SmtpAccount,
    /// Its servers said no to the login: nothing is tried until its owner enters another.
    refused: AtomicBool,
}

impl OwnMailbox {
    pub(super) fn new(
        (name, address): (&AccountName, &Address),
        (ids, writing): (OwnIds, Writing),
        (imap, smtp): (ImapConfig, SmtpConfig),
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        let deadlines = Deadlines::default();
        let smtp = SmtpAccount::new(name.clone(), ids.clone(), smtp, tls.clone(), deadlines);
        Self {
            imap: ImapAccount::new(name.clone(), ids, imap, tls),
            smtp: smtp.writing(writing, None).sending_as(address),
            refused: AtomicBool::new(false),
        }
    }

    /// Logs in at both servers, and out again.
    pub(super) async fn prove(&self, place: &Place) -> Result<(), Unproven> {
        let (inward, outward) = (place.inward.to_string(), place.outward.to_string());
        self.imap.prove(&inward).await?;
        self.smtp.prove(&outward).await
    }
}

impl OwnMailbox {
    /// A copy for the folder of sent mail. The mail has gone: what goes wrong here is told to nobody but the log.
    async fn keep_sent(&self, message: &Outgoing) {
        let Some((id, mail)) = self.smtp.copy(message).await else {
            return;
        };
        let account = self.imap.name();
        match timeout(KEEPING, self.imap.keep_sent(&id, &mail)).await {
            Ok(Ok(Copied::Yes | Copied::NotNeeded)) => {}
            Ok(Ok(Copied::NoFolder)) => {
                tracing::debug!(%account, "There is no folder for sent mail.");
            }
            Ok(Err(error)) => {
                tracing::warn!(%account, %error, "A sent mail was not put into the folder of sent mail.");
            }
            Err(_) => {
                tracing::warn!(%account, "A sent mail was not put into the folder of sent mail in time.");
            }
        }
    }
}

#[async_trait]
impl Account for OwnMailbox {
    fn name(&self) -> &AccountName {
        self.imap.name()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            concurrency: 1,
            // Read in one process, which its keeper sees to; sent by from any.
            holder: Holder::Anyone,
            ..self.smtp.capabilities()
        }
    }

    async fn send(&self, message: &Outgoing, attempt: Attempt) -> Outcome {
        if self.refused.load(Ordering::Relaxed) {
            let detail = "its owner has to enter the password again";
            return Outcome::Misconfigured(Failure::new(Reason::OurAccount).with_detail(detail));
        }
        let outcome = self.smtp.send(message, attempt).await;
        // A note that a mail was seen is nothing that a person sent.
        if matches!(outcome, Outcome::Accepted { .. }) && message.mail.displayed.is_none() {
            self.keep_sent(message).await;
        }
        // Thousands of these are silent most of the day: none keeps a connection for the next mail.
        self.smtp.close().await;
        outcome
    }

    async fn mark_read(&self, message_ids: &[String]) -> bool {
        if self.refused.load(Ordering::Relaxed) {
            return false;
        }
        let account = self.imap.name();
        match timeout(KEEPING, self.imap.mark_read(message_ids)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%account, %error, "Mails were not marked as read in their mailbox.");
                false
            }
            Err(_) => {
                tracing::warn!(%account, "Mails were not marked as read in their mailbox in time.");
                false
            }
        }
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        if let Some(refused) = self.imap.follow(context).await {
            self.refused.store(true, Ordering::Relaxed);
            let state = AccountState::LoggedOut(refused);
            context.report_state(self.imap.name(), state);
        }
        Ok(())
    }
}
