//! The commands of everybody, about what is theirs.

use std::collections::BTreeMap;

use crate::{
    commands::{
        Known, Next,
        form::{Field, Form, Kind},
    },
    gateway::settings::{Kind as SettingKind, Setting},
    operations::{Contact, Offer, Reply, Request, SettingShown},
    texts::{Dialogue, Label, Text},
};

/// The choice that leaves it to the gateway.
const DEFAULT: &str = "default";

pub(super) fn register(known: &Known<'_>) -> Next {
    let Some(Reply::Offer(offer)) = known.looked(0) else {
        return Next::Look(Request::Offer);
    };
    match known.answer("address") {
        Some(address) => {
            let address = Some(address.to_owned()).filter(|address| !address.is_empty());
            Next::Do(Request::Register { address })
        }
        None if has_choice(offer) => {
            let address = Field::new("address", Label::Address, Kind::Open(offer.free.clone()));
            Next::Ask(Form::of([address
                .optional()
                .with_value(offer.given.clone())]))
        }
        None => Next::Do(Request::Register { address: None }),
    }
}

/// Whoever has a number or address, or is to be asked about, chooses nothing.
fn has_choice(offer: &Offer) -> bool {
    let may_choose = matches!(offer.state.as_deref(), None | Some("active"));
    may_choose && offer.own.is_none() && (offer.any || !offer.free.is_empty())
}

pub(super) fn verify(known: &Known<'_>) -> Next {
    one(known, "number", Label::Mobile, Kind::Peer, |number| {
        Request::Verify { number }
    })
}

pub(super) fn code(known: &Known<'_>) -> Next {
    one(known, "code", Label::ProofCode, Kind::Text, |code| {
        Request::VerifyCode { code }
    })
}

pub(super) fn unregister(known: &Known<'_>) -> Next {
    sure(
        known,
        &Dialogue::ConfirmUnregister.into(),
        Request::Unregister,
    )
}

pub(super) fn status(_: &Known<'_>) -> Next {
    Next::Do(Request::Status)
}

pub(super) fn messages(_: &Known<'_>) -> Next {
    Next::Do(Request::Messages)
}

pub(super) fn usage(_: &Known<'_>) -> Next {
    Next::Do(Request::Usage)
}

pub(super) fn export(_: &Known<'_>) -> Next {
    Next::Do(Request::Export)
}

pub(super) fn blocks(_: &Known<'_>) -> Next {
    Next::Do(Request::BlockList { gateway: None })
}

pub(super) fn import(known: &Known<'_>) -> Next {
    one(known, "cards", Label::AddressBook, Kind::Cards, |cards| {
        Request::ContactsImport {
            cards,
            user: None,
            gateway: None,
        }
    })
}

pub(super) fn optouts(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    Next::Do(Request::Optouts { gateway })
}

pub(super) fn trace(known: &Known<'_>) -> Next {
    one(known, "id", Label::Id, Kind::Text, |id| Request::Trace {
        id,
    })
}

pub(super) fn cost(known: &Known<'_>) -> Next {
    one(known, "text", Label::Text, Kind::Lines, |text| {
        Request::Cost { text }
    })
}

pub(super) fn block(known: &Known<'_>) -> Next {
    one(known, "peer", Label::Peer, Kind::Peer, |peer| {
        Request::BlockAdd {
            peer,
            gateway: None,
        }
    })
}

pub(super) fn unblock(known: &Known<'_>) -> Next {
    one(known, "peer", Label::Peer, Kind::Peer, |peer| {
        Request::BlockRemove {
            peer,
            gateway: None,
        }
    })
}

pub(super) fn settings(known: &Known<'_>) -> Next {
    let Some(Reply::Settings(shown)) = known.looked(0) else {
        return Next::Look(Request::Settings);
    };
    let mut values = BTreeMap::new();
    for setting in shown {
        match known.answer(&setting.name) {
            // A choice is never empty; the gateway's way is one of them.
            Some(DEFAULT) => values.insert(setting.name.clone(), String::new()),
            Some(value) => values.insert(setting.name.clone(), value.to_owned()),
            None => return Next::Ask(Form::of(shown.iter().filter_map(setting_field))),
        };
    }
    Next::Do(Request::SettingsChange { values })
}

fn setting_field(shown: &SettingShown) -> Option<Field> {
    let setting = Setting::ALL
        .into_iter()
        .find(|setting| setting.name() == shown.name)?;
    let word = |value: &String| (Text::from(value_label(setting, value)), value.clone());
    let kind = match setting.kind() {
        SettingKind::Text(_) => Kind::Text,
        SettingKind::Language | SettingKind::YesNo | SettingKind::OwnLine => {
            let unset = (Text::from(Label::AsConfigured), DEFAULT.to_owned());
            Kind::Choice(
                std::iter::once(unset)
                    .chain(shown.choices.iter().map(word))
                    .collect(),
            )
        }
    };
    let value = match (&kind, &shown.value) {
        (Kind::Choice(_), None) => Some(DEFAULT.to_owned()),
        (_, value) => value.clone(),
    };
    Some(
        Field::new(setting.name(), setting.label(), kind)
            .optional()
            .with_value(value),
    )
}

fn value_label(setting: Setting, value: &str) -> Label {
    match (setting.kind(), value) {
        (SettingKind::YesNo, "yes") => Label::Yes,
        (SettingKind::YesNo, _) => Label::No,
        (SettingKind::Language, "en") => Label::Word("English".to_owned()),
        (SettingKind::Language, "de") => Label::Word("Deutsch".to_owned()),
        _ => Label::Word(value.to_owned()),
    }
}

pub(super) fn contacts(known: &Known<'_>) -> Next {
    let Some(Reply::Contacts(contacts)) = known.looked(0) else {
        return Next::Look(Request::Contacts);
    };
    let Some(peer) = known.answer("peer").map(str::to_owned) else {
        if contacts.is_empty() {
            return Next::Do(Request::Contacts);
        }
        let peers = contacts.iter().map(contact_choice).collect();
        return Next::Ask(Form::of([Field::new(
            "peer",
            Label::Peer,
            Kind::Choice(peers),
        )]));
    };
    let blocked = contacts
        .iter()
        .any(|contact| contact.peer == peer && contact.blocked);
    let gateway = None;
    match known.answer("action") {
        None => {
            let block = if blocked { "unblock" } else { "block" };
            let label = if blocked {
                Label::Unblock
            } else {
                Label::Block
            };
            let actions = [
                (Label::Rename, "rename"),
                (label, block),
                (Label::Remove, "remove"),
            ];
            let actions = actions.map(|(label, value)| (Text::from(label), value.to_owned()));
            let field = Field::new("action", Label::Action, Kind::Choice(actions.into()));
            Next::Ask(Form::of([field]))
        }
        Some("rename") => match known.answer("name") {
            None => {
                let name = contacts.iter().find(|contact| contact.peer == peer);
                let name = name.and_then(|contact| contact.name.clone());
                let field = Field::new("name", Label::Name, Kind::Text);
                Next::Ask(Form::of([field.optional().with_value(name)]))
            }
            Some(name) => Next::Do(Request::ContactRename {
                peer,
                name: name.to_owned(),
            }),
        },
        Some("block") => Next::Do(Request::BlockAdd { peer, gateway }),
        Some("unblock") => Next::Do(Request::BlockRemove { peer, gateway }),
        Some(_) => Next::Do(Request::ContactRemove { peer }),
    }
}

fn contact_choice(contact: &Contact) -> (Text, String) {
    let label = match &contact.name {
        Some(name) => format!("{name} ({})", contact.peer),
        None => contact.peer.clone(),
    };
    (Label::Word(label).into(), contact.peer.clone())
}

/// A command with one field.
pub(super) fn one(
    known: &Known<'_>,
    name: &'static str,
    label: Label,
    kind: Kind,
    request: impl FnOnce(String) -> Request,
) -> Next {
    match known.answer(name) {
        Some(value) => Next::Do(request(value.to_owned())),
        None => Next::Ask(Form::of([Field::new(name, label, kind)])),
    }
}

/// Asks once more; whoever says no is told that nothing was done.
pub(super) fn sure(known: &Known<'_>, question: &Text, request: Request) -> Next {
    match known.answer("sure") {
        Some("yes") => Next::Do(request),
        Some(_) => Next::Stop,
        None => Next::Ask(
            Form::of([Field::new("sure", Label::Sure, Kind::Boolean)]).saying(question.clone()),
        ),
    }
}
