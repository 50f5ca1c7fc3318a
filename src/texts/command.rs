//! Commands: what they are called, what they ask, and what is said while they are walked through.

use transom_adapter::Network;

use super::Label;

/// What a command is for, by its plain name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topic {
    /// `register`
    Register,
    /// `verify`
    Verify,
    /// `code`
    Code,
    /// `unregister`
    Unregister,
    /// `status`
    Status,
    /// `settings`
    Settings,
    /// `contacts`
    Contacts,
    /// `messages`
    Messages,
    /// `trace`
    Trace,
    /// `usage`
    Usage,
    /// `cost`
    Cost,
    /// `block`
    Block,
    /// `unblock`
    Unblock,
    /// `blocks`
    Blocks,
    /// `import`
    Import,
    /// `optouts`
    Optouts,
    /// `export`
    Export,
    /// `mailbox`
    Mailboxes,
    /// `mailbox-add`
    MailboxAdd,
    /// `mailbox-remove`
    MailboxRemove,
    /// `aliases`
    Aliases,
    /// `alias`
    Alias,
    /// `alias-drop`
    AliasDrop,
    /// `original`
    Original,
    /// `strangers`
    Strangers,
    /// `accept`
    Accept,
    /// `discard`
    Discard,
    /// `allow`
    Allow,
    /// `disallow`
    Disallow,
    /// `allowed`
    Allowed,
    /// `users`
    Users,
    /// `user-show`
    UserShow,
    /// `user-add`
    UserAdd,
    /// `user-decline`
    UserDecline,
    /// `user-remove`
    UserRemove,
    /// `user-rename`
    UserRename,
    /// `lines`
    Lines,
    /// `line-assign`
    LineAssign,
    /// `line-release`
    LineRelease,
    /// `queue`
    Queue,
    /// `queue-retry`
    QueueRetry,
    /// `queue-cancel`
    QueueCancel,
    /// `queue-release`
    QueueRelease,
    /// `state`
    State,
    /// `announce`
    Announce,
    /// `bar`
    Bar,
    /// `unbar`
    Unbar,
    /// `barred`
    Barred,
    /// `log-level`
    LogLevel,
    /// `page`
    Page,
}

/// What is said while a command is walked through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dialogue {
    /// A command's name for people.
    Title(Topic),
    /// What it does, one sentence without full stop.
    About(Topic),
    /// All that can be written.
    Help {
        /// The gateway's JID.
        gateway: String,
        /// What the gateway is for.
        network: Network,
        /// The commands: name and what for.
        commands: Vec<(&'static str, Topic)>,
        /// Those of admins.
        admin: Vec<(&'static str, Topic)>,
    },
    /// More about one command.
    HelpFor {
        /// What is written.
        usage: String,
        /// What for.
        topic: Topic,
    },
    /// Asks for a value.
    Ask(Label),
    /// Asks to choose by number.
    Choose(Label),
    /// How to answer yes or no.
    YesOrNo,
    /// How to leave an optional value out.
    MayBeSkipped {
        /// What it is now.
        now: Option<String>,
    },
    /// How to stop.
    OrCancel,
    /// It was stopped.
    Cancelled,
    /// There was nothing to stop.
    NothingToCancel,
    /// A number came, and nothing had been asked: transom was restarted, or it took too long.
    NotAsked,
    /// What is no value of this field.
    BadValue(Label),
    /// A value that must not be left out.
    Missing(Label),
    /// Asks once more before everything is deleted.
    ConfirmUnregister,
    /// Asks once more before all users are written to.
    ConfirmAnnounce {
        /// How many.
        users: usize,
    },
    /// Somebody has too many forms open.
    TooMany,
    /// Somebody writes quicker than is answered.
    TooFast,
    /// The form is too old, or of somebody else.
    Expired,
    /// Not for this person.
    NotForYou,
    /// Is done.
    Done,
}
