//! Several processes of one gateway on one PostgreSQL and one XMPP server.

use std::{net::SocketAddr, time::Duration};

use tokio::time::Instant;
use transom_test_servers::{
    Component, Ejabberd, Feature, PATIENCE, Postgres, Prosody, Signal, Transom, XmppClient,
    free_port, until,
};

use crate::{
    time::Time,
    traffic::Others,
    world::{LINE, SMS, Seat, Twilio, config, link_up},
};

/// Of every component.
pub(crate) const SECRET: &str = "component-secret";
/// The user of a house.
const ALICE: &str = "alice";
/// More than a test writes.
const CAPS: &str = "[gateway.sms.limits]\nmessages_per_day = 1000000\nsegments_per_day = 1000000\ngateway_per_day = 1000000\n";

/// Everything but the network, which belongs to the traffic.
pub(crate) struct House {
    pub(crate) transoms: Vec<Member>,
    server: Xmpp,
    database: String,
}

/// An XMPP server with a place for a component and with a user, who may be away for a while.
pub(crate) enum Xmpp {
    /// Throws out the old connection of a component when a new one comes.
    Prosody(Box<Prosody>),
    /// Lets both stand, and gives stanzas to either.
    Ejabberd(Component),
}

impl Xmpp {
    pub(crate) async fn prosody() -> Self {
        Self::Prosody(Box::new(prosody(&[ALICE]).await))
    }

    pub(crate) async fn ejabberd() -> Self {
        let server = Ejabberd::shared().await;
        server.add_user(ALICE).await;
        Self::Ejabberd(server.component())
    }

    pub(crate) async fn client(&self) -> XmppClient {
        match self {
            Self::Prosody(server) => server.client(ALICE, "phone").await,
            Self::Ejabberd(_) => Ejabberd::shared().await.client(ALICE, "phone").await,
        }
    }

    fn seat(&self) -> Seat<'_> {
        match self {
            Self::Prosody(server) => Seat {
                server: server.component_addr(),
                domain: SMS,
                secret: SECRET,
            },
            Self::Ejabberd(component) => Seat {
                server: component.addr,
                domain: &component.domain,
                secret: &component.secret,
            },
        }
    }
}

/// One process.
pub(crate) struct Member {
    pub(crate) transom: Transom,
    /// Since when, and until when it is frozen.
    pub(crate) frozen_until: Option<Instant>,
}

impl Member {
    fn webhook(&self) -> SocketAddr {
        self.transom.http()
    }

    /// Freezes it for so long.
    pub(crate) fn freeze(&mut self, time: Duration) {
        self.transom.signal(Signal::STOP);
        self.frozen_until = Some(Instant::now() + time);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&mut self) {
        if self.frozen_until.take().is_some() {
            self.transom.signal(Signal::CONT);
        }
    }

    /// Whether its link stands.
    async fn has_link(&self) -> bool {
        if self.frozen_until.is_some() {
            return false;
        }
        let page = self.transom.metrics_if_any().await.unwrap_or_default();
        page.contains("transom_link_up{gateway=\"sms\"} 1\n")
    }
}

impl House {
    /// So many processes, started one after the other.
    pub(crate) async fn start(count: usize, server: Xmpp) -> (Self, Twilio) {
        Self::with(count, server, None, |_| String::new()).await
    }

    /// With more gateways, by where a process listens for webhooks, and with a time of their own.
    pub(crate) async fn with(
        count: usize,
        server: Xmpp,
        time: Option<&Time>,
        mut gateways: impl FnMut(SocketAddr) -> String,
    ) -> (Self, Twilio) {
        let database = Postgres::shared().await.database().await;
        let twilio = Twilio::start(free_port()).await;
        let mut house = Self {
            transoms: Vec::new(),
            server,
            database,
        };
        for _ in 0..count {
            let http = free_port();
            house.add(&twilio, http, time, &gateways(http)).await;
        }
        house.holder().await;
        (house, twilio)
    }

    /// One process more.
    async fn add(
        &mut self,
        twilio: &Twilio,
        http: SocketAddr,
        time: Option<&Time>,
        gateways: &str,
    ) {
        let store = format!("[store]\nurl = \"{}\"\n", self.database);
        let lines = lines(ALICE) + gateways;
        let config = config(&self.server.seat(), http, twilio, &lines, &store);
        let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"));
        let mut transom = builder.config(&config).http(http).prepare();
        if let Some(time) = time {
            time.also_of(&mut transom);
        }
        transom.start().await;
        self.transoms.push(Member {
            transom,
            frozen_until: None,
        });
    }

    /// The component's domain, and the user's client.
    pub(crate) async fn alice(&self) -> (&str, XmppClient) {
        (self.server.seat().domain, self.server.client().await)
    }

    /// Whoever can be called.
    pub(crate) fn webhooks(&self) -> Vec<SocketAddr> {
        let awake = self
            .transoms
            .iter()
            .filter(|member| member.frozen_until.is_none());
        awake.map(Member::webhook).collect()
    }

    /// Lets the next frozen one go on, when its time is over.
    pub(crate) async fn thaw_in_time(&mut self) {
        let frozen = self.transoms.iter_mut();
        let frozen = frozen.filter_map(|member| Some((member.frozen_until?, member)));
        let Some((until, member)) = frozen.min_by_key(|(until, _)| *until) else {
            return std::future::pending().await;
        };
        let forever = std::future::pending::<()>();
        tokio::time::timeout_at(until, forever).await.ok();
        member.thaw();
    }

    /// Which process has the link; waits until one has.
    pub(crate) async fn holder(&self) -> usize {
        let probe = async || {
            for (place, member) in self.transoms.iter().enumerate() {
                if member.has_link().await {
                    return Some(place);
                }
            }
            None
        };
        let holder = until("a process to have the link", PATIENCE, probe).await;
        holder.unwrap_or_else(|why| panic!("{why}:\n{}", self.logs()))
    }

    /// Which process other than this one has the link.
    pub(crate) async fn holder_but(&self, place: usize) -> usize {
        let probe = async || {
            for (other, member) in self.transoms.iter().enumerate() {
                if other != place && member.has_link().await {
                    return Some(other);
                }
            }
            None
        };
        let holder = until("another process to have the link", PATIENCE, probe).await;
        holder.unwrap_or_else(|why| panic!("{why}:\n{}", self.logs()))
    }

    pub(crate) fn logs(&self) -> String {
        let log = |(place, member): (usize, &Member)| {
            format!("--- process {place}\n{}", member.transom.log())
        };
        let logs: Vec<String> = self.transoms.iter().enumerate().map(log).collect();
        logs.join("\n")
    }
}

/// A Prosody with these users, which throws out the old connection of a component when a new one comes.
pub(crate) async fn prosody(users: &[&str]) -> Prosody {
    let builder = Others::DOMAINS.iter().fold(
        Prosody::builder().component(SMS, SECRET),
        |builder, domain| builder.component(domain, SECRET),
    );
    let builder = users
        .iter()
        .fold(builder, |builder, user| builder.user(user));
    let builder = builder.with(Feature::Offline).with(Feature::KickOld);
    builder.start().await
}

/// One process that is not started, and its network; `server`: where the component connects.
pub(crate) async fn alone(server: SocketAddr, lines: &str, store: &str) -> (Transom, Twilio) {
    let http = free_port();
    let twilio = Twilio::start(http).await;
    let seat = Seat {
        server,
        domain: SMS,
        secret: SECRET,
    };
    let config = config(&seat, http, &twilio, lines, store);
    let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"));
    (builder.config(&config).http(http).prepare(), twilio)
}

/// Waits until the link of each gateway stands.
pub(crate) async fn links_up(transom: &Transom) {
    for gateway in Others::GATEWAYS {
        link_up(transom, gateway).await;
    }
}

/// A line for the user, and caps that no test reaches.
pub(crate) fn lines(user: &str) -> String {
    format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"{user}@example.org\"\n{CAPS}")
}
