//! Texts that came while nobody answered: asked for at the start and every ten minutes, where the provider keeps a list. What came
//! by webhook as well has the same id, and is a repeat.

use std::time::Duration;

use async_trait::async_trait;
use transom_adapter::{AccountName, Context, Cursor, Event, Failure, UnixMillis};

/// How often.
const INTERVAL: Duration = Duration::from_mins(10);
/// So far before the newest text known: lists and clocks lag.
const OVERLAP: Duration = Duration::from_mins(5);
/// The name of the position.
const CURSOR: &str = "inbound";

/// Pages that are read at once; what is older is left out.
pub(crate) const PAGES_MAX: usize = 100;
/// Texts that are stored at once.
const A_COMMIT: usize = 500;

/// A provider's list of the texts that came in.
#[async_trait]
pub(crate) trait InboundList: Sync {
    /// What came in since then.
    ///
    /// # Errors
    ///
    /// Why it cannot be read now, for the log.
    async fn inbound_since(&self, since: UnixMillis) -> Result<Listed, String>;
}

/// What a provider has in its list.
pub(crate) struct Listed {
    /// Oldest first, each with its time at the provider.
    pub(crate) texts: Vec<(UnixMillis, Event)>,
    /// There are older ones than those of [`PAGES_MAX`] pages.
    pub(crate) is_cut_short: bool,
}

/// Asks until the lifecycle drains. The first time ever it only notes what time it is: what is older is not ours to bring.
///
/// # Errors
///
/// None: what cannot be asked now is asked again. The type is that of [`Account::run`](transom_adapter::Account::run).
pub(crate) async fn run(
    list: &dyn InboundList,
    account: &AccountName,
    context: &Context,
) -> Result<(), Failure> {
    loop {
        if let Err(problem) = look(list, account, context).await {
            tracing::warn!(%account, problem, "Cannot ask which texts came in; trying again in ten minutes.");
            context.meter.count(account, "catch_up_failed");
        }
        let next = context.clock.now().after(INTERVAL);
        tokio::select! {
            () = context.lifecycle.draining() => return Ok(()),
            () = context.clock.sleep_until(next) => {}
        }
    }
}

async fn look(
    list: &dyn InboundList,
    account: &AccountName,
    context: &Context,
) -> Result<(), String> {
    let known = context.inbox.cursor(account, CURSOR).await;
    let known = known.map_err(|busy| busy.to_string())?;
    let Some(known) = known.and_then(|text| text.parse().ok()) else {
        return commit(account, context, Vec::new(), context.clock.now()).await;
    };
    let since = UnixMillis(known - i64::try_from(OVERLAP.as_millis()).unwrap_or_default());
    let found = list.inbound_since(since).await?;
    if found.is_cut_short {
        tracing::error!(%account, "More texts came in during a downtime than can be asked for; the oldest are missing.");
        context.meter.count(account, "catch_up_cut_short");
    }
    let (known, now) = (UnixMillis(known), context.clock.now());
    let mut texts = found.texts.into_iter().peekable();
    let mut newest = known;
    while texts.peek().is_some() {
        let mut events = Vec::new();
        for (at, event) in texts.by_ref().take(A_COMMIT) {
            // Nothing that a provider says moves the position beyond now.
            newest = newest.max(at.clamp(known, now.max(known)));
            events.push(event);
        }
        commit(account, context, events, newest).await?;
    }
    Ok(())
}

async fn commit(
    account: &AccountName,
    context: &Context,
    events: Vec<Event>,
    at: UnixMillis,
) -> Result<(), String> {
    let cursor = Cursor {
        name: CURSOR.to_owned(),
        value: at.0.to_string(),
    };
    let done = context.inbox.commit(account, events, Some(cursor)).await;
    done.map(drop).map_err(|busy| busy.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use transom_adapter::{
        ExternalId, Inbox as _,
        testkit::{CountingMeter, FixedDirectory, ManualClock, RecordingInbox, context},
    };

    use super::*;
    use crate::provider::{received::Received, testing::NOW};

    type Answer = Result<Listed, String>;

    #[derive(Default)]
    struct Script {
        asked: Mutex<Vec<UnixMillis>>,
        answers: Mutex<Vec<Answer>>,
    }

    #[async_trait]
    impl InboundList for Script {
        async fn inbound_since(&self, since: UnixMillis) -> Answer {
            self.asked.lock().unwrap().push(since);
            self.answers.lock().unwrap().remove(0)
        }
    }

    fn text(id: &str) -> Event {
        let id = ExternalId::new("sid", id);
        Received::new(id, "+12025550147", "+12025550100", "hello".into())
            .event("US".parse().unwrap())
    }

    fn all(texts: Vec<(UnixMillis, Event)>) -> Listed {
        Listed {
            texts,
            is_cut_short: false,
        }
    }

    #[tokio::test]
    async fn what_came_during_a_downtime_is_brought_once() {
        let inbox = Arc::new(RecordingInbox::default());
        let meter = Arc::new(CountingMeter::default());
        let mut context = context(
            Arc::clone(&inbox),
            FixedDirectory::default(),
            Arc::clone(&meter),
        );
        let clock = Arc::new(ManualClock::at(NOW));
        context.clock = clock.clone();
        let account = AccountName::new("sms", "main");
        let at = |minutes| NOW.after(Duration::from_mins(minutes));
        let script = Script::default();
        *script.answers.lock().unwrap() = vec![
            Ok(all(vec![(at(3), text("1")), (at(4), text("2"))])),
            Err("HTTP 503".into()),
            Ok(all(vec![(at(4), text("2")), (at(900), text("3"))])),
            Ok(all(vec![])),
        ];
        // The first time ever it asks nothing.
        look(&script, &account, &context).await.unwrap();
        assert_eq!(script.asked.lock().unwrap().len(), 0);
        clock.advance(Duration::from_mins(10));
        look(&script, &account, &context).await.unwrap();
        look(&script, &account, &context).await.unwrap_err();
        look(&script, &account, &context).await.unwrap();
        look(&script, &account, &context).await.unwrap();
        assert_eq!(inbox.events(), [text("1"), text("2"), text("3")]);
        let back = |minutes: i64| UnixMillis(NOW.0 + (minutes - 5) * 60_000);
        assert_eq!(
            *script.asked.lock().unwrap(),
            [back(0), back(4), back(4), back(10)]
        );
        let cursor = inbox.cursor(&account, CURSOR).await.unwrap();
        assert_eq!(cursor, Some(at(10).0.to_string()), "never beyond now");
        inbox.set_busy(true);
        script
            .answers
            .lock()
            .unwrap()
            .push(Ok(all(vec![(at(11), text("4"))])));
        look(&script, &account, &context).await.unwrap_err();
        assert_eq!(inbox.events().len(), 3, "asked for again the next time");
        inbox.set_busy(false);
        assert_eq!(meter.of("catch_up_cut_short"), 0);
        let many = (0..1_100).map(|number| (at(20), text(&format!("many{number}"))));
        let cut = Listed {
            texts: many.collect(),
            is_cut_short: true,
        };
        script.answers.lock().unwrap().push(Ok(cut));
        look(&script, &account, &context).await.unwrap();
        assert_eq!(inbox.events().len(), 3 + 1_100);
        assert_eq!(meter.of("catch_up_cut_short"), 1);
    }

    #[tokio::test]
    async fn it_stops_when_all_stops() {
        let inbox = Arc::new(RecordingInbox::default());
        let context = context(inbox, FixedDirectory::default(), Arc::default());
        context.lifecycle.drain();
        run(
            &Script::default(),
            &AccountName::new("sms", "main"),
            &context,
        )
        .await
        .unwrap();
    }
}
