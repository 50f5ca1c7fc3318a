//! Forms: typed fields, and what fits in them.

use crate::{
    gateway::Gateway,
    texts::{Dialogue, Label, Text},
    xmpp::jid::BareJid,
};

/// What is asked at once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Form {
    /// Above the fields.
    pub says: Vec<Text>,
    /// The fields, in their order.
    pub fields: Vec<Field>,
}

/// One thing that is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What people read beside it.
    pub label: Label,
    /// What fits in.
    pub kind: Kind,
    /// What it is now.
    pub value: Option<String>,
    /// Whether it must be filled in.
    pub required: bool,
}

/// What fits in a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One line.
    Text,
    /// Several lines.
    Lines,
    /// vCards, which are many lines.
    Cards,
    /// A person's bare JID.
    Person,
    /// The address of a peer, as people write it.
    Peer,
    /// Yes or no.
    Boolean,
    /// One of these: what people read, and the value.
    Choice(Vec<(Text, String)>),
    /// One of these values, or another text.
    Open(Vec<String>),
}

/// The longest value.
const VALUE_BYTES_MAX: usize = 10_000;
/// The same for vCards: two thousand of them with all that is read. Nobody keeps it open: it is all that is asked.
pub(super) const CARDS_BYTES_MAX: usize = 256 * 1024;

impl Form {
    /// A form of these fields.
    pub fn of(fields: impl IntoIterator<Item = Field>) -> Self {
        Self {
            says: Vec::new(),
            fields: fields.into_iter().collect(),
        }
    }

    /// Says something above the fields.
    #[must_use]
    pub fn saying(mut self, text: impl Into<Text>) -> Self {
        self.says.push(text.into());
        self
    }

    /// Checks what was filled in; a field that is not there keeps the value that it has, or is left out.
    ///
    /// # Errors
    ///
    /// What is wrong with the first field that does not fit.
    pub fn check<'v>(
        &self,
        gateway: &Gateway,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Vec<(&'static str, String)>, Text> {
        let checked = |field: &Field| {
            let given = value(field.name).or(field.value.as_deref());
            field
                .check(gateway, given.unwrap_or_default())
                .map(|value| (field.name, value))
        };
        self.fields.iter().map(checked).collect()
    }
}

impl Field {
    /// A field that must be filled in.
    pub fn new(name: &'static str, label: Label, kind: Kind) -> Self {
        Self {
            name,
            label,
            kind,
            value: None,
            required: true,
        }
    }

    /// May be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// What it is now.
    #[must_use]
    pub fn with_value(mut self, value: Option<String>) -> Self {
        self.value = value;
        self
    }

    /// What this value is as it is kept; empty: left out.
    ///
    /// # Errors
    ///
    /// The sentence that asks for another.
    pub fn check(&self, gateway: &Gateway, given: &str) -> Result<String, Text> {
        let given = given.trim();
        if given.is_empty() {
            return if self.required {
                Err(Dialogue::Missing(self.label.clone()).into())
            } else {
                Ok(String::new())
            };
        }
        let most = match self.kind {
            Kind::Cards => CARDS_BYTES_MAX,
            _ => VALUE_BYTES_MAX,
        };
        let fits = if given.len() > most {
            None
        } else {
            self.read(gateway, given)
        };
        fits.ok_or_else(|| Dialogue::BadValue(self.label.clone()).into())
    }

    fn read(&self, gateway: &Gateway, given: &str) -> Option<String> {
        match &self.kind {
            Kind::Text | Kind::Open(_) => {
                let plain = !given.contains(|c: char| c.is_control());
                plain.then(|| given.to_owned())
            }
            Kind::Lines | Kind::Cards => {
                let plain =
                    !given.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
                plain.then(|| given.to_owned())
            }
            Kind::Person => {
                let jid = BareJid::new(given).ok()?;
                jid.node().is_some().then(|| jid.to_string())
            }
            Kind::Peer => {
                let own = format!("@{}", gateway.config.domain);
                let peer = match given.strip_suffix(&own) {
                    Some(local) => gateway.contact(local).ok()?.peer,
                    None => gateway.read_typed(given).ok()?,
                };
                Some(peer.as_str().to_owned())
            }
            // XEP-0004 §3.3: two spellings.
            Kind::Boolean => match given {
                "1" | "true" | "yes" => Some("yes".to_owned()),
                "0" | "false" | "no" => Some("no".to_owned()),
                _ => None,
            },
            Kind::Choice(choices) => {
                let known = choices.iter().find(|(_, value)| value == given)?;
                Some(known.1.clone())
            }
        }
    }
}
