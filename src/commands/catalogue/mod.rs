//! Every command, by its plain name.

mod admin;
mod mail;
mod mailbox;
mod person;

use super::{Command, Next, Who};
use crate::texts::Topic;

/// Every command, in the order in which they are shown.
pub const ALL: &[Command] = &[
    of("register", Topic::Register, Who::Person, person::register),
    of("verify", Topic::Verify, Who::Prover, person::verify),
    of("code", Topic::Code, Who::Prover, person::code),
    of("status", Topic::Status, Who::Person, person::status),
    of("settings", Topic::Settings, Who::Person, person::settings),
    of("contacts", Topic::Contacts, Who::Person, person::contacts),
    of("import", Topic::Import, Who::Person, person::import),
    of("block", Topic::Block, Who::Person, person::block),
    of("unblock", Topic::Unblock, Who::Person, person::unblock),
    of("blocks", Topic::Blocks, Who::Person, person::blocks),
    of("optouts", Topic::Optouts, Who::Either, person::optouts),
    of("messages", Topic::Messages, Who::Person, person::messages),
    of("trace", Topic::Trace, Who::Either, person::trace),
    of("mailbox", Topic::Mailboxes, Who::Owner, mailbox::mailboxes),
    of("mailbox-add", Topic::MailboxAdd, Who::Owner, mailbox::add),
    of(
        "mailbox-remove",
        Topic::MailboxRemove,
        Who::Owner,
        mailbox::remove,
    ),
    of("usage", Topic::Usage, Who::Person, person::usage),
    of("cost", Topic::Cost, Who::Person, person::cost),
    of("aliases", Topic::Aliases, Who::Mail, mail::aliases),
    of("alias", Topic::Alias, Who::Mail, mail::alias),
    of("alias-drop", Topic::AliasDrop, Who::Mail, mail::alias_drop),
    of("original", Topic::Original, Who::Mail, mail::original),
    of("strangers", Topic::Strangers, Who::Mail, mail::strangers),
    of("accept", Topic::Accept, Who::Mail, mail::accept),
    of("discard", Topic::Discard, Who::Mail, mail::discard),
    of("allow", Topic::Allow, Who::Mail, mail::allow),
    of("disallow", Topic::Disallow, Who::Mail, mail::disallow),
    of("allowed", Topic::Allowed, Who::Mail, mail::allowed),
    of("export", Topic::Export, Who::Person, person::export),
    of(
        "unregister",
        Topic::Unregister,
        Who::Person,
        person::unregister,
    ),
    of("users", Topic::Users, Who::Admin, admin::users),
    of("user-show", Topic::UserShow, Who::Admin, admin::user_show),
    of("user-add", Topic::UserAdd, Who::Admin, admin::user_add),
    of(
        "user-decline",
        Topic::UserDecline,
        Who::Admin,
        admin::user_decline,
    ),
    of(
        "user-remove",
        Topic::UserRemove,
        Who::Admin,
        admin::user_remove,
    ),
    of(
        "user-rename",
        Topic::UserRename,
        Who::Admin,
        admin::user_rename,
    ),
    of("lines", Topic::Lines, Who::Admin, admin::lines),
    of(
        "line-assign",
        Topic::LineAssign,
        Who::Admin,
        admin::line_assign,
    ),
    of(
        "line-release",
        Topic::LineRelease,
        Who::Admin,
        admin::line_release,
    ),
    of("queue", Topic::Queue, Who::Admin, admin::queue),
    of(
        "queue-retry",
        Topic::QueueRetry,
        Who::Admin,
        admin::queue_retry,
    ),
    of(
        "queue-cancel",
        Topic::QueueCancel,
        Who::Admin,
        admin::queue_cancel,
    ),
    of(
        "queue-release",
        Topic::QueueRelease,
        Who::Admin,
        admin::queue_release,
    ),
    of("bar", Topic::Bar, Who::Admin, admin::bar),
    of("unbar", Topic::Unbar, Who::Admin, admin::unbar),
    of("barred", Topic::Barred, Who::Admin, admin::barred),
    of("state", Topic::State, Who::Admin, admin::state),
    of("announce", Topic::Announce, Who::Admin, admin::announce),
    of("log-level", Topic::LogLevel, Who::Admin, admin::log_level),
    of("page", Topic::Page, Who::Admin, admin::page),
];

const fn of(
    name: &'static str,
    topic: Topic,
    who: Who,
    next: fn(&super::Known<'_>) -> Next,
) -> Command {
    Command {
        name,
        topic,
        who,
        next,
    }
}

/// The command of this name.
pub fn find(name: &str) -> Option<&'static Command> {
    ALL.iter().find(|command| command.name == name)
}
