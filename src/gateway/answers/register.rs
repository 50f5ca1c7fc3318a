//! XEP-0077: the desk by form.

use transom_adapter::Network;

use super::reply;
use crate::{
    config::Registration as Mode,
    gateway::registration::{Desk, Effects, denial},
    texts::{Chat, Membership, Registration, Text},
    xmpp::{
        ns,
        stanza::Iq,
        xep::{
            forms::{Field, Form},
            register::{Offer, Request},
        },
    },
};

/// Numbers of the pool that a form shows; any other can be typed.
const NUMBERS_SHOWN: usize = 50;

/// The number or alias among the values of a form, whichever of the fields it stands in.
pub(super) fn choice(values: &[(String, String)]) -> Option<String> {
    let field = |name: &str| {
        let value = values
            .iter()
            .find(|(var, _)| var == name)
            .map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    field("phone").or_else(|| field("email"))
}

pub(super) fn decide(desk: &Desk<'_>, iq: &Iq, request: &Request) -> Effects {
    let mut effects = Effects::default();
    let answer = match request {
        Request::Get => offer(desk)
            .map(|offer| Some(offer.to_element()))
            .map_err(|why| denial(&why, desk.lang).into()),
        Request::Cancel => Ok(None),
        Request::Remove => desk
            .unregister(&mut effects)
            .map(|_| None)
            .map_err(|why| denial(&why, desk.lang).into()),
        Request::Set(values) => match desk.register(choice(values).as_deref(), &mut effects) {
            Ok(told) => {
                // A form shows nothing afterwards: which number it is, and how to write, is said in the chat.
                effects.answers.push(desk.line(&told));
                Ok(None)
            }
            Err(why) => Err(denial(&why, desk.lang).into()),
        },
    };
    // XEP-0100 §4.1.1: the result first, then what follows from it.
    effects.answers.splice(0..0, reply(iq, answer));
    effects
}

fn offer(desk: &Desk<'_>) -> Result<Offer, Text> {
    let gateway = desk.gateway;
    let state = desk
        .person
        .member
        .as_ref()
        .map(|member| member.state.as_str());
    if !gateway.admits(&desk.person.jid) {
        return Err(Membership::NotAllowed {
            gateway: gateway.config.domain.to_string(),
        }
        .into());
    }
    if state.is_none() && gateway.config.registration == Mode::Closed {
        return Err(Membership::RegistrationClosed.into());
    }
    let network = gateway.network();
    let registered = state == Some("active");
    let instructions = match state {
        None => Registration::Instructions { network }.into(),
        Some(_) => desk.status(),
    };
    let instructions = instructions.render(desk.lang);
    let var = match network {
        Network::Sms => "phone",
        Network::Email => "email",
    };
    let own = desk.own_line().map(|line| line.address.clone());
    let form = Form::new(ns::REGISTER)
        .with_title(Text::from(Chat::Name { network }).render(desk.lang))
        .with_instructions(instructions.clone());
    let mut offer = Offer {
        instructions,
        registered,
        fields: Vec::new(),
        form: Some(form),
    };
    if network == Network::Sms && own.is_none() && desk.person.free.is_empty() {
        return Ok(offer);
    }
    let value = own
        .clone()
        .or_else(|| desk.given_address())
        .unwrap_or_default();
    let mut field = Field::new(
        var,
        if own.is_none() && network == Network::Sms {
            "list-single"
        } else {
            "text-single"
        },
    )
    .with_label(Text::from(Chat::Prompt { network }).render(desk.lang));
    if own.is_none() {
        let shown = desk.person.free.iter().take(NUMBERS_SHOWN);
        field = shown.fold(field, |field, number| {
            field.with_option(number.as_str(), number.as_str())
        });
    }
    if !value.is_empty() {
        field = field.with_value(value.as_str());
    }
    offer.fields.push((var, value));
    offer.form = offer.form.map(|form| form.with_field(field));
    Ok(offer)
}
