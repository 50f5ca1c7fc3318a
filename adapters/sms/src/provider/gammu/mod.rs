//! gammu-smsd with its files backend: a modem or an old phone on a cable. Facts, set-up and quirks: `docs/gammu.md`.
//!
//! ```text
//! send ─▶ outbox/ ─smsd─▶ sent/  ─▶ transom/awaiting/ ─▶ transom/done/
//!                   └───▶ error/ ─▶ transom/done/            ▲
//!         inbox/ ◀─smsd─ texts and delivery reports ─────────┘
//! ```

mod backup;
mod config;
mod names;
mod spool;
mod watch;

use async_trait::async_trait;
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, ConfigFault, Context, Failure,
    Holder, Outcome, Outgoing, Reason, Repeat, Reports,
};

use self::spool::{Placed, Spool};
pub use self::{
    backup::{Backup, Kind, read as read_backup},
    config::GammuConfig,
    names::OutName,
};
use super::{ProviderEnv, ProviderFactory, TextLimit, received::wire};
use crate::Country;

/// `kind = "gammu"`. smsd cuts off what goes beyond its buffers; far below them modems grow slow.
pub(super) fn kind() -> Box<dyn ProviderFactory> {
    super::Kind::boxed("gammu", config::account, |_| TextLimit::segments(PARTS_MAX))
}

const PARTS_MAX: u16 = 10;

/// One gammu-smsd.
struct GammuAccount {
    name: AccountName,
    spool: Spool,
    /// Our number: the SIM card's.
    number: String,
    reports: bool,
    keep: std::time::Duration,
    home: Country,
}

#[async_trait]
impl Account for GammuAccount {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // The file's name is the message's: what lies there already is not written again.
            repeat: Repeat::Safe,
            reports: if self.reports {
                Reports::Delivery
            } else {
                Reports::None
            },
            concurrency: 4,
            send_seconds_max: 60,
            files: None,
            holder: Holder::One,
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let name = OutName {
            created_at: message.created_at,
            recipient: wire(message.to.as_str(), self.home),
            key: message.key,
            report: self.reports,
        };
        let (name, content) = (name.to_string(), encode(&crate::normalise(&message.text)));
        let placed = self
            .spool
            .with(move |spool| spool.place(&name, &content))
            .await;
        outcome(placed)
    }

    async fn bind(&self) -> Result<(), ConfigFault> {
        self.spool.with(Spool::prepare).await.map_err(|error| ConfigFault {
            key: format!("gateway.{}.provider.{}.spool", self.name.gateway(), self.name.short()),
            problem: format!("cannot be used: {error}"),
            remedy: "name the folder with smsd's inbox, outbox, sent and error, and let transom write there".into(),
        })
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        watch::run(self, context).await;
        Ok(())
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        if let Err(error) = self.spool.with(Spool::prepare).await {
            report
                .faults
                .push(format!("cannot use the folders of gammu-smsd: {error}"));
            return report;
        }
        report
            .findings
            .push("the folders of gammu-smsd are there and can be written".to_owned());
        let waiting = self.spool.with(|spool| Spool::list(&spool.outbox)).await;
        let count = waiting.map_or(0, |names| names.len());
        if count > 0 {
            report.findings.push(format!(
                "{count} texts wait in the outbox; if that stays so, gammu-smsd does not run or has no network"
            ));
        }
        report
    }
}

fn outcome(placed: std::io::Result<Placed>) -> Outcome {
    let failure = |error| {
        Failure::new(Reason::NetworkDown)
            .with_detail(format!("cannot write into the outbox: {error}"))
    };
    match placed {
        // Reports carry our key, which is in the file's name.
        Ok(Placed::Surely) => Outcome::Accepted { ids: Vec::new() },
        Ok(Placed::Perhaps(error)) => Outcome::Unknown(failure(error)),
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                Outcome::Misconfigured(failure(error))
            }
            _ => Outcome::Transient(failure(error)),
        },
    }
}

/// What smsd reads whatever its locale is: UTF-16 with a byte order mark.
fn encode(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

/// The inverse of [`encode`].
fn decode(content: &[u8]) -> String {
    let units = content.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0xfffd,
    });
    let text = char::decode_utf16(units.skip_while(|unit| *unit == 0xfeff));
    text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests;
