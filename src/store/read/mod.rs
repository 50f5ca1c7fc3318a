//! What is loaded: one file an aggregate, each question one statement over all that ask.

mod inward;
mod lanes;
mod names;
mod outward;
mod people;
mod tells;

pub use inward::{InwardAsk, InwardRow, LineFound};
pub use lanes::{DueLane, InRow, OutRow, Sending};
pub use outward::{Ask, KnownConversation, KnownLine, KnownThread, KnownUser, OutwardSnapshot, SharedLine};
pub use people::{ErrorTarget, LineListed, Subscription};
pub use tells::TellRow;

use super::{
    Param, Row, Sql, Store, StoreError,
    backend::for_rows,
    json,
    write::{State, TellKind},
};
