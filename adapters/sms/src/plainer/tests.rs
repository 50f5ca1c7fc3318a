use std::sync::Mutex;

use transom_adapter::{
    ExternalId, Holder, Reason, Repeat, Reports, WebReply,
    testkit::{CountingMeter, FixedDirectory, RecordingInbox, context, outgoing},
};

use super::*;
use crate::provider::testing::{Call, FIRST};

/// Answers everything otherwise than the trait does by itself.
struct Particular {
    name: AccountName,
    inherited: Mutex<bool>,
}

#[async_trait]
impl Account for Particular {
    fn name(&self) -> &AccountName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: Repeat::Once,
            reports: Reports::Failures,
            concurrency: 3,
            send_seconds_max: 5,
            files: None,
            holder: Holder::OneReader,
        }
    }

    fn groups(&self) -> Groups {
        Groups::Each { members_max: 7 }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let ids = vec![ExternalId::new("sent", &message.text)];
        Outcome::Accepted { ids }
    }

    async fn reconcile(&self, message: &Outgoing, _attempt: Attempt) -> Option<Outcome> {
        let ids = vec![ExternalId::new("found", &message.text)];
        Some(Outcome::Accepted { ids })
    }

    fn inherit(&self, _sockets: &Sockets) {
        *self.inherited.lock().unwrap() = true;
    }

    async fn mark_read(&self, message_ids: &[String]) -> bool {
        message_ids == ["m-1"]
    }

    async fn bind(&self) -> Result<(), ConfigFault> {
        Err(ConfigFault {
            key: "bind".to_owned(),
            problem: "it is taken".to_owned(),
            remedy: "choose another".to_owned(),
        })
    }

    async fn run(&self, _context: &Context) -> Result<(), Failure> {
        Err(Failure::new(Reason::OurAccount))
    }

    fn webhook(&self, _request: &WebRequest<'_>, _now: UnixMillis) -> Result<Handled, Refused> {
        Ok(Handled {
            events: Vec::new(),
            stored: WebReply::ok(),
            busy: WebReply::busy(),
        })
    }

    async fn fetch(&self, _media: &MediaRef, _bytes_max: u64) -> Result<Fetched, FetchFailure> {
        Err(FetchFailure::Forbidden)
    }

    async fn balance(&self) -> Option<Balance> {
        Some(left())
    }

    async fn check(&self) -> CheckReport {
        CheckReport {
            findings: vec!["it works".to_owned()],
            ..CheckReport::default()
        }
    }
}

fn left() -> Balance {
    Balance {
        amount: 1.5,
        currency: "EUR".to_owned(),
    }
}

#[tokio::test]
async fn all_that_is_asked_of_it_the_account_answers() {
    let inner = Arc::new(Particular {
        name: AccountName::new("sms", "main"),
        inherited: Mutex::new(false),
    });
    let subject = Plainer(Arc::clone(&inner) as Arc<dyn Account>);
    assert_eq!(subject.name(), &inner.name);
    assert_eq!(subject.capabilities(), inner.capabilities());
    assert_eq!(subject.groups(), inner.groups());
    let message = outgoing("+12025550100", "+12025550147", "plain");
    let ids = |kind| Outcome::Accepted {
        ids: vec![ExternalId::new(kind, "plain")],
    };
    assert_eq!(subject.send(&message, FIRST).await, ids("sent"));
    assert_eq!(subject.reconcile(&message, FIRST).await, Some(ids("found")));
    subject.inherit(&Sockets::default());
    assert!(*inner.inherited.lock().unwrap());
    assert!(subject.mark_read(&["m-1".to_owned()]).await);
    assert!(subject.bind().await.is_err());
    let context = context(
        Arc::new(RecordingInbox::default()),
        FixedDirectory::default(),
        Arc::new(CountingMeter::default()),
    );
    assert!(subject.run(&context).await.is_err());
    assert!(Call::post("", "").send(&subject).is_ok());
    let media = MediaRef {
        url: String::new(),
        content_type: None,
    };
    let fetched = subject.fetch(&media, 1).await;
    assert_eq!(fetched, Err(FetchFailure::Forbidden));
    assert_eq!(subject.balance().await, Some(left()));
    assert_eq!(subject.check().await.findings, ["it works"]);
}

/// A method with a default of its own is forgotten without a word from the compiler.
#[test]
fn no_method_of_an_account_is_left_out() {
    let methods = |code: &'static str| {
        let lines = code.lines().map(str::trim_start);
        let names = lines.filter_map(|line| {
            let line = line.strip_prefix("async ").unwrap_or(line);
            line.strip_prefix("fn ")?.split(['(', '<']).next()
        });
        names.collect::<Vec<_>>()
    };
    let of_trait = include_str!("../../../api/src/account.rs")
        .split_once("pub trait Account")
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .map(|(body, _)| methods(body))
        .unwrap();
    let forwarded = methods(include_str!("../plainer.rs"));
    assert!(of_trait.len() > 10, "{of_trait:?}");
    for name in of_trait {
        assert!(forwarded.contains(&name), "{name} is not forwarded");
    }
}
