//! Words of forms, lists and tables.

/// A word or two: of a field, a fact, a column, a choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Label {
    /// The person whom an XMPP account belongs to.
    User,
    /// The JID that a user has from now on.
    NewUser,
    /// The gateway.
    Gateway,
    /// What something is now.
    State,
    /// The time from which it is so.
    Since,
    /// Our numbers and addresses.
    Addresses,
    /// A number or address of ours.
    Address,
    /// A mail address of the user's own.
    MailAddress,
    /// Which sort.
    Kind,
    /// Who carries it.
    Providers,
    /// Where it comes from.
    Source,
    /// Whose it is.
    Owners,
    /// What names it.
    Id,
    /// Outwards or inwards.
    Way,
    /// How old it is.
    Age,
    /// The mobile number of a user.
    Mobile,
    /// The code that was sent there.
    ProofCode,
    /// The outside person.
    Peer,
    /// The name of the outside person.
    Name,
    /// How often it was tried.
    Tries,
    /// When it is tried next.
    Next,
    /// Why it is so.
    Why,
    /// The language.
    Language,
    /// The time of registration.
    Registered,
    /// Used today.
    Today,
    /// What waits.
    Waiting,
    /// How many conversations.
    Conversations,
    /// Our number or address in a conversation.
    Line,
    /// When it was last active.
    LastActive,
    /// Who wrote.
    From,
    /// Who is written to.
    To,
    /// The JID of the outside person.
    Contact,
    /// When it was accepted.
    Accepted,
    /// When the last attempt began.
    LastAttempt,
    /// When it ended.
    Ended,
    /// How many attempts.
    Attempts,
    /// Which providers can carry it.
    CanGoBy,
    /// Parts that are paid for.
    Segments,
    /// Why it failed.
    Reason,
    /// What the sender was told.
    Told,
    /// What the sender still has to be told.
    ToBeTold,
    /// Whether the text is kept; the text of a message.
    Text,
    /// A stanza.
    Stanza,
    /// An id that the network uses.
    NetworkId,
    /// The database.
    Database,
    /// A connection to the XMPP server.
    Link,
    /// An account at a provider.
    Account,
    /// How much the log says.
    LogLevel,
    /// Whether delivery receipts are wanted.
    Receipts,
    /// vCards.
    AddressBook,
    /// Whether an answer quotes what it answers.
    Quotes,
    /// Whether a mail quotes what it answers.
    QuoteMail,
    /// Whether a reaction is sent as a text.
    ReactionsAsText,
    /// Whether files go as links where they cannot go themselves.
    FileLinks,
    /// The line that new conversations leave by.
    DefaultLine,
    /// What to do with something.
    Action,
    /// Whether to go on.
    Sure,
    /// Messages.
    Messages,
    /// People written to for the first time in the last hour.
    NewPeers,
    /// All users together.
    Everybody,
    /// Used so far and the most.
    Limit,
    /// An id, or several.
    Ids,
    /// When.
    Time,
    /// To change the name.
    Rename,
    /// To take it out.
    Remove,
    /// To block.
    Block,
    /// To allow again.
    Unblock,
    /// As the gateway has it.
    AsConfigured,
    /// Whether the user is asked before anybody new is shown.
    AskStrangers,
    /// What something is for.
    Purpose,
    /// What stands below every mail.
    Signature,
    /// What mails are about that do not say.
    Subject,
    /// Whether readers are asked to say that a mail was displayed.
    AskDisplayed,
    /// Whether such questions are answered.
    SayDisplayed,
    /// Whether what was read here is read in one's own mailbox, and the other way round.
    ShareRead,
    /// Agreement.
    Yes,
    /// The opposite.
    No,
    /// Nobody.
    Nobody,
    /// A word of the database, such as a delivery's state.
    Word(String),
}
