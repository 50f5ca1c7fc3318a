//! To the admins, about registration, and from the gateway itself.

use transom_adapter::Network;

use super::{duration, size};
use crate::texts::{Admin, Chat, Registration, Trouble, quantity::date};

pub(super) fn admin(text: &Admin) -> String {
    match text {
        Admin::Trouble(trouble) => format!("⚠ {}", trouble_text(trouble)),
        Admin::AllClear(trouble) => format!("✓ {}", all_clear(trouble)),
        Admin::ApprovalRequest { user, gateway } => format!(
            "{user} would like to use {gateway}. Write \"user add {user}\" to {gateway} to allow it; do nothing to decline."
        ),
        Admin::UserAdded { user } => format!("{user} may use this gateway now and has been told."),
        Admin::UserDeclined { user } => format!("{user} is declined and has been told."),
        Admin::WhichUser => {
            "Write the person's address behind it, as \"user add alice@example.org\".".into()
        }
        Admin::NotAdmitted { user } => {
            format!(
                "The configuration does not admit {user}. Add the address or its domain to \"allow\" first."
            )
        }
        Admin::NothingToDecline { user } => format!("{user} is not waiting for an answer."),
        Admin::UserUnreachable { user, messages } => format!(
            "⚠ The server of {user} refused messages for this user; {messages} could not be delivered today."
        ),
    }
}

pub(super) fn registration(text: &Registration) -> String {
    use Registration as R;
    match text {
        R::Proof(text) => super::proof::proof(text),
        R::Instructions {
            network: Network::Sms,
        } => "Register to send and receive text messages. You get a number, or share one with others.".into(),
        R::Instructions {
            network: Network::Email,
        } => "Register to send and receive mail. You get a mail address here.".into(),
        R::AlreadyRegistered { address } => format!("You are registered with {address}."),
        R::Registered {
            address: Some(address),
            network,
        } => format!(
            "You are registered with {address}. To write to somebody, add {} as a contact.",
            a_contact(*network)
        ),
        R::Registered {
            address: None,
            network,
        } => format!(
            "You are registered and share a number with others. To write to somebody, add {} as a contact.",
            a_contact(*network)
        ),
        R::RequestSent => "An administrator has been asked. You will be told the answer here.".into(),
        R::Approved => "An administrator has let you in. You can write now.".into(),
        R::Declined => "An administrator has declined your registration.".into(),
        R::NoFreeLine => "No number is free at the moment. Ask an administrator.".into(),
        R::Taken { address } => format!("{address} belongs to somebody else. Choose another."),
        R::BadAlias { alias } => format!(
            "{alias} cannot be a mail address here. Choose letters a to z, digits, dots and dashes, 64 at most."
        ),
        R::Disabled { until } => format!(
            "You removed this gateway, so nothing is sent any more. What comes in is kept until {}; \
             add the gateway again by then and everything is as it was. After that your number or address is given up.",
            date(until)
        ),
        R::Restored => "Welcome back. Everything is as it was; what came in meanwhile follows.".into(),
        R::Unregistered => "You are no longer registered, and what was kept about you is deleted. Goodbye.".into(),
    }
}

pub(super) fn chat(text: &Chat) -> String {
    match text {
        Chat::Name {
            network: Network::Sms,
        } => "Text messages".into(),
        Chat::Name {
            network: Network::Email,
        } => "Mail".into(),
        Chat::UnknownCommand { command } => {
            format!("\"{command}\" is not a command. Write \"help\" to see what is.")
        }
        Chat::SearchDescription {
            network: Network::Sms,
        } => "Find somebody you have written with, by name or phone number.".into(),
        Chat::SearchDescription {
            network: Network::Email,
        } => "Find somebody you have written with, by name or mail address.".into(),
        Chat::SearchField {
            network: Network::Sms,
        } => "Name or phone number".into(),
        Chat::SearchField {
            network: Network::Email,
        } => "Name or mail address".into(),
        Chat::NameLabel => "Name".into(),
        Chat::PromptDescription {
            network: Network::Sms,
        } => "Enter the phone number of the person you want to write to, with the country code."
            .into(),
        Chat::PromptDescription {
            network: Network::Email,
        } => "Enter the mail address of the person you want to write to.".into(),
        Chat::Prompt {
            network: Network::Sms,
        } => "Phone number".into(),
        Chat::Prompt {
            network: Network::Email,
        } => "Mail address".into(),
    }
}

fn trouble_text(trouble: &Trouble) -> String {
    match trouble {
        Trouble::LinkRefused {
            gateway,
            problem,
            remedy,
        } => format!("The XMPP server refuses {gateway}: {problem}. {remedy}"),
        Trouble::Account { account, problem } => format!(
            "The account {account} does not work: {problem}. Messages wait or fail until it is corrected."
        ),
        Trouble::BalanceLow { account, balance } => {
            format!("The account {account} has {balance} left. Top it up.")
        }
        Trouble::Waiting {
            gateway,
            age,
            messages,
        } => format!(
            "In {gateway} the oldest message has been waiting for {}; {messages} wait in all. See \"transom queue list\".",
            duration(*age)
        ),
        Trouble::Disk { bytes_free } => format!(
            "The disk has only {} left. When it is full, nothing more is accepted.",
            size(*bytes_free)
        ),
        Trouble::Unowned { line, messages } => format!(
            "{messages} text messages came to {line} today that belong to nobody. \
             See \"transom queue list\"; \"transom queue retry --to JID\" delivers them."
        ),
    }
}

fn all_clear(trouble: &Trouble) -> String {
    match trouble {
        Trouble::LinkRefused { gateway, .. } => format!("{gateway} is connected again."),
        Trouble::Account { account, .. } => format!("The account {account} works again."),
        Trouble::BalanceLow { account, .. } => {
            format!("The account {account} has enough credit again.")
        }
        Trouble::Waiting { gateway, .. } => {
            format!("In {gateway} no message has been waiting for long any more.")
        }
        Trouble::Disk { .. } => "The disk has enough room again.".into(),
        Trouble::Unowned { line, .. } => {
            format!("No messages to {line} without an owner are waiting any more.")
        }
    }
}

fn a_contact(network: Network) -> &'static str {
    match network {
        Network::Sms => "the phone number (as +12025550147) at this gateway",
        Network::Email => "the mail address (as name\\40example.com) at this gateway",
    }
}

pub(super) fn a_contact_at(gateway: &str, network: Network) -> String {
    match network {
        Network::Sms => format!("+12025550147@{gateway} (with the person's number)"),
        Network::Email => format!("name\\40example.com@{gateway} (with the person's address)"),
    }
}
