//! Mail out: the account `gateway/smtp`.

mod compose;
mod connection;
mod forms;
mod outcome;
mod pool;
mod records;
mod starttls;
mod styling;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use rustls::ClientConfig;
use transom_adapter::{
    Account, AccountName, Address, Attempt, Capabilities, CheckReport, Context, ExternalId,
    Failure, FileLimits, Groups, Holder, Outcome, Outgoing, Repeat, Reports, Unproven,
};

pub(crate) use connection::Deadlines;

use crate::{
    config::{SmtpConfig, Writing},
    dkim::Dkim,
    ids::{MESSAGE_ID_KIND, OwnIds},
    net::Security,
};
use connection::{Connection, Transaction};
use outcome::Trouble;
use pool::{CONNECTIONS, Pool};

/// What a mail carries. Most servers take 25 MiB, of which base64 leaves 18; what the next one takes it says by SIZE.
const FILES: FileLimits = FileLimits {
    count_max: 20,
    bytes_max: 18 << 20,
    total_bytes_max: 18 << 20,
    types: &["*/*"],
};

/// How often idle connections are looked after.
const SWEEP: Duration = Duration::from_secs(15);

/// Sends by SMTP through one server, the site's own or a provider's submission service.
#[derive(Debug)]
pub(crate) struct SmtpAccount {
    name: AccountName,
    ids: OwnIds,
    pool: Pool,
    writing: Writing,
    dkim: Option<Dkim>,
    /// The user's own address, as the envelope's sender: a foreign host takes no other. `None`: our bounce addresses.
    sender: Option<String>,
    /// The name server that a check asks; `None`: the system's.
    resolver: Option<SocketAddr>,
}

impl SmtpAccount {
    pub(crate) fn new(
        name: AccountName,
        ids: OwnIds,
        config: SmtpConfig,
        tls: Option<Arc<ClientConfig>>,
        deadlines: Deadlines,
    ) -> Self {
        let pool = Pool::new(config, tls, ids.domain().to_owned(), deadlines);
        Self {
            name,
            ids,
            pool,
            writing: Writing::default(),
            dkim: None,
            sender: None,
            resolver: None,
        }
    }

    /// With this address as the sender of every envelope: bounces are told apart by their Message-ID alone.
    pub(crate) fn sending_as(mut self, address: &Address) -> Self {
        self.sender = Some(address.as_str().to_owned());
        self
    }

    /// Logs in, and out again.
    pub(crate) async fn prove(&self, server: &str) -> Result<(), Unproven> {
        match Connection::open(self.pool.opening()).await {
            Ok(connection) => {
                connection.quit().await;
                Ok(())
            }
            Err(trouble) => Err(trouble.unproven(server)),
        }
    }

    /// Says goodbye on connections that wait for the next mail.
    pub(crate) async fn close(&self) {
        self.pool.close_all().await;
    }

    /// With what the configuration adds to every mail, and the key that signs them.
    pub(crate) fn writing(mut self, writing: Writing, dkim: Option<Dkim>) -> Self {
        (self.writing, self.dkim) = (writing, dkim);
        self
    }

    /// With the name server that a check asks.
    pub(crate) fn asking(mut self, resolver: Option<SocketAddr>) -> Self {
        self.resolver = resolver;
        self
    }

    /// The mail as it goes out.
    fn compose(&self, message: &Outgoing, contents: &[Vec<u8>]) -> Result<Vec<u8>, Trouble> {
        let mail = compose::compose(
            message,
            contents,
            &self.ids,
            (&self.writing, self.sender.as_deref()),
        )
        .map_err(|error| Trouble::unsendable(&error))?;
        let Some(dkim) = &self.dkim else {
            return Ok(mail);
        };
        dkim.sign(&mail, message.created_at)
            .ok_or_else(|| Trouble::Ours {
                detail: "the mail cannot be signed".to_owned(),
            })
    }

    /// The mail as it went out, for its author's own folder.
    pub(crate) async fn copy(&self, message: &Outgoing) -> Option<(String, Vec<u8>)> {
        let files = read_files(message).await.ok()?;
        let mail = self.compose(message, &files).ok()?;
        Some((self.ids.message_id(message.message_key()), mail))
    }

    /// The DNS records that let others believe mails from our domain.
    fn records(&self) -> Vec<String> {
        let domain = self.ids.domain();
        let mut records = vec![
            format!("DNS, who takes mail for it: {domain} MX 10 <your mail server>"),
            format!("DNS, who may send for it: {domain} TXT \"v=spf1 mx -all\""),
            "DNS, the name of the sending address: <its reverse name> PTR <your mail server>"
                .to_owned(),
        ];
        match &self.dkim {
            Some(dkim) => {
                let (name, text) = dkim.record();
                records.push(format!("DNS, the signature: {name} TXT \"{text}\""));
            }
            None => records.push(
                "no DKIM key: your mail server has to sign, or set gateway.NAME.dkim".to_owned(),
            ),
        }
        records.push(format!(
            "DNS, what others do with mail that is neither: _dmarc.{domain} TXT \"v=DMARC1; p=reject; adkim=s; aspf=r\""
        ));
        records
    }

    async fn try_send(&self, message: &Outgoing) -> Result<(), Trouble> {
        let files = read_files(message).await?;
        let mail = self.compose(message, &files)?;
        let transaction = Transaction {
            // Nobody wants to hear of a note that did not arrive. RFC 8098 §3
            from: match (message.mail.displayed.is_some(), &self.sender) {
                (true, _) => String::new(),
                (false, Some(sender)) => sender.clone(),
                (false, None) => self.ids.bounce_address(message.key),
            },
            to: message.to.as_str().to_owned(),
            envelope_id: self.ids.envelope_id(message.key),
            mail,
        };
        // From here on the connection belongs to this future: when it is dropped, so is the connection, whose next reply
        // nobody could place.
        let mut connection = self.pool.take().await?;
        let result = connection.deliver(&transaction).await;
        if connection.is_reusable() {
            self.pool.give_back(connection);
        }
        result
    }
}

#[async_trait]
impl Account for SmtpAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // Receivers know the repeat by its Message-ID; a double is better than a loss. semantics 4
            repeat: Repeat::Once,
            reports: Reports::Failures,
            concurrency: CONNECTIONS,
            send_seconds_max: 900,
            files: Some(FILES),
            holder: Holder::Anyone,
        }
    }

    fn groups(&self) -> Groups {
        let members_max = u8::MAX;
        Groups::Each { members_max }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        match self.try_send(message).await {
            Ok(()) => {
                let id = self.ids.message_id(message.message_key());
                let ids = vec![ExternalId::new(MESSAGE_ID_KIND, id)];
                Outcome::Accepted { ids }
            }
            Err(trouble) => trouble.into_outcome(),
        }
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        loop {
            let next = context.clock.now().after(SWEEP);
            tokio::select! {
                () = context.clock.sleep_until(next) => self.pool.close_idle().await,
                () = context.lifecycle.draining() => break,
            }
        }
        self.pool.close_all().await;
        Ok(())
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let endpoint = self.pool.endpoint();
        let place = format!("{}:{}", endpoint.host, endpoint.port);
        match Connection::open(self.pool.opening()).await {
            Ok(connection) => {
                report.findings.extend(connection.describe(&place));
                if endpoint.security == Security::Opportunistic && !connection.is_encrypted() {
                    let fault = format!("{place} offers no TLS; mail goes there in the clear");
                    report.faults.push(fault);
                }
                connection.quit().await;
            }
            Err(trouble) => report.faults.push(trouble.explain(&place)),
        }
        report.notes.extend(self.records());
        let wanted = records::Wanted {
            domain: self.ids.domain(),
            dkim: self.dkim.as_ref().map(Dkim::record),
            resolver: self.resolver,
        };
        report.notes.extend(records::look(wanted).await);
        if !self.ids.has_postmaster() {
            let domain = self.ids.domain();
            report.notes.push(format!(
                "nobody reads postmaster@{domain} and abuse@{domain}: set gateway.NAME.postmaster to an address of yours"
            ));
        }
        report
    }
}

/// The contents of the files that go with a message, in their order.
async fn read_files(message: &Outgoing) -> Result<Vec<Vec<u8>>, Trouble> {
    let mut contents = Vec::with_capacity(message.files.len());
    for file in &message.files {
        let missing = |detail: String| Trouble::Ours { detail };
        let stored = file.stored.as_ref();
        let stored = stored.ok_or_else(|| missing("a file was not prepared".to_owned()))?;
        let content = tokio::fs::read(&stored.path).await;
        let content =
            content.map_err(|error| missing(format!("a file cannot be read: {error}")))?;
        contents.push(content);
    }
    Ok(contents)
}

impl Trouble {
    /// A mail that cannot be written at all.
    fn unsendable(error: &compose::Unsendable) -> Self {
        Self::Ours {
            detail: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
