//! The command line: what can be said, how a configuration's faults are shown, and `transom init`.

mod args;
mod block;
mod book;
mod check;
mod execute;
mod exit;
mod init;
mod keys;
mod live;
mod logging;
mod moving;
mod operate;
mod say;
mod show;
mod table;
mod trial;

pub use args::{
    Arguments, CheckArguments, Command, Direction, InitArguments, LineCommand, Output,
    ProviderKind, QueueCommand, UserCommand, XmppServer,
};
pub use block::BlockCommand;
pub use check::{Colour, FaultList};
pub use execute::execute;
pub use exit::Exit;
pub use init::{InitError, Plan, init};
pub use keys::KeyCommand;
