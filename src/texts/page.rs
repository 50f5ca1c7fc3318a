//! The operator's page, and the pages behind one-time links.

/// A heading, a button or a sentence of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// The page's name.
    Operator,
    /// Of the first part.
    Overview,
    /// Of the part that finds a message.
    Trace,
    /// Of the part with what waits.
    Queue,
    /// Of the part with users.
    Users,
    /// Of the part with our numbers and addresses.
    Lines,
    /// Of the part with blocks.
    Blocks,
    /// How to sign in.
    HowToSignIn,
    /// The field for the token of the configuration.
    Token,
    /// The button that signs in.
    SignIn,
    /// The button that signs out.
    SignOut,
    /// Above the button of a link that signs in.
    LinkSignsIn,
    /// The button that opens.
    Open,
    /// Above the button of a link to a file.
    LinkDownloads,
    /// The button that fetches a file.
    Download,
    /// The link was used, or is too old.
    LinkIsOver,
    /// That token is none.
    WrongToken,
    /// Too many tries.
    TooManyTries,
    /// The form is not of this session.
    FormIsOld,
    /// There is no such page.
    Nothing,
    /// The button that tries again.
    Retry,
    /// The button that gives up.
    GiveUp,
    /// The button that sends what is held.
    Release,
    /// The button that lets somebody in.
    Approve,
    /// The button that does not.
    Decline,
    /// The button that takes a block back.
    Unblock,
    /// The button that blocks.
    Block,
    /// The button that looks for a message.
    Find,
    /// What can be looked for.
    FindWhat,
    /// What can be blocked.
    BlockWhat,
    /// A link is up.
    Up,
    /// A link is down.
    Down,
    /// How many wait, outwards.
    WaitingOut,
    /// How many wait, inwards.
    WaitingIn,
    /// The oldest that waits.
    Oldest,
    /// Texts that nobody has.
    Unowned,
    /// Users who wait for an answer.
    Pending,
    /// Messages today.
    Today,
}
