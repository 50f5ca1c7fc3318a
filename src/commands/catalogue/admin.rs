//! The commands of admins, about the gateway that they are said to.

use super::person::{one, sure};
use crate::{
    commands::{
        Known, Next,
        form::{Field, Form, Kind},
    },
    operations::{LEVELS, Reply, Request},
    texts::{Dialogue, Label, Text},
};

/// Rows of a list over XMPP; the command line and the operator's page show more.
const ROWS: u32 = 50;

pub(super) fn users(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    Next::Do(Request::UserList { gateway })
}

pub(super) fn user_show(known: &Known<'_>) -> Next {
    one(known, "user", Label::User, Kind::Person, |user| {
        Request::UserShow { user }
    })
}

pub(super) fn user_add(known: &Known<'_>) -> Next {
    let (Some(user), Some(address)) = (known.answer("user"), known.answer("address")) else {
        let user = Field::new("user", Label::User, Kind::Person);
        let address = Field::new("address", Label::Address, Kind::Text).optional();
        return Next::Ask(Form::of([user, address]));
    };
    Next::Do(Request::UserAdd {
        user: user.to_owned(),
        gateway: Some(known.gateway()),
        address: Some(address.to_owned()).filter(|address| !address.is_empty()),
    })
}

pub(super) fn user_decline(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    one(known, "user", Label::User, Kind::Person, |user| {
        Request::UserDecline { user, gateway }
    })
}

pub(super) fn user_remove(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    one(known, "user", Label::User, Kind::Person, |user| {
        Request::UserRemove { user, gateway }
    })
}

pub(super) fn user_rename(known: &Known<'_>) -> Next {
    let (Some(old), Some(new)) = (known.answer("user"), known.answer("new")) else {
        let old = Field::new("user", Label::User, Kind::Person);
        let new = Field::new("new", Label::NewUser, Kind::Person);
        return Next::Ask(Form::of([old, new]));
    };
    let (old, new) = (old.to_owned(), new.to_owned());
    Next::Do(Request::UserRename { old, new })
}

pub(super) fn lines(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    Next::Do(Request::LineList { gateway })
}

pub(super) fn line_assign(known: &Known<'_>) -> Next {
    let (Some(number), Some(user)) = (known.answer("line"), known.answer("user")) else {
        let line = Field::new("line", Label::Line, Kind::Text);
        let user = Field::new("user", Label::User, Kind::Person);
        return Next::Ask(Form::of([line, user]));
    };
    let (number, user) = (number.to_owned(), user.to_owned());
    Next::Do(Request::LineAssign { number, user })
}

pub(super) fn line_release(known: &Known<'_>) -> Next {
    one(known, "line", Label::Line, Kind::Text, |number| {
        Request::LineRelease { number }
    })
}

pub(super) fn queue(known: &Known<'_>) -> Next {
    Next::Do(Request::QueueList {
        gateway: Some(known.gateway()),
        direction: None,
        limit: ROWS,
    })
}

pub(super) fn queue_retry(known: &Known<'_>) -> Next {
    let (Some(all), Some(to)) = (known.answer("ids"), known.answer("to")) else {
        let to = Field::new("to", Label::To, Kind::Person).optional();
        return Next::Ask(Form::of([Field::new("ids", Label::Ids, Kind::Text), to]));
    };
    let to = Some(to.to_owned()).filter(|to| !to.is_empty());
    Next::Do(Request::QueueRetry { ids: ids(all), to })
}

pub(super) fn queue_cancel(known: &Known<'_>) -> Next {
    one(known, "ids", Label::Ids, Kind::Text, |all| {
        Request::QueueCancel { ids: ids(&all) }
    })
}

pub(super) fn queue_release(known: &Known<'_>) -> Next {
    one(known, "ids", Label::Ids, Kind::Text, |all| {
        match all.as_str() {
            "all" => Request::QueueRelease { ids: Vec::new() },
            // Without any id it would be all of them: that has to be said.
            _ if ids(&all).is_empty() => Request::QueueRelease { ids: vec![all] },
            _ => Request::QueueRelease { ids: ids(&all) },
        }
    })
}

fn ids(text: &str) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || c == ',';
    let words = text.split(between).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

pub(super) fn bar(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    one(known, "peer", Label::Peer, Kind::Peer, |peer| {
        Request::BlockAdd { peer, gateway }
    })
}

pub(super) fn unbar(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    one(known, "peer", Label::Peer, Kind::Peer, |peer| {
        Request::BlockRemove { peer, gateway }
    })
}

pub(super) fn barred(known: &Known<'_>) -> Next {
    let gateway = Some(known.gateway());
    Next::Do(Request::BlockList { gateway })
}

pub(super) fn state(_: &Known<'_>) -> Next {
    Next::Do(Request::Overview)
}

pub(super) fn announce(known: &Known<'_>) -> Next {
    let Some(Reply::Overview(overview)) = known.looked(0) else {
        return Next::Look(Request::Overview);
    };
    let Some(text) = known.answer("text") else {
        return Next::Ask(Form::of([Field::new("text", Label::Text, Kind::Lines)]));
    };
    let gateway = known.gateway();
    let here = overview.gateways.iter().find(|at| at.gateway == gateway);
    let users = here.map_or(0, |at| usize::try_from(at.users).unwrap_or(0));
    let (text, gateway) = (text.to_owned(), Some(gateway));
    let question = Dialogue::ConfirmAnnounce { users }.into();
    sure(known, &question, Request::Announce { gateway, text })
}

pub(super) fn log_level(known: &Known<'_>) -> Next {
    let level = |level: &str| (Text::from(Label::Word(level.to_owned())), level.to_owned());
    let levels = LEVELS.map(level).into();
    one(
        known,
        "level",
        Label::LogLevel,
        Kind::Choice(levels),
        |level| Request::LogLevel { level },
    )
}

pub(super) fn page(_: &Known<'_>) -> Next {
    Next::Do(Request::AdminLink)
}
