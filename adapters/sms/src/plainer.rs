//! An account whose texts are sent with plainer characters, as they were planned.

use std::sync::Arc;

use async_trait::async_trait;
use transom_adapter::{
    Account, AccountName, Attempt, Balance, Capabilities, CheckReport, ConfigFault, Context,
    Failure, FetchFailure, Fetched, Groups, Handled, MediaRef, Outcome, Outgoing, Refused, Sockets,
    UnixMillis, WebRequest,
};

use crate::typography::simplify;

/// Any account, behind [`simplify`]: the one place where `smart_encoding` touches what is sent.
pub(crate) struct Plainer(pub(crate) Arc<dyn Account>);

#[async_trait]
impl Account for Plainer {
    fn name(&self) -> &AccountName {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn groups(&self) -> Groups {
        self.0.groups()
    }

    async fn send(&self, message: &Outgoing, attempt: Attempt) -> Outcome {
        self.0.send(&plainer(message), attempt).await
    }

    async fn reconcile(&self, message: &Outgoing, attempt: Attempt) -> Option<Outcome> {
        self.0.reconcile(&plainer(message), attempt).await
    }

    fn inherit(&self, sockets: &Sockets) {
        self.0.inherit(sockets);
    }

    async fn mark_read(&self, message_ids: &[String]) -> bool {
        self.0.mark_read(message_ids).await
    }

    async fn bind(&self) -> Result<(), ConfigFault> {
        self.0.bind().await
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        self.0.run(context).await
    }

    fn webhook(&self, request: &WebRequest<'_>, now: UnixMillis) -> Result<Handled, Refused> {
        self.0.webhook(request, now)
    }

    async fn fetch(&self, media: &MediaRef, bytes_max: u64) -> Result<Fetched, FetchFailure> {
        self.0.fetch(media, bytes_max).await
    }

    async fn balance(&self) -> Option<Balance> {
        self.0.balance().await
    }

    async fn check(&self) -> CheckReport {
        self.0.check().await
    }
}

fn plainer(message: &Outgoing) -> Outgoing {
    Outgoing {
        text: simplify(&message.text).into_owned(),
        ..message.clone()
    }
}

#[cfg(test)]
mod tests;
