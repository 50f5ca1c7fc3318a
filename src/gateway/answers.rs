//! Requests: every get and set is answered, an answer never is (RFC 6120 §8.2.3).

mod blocking;
mod card;
mod disco;
mod register;
mod search;

use super::{
    Gateway, group,
    moment::Moment,
    refusal,
    registration::{Desk, Effects, Person},
    target::Target,
};
use crate::{
    texts::{Chat, Content, Lang, Recipient, Text},
    xmpp::{
        jid::{self, Jid},
        ns,
        stanza::{Condition, Element, ErrorType, Iq, StanzaError},
        xep::{
            blocking as xep_blocking, disco as xep_disco, gateway as typed, last, ping,
            register as xep_register, roster, search as xep_search, time, version,
        },
    },
};

/// The one answer, or what a registration comes to.
type Answer = Result<Option<Element>, Box<StanzaError>>;

/// What has to be known of the person who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Everything about the registration, with the number or alias that was chosen.
    Registration(Option<String>),
    /// What the person calls the contact with this key.
    Contact(String),
    /// Everybody whom the person knows.
    Contacts,
    /// Whom the person has blocked.
    Blocks,
}

/// What has to be known to answer a request; `None`: nothing.
pub fn needs(gateway: &Gateway, iq: &Iq) -> Option<Needs> {
    if !iq.is_request() {
        return None;
    }
    match Target::read(gateway, iq.to.as_ref()?) {
        Target::Contact { key, .. } => card::asks(iq).then_some(Needs::Contact(key)),
        Target::Nobody(_) => None,
        Target::Gateway => {
            if let Some(request) = xep_register::parse(iq) {
                return Some(Needs::Registration(match request {
                    xep_register::Request::Set(values) => register::choice(&values),
                    _ => None,
                }));
            }
            if xep_search::Request::parse(iq).is_some() {
                return Some(Needs::Contacts);
            }
            xep_blocking::Request::parse(iq).map(|_| Needs::Blocks)
        }
    }
}

/// Answers a request; what it [`needs`] of the person has been loaded.
pub fn decide(gateway: &Gateway, iq: &Iq, person: Option<&Person>, moment: &Moment<'_>) -> Effects {
    if !iq.is_request() {
        return Effects {
            ignored: Some("answer_to_nothing"),
            ..Effects::default()
        };
    }
    let stored = person.and_then(|person| person.member.as_ref()?.lang.as_deref());
    let lang = gateway.lang(iq.lang.as_deref().or(stored));
    let to_gateway = iq.to.as_ref().is_none_or(|to| to.node().is_none());
    if let Some(person) = person.filter(|_| to_gateway) {
        let desk = Desk {
            gateway,
            person,
            moment,
            lang,
        };
        if let Some(request) = xep_register::parse(iq) {
            return register::decide(&desk, iq, &request);
        }
        if let Some(request) = xep_blocking::Request::parse(iq) {
            return blocking::decide(gateway, person, (iq, &request), moment, lang);
        }
    }
    let answer = answer(gateway, iq, person, (moment, lang));
    Effects {
        answers: reply(iq, answer).into_iter().collect(),
        ..Effects::default()
    }
}

/// The error that tells a client to come back later.
pub fn later(iq: &Iq, lang: Lang) -> Option<Iq> {
    iq.error_reply(&refusal::error(&crate::texts::Cap::Busy.into(), lang))
}

fn reply(iq: &Iq, answer: Answer) -> Option<crate::xmpp::stanza::Stanza> {
    let reply = match answer {
        Ok(payload) => iq.result(payload),
        Err(error) => iq.error_reply(&error),
    };
    reply.map(Into::into)
}

fn answer(
    gateway: &Gateway,
    iq: &Iq,
    person: Option<&Person>,
    (moment, lang): (&Moment<'_>, Lang),
) -> Answer {
    let target = iq
        .to
        .as_ref()
        .map_or(Target::Gateway, |to| Target::read(gateway, to));
    if let Target::Nobody(meant) = &target {
        let suggestion = meant.as_ref().map(ToString::to_string);
        let why = Recipient::InvalidAddress {
            network: gateway.network(),
            suggestion,
        };
        return Err(refusal::error(&why.into(), lang).into());
    }
    // RFC 6120 §8.2.3: exactly one payload.
    let [payload] = iq.children.as_slice() else {
        return Err(StanzaError::new(Condition::BadRequest).into());
    };
    if ping::is_ping(iq) {
        return Ok(None);
    }
    if let Some(query) = xep_disco::Query::parse(iq) {
        return disco::answer(gateway, &target, &query);
    }
    if version::is_query(iq) {
        return Ok(Some(version::answer(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
        )));
    }
    if roster::is_push(iq) {
        return Ok(None);
    }
    if target == Target::Gateway && last::is_query(iq) {
        return Ok(Some(last::uptime(moment.now.since(gateway.since))));
    }
    if time::is_query(iq) {
        return Ok(Some(time::answer(moment.now.timestamp())));
    }
    let name = person.and_then(|person| person.member.as_ref()?.name.as_deref());
    if let Some(answer) = card::answer(gateway, &target, name, iq, lang) {
        return answer;
    }
    if target == Target::Gateway
        && let Some(request) = typed::parse(iq)
    {
        return translate(gateway, &request, lang);
    }
    if let (Target::Gateway, Some(person), Some(request)) =
        (&target, person, xep_search::Request::parse(iq))
    {
        return Ok(Some(search::answer(gateway, person, &request, lang)));
    }
    Err(unknown(payload, lang).into())
}

/// RFC 6120 §8.4: known, but not in this way; or not known at all.
fn unknown(payload: &Element, lang: Lang) -> StanzaError {
    if payload.is("jingle", ns::JINGLE) {
        // XEP-0166 §5: nothing of it was announced. Whoever tries anyway is told what to do instead.
        let text = Text::from(Content::Call).render(lang);
        return StanzaError::new(Condition::ServiceUnavailable).with_text(lang.tag(), text);
    }
    let known = [
        ns::PING,
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::VERSION,
        ns::VCARD,
        ns::VCARD4,
        ns::PUBSUB,
        ns::TIME,
        ns::LAST_ACTIVITY,
        ns::SEARCH,
        ns::BLOCKING,
        ns::GATEWAY,
        ns::REGISTER,
    ];
    StanzaError::new(if known.contains(&payload.namespace()) {
        Condition::FeatureNotImplemented
    } else {
        Condition::ServiceUnavailable
    })
}

/// XEP-0100 §6.3.
fn translate(gateway: &Gateway, request: &typed::Request, lang: Lang) -> Answer {
    let network = gateway.network();
    match request {
        typed::Request::Prompt => {
            let description = Text::from(Chat::PromptDescription { network }).render(lang);
            Ok(Some(typed::prompt(
                &description,
                &Text::from(Chat::Prompt { network }).render(lang),
            )))
        }
        typed::Request::Translate(text) => {
            let jid = read(gateway, text).ok_or_else(|| {
                let why = Text::from(Recipient::InvalidAddress {
                    network,
                    suggestion: None,
                });
                StanzaError::new(Condition::NotAcceptable)
                    .with_type(ErrorType::Modify)
                    .with_text(lang.tag(), why.render(lang))
            })?;
            Ok(Some(typed::translated(&jid)))
        }
    }
}

/// What somebody typed; some clients hand over the whole JID, or an address that is escaped already.
fn read(gateway: &Gateway, text: &str) -> Option<Jid> {
    let own = format!("@{}", gateway.config.domain);
    let bare = text.strip_suffix(&own).unwrap_or(text);
    let unescaped = jid::unescape(bare).ok();
    let spellings = [Some(text), unescaped.as_deref()];
    let address = spellings
        .into_iter()
        .flatten()
        .find_map(|spelling| group::read_typed(gateway, spelling))?;
    gateway.jid_of(&address, None).map(Jid::from)
}

#[cfg(test)]
mod tests;
