//! XEP-0356: Privileged Entity. What the server allows us on behalf of its users.
//!
//! Servers speak different versions (Prosody 0.12 only `:2`, ejabberd 23 only `:1`), so the namespace of the
//! advertisement is kept: it is the one to answer in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::xmpp::{
    jid::Jid,
    ns,
    stanza::{Element, Message, MessageType, Name, Stanza},
};

/// What one server allows, until it says otherwise. Absence means no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    /// The server, or the host of it, that says so.
    pub host: Jid,
    /// The version it speaks, [`ns::PRIVILEGE_2`] or [`ns::PRIVILEGE_1`].
    pub namespace: &'static str,
    /// Reading and changing rosters.
    pub roster: Roster,
    /// Whether messages may be sent in the name of users.
    pub message: bool,
    /// Whether the presence of users is shown to us.
    pub presence: bool,
    /// Namespaces of requests in the name of users.
    pub iq: Vec<(String, Access)>,
}

/// How far rosters are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// They may be read.
    pub get: bool,
    /// They may be changed.
    pub set: bool,
    /// Changes are told.
    pub push: bool,
}

/// What kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Both kinds.
    Both,
    /// Reading.
    Get,
    /// Changing.
    Set,
}

impl Privileges {
    /// Whether users see what is sent in their names. ejabberd before 24.10, which speaks the older version, makes no copies of
    /// it for their clients: it would be seen by nobody.
    pub fn shows_messages(&self) -> bool {
        self.message && self.namespace == ns::PRIVILEGE_2
    }

    /// Reads an advertisement; `None` for any other message. Whether its sender is a server we trust is for the
    /// caller to check.
    pub fn parse(message: &Message) -> Option<Self> {
        let host = message
            .from
            .clone()
            .filter(|from| from.node().is_none() && from.is_bare())?;
        let advertised = |namespace| {
            message
                .child("privilege", namespace)
                .map(|element| (namespace, element))
        };
        let (namespace, element) =
            advertised(ns::PRIVILEGE_2).or_else(|| advertised(ns::PRIVILEGE_1))?;
        // A privileged message that comes back as an error holds a `<forwarded/>` instead.
        element.child("perm", namespace)?;
        let mut privileges = Self {
            host,
            namespace,
            roster: Roster::default(),
            message: false,
            presence: false,
            iq: Vec::new(),
        };
        for perm in element
            .children()
            .filter(|child| child.is("perm", namespace))
        {
            privileges.note(perm);
        }
        Some(privileges)
    }

    fn note(&mut self, perm: &Element) {
        let kind = perm.attr("type").unwrap_or_default();
        match perm.attr("access") {
            Some("roster") => {
                self.roster.get = matches!(kind, "get" | "both");
                self.roster.set = matches!(kind, "set" | "both");
                self.roster.push = self.roster.get && perm.attr("push") != Some("false");
            }
            Some("message") => self.message = kind == "outgoing",
            Some("presence") => self.presence = matches!(kind, "managed_entity" | "roster"),
            Some("iq") => self.iq.extend(perm.children().filter_map(request)),
            _ => {}
        }
    }

    /// A message in the name of a user of that host: `inner` is from their bare JID (XEP-0356 §6).
    pub fn on_behalf(&self, component: &Jid, inner: Message) -> Message {
        let forwarded =
            Element::new("forwarded", ns::FORWARD).with_child(Stanza::from(inner).to_element());
        let privilege = Element::new("privilege", Name::from(self.namespace)).with_child(forwarded);
        Message::new(MessageType::Normal, component.clone(), self.host.clone())
            .with_child(privilege)
    }
}

/// What the servers behind one link allow, shared by whoever acts on it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Announced(Arc<Mutex<Known>>);

#[derive(Debug)]
struct Known {
    since: Instant,
    by_host: HashMap<String, Privileges>,
}

/// Servers whose word is remembered.
const HOSTS_MAX: usize = 256;
/// A server says soon after the login what it allows.
const GRACE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

impl Default for Announced {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Known {
            since: Instant::now(),
            by_host: HashMap::new(),
        })))
    }
}

impl Announced {
    /// What this host allows; `None`: it has not said anything.
    pub fn of(&self, host: &str) -> Option<Privileges> {
        self.lock().by_host.get(host).cloned()
    }

    /// The same, after the time in which a server says it has passed.
    pub async fn settled(&self, host: &str) -> Option<Privileges> {
        loop {
            let known = self.of(host);
            if known.is_some() || self.lock().since.elapsed() >= GRACE {
                return known;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A server says what it allows; `false`: too many others did before.
    pub fn note(&self, privileges: Privileges) -> bool {
        let host = privileges.host.to_string();
        let mut known = self.lock();
        if known.by_host.len() >= HOSTS_MAX && !known.by_host.contains_key(&host) {
            return false;
        }
        known.by_host.insert(host, privileges);
        true
    }

    /// A server refuses what it said of rosters.
    pub fn no_roster(&self, host: &str) {
        if let Some(privileges) = self.lock().by_host.get_mut(host) {
            privileges.roster.set = false;
        }
    }

    /// A new connection: servers say it anew, and silence means no.
    pub fn begin(&self) {
        let mut known = self.lock();
        known.since = Instant::now();
        known.by_host.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn request(namespace: &Element) -> Option<(String, Access)> {
    let access = match namespace.attr("type")? {
        "both" => Access::Both,
        "get" => Access::Get,
        "set" => Access::Set,
        _ => return None,
    };
    Some((namespace.attr("ns")?.to_owned(), access))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(from: &str, inside: &str) -> Option<Privileges> {
        let xml = format!(
            "<message xmlns='jabber:client' from='{from}' to='sms.example.org'>{inside}</message>"
        );
        let Ok(Stanza::Message(message)) = Stanza::try_from(xml.parse::<Element>().unwrap()) else {
            panic!("no message")
        };
        Privileges::parse(&message)
    }

    #[test]
    fn the_second_version_is_read() {
        let privileges = read(
            "example.org",
            "<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='both'/>\
             <perm access='message' type='outgoing'/><perm access='presence' type='managed_entity'/>\
             <perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='both'/><namespace ns='x'/></perm>\
             <perm access='coffee' type='both'/></privilege>",
        )
        .unwrap();
        assert_eq!(privileges.host.as_str(), "example.org");
        assert_eq!(privileges.namespace, ns::PRIVILEGE_2);
        assert_eq!(
            privileges.roster,
            Roster {
                get: true,
                set: true,
                push: true
            }
        );
        assert!(privileges.message && privileges.presence);
        assert_eq!(
            privileges.shows_messages(),
            privileges.namespace == ns::PRIVILEGE_2
        );
        assert_eq!(
            privileges.iq,
            [("http://jabber.org/protocol/pubsub".to_owned(), Access::Both)]
        );
    }

    #[test]
    fn the_first_version_keeps_its_namespace() {
        let privileges = read(
            "example.org",
            "<privilege xmlns='urn:xmpp:privilege:1'><perm access='roster' type='get' push='false'/></privilege>",
        )
        .unwrap();
        assert_eq!(privileges.namespace, ns::PRIVILEGE_1);
        assert_eq!(
            privileges.roster,
            Roster {
                get: true,
                set: false,
                push: false
            }
        );
        assert!(!privileges.message && !privileges.presence);
    }

    #[test]
    fn nobody_but_a_server_can_allow_anything() {
        let perm = "<privilege xmlns='urn:xmpp:privilege:2'><perm access='message' type='outgoing'/></privilege>";
        assert_eq!(read("mallory@example.org", perm), None);
        assert_eq!(read("example.org/x", perm), None);
        assert_eq!(
            read("example.org", "<privilege xmlns='urn:xmpp:privilege:2'/>"),
            None
        );
        assert_eq!(
            read(
                "example.org",
                "<privilege xmlns='urn:xmpp:privilege:9'><perm access='message'/></privilege>"
            ),
            None
        );
    }

    #[test]
    fn a_message_on_behalf_is_wrapped() {
        let perm = "<privilege xmlns='urn:xmpp:privilege:1'><perm access='message' type='outgoing'/></privilege>";
        let privileges = read("example.org", perm).unwrap();
        let inner = Message::chat(
            Jid::new("a@example.org").unwrap(),
            Jid::new("b@example.org").unwrap(),
        )
        .with_body("hi");
        let mut out = Vec::new();
        Stanza::from(privileges.on_behalf(&Jid::new("sms.example.org").unwrap(), inner))
            .write(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<message from='sms.example.org' to='example.org' type='normal'><privilege xmlns='urn:xmpp:privilege:1'>\
             <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='a@example.org' to='b@example.org' \
             type='chat'><body>hi</body></message></forwarded></privilege></message>"
        );
    }
}
