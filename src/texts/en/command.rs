//! Commands: their names and labels, and what is said while they are walked through.

use crate::texts::{Dialogue, Label, Topic};

pub(super) fn dialogue(text: &Dialogue) -> String {
    use Dialogue as D;
    match text {
        D::Title(topic) => title(*topic).into(),
        D::About(topic) => about(*topic).into(),
        D::Help {
            gateway,
            network,
            commands,
            admin,
        } => {
            let line = |(name, topic): &(&str, Topic)| format!("\n{name}: {}", about(*topic));
            let mut text = format!(
                "This is {gateway}. To write to somebody, add {} as a contact and send a message.\nWhat you can write here:",
                super::service::a_contact_at(gateway, *network)
            );
            text.extend(commands.iter().map(line));
            if !admin.is_empty() {
                text.push_str("\nFor administrators:");
                text.extend(admin.iter().map(line));
            }
            text.push_str("\nhelp NAME: more about one of them\ncancel: stop what was begun");
            text
        }
        D::HelpFor { usage, topic } => {
            format!("{usage}\n{}.", capital(about(*topic)))
        }
        D::Ask(name) => format!("{}?", label(name)),
        D::Choose(name) => format!("{}? Answer with a number:", label(name)),
        D::YesOrNo => "Answer \"yes\" or \"no\".".into(),
        D::MayBeSkipped { now: Some(now) } => {
            format!("It is \"{now}\" now; write \"-\" to leave it so.")
        }
        D::MayBeSkipped { now: None } => "Write \"-\" to leave it out.".into(),
        D::OrCancel => "\"cancel\" stops this.".into(),
        D::Cancelled => "Stopped. Nothing was changed.".into(),
        D::NothingToCancel => "There is nothing to stop.".into(),
        D::NotAsked => {
            "I do not know any more what that answers; it was asked too long ago. Write the command again, or \"help\"."
                .into()
        }
        D::BadValue(name) => format!("That does not fit \"{}\". Try again.", label(name)),
        D::Missing(name) => format!("\"{}\" must not be left empty.", label(name)),
        D::ConfirmUnregister => {
            "Your number or address is given up and everything kept about you is deleted. Really?".into()
        }
        D::ConfirmAnnounce { users } => format!("This goes to {users} users. Really?"),
        D::TooMany => "Too many forms are open. Finish or cancel one of them, then begin again.".into(),
        D::TooFast => "That was too much at once, and I have not read this message. Wait a minute, then write it again.".into(),
        D::Expired => "This form is too old. Begin again.".into(),
        D::NotForYou => "Only administrators may do this.".into(),
        D::Done => "Done.".into(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn title(topic: Topic) -> &'static str {
    use Topic as T;
    match topic {
        T::Register => "Register",
        T::Verify => "Prove my mobile number",
        T::Code => "Enter the code",
        T::Unregister => "Unregister",
        T::Status => "My registration",
        T::Settings => "Settings",
        T::Contacts => "Contacts",
        T::Messages => "My last messages",
        T::Trace => "What became of a message",
        T::Usage => "What I used today",
        T::Cost => "What a text costs",
        T::Block => "Block somebody",
        T::Unblock => "Allow somebody again",
        T::Blocks => "Whom I block",
        T::Import => "Import contacts",
        T::Optouts => "Who said STOP",
        T::Export => "Export my data",
        T::Mailboxes => "My mail accounts",
        T::MailboxAdd => "Connect my mail account",
        T::MailboxRemove => "Disconnect a mail account",
        T::Aliases => "My addresses for one purpose",
        T::Alias => "Make an address for one purpose",
        T::AliasDrop => "Give such an address up",
        T::Original => "The last mail as it came",
        T::Strangers => "Who wants to write to me",
        T::Accept => "Accept a stranger's mail",
        T::Discard => "Throw a stranger's mail away",
        T::Allow => "Always allow somebody",
        T::Disallow => "No longer always allow somebody",
        T::Allowed => "Whom I always allow",
        T::Users => "Users",
        T::UserShow => "One user",
        T::UserAdd => "Add a user",
        T::UserDecline => "Decline a user",
        T::UserRemove => "Remove a user",
        T::UserRename => "Rename a user",
        T::Lines => "Our numbers",
        T::LineAssign => "Give a number to a user",
        T::LineRelease => "Take a number back",
        T::Queue => "What waits",
        T::QueueRetry => "Try messages again",
        T::QueueCancel => "Give messages up",
        T::QueueRelease => "Send what is held",
        T::State => "State of the gateway",
        T::Announce => "Write to all users",
        T::Bar => "Block somebody for everybody",
        T::Unbar => "Allow somebody for everybody again",
        T::Barred => "Who is blocked for everybody",
        T::LogLevel => "How much the log says",
        T::Page => "Link to the operator's page",
    }
}

fn about(topic: Topic) -> &'static str {
    use Topic as T;
    match topic {
        T::Register => "become a user, or choose a number or an address",
        T::Verify => "a code is sent to your mobile number, to be entered with \"code\"",
        T::Code => "the code that was sent to your mobile number",
        T::Unregister => "stop being one; everything about you is deleted",
        T::Status => "your number or address, and where you stand",
        T::Settings => "your language, receipts and the number you write from",
        T::Contacts => "whom you write with; name, block or forget them",
        T::Messages => "what became of your last messages",
        T::Trace => "everything about one message, by its id",
        T::Usage => "how much you sent today, and how much you may",
        T::Cost => "how many segments a text takes",
        T::Block => "somebody cannot reach you any more",
        T::Unblock => "somebody can reach you again",
        T::Blocks => "whom you have blocked",
        T::Aliases => "the addresses that you made, and who writes to them",
        T::Alias => "an address that you can give up again, for a shop for instance",
        T::AliasDrop => "mail to such an address is refused from then on",
        T::Import => "names for your contacts, from the vCards of an address book",
        T::Optouts => "who said STOP and gets nothing from you until they send START",
        T::Original => "somebody's last mail as it came; in the chat with them, write /original",
        T::Strangers => "whose mail waits for your word; deliver it, throw it away, block them",
        T::Accept => "what somebody wrote who waits for your word is delivered",
        T::Discard => "what somebody wrote who waits for your word is thrown away",
        T::Allow => "somebody's mail never waits for your word",
        T::Disallow => "somebody's mail is treated like anybody's again",
        T::Allowed => "whose mail never waits for your word",
        T::Export => "everything that is kept about you, as a file",
        T::Mailboxes => "your own mail accounts and whether they work",
        T::MailboxAdd => {
            "read and write the mail of your own account here, or enter its new password"
        }
        T::MailboxRemove => "delete the password of one of them and all that is kept of it",
        T::Users => "who uses this gateway",
        T::UserShow => "a user's numbers, conversations and what waits",
        T::UserAdd => "let somebody in",
        T::UserDecline => "say no to somebody who asked",
        T::UserRemove => "unregister somebody, at once and completely",
        T::UserRename => "give everything of one account to another",
        T::Lines => "our numbers and whose they are",
        T::LineAssign => "give a number of the pool to a user",
        T::LineRelease => "take a number from its owners",
        T::Queue => "what waits, and why",
        T::QueueRetry => "try waiting messages again now",
        T::QueueCancel => "give waiting messages up; their senders are told",
        T::QueueRelease => "send what is held since a copy of the database was put back",
        T::State => "whether the connections and the database work",
        T::Announce => "write one message to all users",
        T::Bar => "block a number or address for everybody",
        T::Unbar => "take such a block back",
        T::Barred => "which numbers and addresses are blocked for everybody",
        T::LogLevel => "change how much the log says until the next start",
        T::Page => "a link to the operator's page, for once",
    }
}

pub(super) fn label(text: &Label) -> String {
    use Label as L;
    match text {
        L::User => "User",
        L::NewUser => "New account",
        L::Gateway => "Gateway",
        L::State => "State",
        L::Since => "Since",
        L::Addresses => "Numbers and addresses",
        L::Address => "Number or address",
        L::MailAddress => "Mail address",
        L::Kind => "Kind",
        L::Providers => "Providers",
        L::Source | L::From => "From",
        L::Owners => "Owners",
        L::Id => "ID",
        L::Way => "Way",
        L::Age => "Age",
        L::Mobile => "Mobile number",
        L::ProofCode => "Code",
        L::Name | L::Rename => "Name",
        L::Tries => "Tries",
        L::Next => "Next",
        L::Why => "Why",
        L::Language => "Language",
        L::Registered => "Registered",
        L::Today => "Today",
        L::Waiting => "Waiting",
        L::Conversations => "Conversations",
        L::Line => "Line",
        L::LastActive => "Last active",
        L::To => "To",
        L::Contact | L::Peer => "Contact",
        L::Accepted => "Accepted",
        L::LastAttempt => "Last attempt",
        L::Ended => "Ended",
        L::Attempts => "Attempts",
        L::CanGoBy => "Can go by",
        L::Segments => "Segments",
        L::Reason => "Reason",
        L::Told => "Told",
        L::ToBeTold => "To be told",
        L::Text => "Text",
        L::Stanza => "Stanza",
        L::NetworkId => "Network id",
        L::Database => "Database",
        L::Link => "Link",
        L::Account => "Account",
        L::LogLevel => "Level of the log",
        L::Receipts => "Delivery receipts",
        L::DefaultLine => "New conversations from",
        L::Action => "What to do",
        L::Sure => "Really",
        L::Messages => "Messages",
        L::NewPeers => "New people in the last hour",
        L::Everybody => "All users together",
        L::Limit => "Used and allowed",
        L::Ids => "IDs",
        L::Time => "Time",
        L::Remove => "Forget",
        L::Block => "Block",
        L::Unblock => "Allow again",
        L::AsConfigured => "As the gateway has it",
        L::Purpose => "What for",
        L::Yes => "yes",
        L::No => "no",
        L::Nobody => "nobody",
        L::Word(word) => word,
        other => setting(other),
    }
    .into()
}

/// What a user can choose for texts.
fn setting(text: &Label) -> &'static str {
    use Label as L;
    match text {
        L::AddressBook => "Address book (vCards)",
        L::Quotes => "Quote in answers (costs more)",
        L::ReactionsAsText => "Reactions as text (each costs a text)",
        L::FileLinks => "Files as links, where they cannot be sent",
        other => super::post::label(other),
    }
}
