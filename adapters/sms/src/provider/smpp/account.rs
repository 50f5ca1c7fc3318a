//! One login at an SMSC.

use std::{
    num::NonZeroU16,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::watch, time::timeout};
use transom_adapter::{
    Account, AccountName, Attempt, Capabilities, CheckReport, Clock, Context, ExternalId, Failure,
    Holder, Outcome, Outgoing, Reason, Repeat, Reports, UnixMillis,
};
use transom_smpp::{
    Bind, Client, Endpoint, Login, Mark, OpenError, Outcome as Answer, Session, Submit, channel,
    command, message_id, status,
};

use super::{
    address::Kinds,
    config::BindKind,
    ids::{Ids, KIND},
    late::LateIds,
    link, outcome, text,
    text::{Alphabet, Long},
};
use crate::Country;

/// What the configuration says.
pub(super) struct Settled {
    pub(super) name: AccountName,
    pub(super) endpoint: Endpoint,
    pub(super) login: Login,
    pub(super) bind: BindKind,
    pub(super) alphabet: Alphabet,
    pub(super) long: Long,
    pub(super) window: u16,
    pub(super) per_second: Option<NonZeroU16>,
    pub(super) service_type: String,
    pub(super) validity: Option<Duration>,
    pub(super) response: Duration,
    pub(super) enquire: Duration,
    pub(super) source: Kinds,
    pub(super) destination: Kinds,
    pub(super) home: Country,
    pub(super) clock: Arc<dyn Clock>,
}

/// One login at an SMSC.
pub(super) struct SmppAccount {
    pub(super) settled: Settled,
    pub(super) ids: Ids,
    pub(super) late: LateIds,
    /// What `run` serves. There is none when it does not run: the process has no gateway yet, or lost it; it may get it back.
    client: watch::Sender<Option<Client>>,
    /// When the next message may go, at so many a second.
    next: Mutex<UnixMillis>,
}

/// A process that has just got its gateway runs the account within this time.
const RUNNING: Duration = Duration::from_secs(2);
/// Connecting, TLS and binding together.
pub(super) const OPEN: Duration = Duration::from_secs(15);

/// For as long as `run` serves the account. Dropped with it, and with the requests: those that were not written were not sent.
struct Serving<'a>(&'a watch::Sender<Option<Client>>);

impl<'a> Serving<'a> {
    /// `None`: somebody does already.
    fn begin(place: &'a watch::Sender<Option<Client>>, client: Client) -> Option<Self> {
        let begun = place.send_if_modified(|now| {
            let is_free = now.is_none();
            now.get_or_insert(client);
            is_free
        });
        begun.then_some(Self(place))
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

impl SmppAccount {
    pub(super) fn new(settled: Settled) -> Self {
        Self {
            settled,
            ids: Ids::default(),
            late: LateIds::default(),
            client: watch::Sender::new(None),
            next: Mutex::new(UnixMillis(0)),
        }
    }

    pub(super) fn login(&self, bind: Bind) -> Login {
        Login {
            bind,
            ..self.settled.login.clone()
        }
    }

    fn submit(&self, message: &Outgoing, unit: u16) -> Option<Submit> {
        let settled = &self.settled;
        // The key's low bits count up: parts of two texts that are sent at the same time differ.
        let [.., high, low] = message.key.0.to_be_bytes();
        let reference = u16::from_be_bytes([high, low]);
        let how = (settled.alphabet, settled.long);
        let piece = text::piece(&message.text, unit, reference, how)?;
        Some(Submit {
            service_type: settled.service_type.clone(),
            source: settled.source.party(message.from.as_str(), settled.home),
            destination: settled.destination.party(message.to.as_str(), settled.home),
            esm_class: piece.esm_class,
            validity: settled.validity.map(relative).unwrap_or_default(),
            // 3.4 §5.2.17: the final receipt, of success and of failure.
            registered_delivery: u8::from(settled.bind != BindKind::Transmitter),
            data_coding: piece.data_coding,
            text: piece.text.into(),
            tlvs: piece.tlvs,
        })
    }

    /// Waits for this message's turn: as many a second as the SMSC wants.
    async fn pace(&self) {
        let Some(per_second) = self.settled.per_second else {
            return;
        };
        let gap = Duration::from_secs(1) / u32::from(per_second.get());
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = self.settled.clock.now().max(*next);
            *next = turn.after(gap);
            turn
        };
        self.settled.clock.sleep_until(turn).await;
    }

    /// Asks the SMSC; whoever runs the account may be about to begin, or have ended.
    async fn request(&self, submit: Submit, mark: Mark) -> Answer {
        let mut place = self.client.subscribe();
        timeout(RUNNING, place.wait_for(Option::is_some)).await.ok();
        let client = place.borrow().clone();
        match client {
            Some(client) => {
                let body = submit.body();
                client.request_marked(command::SUBMIT_SM, body, mark).await
            }
            None => Answer::NotSent,
        }
    }

    /// The longest that a message waits for its turn: those before it are as many as may be under way.
    fn pace_max(&self) -> Duration {
        let per_second = self.settled.per_second.map_or(u16::MAX, NonZeroU16::get);
        Duration::from_secs(u64::from(self.settled.window.div_ceil(per_second)))
    }
}

#[async_trait]
impl Account for SmppAccount {
    fn name(&self) -> &AccountName {
        &self.settled.name
    }

    fn capabilities(&self) -> Capabilities {
        let longest =
            RUNNING + OPEN + self.settled.response + self.pace_max() + Duration::from_secs(10);
        Capabilities {
            repeat: Repeat::Unsafe,
            reports: if self.settled.bind == BindKind::Transmitter {
                Reports::None
            } else {
                Reports::Delivery
            },
            concurrency: self.settled.window,
            send_seconds_max: u16::try_from(longest.as_secs())
                .unwrap_or(u16::MAX)
                .min(900),
            files: None,
            holder: Holder::One,
        }
    }

    async fn send(&self, message: &Outgoing, attempt: Attempt) -> Outcome {
        let Some(submit) = self.submit(message, attempt.unit) else {
            let detail = "the text has no such part";
            return Outcome::Rejected(Failure::new(Reason::Unsupported).with_detail(detail));
        };
        self.pace().await;
        let network_down = |detail: &str| Failure::new(Reason::NetworkDown).with_detail(detail);
        let mark = Mark(message.key.0, attempt.unit);
        match self.request(submit, mark).await {
            Answer::NotSent => Outcome::Transient(network_down("not bound to the SMSC")),
            Answer::Unknown => Outcome::Unknown(network_down("the SMSC did not answer")),
            Answer::Answered(status::OK, body) => {
                let id = self.ids.answered(&message_id(&body));
                self.late.forget(&id);
                let id = ExternalId::new(KIND, id).for_part(attempt.unit);
                let ids = if id.value.is_empty() {
                    Vec::new()
                } else {
                    vec![id]
                };
                Outcome::Accepted { ids }
            }
            Answer::Answered(refused, _) => outcome::refused(refused),
        }
    }

    async fn run(&self, context: &Context) -> Result<(), Failure> {
        let (client, requests) = channel();
        // Run twice at once, there would be two binds.
        if let Some(_serving) = Serving::begin(&self.client, client) {
            link::run(self, context, requests).await;
        }
        Ok(())
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        for bind in self.settled.bind.binds() {
            let opened = Session::open(&self.settled.endpoint, &self.login(*bind), OPEN).await;
            match opened {
                Ok(session) => {
                    session.close(Duration::from_secs(2)).await;
                    report.findings.push(format!(
                        "the SMSC accepts {:?} of {:?}",
                        bind, self.settled.login.system_id
                    ));
                }
                Err(error) => report.faults.push(fault(&error)),
            }
        }
        report
    }
}

/// What is wrong, and what to do about it.
pub(super) fn fault(error: &OpenError) -> String {
    let remedy = match error {
        OpenError::Connect(_) | OpenError::Late(_) => {
            "check the host and the port of url, and that the SMSC lets this address in"
        }
        OpenError::Name => "write a host name in url that the SMSC's certificate can hold",
        OpenError::Tls(_) => {
            "check whether the SMSC speaks TLS on this port (smpps://), and its certificate"
        }
        OpenError::NotSmpp | OpenError::Lost(_) => {
            "check the port, and whether it wants TLS (smpps://) or not (smpp://)"
        }
        OpenError::Refused(
            status::INVALID_PASSWORD | status::INVALID_SYSTEM_ID | status::BIND_FAILED,
        ) => "compare system_id and password with what the SMSC's operator gave you",
        OpenError::Refused(status::ALREADY_BOUND) => {
            "another process is bound with this system_id: end it, or ask for more binds"
        }
        OpenError::Refused(_) => {
            "ask the SMSC's operator; system_type, address_range, version and bind are what logins differ in"
        }
    };
    format!("{error}: {remedy}")
}

/// The relative form, to the second. 3.4 §7.1.1.2
fn relative(validity: Duration) -> String {
    let seconds = validity.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    // Months of thirty days: the field for days ends at 99, and SMSCs differ on what is beyond 30.
    let (months, days) = (days / 30, days % 30);
    format!("00{months:02}{days:02}{hours:02}{minutes:02}{rest:02}000R")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validity_is_relative() {
        assert_eq!(relative(Duration::from_hours(4)), "000000040000000R");
        assert_eq!(relative(Duration::from_secs(93_784)), "000001020304000R");
        assert_eq!(relative(Duration::from_hours(63 * 24)), "000203000000000R");
    }
}
