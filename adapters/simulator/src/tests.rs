//! The simulator as the gateway, the page and a test see it.

use std::{sync::Arc, time::Duration};

use transom_adapter::{
    Account, AccountName, Address, Attempt, Context, Event, ExternalId, Key, MessageRef, Outcome,
    Outgoing, Progress, Reason, Report, SystemClock,
    testkit::{FIRST, FixedDirectory, RecordingInbox, conformance, context, outgoing},
};

use crate::{AnswerError, Behaviour, Simulator, State, Text, world::PHONES_MAX};

mod files;
mod page;
mod phones;
mod reports;

const LINE: &str = "+12025550100";
const BOB: &str = "+12025550147";
const LONG: Duration = Duration::from_mins(1);

/// A simulator with one account of a gateway that records.
struct Bench {
    simulator: Simulator,
    account: Arc<dyn Account>,
    inbox: Arc<RecordingInbox>,
    context: Context,
}

impl Bench {
    /// The account's `run` has not begun.
    fn at_rest() -> Self {
        let simulator = Simulator::new(Arc::new(SystemClock));
        let account = simulator.account(AccountName::new("sms", "main"));
        let inbox = Arc::new(RecordingInbox::default());
        let context = context(
            Arc::clone(&inbox),
            FixedDirectory::default(),
            Arc::default(),
        );
        Self {
            simulator,
            account,
            inbox,
            context,
        }
    }

    fn running() -> Self {
        let bench = Self::at_rest();
        bench.run();
        bench
    }

    fn run(&self) {
        let (account, context) = (Arc::clone(&self.account), self.context.clone());
        self.context.lifecycle.spawn(
            "account",
            async move { account.run(&context).await.unwrap() },
        );
    }

    /// Running, and known to be: the first text is reported.
    async fn proven() -> Self {
        let bench = Self::running();
        bench.send(999, "+12025550100", "proof").await;
        bench.inbox.wait_for(1).await;
        bench
    }

    async fn send(&self, key: i64, to: &str, text: &str) -> Outcome {
        self.account.send(&text_to(key, to, text), FIRST).await
    }

    fn state(&self, number: &str) -> Option<State> {
        Some(self.simulator.phone(number).messages().last()?.state)
    }
}

fn text_to(key: i64, to: &str, text: &str) -> Outgoing {
    Outgoing {
        key: Key(key),
        ..outgoing(LINE, to, text)
    }
}

fn id(key: i64) -> ExternalId {
    ExternalId::new("sim", format!("sim-{}", Key(key)))
}

fn accepted(key: i64) -> Outcome {
    Outcome::Accepted { ids: vec![id(key)] }
}

/// The key and the progress of a report.
fn told(event: &Event) -> (i64, Progress) {
    match event {
        Event::Report(Report {
            about, progress, ..
        }) => match about.as_slice() {
            [MessageRef::External(_), MessageRef::Key(key, 0)] => (key.0, *progress),
            other => panic!("a report about {other:?}"),
        },
        other => panic!("no report: {other:?}"),
    }
}
