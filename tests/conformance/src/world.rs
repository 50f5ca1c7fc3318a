//! Gateways without a network, and people of every standing.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use transom::{
    config::{Config, Environment},
    gateway::{
        Gateway,
        moment::Moment,
        registration::{Book, Person},
    },
    store::read::{KnownContact, KnownLine, KnownUser, Member, OutwardSnapshot, Subscription},
    xmpp::jid::{BareJid, Jid},
};
use transom_adapter::{
    Account, AccountName, Adapter, Address, ContactError, Network, Outgoing, Plan, Refusal, Route,
    UnixMillis,
};

/// What every gateway here takes with one message.
const FILES_MAX: usize = 2;
/// Now.
pub const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
/// A name as nobody should have one.
const WORDY: &str = "B<o>b \u{0}\u{fffe} & ]]> Smith";
/// Whoever writes.
pub const USER: &str = "alice@example.org/phone";

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

    /// It is night everywhere.
    fn not_before(&self, _: &Address, now: UnixMillis) -> Option<UnixMillis> {
        Some(UnixMillis(now.0 + 3_600_000))
    }

    fn plan(&self, message: &Outgoing) -> Result<Plan, Refusal> {
        if message.text.trim().is_empty() && message.files.is_empty() {
            return Err(Refusal::Empty);
        }
        if message.files.len() > FILES_MAX {
            return Err(Refusal::FilesNotTaken);
        }
        let account = AccountName::new("g", "main");
        Ok(Plan {
            segments: 1,
            routes: vec![Route::whole(account)],
            ids: Vec::new(),
        })
    }
}

/// One of each network.
pub fn gateways() -> [Gateway; 2] {
    [
        gateway(Network::Sms, "open"),
        gateway(Network::Email, "open"),
    ]
}

/// A gateway of this network, with this way of registering.
pub fn gateway(network: Network, mode: &str) -> Gateway {
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
pub fn person(jid: &str, state: Option<&str>, line: Option<&str>, free: &[String]) -> Person {
    let jid = BareJid::new(jid).unwrap();
    let mut view = OutwardSnapshot {
        pool_is_free: !free.is_empty(),
        ..OutwardSnapshot::default()
    };
    let own = |address: &str| KnownLine {
        refused: false,
        line_id: 3,
        address: address.to_owned(),
        state: "active".to_owned(),
        routes: Vec::new(),
        owners: 1,
    };
    view.lines
        .insert(jid.to_string(), line.map(own).into_iter().collect());
    if let Some(state) = state {
        let user = KnownUser {
            user_id: 7,
            state: state.to_owned(),
            lang: Some("de".to_owned()),
            messages: 1,
            segments: 1,
            new_peers: 1,
            changed_ms: NOW.0 - 1000,
            settings: "{}".to_owned(),
        };
        view.users.insert(jid.to_string(), user);
    }
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

/// Gives time and keys to a decision.
pub fn at_this_moment<T>(work: impl FnOnce(&Moment<'_>) -> T) -> T {
    let next = AtomicI64::new(100);
    let ids = || next.fetch_add(1, Ordering::Relaxed);
    work(&Moment {
        now: NOW,
        ids: &ids,
    })
}

/// A JID that is right.
pub fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}
