//! Groups.

use crate::texts::{GroupNotice, RefusedGroup};

pub(super) fn refused(text: &RefusedGroup) -> String {
    use RefusedGroup as R;
    match text {
        R::Unknown => "Nobody here knows who is in this group. Write to its members by their addresses.".into(),
        R::OwnAddress { others: Some(jid) } => {
            format!("Your own address is among these. Write to {jid}.")
        }
        R::OwnAddress { others: None } => "These are only addresses of your own. Write to somebody else.".into(),
        R::Unreadable => {
            "Some of the recipients could not be read, so nothing was sent. Check them and send this again.".into()
        }
        R::Elsewhere { address } => {
            format!("{address} is not a contact of this gateway, so nothing was sent. Leave it out and send this again.")
        }
        R::Hidden => "Nobody can be written to unseen by the others from here. Name everybody as a recipient, or write twice.".into(),
        R::SeveralLines => "These contacts belong to several numbers of yours. Write from one of them.".into(),
        R::SharedLine => "From a shared number each of these people would get a text of their own, and their answers would not find you. \
             Write to each of them alone."
            .into(),
    }
}

pub(super) fn notice(text: &GroupNotice) -> String {
    match text {
        GroupNotice::Separately => "Group texts cannot be sent from your number, so each of these people gets a text of their own and sees \
             nobody else. Their answers come into their own chats."
            .into(),
        GroupNotice::Mail { members, author } => format!(
            "In this conversation: {members}. What you write here goes to {author} alone; begin it with /all to write to everybody."
        ),
    }
}
