//! Gateways without a network, people of every standing, and what people write.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use proptest::prelude::*;
use transom::{
    config::{Config, Environment},
    gateway::{
        Gateway,
        registration::{Book, Person},
        text_out::Moment,
    },
    store::read::{KnownContact, KnownLine, Member, OutwardSnapshot, Subscription},
    xmpp::jid::{BareJid, Jid},
};
use transom_adapter::{
    Account, Adapter, Address, ContactError, Network, Outgoing, Plan, Refusal, UnixMillis,
};

pub(crate) const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
/// A name as nobody should have one.
const WORDY: &str = "B<o>b \u{0}\u{fffe} & ]]> Smith";
pub(crate) const USER: &str = "alice@example.org/phone";

/// Takes every address that is none of ours, so that nothing but the gateway itself stands between people and XML.
struct Anything(Network);

impl Adapter for Anything {
    fn network(&self) -> Network {
        self.0
    }

    fn accounts(&self) -> Vec<Arc<dyn Account>> {
        Vec::new()
    }

    fn peer(&self, local: &str) -> Result<Address, ContactError> {
        match local.strip_prefix("wrong") {
            Some("") => Err(ContactError { suggestion: None }),
            Some(meant) => Err(ContactError {
                suggestion: Some(Address::new(meant)),
            }),
            None => Ok(Address::new(local)),
        }
    }

    fn plan(&self, _message: &Outgoing) -> Result<Plan, Refusal> {
        Err(Refusal::NoRoute)
    }
}

pub(crate) fn gateways() -> [Gateway; 2] {
    [
        gateway(Network::Sms, "open"),
        gateway(Network::Email, "open"),
    ]
}

pub(crate) fn gateway(network: Network, mode: &str) -> Gateway {
    let adapter = match network {
        Network::Sms => "sms",
        Network::Email => "email",
    };
    let text = format!(
        "[xmpp]\nallow = ['example.org']\nadmins = ['admin@example.org']\n[gateway.g]\nadapter = '{adapter}'\n\
         domain = 'gw.example.org'\nsecret = 's'\nregistration = '{mode}'\n"
    );
    let environment = Environment::from_variables(std::iter::empty::<(&str, &str)>());
    let config = Config::parse(&text, Path::new("transom.toml"), &environment)
        .unwrap()
        .config;
    Gateway {
        id: 1,
        config: config.gateways[0].clone(),
        allow: config.xmpp.allow.clone(),
        admins: config.xmpp.admins.clone(),
        adapter: Arc::new(Anything(network)),
        accounts: HashMap::new(),
        files: transom::gateway::files::FilePolicy::default(),
        keeps_texts: std::time::Duration::from_hours(24),
        since: NOW,
    }
}

/// A person in this state (`None`: unknown), who owns a line or not.
pub(crate) fn person(
    jid: &str,
    state: Option<&str>,
    line: Option<&str>,
    free: &[String],
) -> Person {
    let jid = BareJid::new(jid).unwrap();
    let mut view = OutwardSnapshot {
        pool_is_free: !free.is_empty(),
        ..OutwardSnapshot::default()
    };
    let own = |address: &str| KnownLine {
        line_id: 3,
        address: address.to_owned(),
        state: "active".to_owned(),
        routes: Vec::new(),
        owners: 1,
    };
    view.lines
        .insert(jid.to_string(), line.map(own).into_iter().collect());
    let member = state.map(|state| Member {
        user_id: 7,
        state: state.to_owned(),
        lang: Some("de".to_owned()),
        changed_ms: NOW.0 - 1000,
        contact: Subscription {
            subscribed: true,
            asked: false,
        },
        name: Some(WORDY.to_owned()),
        others: 1,
        settings: "{}".to_owned(),
    });
    Person {
        jid,
        member,
        view,
        free: free.to_vec(),
        taken: false,
        book: Book {
            contacts: vec![KnownContact {
                peer: "+12025550147".to_owned(),
                name: Some(WORDY.to_owned()),
            }],
            blocked: vec!["+12025550147".to_owned()],
        },
    }
}

pub(crate) fn at_this_moment<T>(work: impl FnOnce(&Moment<'_>) -> T) -> T {
    let next = AtomicI64::new(100);
    let ids = || next.fetch_add(1, Ordering::Relaxed);
    work(&Moment {
        now: NOW,
        ids: &ids,
    })
}

pub(crate) fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

/// What people write, and what nobody should: markup, controls, noncharacters, other scripts, nothing.
pub(crate) fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z .]{0,12}",
        any::<String>(),
        Just("]]>".to_owned()),
        Just("<body/>&amp;&#0;'\"".to_owned()),
        Just("\r\n\t\u{0}\u{b}\u{1f}\u{7f}\u{85}\u{2028}".to_owned()),
        Just("\u{fffe}\u{ffff}\u{fffd}\u{1fffe}\u{10ffff}".to_owned()),
        Just("⚠ \u{202e}ä😀\u{200d}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}
