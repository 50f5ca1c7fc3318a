//! Requests: every get and set is answered, an answer never is (RFC 6120 §8.2.3).

mod card;
mod info;
mod register;

pub use info::{CAPS_NODE, contact_info, gateway_info};

use super::{
    Gateway, refusal,
    registration::{Desk, Effects, Person},
    subscription::Target,
    text_out::Moment,
};
use crate::{
    texts::{Chat, Lang, Recipient, Text},
    xmpp::{
        jid::{self, Jid},
        ns,
        stanza::{Condition, Element, ErrorType, Iq, IqType, StanzaError},
        xep::{disco, gateway as typed, ping, register as xep_register, version},
    },
};

/// The one answer, or what a registration comes to.
type Answer = Result<Option<Element>, Box<StanzaError>>;

/// Whether a request is about registration: only then the person has to be loaded; with the number or alias that was chosen.
pub fn registers(iq: &Iq) -> Option<Option<String>> {
    let to_gateway = iq.to.as_ref().is_some_and(|to| to.node().is_none());
    let request = xep_register::parse(iq).filter(|_| to_gateway)?;
    Some(match request {
        xep_register::Request::Set(values) => register::choice(&values),
        _ => None,
    })
}

/// Answers a request; a registration needs the person.
pub fn decide(gateway: &Gateway, iq: &Iq, person: Option<&Person>, moment: &Moment<'_>) -> Effects {
    if !iq.is_request() {
        return Effects {
            ignored: Some("answer-to-nothing"),
            ..Effects::default()
        };
    }
    let stored = person.and_then(|person| person.member.as_ref()?.lang.as_deref());
    let lang = gateway.lang(iq.lang.as_deref().or(stored));
    if let (Some(person), Some(request)) = (person, xep_register::parse(iq)) {
        let desk = Desk {
            gateway,
            person,
            moment,
            lang,
        };
        return register::decide(&desk, iq, &request);
    }
    let answer = answer(gateway, iq, lang);
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

fn answer(gateway: &Gateway, iq: &Iq, lang: Lang) -> Answer {
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
    if let Some(query) = disco::Query::parse(iq) {
        return info::answer(gateway, &target, &query);
    }
    if version::is_query(iq) {
        return Ok(Some(version::answer(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
        )));
    }
    if iq.kind == IqType::Get && payload.is("vCard", ns::VCARD) {
        return Ok(Some(card::of(gateway, &target, lang)));
    }
    if target == Target::Gateway
        && let Some(request) = typed::parse(iq)
    {
        return translate(gateway, &request, lang);
    }
    // RFC 6120 §8.4: known, but not in this way; or not known at all.
    let known = [
        ns::PING,
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::VERSION,
        ns::VCARD,
        ns::GATEWAY,
        ns::REGISTER,
    ];
    let known = known.contains(&payload.namespace());
    let condition = if known {
        Condition::FeatureNotImplemented
    } else {
        Condition::ServiceUnavailable
    };
    Err(StanzaError::new(condition).into())
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
        .find_map(|spelling| gateway.adapter.read_typed(spelling).ok())?;
    gateway.jid_of(&address, None).map(Jid::from)
}

#[cfg(test)]
mod tests;
