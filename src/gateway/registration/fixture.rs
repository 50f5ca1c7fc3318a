//! A gateway without a network, and people of every standing.

use std::{collections::HashMap, path::Path, sync::Arc};

use transom_adapter::{
    Account, Adapter, Address, ContactError, Network, Outgoing, Plan, Refusal, UnixMillis,
};

use super::{Book, Effects, Person};
use crate::{
    config::{Config, Environment},
    gateway::{Gateway, moment::Moment},
    store::read::{KnownLine, KnownUser, Member, OutwardSnapshot, SharedLine, Subscription},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{Element, Iq, IqType, Message, Presence, PresenceType, Stanza},
    },
};

pub(crate) const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
pub(crate) const MINE: &str = "+12025550100";

struct Plain(Network);

impl Adapter for Plain {
    fn network(&self) -> Network {
        self.0
    }

    fn accounts(&self) -> Vec<Arc<dyn Account>> {
        Vec::new()
    }

    fn peer(&self, local: &str) -> Result<Address, ContactError> {
        let digits = local.strip_prefix('+').unwrap_or(local);
        let number = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let suggestion = match self.0 {
            Network::Sms if number && local.starts_with('+') => return Ok(Address::new(local)),
            Network::Sms => number.then(|| Address::new(format!("+{digits}"))),
            Network::Email
                if local
                    .split_once('@')
                    .is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) =>
            {
                return Ok(Address::new(local));
            }
            Network::Email => None,
        };
        Err(ContactError { suggestion })
    }

    fn read_typed(&self, typed: &str) -> Result<Address, ContactError> {
        match self.0 {
            Network::Sms => {
                let kept: String = typed
                    .chars()
                    .filter(|c| !matches!(c, ' ' | '-' | '(' | ')'))
                    .collect();
                self.peer(&kept)
            }
            Network::Email if typed.contains('\\') => Err(ContactError { suggestion: None }),
            Network::Email => self.peer(typed.trim()),
        }
    }

    fn own_address(&self, user: &str) -> Option<Address> {
        if self.0 == Network::Sms {
            return None;
        }
        let (name, domain) = user.split_once('@')?;
        let local = if domain == "example.org" {
            name.to_owned()
        } else {
            format!("{name}={domain}")
        };
        (name != "postmaster").then(|| Address::new(format!("{local}@mail.example.org")))
    }

    fn picked_address(&self, picked: &str) -> Option<Address> {
        let picked = picked.trim().to_lowercase();
        let name = picked.strip_suffix("@mail.example.org").unwrap_or(&picked);
        let is_good = self.0 == Network::Email
            && !["postmaster", "root"].contains(&name)
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_alphanumeric());
        is_good.then(|| Address::new(format!("{name}@mail.example.org")))
    }

    fn plan(&self, _message: &Outgoing) -> Result<Plan, Refusal> {
        Err(Refusal::NoRoute)
    }
}

/// An SMS gateway with this registration mode.
pub(crate) fn sms(mode: &str) -> Gateway {
    gateway(Network::Sms, mode)
}

/// A mail gateway, open.
pub(crate) fn mail() -> Gateway {
    gateway(Network::Email, "open")
}

fn gateway(network: Network, mode: &str) -> Gateway {
    let (adapter, domain) = match network {
        Network::Sms => ("sms", "sms.example.org"),
        Network::Email => ("email", "mail.example.org"),
    };
    let text = format!(
        "[xmpp]\nallow = ['example.org', 'other.net']\nadmins = ['admin@example.org']\n[gateway.g]\nadapter = '{adapter}'\n\
         domain = '{domain}'\nsecret = 's'\nregistration = '{mode}'\n"
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
        adapter: Arc::new(Plain(network)),
        accounts: HashMap::new(),
        files: crate::gateway::files::FilePolicy::default(),
        keeps_texts: std::time::Duration::from_hours(24),
        since: NOW,
    }
}

pub(crate) fn with_moment<T>(work: impl FnOnce(&Moment<'_>) -> T) -> T {
    let next = std::sync::atomic::AtomicI64::new(100);
    let ids = || next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    work(&Moment {
        now: NOW,
        ids: &ids,
    })
}

/// Somebody nobody knows.
pub(crate) fn stranger(jid: &str) -> Person {
    Person {
        jid: BareJid::new(jid).unwrap(),
        member: None,
        view: OutwardSnapshot::default(),
        free: Vec::new(),
        taken: false,
        book: Book::default(),
    }
}

/// A user in this state, with a line.
pub(crate) fn user(state: &str) -> Person {
    let mut person = stranger("alice@example.org");
    person.member = Some(Member {
        user_id: 7,
        state: state.to_owned(),
        lang: None,
        changed_ms: NOW.0 - 1000,
        contact: Subscription::default(),
        name: None,
        others: 0,
        settings: "{}".to_owned(),
    });
    let known = KnownUser {
        user_id: 7,
        state: state.to_owned(),
        lang: None,
        messages: 0,
        segments: 0,
        new_peers: 0,
        changed_ms: NOW.0 - 1000,
        settings: "{}".to_owned(),
    };
    person
        .view
        .users
        .insert("alice@example.org".to_owned(), known);
    person.owning(MINE, "active")
}

impl Person {
    pub(crate) fn owning(mut self, address: &str, state: &str) -> Self {
        let line = line(address, state);
        self.view
            .lines
            .entry(self.jid.to_string())
            .or_default()
            .push(line);
        self
    }

    pub(crate) fn with_free(mut self, numbers: &[&str]) -> Self {
        self.free = numbers.iter().map(|&number| number.to_owned()).collect();
        self.view.pool_is_free = !numbers.is_empty();
        self
    }

    pub(crate) fn with_shared(mut self) -> Self {
        let line = line("+12025550199", "active");
        self.view.shared.push(SharedLine {
            line,
            taken: HashMap::new(),
        });
        self
    }

    pub(crate) fn calling(mut self, name: &str) -> Self {
        if let Some(member) = &mut self.member {
            member.name = Some(name.to_owned());
        }
        self
    }

    pub(crate) fn seeing(mut self, subscribed: bool, asked: bool) -> Self {
        if let Some(member) = &mut self.member {
            member.contact = Subscription { subscribed, asked };
        }
        self
    }
}

fn line(address: &str, state: &str) -> KnownLine {
    KnownLine {
        refused: false,
        line_id: 3,
        address: address.to_owned(),
        state: state.to_owned(),
        routes: Vec::new(),
        owners: 1,
    }
}

pub(crate) fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

pub(crate) fn presence(kind: PresenceType, to: &str) -> Presence {
    Presence::new(kind, jid("alice@example.org/phone"), jid(to))
}

pub(crate) fn iq(kind: IqType, to: &str, payload: &str) -> Iq {
    let payload: Element = payload.parse().unwrap();
    Iq::new(kind, jid("alice@example.org/phone"), jid(to))
        .with_id("1")
        .with_child(payload)
}

pub(crate) fn said(from: &str, body: &str) -> Message {
    Message::chat(jid(from), jid("sms.example.org"))
        .with_id("1")
        .with_body(body)
}

impl Effects {
    /// `kind from > to` of every presence, `body > to` of every message, the kind of every iq.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.answers.iter().map(brief).collect()
    }

    pub(crate) fn written(&self) -> Vec<String> {
        use crate::store::{Write, write::Operation};
        let word = |write: &Write| match write {
            Write::User(row) => format!("user {} {}", row.jid, row.state),
            Write::Contact(row) => {
                format!("contact '{}' {}{}", row.peer, row.subscribed, row.asked)
            }
            Write::Owner(row) => format!("owner {} {}", row.address, row.jid),
            Write::Line(row) => format!("line {} {}", row.address, row.source),
            Write::Unregister(row) => format!("unregister {}", row.jid),
            Write::Operation(Operation::Block { peer, blocked, .. }) => {
                format!("block {peer} {blocked}")
            }
            other => format!("{other:?}"),
        };
        self.claims.iter().chain(&self.writes).map(word).collect()
    }
}

fn brief(stanza: &Stanza) -> String {
    let (from, to) = (stanza.sender().unwrap(), stanza.recipient().unwrap());
    match stanza {
        Stanza::Presence(presence) => {
            let condition = presence.error().map_or(String::new(), |error| {
                format!(" {}", error.condition.name())
            });
            format!(
                "{}{condition} {from} > {to}",
                presence.kind.as_str().unwrap_or("available")
            )
        }
        Stanza::Message(message) => match message.error() {
            Some(error) => format!("{} > {to}", error.condition.name()),
            None => format!("{} > {to}", message.body().unwrap()),
        },
        Stanza::Iq(iq) => iq.error().map_or("result".to_owned(), |error| {
            error.condition.name().to_owned()
        }),
    }
}
