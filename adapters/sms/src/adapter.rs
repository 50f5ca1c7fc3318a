//! The adapter: one gateway's providers, and which texts may go where.

mod config;

use std::{borrow::Cow, num::NonZeroU16, sync::Arc};

use serde_json::Value;
use transom_adapter::{
    Account, AccountName, Adapter, Address, ConfigFault, ContactError, Cost, Group, Groups,
    HttpClient, Network, OutFile, Outgoing, Plan, Refusal, Route, Section, Signer, SystemClock,
    UnixMillis,
};
use url::Url;

use crate::{
    Country, Number, ProviderEnv, ProviderFactory, Segments, TextLimit, Units, cost,
    country::{self, Place},
    plainer::Plainer,
    provider,
    quiet::QuietHours,
    read_typed, simplify,
};

pub use self::config::{SmsConfig, schema};

/// Text messages of one gateway.
pub struct SmsAdapter {
    rules: Rules,
    carriers: Vec<Carrier>,
    smart_encoding: bool,
    quiet_hours: Option<QuietHours>,
}

/// Where texts may go.
struct Rules {
    home: Country,
    allowed: Vec<Country>,
    short_codes: Vec<Country>,
}

/// An account, and what texts it takes.
struct Carrier {
    account: Arc<dyn Account>,
    limit: TextLimit,
    units: Option<Units>,
}

impl SmsAdapter {
    /// Builds the adapter from its section, from which the core has removed what it reads itself. `extra` are kinds of
    /// providers beside those of this crate.
    ///
    /// # Errors
    ///
    /// Every fault of the section.
    pub fn from_section(
        gateway_name: &str,
        section: &Section,
        http: HttpClient,
        signer: Signer,
        public_url: Option<&Url>,
        extra: &[Box<dyn ProviderFactory>],
    ) -> Result<Self, Vec<ConfigFault>> {
        let mut faults = Vec::new();
        let config = section.read::<SmsConfig>();
        let config = config.map_err(|fault| faults.push(fault)).ok();
        let of_config = |config: &SmsConfig| {
            let rules = Rules::read(config, section, &mut faults);
            let (hours, zone) = (config.quiet_hours.as_deref(), config.time_zone.as_deref());
            let quiet_hours = QuietHours::read(section, hours, zone, &mut faults);
            Some((rules?, quiet_hours, config.smart_encoding))
        };
        let settled = config.as_ref().and_then(of_config);
        let providers = section.section("provider");
        let is_table = |value: &Value| value.is_object();
        if providers.table.is_empty() && section.table.get("provider").is_none_or(is_table) {
            faults.push(section.fault(
                "provider",
                "there is none",
                "add a section like [gateway.sms.provider.main] with its kind",
            ));
        }
        let env = ProviderEnv {
            clock: Arc::new(SystemClock),
            http,
            signer,
            public_url: public_url.cloned(),
            // Without a region the providers are looked at all the same, so that their faults are told with its own.
            home: settled
                .as_ref()
                .map_or(Country::US, |(rules, ..)| rules.home),
        };
        let built_in = provider::built_in();
        let factories: Vec<_> = built_in.iter().chain(extra).map(|f| &**f).collect();
        let mut carriers = Vec::new();
        let tables = providers.table.iter().filter(|(_, table)| is_table(table));
        for (name, _) in tables {
            let section = providers.section(name);
            match build(gateway_name, name, section, &env, &factories) {
                Ok(carrier) => carriers.push(carrier),
                Err(mut more) => faults.append(&mut more),
            }
        }
        match settled {
            Some((rules, quiet_hours, smart_encoding)) if faults.is_empty() => Ok(Self {
                rules,
                carriers: if smart_encoding {
                    carriers.into_iter().map(Carrier::plainer).collect()
                } else {
                    carriers
                },
                smart_encoding,
                quiet_hours,
            }),
            _ => Err(faults),
        }
    }

    /// The accounts that can carry a text of this size, best first.
    fn routes_for(
        &self,
        message: &Outgoing,
        text: &str,
        size: Segments,
    ) -> Result<Vec<Route>, Refusal> {
        let named = |name: &AccountName| self.carriers.iter().find(|c| c.account.name() == name);
        let candidates: Vec<&Carrier> = if message.routes.is_empty() {
            self.carriers.iter().collect()
        } else {
            message.routes.iter().filter_map(named).collect()
        };
        let with_files: Vec<&Carrier> = candidates
            .iter()
            .filter(|carrier| takes_files(&*carrier.account, &message.files))
            .copied()
            .collect();
        if with_files.is_empty() && !candidates.is_empty() {
            return Err(Refusal::FilesNotTaken);
        }
        let with_groups: Vec<&Carrier> = with_files
            .iter()
            .filter(|carrier| takes_group(carrier.account.groups(), message.group.as_ref()))
            .copied()
            .collect();
        if with_groups.is_empty() && !with_files.is_empty() {
            return Err(Refusal::GroupsNotTaken);
        }
        let candidates = with_groups;
        let room = |carrier: &&&Carrier| size.count <= carrier.limit.of(size.encoding);
        let fitting = candidates.iter().filter(room);
        let routes: Vec<_> = fitting.map(|c| c.route(text)).collect();
        if !routes.is_empty() {
            return Ok(routes);
        }
        let limits = candidates.iter().map(|c| c.limit.of(size.encoding));
        Err(limits
            .max()
            .map_or(Refusal::NoRoute, |segments_max| Refusal::TooLong {
                segments: size.count,
                segments_max,
            }))
    }
}

/// Whether an account sends to a group in the way that is asked for.
fn takes_group(groups: Groups, group: Option<&Group>) -> bool {
    let Some(group) = group else {
        return true;
    };
    let ((Groups::AtOnce { members_max }, true) | (Groups::Each { members_max }, false)) =
        (groups, group.at_once)
    else {
        return false;
    };
    group.members.len() <= usize::from(members_max)
}

/// Whether an account takes these files, as far as can be told before they are fetched.
fn takes_files(account: &dyn Account, files: &[OutFile]) -> bool {
    if files.is_empty() {
        return true;
    }
    let Some(limits) = account.capabilities().files else {
        return false;
    };
    // What has no type yet shows it when it is fetched.
    let unknown = |file: &OutFile| file.content_type == "application/octet-stream";
    // Pictures are made to fit, into another type too.
    let taken = |file: &OutFile| {
        let kind = &file.content_type;
        limits.takes(kind) || (kind.starts_with("image/") && limits.takes("image/jpeg"))
    };
    files.len() <= usize::from(limits.count_max)
        && files.iter().all(|file| unknown(file) || taken(file))
}

impl Adapter for SmsAdapter {
    fn network(&self) -> Network {
        Network::Sms
    }

    fn accounts(&self) -> Vec<Arc<dyn Account>> {
        let accounts = self.carriers.iter().map(|carrier| &carrier.account);
        accounts.cloned().collect()
    }

    fn peer(&self, local_part: &str) -> Result<Address, ContactError> {
        let home = self.rules.home;
        let right = match Number::parse(local_part, home) {
            // E.164 in form, but a plan may spell it otherwise: a trunk zero behind the calling code.
            Some(Number::E164(given)) => match country::read_dialled(&given, home) {
                Some(right) if right != given => Some(Number::E164(right)),
                _ => return Ok(Address::new(given)),
            },
            Some(number) => return Ok(number.to_address()),
            None => read_typed(local_part, home),
        };
        match right {
            // Not an address of anybody: taken so that `plan` can say what it is.
            Some(emergency @ Number::Emergency(_)) => Ok(emergency.to_address()),
            other => Err(ContactError {
                suggestion: other.map(|number| number.to_address()),
            }),
        }
    }

    fn read_typed(&self, typed: &str) -> Result<Address, ContactError> {
        read_typed(typed, self.rules.home)
            .map(|number| number.to_address())
            .ok_or(ContactError { suggestion: None })
    }

    fn plan(&self, message: &Outgoing) -> Result<Plan, Refusal> {
        for to in message.reached() {
            self.rules.check(to.as_str())?;
        }
        if message.text.trim().is_empty() && message.files.is_empty() {
            return Err(Refusal::Empty);
        }
        let text = if self.smart_encoding {
            simplify(&message.text)
        } else {
            Cow::Borrowed(&*message.text)
        };
        let size = Segments::of(&text);
        Ok(Plan {
            // A message with files costs at least one, however little is said.
            segments: size.count.max(1),
            routes: self.routes_for(message, &text, size)?,
            ids: Vec::new(),
        })
    }

    fn cost(&self, text: &str) -> Option<Cost> {
        Some(cost::of(text, self.smart_encoding))
    }

    fn not_before(&self, to: &Address, now: UnixMillis) -> Option<UnixMillis> {
        let hours = self.quiet_hours.as_ref()?;
        hours.until(to.as_str(), self.rules.home, now)
    }
}

impl Carrier {
    fn plainer(self) -> Self {
        Self {
            account: Arc::new(Plainer(self.account)),
            ..self
        }
    }

    fn route(&self, text: &str) -> Route {
        Route {
            account: self.account.name().clone(),
            units: self.units.as_ref().map_or(NonZeroU16::MIN, |of| of(text)),
        }
    }
}

impl Rules {
    fn read(config: &SmsConfig, section: &Section, faults: &mut Vec<ConfigFault>) -> Option<Self> {
        let mut read = |key: &str, code: &str| -> Option<Country> {
            let country = code.parse().ok();
            if country.is_none() {
                faults.push(section.fault(
                    key,
                    format!("{code:?} is not a two-letter country code"),
                    "write it as in ISO 3166: US, DE, GB",
                ));
            }
            country
        };
        let home = read("region", &config.region);
        let mut list = |key: &str, codes: &[String]| -> Vec<Country> {
            codes.iter().filter_map(|code| read(key, code)).collect()
        };
        let allowed = config.allow_countries.as_deref();
        let allowed = allowed.map(|codes| list("allow_countries", codes));
        let short_codes = config.short_codes.as_deref();
        let short_codes = short_codes.map(|codes| list("short_codes", codes));
        let home = home?;
        Some(Self {
            home,
            allowed: allowed.unwrap_or_else(|| vec![home]),
            short_codes: short_codes
                .unwrap_or_else(|| list("short_codes", &["US".into(), "CA".into()])),
        })
    }

    /// Whether a text may go to this address (semantics 31).
    fn check(&self, to: &str) -> Result<(), Refusal> {
        match Number::parse(to, self.home) {
            None => Err(Refusal::InvalidAddress {
                suggestion: read_typed(to, self.home).map(|number| number.to_address()),
            }),
            Some(Number::Emergency(_)) => Err(Refusal::EmergencyNumber),
            Some(Number::Alphanumeric(_)) => Err(Refusal::CannotBeAnswered),
            Some(Number::ShortCode { country, .. }) => self.check_short_code(country),
            Some(Number::E164(number)) => self.check_place(country::place(&number)),
        }
    }

    fn check_short_code(&self, country: Country) -> Result<(), Refusal> {
        self.check_country(country)?;
        if self.short_codes.contains(&country) {
            Ok(())
        } else {
            Err(Refusal::PremiumNumber)
        }
    }

    fn check_place(&self, place: Place) -> Result<(), Refusal> {
        match place {
            Place::Nowhere => Err(Refusal::CountryNotAllowed { region: None }),
            Place::Premium(_) => Err(Refusal::PremiumNumber),
            Place::Ordinary(country) => self.check_country(country),
            Place::Unassigned(country) => {
                self.check_country(country)?;
                Err(Refusal::InvalidAddress { suggestion: None })
            }
        }
    }

    fn check_country(&self, country: Country) -> Result<(), Refusal> {
        if self.allowed.contains(&country) {
            Ok(())
        } else {
            Err(Refusal::CountryNotAllowed {
                region: Some(country.to_string()),
            })
        }
    }
}

fn build(
    gateway_name: &str,
    name: &str,
    mut section: Section,
    env: &ProviderEnv,
    factories: &[&dyn ProviderFactory],
) -> Result<Carrier, Vec<ConfigFault>> {
    let kind = section.table.remove("kind");
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
    let is_path_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(is_path_safe) {
        return Err(vec![section.fault(
            "",
            "the name stands in URLs",
            "use letters, digits, hyphen and underscore",
        )]);
    }
    let Some(factory) = factories.iter().find(|factory| factory.kind() == kind) else {
        let known: Vec<_> = factories.iter().map(|factory| factory.kind()).collect();
        return Err(vec![section.fault(
            "kind",
            format!("there is no kind of provider {kind:?}"),
            format!("use one of {}", known.join(", ")),
        )]);
    };
    let account = factory.build(AccountName::new(gateway_name, name), &section, env)?;
    Ok(Carrier {
        account,
        limit: factory.text_limit(&section),
        units: factory.units(&section),
    })
}

#[cfg(test)]
mod tests;
