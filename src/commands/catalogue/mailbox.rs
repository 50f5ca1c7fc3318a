//! The commands about mail accounts that users bring.

use super::person::{one, sure};
use crate::{
    commands::{
        Known, Next,
        form::{Field, Form, Kind},
    },
    operations::{Mailbox, Reply, Request},
    texts::{Label, Own, Text},
};

pub(super) fn mailboxes(_: &Known<'_>) -> Next {
    Next::Do(Request::Mailboxes)
}

/// Asks for the address alone: the password is entered on a page, never in a chat that servers archive (semantics 25).
pub(super) fn add(known: &Known<'_>) -> Next {
    one(
        known,
        "address",
        Label::MailAddress,
        Kind::Text,
        |address| Request::MailboxAdd { address },
    )
}

pub(super) fn remove(known: &Known<'_>) -> Next {
    let Some(Reply::Mailboxes(mailboxes)) = known.looked(0) else {
        return Next::Look(Request::Mailboxes);
    };
    if mailboxes.is_empty() {
        return Next::Do(Request::Mailboxes);
    }
    let Some(address) = known.answer("address").map(str::to_owned) else {
        let choice = |mailbox: &Mailbox| {
            let label = Text::from(Label::Word(mailbox.address.clone()));
            (label, mailbox.address.clone())
        };
        let choices = Kind::Choice(mailboxes.iter().map(choice).collect());
        return Next::Ask(Form::of([Field::new(
            "address",
            Label::MailAddress,
            choices,
        )]));
    };
    let question = Text::from(Own::ConfirmRemove {
        address: address.clone(),
    });
    sure(known, &question, Request::MailboxRemove { address })
}
