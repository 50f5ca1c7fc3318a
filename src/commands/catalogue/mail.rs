//! The commands of everybody at a mail gateway.

use super::person::one;
use crate::{
    commands::{
        Known, Next,
        form::{Field, Form, Kind},
    },
    operations::{Judgement, Reply, Request},
    texts::{Label, Post, Text},
};

pub(super) fn strangers(known: &Known<'_>) -> Next {
    let Some(Reply::Strangers(strangers)) = known.looked(0) else {
        return Next::Look(Request::Strangers);
    };
    let Some(peer) = known.answer("peer").map(str::to_owned) else {
        if strangers.is_empty() {
            return Next::Do(Request::Strangers);
        }
        let choice = |stranger: &crate::operations::Stranger| {
            let label = Post::Knocking(stranger.into());
            (Text::from(label), stranger.peer.clone())
        };
        let peers = strangers.iter().map(choice).collect();
        return Next::Ask(Form::of([Field::new(
            "peer",
            Label::Peer,
            Kind::Choice(peers),
        )]));
    };
    let word = match known.answer("action") {
        Some("accept") => Judgement::Accept,
        Some("discard") => Judgement::Discard,
        Some("allow") => Judgement::Allow,
        Some(_) => {
            let gateway = None;
            return Next::Do(Request::BlockAdd { peer, gateway });
        }
        None => {
            let actions = [
                (Text::from(Post::Accept), "accept"),
                (Text::from(Post::Discard), "discard"),
                (Text::from(Post::AlwaysAllow), "allow"),
                (Text::from(Label::Block), "block"),
            ];
            let actions = actions.map(|(label, value)| (label, value.to_owned()));
            let field = Field::new("action", Label::Action, Kind::Choice(actions.into()));
            return Next::Ask(Form::of([field]));
        }
    };
    Next::Do(Request::Judge { peer, word })
}

pub(super) fn accept(known: &Known<'_>) -> Next {
    judge(known, Judgement::Accept)
}

pub(super) fn discard(known: &Known<'_>) -> Next {
    judge(known, Judgement::Discard)
}

pub(super) fn allow(known: &Known<'_>) -> Next {
    judge(known, Judgement::Allow)
}

pub(super) fn disallow(known: &Known<'_>) -> Next {
    judge(known, Judgement::Disallow)
}

pub(super) fn allowed(_: &Known<'_>) -> Next {
    Next::Do(Request::Allowed)
}

pub(super) fn original(known: &Known<'_>) -> Next {
    one(known, "peer", Label::Peer, Kind::Peer, |peer| {
        Request::Original { peer }
    })
}

fn judge(known: &Known<'_>, word: Judgement) -> Next {
    one(known, "peer", Label::Peer, Kind::Peer, |peer| {
        Request::Judge { peer, word }
    })
}
