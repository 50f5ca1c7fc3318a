//! What is counted, and how it is read at `/metrics`: everything is named `transom_…`, in `OpenMetrics` text.
//!
//! No label ever holds what came from outside: gateways and accounts are those of the configuration, all else is a fixed word.
//! There is no global: whoever counts is given a [`Metrics`], or the [`GatewayMetrics`] of the one gateway it works for.
//!
//! Length: one place that names every metric.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry},
};
use transom_adapter::{AccountName, Meter};

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a simulator's millisecond to a mail that waited for a day.
const DELIVERY_BUCKETS: [f64; 15] = [
    0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0, 3600.0, 21600.0,
    86400.0,
];
/// From a fast disk's sync to a database that is out of breath.
const COMMIT_BUCKETS: [f64; 10] = [
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0,
];

/// Which way a message goes, seen from the user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From an outside network to a user.
    In,
    /// From a user to an outside network.
    Out,
}

impl Direction {
    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

impl EncodeLabelValue for Direction {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}

/// Every counter of the process. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    families: Families,
    gateways: RwLock<HashMap<Arc<str>, GatewayMetrics>>,
    events: Family<EventLabels, Counter>,
    account_up: Family<AccountLabels, Gauge>,
    http_requests: Family<HttpLabels, Counter>,
    lanes: Gauge,
    own_accounts: Family<OwnLabels, Gauge>,
    store_commits: Counter,
    store_commit_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("transom");
        let r = &mut registry;
        let families = Families::register(r);
        let events = add(
            r,
            "events",
            "What accounts counted, webhooks refused among them",
        );
        let account_up = add(
            r,
            "account_up",
            "Whether an account works, for those that say so",
        );
        let http_requests = add(
            r,
            "http_requests",
            "Requests to our HTTP server, by route and status",
        );
        let lanes = add(
            r,
            "queue_lanes",
            "Chats with something waiting, as the scheduler knows them",
        );
        let own_accounts = add(
            r,
            "own_accounts",
            "Accounts that users brought and that run, by whether they work",
        );
        let store_commits = add(r, "store_commits", "Transactions that were committed");
        let store_commit_seconds = Histogram::new(COMMIT_BUCKETS);
        r.register(
            "store_commit_seconds",
            "How long a transaction took, its commit included",
            store_commit_seconds.clone(),
        );
        Self(Arc::new(Inner {
            registry,
            families,
            gateways: RwLock::default(),
            events,
            account_up,
            http_requests,
            lanes,
            own_accounts,
            store_commits,
            store_commit_seconds,
        }))
    }

    /// The counters of one gateway of the configuration. Whoever counts often keeps it.
    pub fn gateway(&self, name: &str) -> GatewayMetrics {
        let known = self.0.gateways.read();
        if let Some(known) = known.unwrap_or_else(PoisonError::into_inner).get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        let fresh = GatewayMetrics::new(Arc::clone(&name), &self.0.families);
        let mut gateways = self
            .0
            .gateways
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        gateways.entry(name).or_insert(fresh).clone()
    }

    /// Counts what became of a message.
    pub fn message(&self, gateway: &str, direction: Direction, outcome: &'static str) {
        self.gateway(gateway).message(direction, outcome);
    }

    /// A message was handed to the user's server this long after it was accepted.
    pub fn delivered_in(&self, gateway: &str, waited: Duration) {
        self.gateway(gateway)
            .observe_delivery(Direction::In, waited);
    }

    /// A sender was told what became of a message this long after it was accepted.
    pub fn told(&self, gateway: &str, waited: Duration) {
        self.gateway(gateway)
            .observe_delivery(Direction::Out, waited);
    }

    /// Says how many of the accounts that users brought work, and how many do not.
    pub fn own_accounts(&self, up: u64, down: u64) {
        for (state, count) in [("up", up), ("down", down)] {
            let gauge = self.0.own_accounts.get_or_create(&OwnLabels { state });
            gauge.set(count.try_into().unwrap_or(i64::MAX));
        }
    }

    /// Says whether an account works, as it says itself or as attempts show.
    pub fn account_up(&self, account: &AccountName, up: bool) {
        let account = AccountLabel(account.clone());
        let labels = AccountLabels { account };
        self.0.account_up.get_or_create(&labels).set(up.into());
    }

    /// Says whether a gateway's link to its server is up.
    pub fn link(&self, gateway: &str, up: bool) {
        self.gateway(gateway).link(up);
    }

    /// Says how many messages of a gateway wait.
    pub fn queue_depth(&self, gateway: &str, direction: Direction, depth: u64) {
        self.gateway(gateway).queue_depth(direction, depth);
    }

    /// Says in how many chats something waits.
    pub fn lanes(&self, lanes: usize) {
        self.0.lanes.set(i64::try_from(lanes).unwrap_or(i64::MAX));
    }

    /// Counts a transaction that took this long.
    pub fn store_commit(&self, took: Duration) {
        self.0.store_commits.inc();
        self.0.store_commit_seconds.observe(took.as_secs_f64());
    }

    /// Counts a request to our HTTP server; `route` is the route's fixed word, never its path.
    pub fn http_request(&self, route: &'static str, status: u16) {
        let labels = HttpLabels { route, status };
        self.0.http_requests.get_or_create(&labels).inc();
    }

    /// Everything as `OpenMetrics` text, of the type [`CONTENT_TYPE`].
    pub fn render(&self) -> String {
        let mut rendered = String::new();
        // Writing to a String cannot fail, and none of our metrics is of a kind that text has no form for.
        if let Err(error) = text::encode(&mut rendered, &self.0.registry) {
            tracing::error!(%error, "The metrics cannot be written.");
        }
        rendered
    }
}

impl Meter for Metrics {
    fn count(&self, account: &AccountName, what: &'static str) {
        let account = AccountLabel(account.clone());
        let labels = EventLabels { account, what };
        self.0.events.get_or_create(&labels).inc();
    }
}

/// The counters of one gateway. Cheap to clone and to count with: nothing is allocated, and only
/// [`message`](Self::message) looks anything up.
#[derive(Clone, Debug)]
pub struct GatewayMetrics(Arc<GatewayInner>);

#[derive(Debug)]
struct GatewayInner {
    gateway: Arc<str>,
    messages: Family<MessageLabels, Counter>,
    inward: Way,
    outward: Way,
    link_up: Gauge,
    uncommitted: Gauge,
}

/// What is counted apart for each direction.
#[derive(Debug)]
struct Way {
    depth: Gauge,
    delivery: Histogram,
    stanzas: Counter,
}

impl GatewayMetrics {
    fn new(gateway: Arc<str>, families: &Families) -> Self {
        let way = |direction| {
            let labels = WayLabels {
                gateway: Arc::clone(&gateway),
                direction,
            };
            Way {
                depth: families.queue_depth.get_or_create_owned(&labels),
                delivery: families.delivery_seconds.get_or_create_owned(&labels),
                stanzas: families.stanzas.get_or_create_owned(&labels),
            }
        };
        let labels = GatewayLabels {
            gateway: Arc::clone(&gateway),
        };
        Self(Arc::new(GatewayInner {
            messages: families.messages.clone(),
            inward: way(Direction::In),
            outward: way(Direction::Out),
            link_up: families.link_up.get_or_create_owned(&labels),
            uncommitted: families.stanzas_uncommitted.get_or_create_owned(&labels),
            gateway,
        }))
    }

    /// Counts what became of a message: `accepted`, `refused`, `delivered`, `failed`, …
    pub fn message(&self, direction: Direction, outcome: &'static str) {
        let labels = MessageLabels {
            gateway: Arc::clone(&self.0.gateway),
            direction,
            outcome,
        };
        self.0.messages.get_or_create(&labels).inc();
    }

    /// A message came to its end this long after it was accepted.
    pub fn observe_delivery(&self, direction: Direction, waited: Duration) {
        self.way(direction).delivery.observe(waited.as_secs_f64());
    }

    /// Says how many messages wait.
    pub fn queue_depth(&self, direction: Direction, depth: u64) {
        let depth = i64::try_from(depth).unwrap_or(i64::MAX);
        self.way(direction).depth.set(depth);
    }

    /// Says whether the link to the server is up.
    pub fn link(&self, up: bool) {
        self.0.link_up.set(i64::from(up));
    }

    /// Says how many stanzas the link has read from the server ([`Direction::Out`]) or written to it ([`Direction::In`]) so far.
    pub fn stanzas(&self, direction: Direction, so_far: u64) {
        let counter = &self.way(direction).stanzas;
        counter.inc_by(so_far.saturating_sub(counter.get()));
    }

    /// Says how many stanzas were read and not committed yet (semantics 1).
    pub fn stanzas_uncommitted(&self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.0.uncommitted.set(count);
    }

    fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::In => &self.0.inward,
            Direction::Out => &self.0.outward,
        }
    }
}

/// What is counted for each gateway.
#[derive(Debug)]
struct Families {
    messages: Family<MessageLabels, Counter>,
    queue_depth: Family<WayLabels, Gauge>,
    delivery_seconds: Family<WayLabels, Histogram, fn() -> Histogram>,
    stanzas: Family<WayLabels, Counter>,
    stanzas_uncommitted: Family<GatewayLabels, Gauge>,
    link_up: Family<GatewayLabels, Gauge>,
}

impl Families {
    fn register(r: &mut Registry) -> Self {
        let delivery_seconds: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(DELIVERY_BUCKETS));
        r.register(
            "delivery_seconds",
            "From accepting a message until its end is known and told",
            delivery_seconds.clone(),
        );
        Self {
            messages: add(r, "messages", "Messages by what became of them"),
            queue_depth: add(r, "queue_depth", "Messages that wait"),
            delivery_seconds,
            stanzas: add(
                r,
                "stanzas",
                "Stanzas read from the server (out) and written to it (in)",
            ),
            stanzas_uncommitted: add(
                r,
                "stanzas_uncommitted",
                "Stanzas that were read and are not stored yet: what a kill would lose",
            ),
            link_up: add(r, "link_up", "Whether the link to the server is up"),
        }
    }
}

/// A metric at zero, registered under this name.
fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct GatewayLabels {
    gateway: Arc<str>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct WayLabels {
    gateway: Arc<str>,
    direction: Direction,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct MessageLabels {
    gateway: Arc<str>,
    direction: Direction,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct EventLabels {
    account: AccountLabel,
    what: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OwnLabels {
    state: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct AccountLabels {
    account: AccountLabel,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct HttpLabels {
    route: &'static str,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct AccountLabel(AccountName);

impl EncodeLabelValue for AccountLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.0.as_str().encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered_under_its_name() {
        let metrics = Metrics::new();
        let sms = metrics.gateway("sms");
        sms.message(Direction::Out, "accepted");
        metrics.message("sms", Direction::Out, "accepted");
        sms.observe_delivery(Direction::In, Duration::from_millis(20));
        metrics.told("sms", Duration::from_secs(3));
        sms.queue_depth(Direction::In, 7);
        metrics.link("sms", true);
        metrics.account_up(&AccountName::new("sms", "main"), false);
        sms.stanzas(Direction::Out, 60);
        sms.stanzas(Direction::Out, 64);
        sms.stanzas_uncommitted(3);
        metrics.lanes(2);
        metrics.store_commit(Duration::from_millis(1));
        metrics.http_request("webhook", 403);
        metrics.count(&AccountName::new("sms", "main"), "webhook_forged");
        let text = metrics.render();
        for line in [
            r#"transom_messages_total{gateway="sms",direction="out",outcome="accepted"} 2"#,
            r#"transom_delivery_seconds_bucket{le="0.025",gateway="sms",direction="in"} 1"#,
            r#"transom_delivery_seconds_count{gateway="sms",direction="out"} 1"#,
            r#"transom_queue_depth{gateway="sms",direction="in"} 7"#,
            r#"transom_link_up{gateway="sms"} 1"#,
            r#"transom_account_up{account="sms/main"} 0"#,
            r#"transom_stanzas_total{gateway="sms",direction="out"} 64"#,
            r#"transom_stanzas_uncommitted{gateway="sms"} 3"#,
            "transom_queue_lanes 2",
            "transom_store_commits_total 1",
            "transom_store_commit_seconds_count 1",
            r#"transom_http_requests_total{route="webhook",status="403"} 1"#,
            r#"transom_events_total{account="sms/main",what="webhook_forged"} 1"#,
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_gateway_that_was_asked_for_twice_is_counted_once() {
        let metrics = Metrics::new();
        metrics.gateway("mail").link(true);
        metrics.clone().gateway("mail").link(false);
        let text = metrics.render();
        assert!(text.contains("transom_link_up{gateway=\"mail\"} 0"));
        assert_eq!(text.matches("transom_link_up{").count(), 1);
    }

    #[test]
    fn a_name_with_quotes_stays_one_label() {
        let metrics = Metrics::new();
        metrics.link("a\"b\\c\nd", true);
        let text = metrics.render();
        assert!(
            text.contains(r#"transom_link_up{gateway="a\"b\\c\nd"} 1"#),
            "{text}"
        );
    }
}
