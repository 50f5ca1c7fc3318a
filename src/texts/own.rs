//! Mail accounts that users bring: asking for them, entering their passwords, what becomes of them; and the keys that seal their logins.

use std::time::Duration;

use transom_adapter::Unproven;

/// About a mail account that a user brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Own {
    /// The gateway takes none.
    NotHere,
    /// The gateway has no key, so it could keep no password.
    NoKeys,
    /// What was written is no mail address.
    BadAddress {
        /// What was written.
        typed: String,
    },
    /// The address is one that the gateway itself gives out.
    GatewaysOwn {
        /// The address.
        address: String,
    },
    /// The user has as many as are allowed.
    TooMany {
        /// How many that is.
        most: u32,
    },
    /// The user asked for too many links, or entered too many wrong passwords.
    TooOften,
    /// Another user has that account.
    Taken {
        /// Its address.
        address: String,
    },
    /// The user has no such account.
    NotYours {
        /// The address.
        address: String,
    },
    /// Where the password is entered.
    Link {
        /// The account's address.
        address: String,
        /// The link.
        url: String,
        /// How long it works.
        works_for: Duration,
    },
    /// The user has none.
    None,
    /// It works, as far as is known.
    Works,
    /// It is being connected to.
    Connecting,
    /// It cannot be reached now.
    OutOfReach {
        /// What the server said.
        problem: String,
    },
    /// Its password is refused.
    RefusedState {
        /// What the server said.
        problem: String,
    },
    /// It is the user's from now on.
    Connected {
        /// Its address.
        address: String,
    },
    /// It is gone, with everything that was kept of it.
    Removed {
        /// Its address.
        address: String,
    },
    /// Its servers do not take the password any more; told once.
    LoginRefused {
        /// Its address.
        address: String,
        /// What the server said.
        problem: String,
    },
    /// Asks once more before it is taken away.
    ConfirmRemove {
        /// Its address.
        address: String,
    },
    /// What is on its page.
    Page(OwnPage),
    /// Why a login was not kept.
    Unproven(Unproven),
    /// A login could not be stored now.
    LoginNotStored,
}

/// The page on which a password is entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OwnPage {
    /// Its heading.
    Title,
    /// What it is for.
    About {
        /// The account's address.
        address: String,
    },
    /// Which servers were found.
    Servers {
        /// Where mail is read.
        inward: String,
        /// Where it is sent.
        outward: String,
    },
    /// No servers were found: they have to be written down.
    NotFound,
    /// The field for the password.
    Password,
    /// It goes on by itself.
    Wait,
    /// What many providers want instead of the password.
    AppPassword,
    /// The field for the name that is logged in with.
    UserName,
    /// The field for the server that mail is read at.
    Inward,
    /// The field for the server that mail is sent by.
    Outward,
    /// How a server is written.
    ServerHint,
    /// The button.
    Connect,
    /// The provider has a page of its own for signing in.
    ByProvider {
        /// The provider.
        provider: String,
    },
    /// The link that leads to the provider's own page.
    SignInThere {
        /// The provider.
        provider: String,
    },
}
