//! One of our own numbers and whose it is.

use jid::BareJid;
use transom_adapter::Address;

use super::{fault::suggestion, faults::Collector, raw::RawLine, sections::person};

/// `[[gateway.NAME.line]]`: one of our own numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The number in E.164.
    pub number: Address,
    /// The providers that can carry it, best first. Never empty.
    pub providers: Vec<String>,
    /// Whose it is.
    pub ownership: Ownership,
}

/// Whose a line is (semantics 17).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ownership {
    /// One user or several; each gets every text.
    Owners(Vec<BareJid>),
    /// Many users; an answer goes to the one who wrote to that person.
    Shared {
        /// Gets the texts nobody else can be found for.
        fallback: Option<BareJid>,
    },
    /// Nobody's yet: claimed at registration.
    Pool,
}

impl Line {
    /// The good lines, and faults for what is wrong with the others. `admits` says who may use the gateway.
    pub(super) fn check_all(
        raw: Vec<RawLine>,
        key: &str,
        providers: &[&str],
        admits: impl Fn(&BareJid) -> bool,
        faults: &mut Collector,
    ) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let check = Check {
                key: format!("{key}.{index}"),
                providers,
                faults,
            };
            let Some(line) = check.line(raw, &admits) else {
                continue;
            };
            if lines.iter().any(|other| other.number == line.number) {
                let problem = format!("{} is listed twice", line.number);
                faults.error(
                    &format!("{key}.{index}.number"),
                    problem,
                    "remove one of the two",
                );
            }
            lines.push(line);
        }
        lines
    }
}

/// One line under the magnifying glass.
struct Check<'a> {
    key: String,
    providers: &'a [&'a str],
    faults: &'a mut Collector,
}

impl Check<'_> {
    fn line(mut self, raw: RawLine, admits: &impl Fn(&BareJid) -> bool) -> Option<Line> {
        let number = self.number(raw.number);
        let providers = self.provider_list(raw.provider.map(|list| list.0));
        let shared = raw.shared.unwrap_or(false);
        self.check_exclusion(raw.owner.is_some(), raw.owners.is_some(), shared);
        let one = raw.owner.map(|text| ("owner".to_owned(), text));
        let several = raw.owners.map(|list| list.0).unwrap_or_default();
        let several = several.into_iter().enumerate();
        let written = one
            .into_iter()
            .chain(several.map(|(index, text)| (format!("owners.{index}"), text)));
        let owners = self.owners(written, admits);
        let fallback = self.fallback(raw.fallback, shared);
        let ownership = if !owners.is_empty() {
            Ownership::Owners(owners)
        } else if shared {
            Ownership::Shared { fallback }
        } else {
            Ownership::Pool
        };
        Some(Line {
            number: number?,
            providers: providers?,
            ownership,
        })
    }

    fn number(&mut self, written: Option<String>) -> Option<Address> {
        const REMEDY: &str = "write it as +12025550100: plus sign, country code, digits only";
        let Some(text) = written else {
            self.error("number", "is missing", REMEDY);
            return None;
        };
        if !is_e164(&text) {
            let problem = format!("{text:?} is not a number in E.164");
            self.error("number", problem, REMEDY);
            return None;
        }
        Some(Address::new(text))
    }

    fn provider_list(&mut self, written: Option<Vec<String>>) -> Option<Vec<String>> {
        match (
            written.filter(|names| !names.is_empty()),
            self.providers.split_first(),
        ) {
            (_, None) => {
                let problem = "this gateway has no provider";
                self.error(
                    "provider",
                    problem,
                    "add one, as [gateway.sms.provider.main]",
                );
                None
            }
            (None, Some((only, []))) => Some(vec![(*only).to_owned()]),
            (None, Some(_)) => {
                let problem = "is missing, and there are several providers";
                self.error("provider", problem, "name the one that carries this number");
                None
            }
            (Some(names), Some(_)) => {
                self.check_providers(&names);
                Some(names)
            }
        }
    }

    fn check_providers(&mut self, names: &[String]) {
        for (index, name) in names.iter().enumerate() {
            if !self.providers.contains(&name.as_str()) {
                let problem = format!("there is no provider {name:?} in this gateway");
                let remedy = suggestion(name, self.providers.iter().copied())
                    .unwrap_or_else(|| format!("choose from {}", self.providers.join(", ")));
                self.error("provider", problem, &remedy);
            } else if names.iter().take(index).any(|earlier| earlier == name) {
                let problem = format!("{name:?} is listed twice");
                self.error("provider", problem, "remove one of the two");
            }
        }
    }

    fn check_exclusion(&mut self, owner: bool, owners: bool, shared: bool) {
        let said: Vec<&str> = [("owner", owner), ("owners", owners), ("shared", shared)]
            .into_iter()
            .filter_map(|(option, given)| given.then_some(option))
            .collect();
        if let [first, .., last] = said.as_slice() {
            let problem = format!("{first} and {last} exclude each other");
            self.error(last, problem, "keep one of owner, owners and shared");
        }
    }

    fn owners(
        &mut self,
        written: impl Iterator<Item = (String, String)>,
        admits: &impl Fn(&BareJid) -> bool,
    ) -> Vec<BareJid> {
        const REMEDY: &str = "add the JID or its domain to xmpp.allow and, where there is one, to the gateway's allow";
        let mut owners = Vec::new();
        for (option, text) in written {
            let key = self.option(&option);
            let Some(jid) = person(&text, &key, self.faults) else {
                continue;
            };
            if !admits(&jid) {
                let problem = format!("{jid} may not use this gateway");
                self.error(&option, problem, REMEDY);
            }
            owners.push(jid);
        }
        owners.sort();
        owners.dedup();
        owners
    }

    fn fallback(&mut self, written: Option<String>, shared: bool) -> Option<BareJid> {
        let jid = person(&written?, &self.option("fallback"), self.faults)?;
        if !shared {
            let problem = "only a shared line has a fallback";
            self.error("fallback", problem, "remove it or write shared = true");
        }
        Some(jid)
    }

    fn option(&self, option: &str) -> String {
        format!("{}.{option}", self.key)
    }

    fn error(&mut self, option: &str, problem: impl Into<String>, remedy: &str) {
        let key = self.option(option);
        self.faults.error(&key, problem, remedy);
    }
}

/// A plus sign, then 7 to 15 digits of which the first is not 0. Whether the number exists is for the adapter to know.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
