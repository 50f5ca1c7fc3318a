//! What is loaded: one file an aggregate, each question one statement over all that ask.

mod book;
mod copy;
mod files;
mod inward;
mod lanes;
mod life;
mod mails;
mod names;
mod outward;
mod own;
mod own_accounts;
mod parts;
mod people;
mod registry;
mod service;
mod strangers;
mod tells;
mod trouble;
mod twins;

pub use book::KnownContact;
pub use copy::CopyError;
pub use inward::{AnsweredBy, InwardAsk, InwardRow, LineFound};
pub use lanes::{DueLane, InRow, OutRow, Sending};
pub use life::{ExternalRow, LifeRow, StanzaRow, UnownedRow, WaitingRow};
pub use mails::{MailRow, PlacedMail};
pub use outward::{
    Answered, Ask, KnownConversation, KnownHeld, KnownLine, KnownMember, KnownOwner, KnownThread,
    KnownUser, OutwardSnapshot, SharedLine,
};
pub use own::{AliasListed, ContactListed, FileKept, MessageKept, SentRow};
pub use own_accounts::OwnAccountRow;
pub use parts::{KeptPart, PartsOf};
pub use people::{ErrorTarget, LineListed, Member, PIN, Subscription};
pub use registry::{
    BlockListed, ConversationListed, LineShown, OptoutListed, RegistrationRow, UserListed,
};
pub use service::Counts;
pub use strangers::{Acquaintance, StrangerListed, Unsaid};
pub use tells::{TellRow, ToldStanza};

use super::{
    Connection, Param, Row, Sql, Store, StoreError, StoredRoute,
    backend::for_rows,
    index, json,
    write::{State, TellKind},
};
