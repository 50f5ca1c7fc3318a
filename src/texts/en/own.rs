//! Mail accounts that users bring.

use super::duration;
use transom_adapter::Unproven;

use crate::texts::{Own, OwnPage};

pub(super) fn own(text: &Own) -> String {
    match text {
        Own::NotHere => "This gateway takes no mail accounts of its users.".into(),
        Own::NoKeys => {
            "This gateway has no key to keep passwords safe with, so it takes no mail account. Ask an administrator to set store.key_file.".into()
        }
        Own::BadAddress { typed } => format!("\"{typed}\" is not a mail address. Write it like alice@example.com."),
        Own::GatewaysOwn { address } => format!("{address} is an address of this gateway; it needs no account. Write another one."),
        Own::TooMany { most } => format!("You have {most} mail accounts here, and more are not allowed. Remove one of them first."),
        Own::TooOften => "That was tried too often. Try again in an hour.".into(),
        Own::Taken { address } => format!("{address} is connected by somebody else here already. If it is yours, ask an administrator."),
        Own::NotYours { address } => format!("You have no mail account {address} here. Write \"mailbox\" to see those that you have."),
        Own::Link { address, url, works_for } => format!(
            "Enter the password of {address} on this page, within {}; never write it here. The page works once:\n{url}",
            duration(*works_for)
        ),
        Own::None => "You have no mail account here. Write \"mailbox-add\" to connect one.".into(),
        Own::Works => "works".into(),
        Own::Connecting => "is being connected".into(),
        Own::OutOfReach { problem } => format!("cannot be reached now, and is tried again: {problem}"),
        Own::RefusedState { problem } => format!("refuses the password: {problem}"),
        Own::Connected { address } => format!(
            "{address} is connected. New mail to it comes here, and what you write to somebody who wrote to it is sent from it."
        ),
        Own::Removed { address } => format!("{address} is not connected any more. The password and everything that was kept of it is deleted."),
        Own::LoginRefused { address, problem } => format!(
            "The servers of {address} refuse the password: {problem}. Your mail stays there and nothing is sent from it. Write \"mailbox-add\" to enter the new password."
        ),
        Own::ConfirmRemove { address } => format!("The password of {address} is deleted, and what is kept of its mail here. The mail itself stays where it is. Really?"),
        Own::Page(text) => page(text),
        Own::Unproven(text) => unproven(text),
        Own::LoginNotStored => "It cannot be stored at the moment. Try again in a minute.".into(),
    }
}

fn page(text: &OwnPage) -> String {
    match text {
        OwnPage::Title => "Your mail account".into(),
        OwnPage::About { address } => format!(
            "Connect {address}: its new mail comes to your chats, and your answers are sent from it. The password is checked, then kept encrypted; remove it at any time by writing \"mailbox-remove\" to the gateway."
        ),
        OwnPage::Servers { inward, outward } => format!("Mail is read at {inward} and sent by {outward}."),
        OwnPage::NotFound => "The servers of this address could not be found. Your provider's help names them.".into(),
        OwnPage::Password => "Password".into(),
        OwnPage::Wait => "One moment: the servers are being asked. This page goes on by itself.".into(),
        OwnPage::AppPassword => "Many providers want a password made for this purpose (an app password) instead of the usual one.".into(),
        OwnPage::UserName => "User name".into(),
        OwnPage::Inward => "Server for incoming mail (IMAP)".into(),
        OwnPage::Outward => "Server for outgoing mail (SMTP)".into(),
        OwnPage::ServerHint => "as imap.example.com, or with a port: imap.example.com:143".into(),
        OwnPage::Connect => "Connect".into(),
        OwnPage::ByProvider { provider } => format!("{provider} lets you sign in on its own page; the password is not entered here."),
        OwnPage::SignInThere { provider } => format!("Sign in at {provider}"),
    }
}

fn unproven(text: &Unproven) -> String {
    match text {
        Unproven::Login { problem } => {
            format!("The login was refused: {problem}. Check the password and try again.")
        }
        Unproven::Unreachable { server, problem } => {
            format!("{server} cannot be reached: {problem}. Check the server, or try again later.")
        }
        Unproven::Forbidden { server } => format!(
            "{server} is not on the public Internet, so it is not connected to. Ask an administrator to allow it."
        ),
        Unproven::BadServer => {
            "That is not the name of a server. Write it like imap.example.com.".into()
        }
        Unproven::Unfit { server, problem } => {
            format!("{server} cannot be used: {problem}. Ask your provider.")
        }
        Unproven::Provider { problem } => format!(
            "The provider did not agree: {problem}. Sign in there again, or ask for a new link."
        ),
    }
}
