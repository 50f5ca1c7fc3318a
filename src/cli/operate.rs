//! Commands that are operations: from arguments to a request, to whoever can do it, to what is printed.

use std::io::{self, IsTerminal as _};

use jiff::Timestamp;
use transom_adapter::{Clock as _, SystemClock};

use super::{
    BlockCommand, Colour, Command, Direction, Exit, FaultList, LineCommand, Output, QueueCommand,
    UserCommand,
    say::{complain, print},
    show,
};
use crate::{
    app::{App, StartError},
    config::{Config, Loaded},
    operations::{
        self, Actor, Fault, Refusal, Reply, Request,
        control::{Answer, AskError, ask, places},
    },
    store::StoreError,
};

/// What a command asks, and how it prints; `None` for a command that is no operation.
pub(super) fn request(command: Command) -> Option<(Request, bool)> {
    Some(match command {
        Command::User(command) => user(command),
        Command::Line(command) => line(command),
        Command::Queue(command) => queue(command),
        Command::Block(command) => block(command),
        Command::Optouts { gateway, output } => (Request::Optouts { gateway }, output.json),
        Command::Trace { id, output } => (Request::Trace { id }, output.json),
        Command::AdminLink { output } => (Request::AdminLink, output.json),
        Command::Run
        | Command::Init(_)
        | Command::Check(_)
        | Command::Migrate
        | Command::Export { .. }
        | Command::Import { .. }
        | Command::Key(_)
        | Command::Completions { .. }
        | Command::Man
        | Command::Backup { .. } => return None,
    })
}

fn user(command: UserCommand) -> (Request, bool) {
    match command {
        UserCommand::List { gateway, output } => (Request::UserList { gateway }, output.json),
        UserCommand::Show { user, output } => {
            let user = user.to_string();
            (Request::UserShow { user }, output.json)
        }
        UserCommand::Contacts {
            user,
            file,
            gateway,
        } => {
            let (user, cards) = (Some(user.to_string()), file.0);
            let request = Request::ContactsImport {
                cards,
                user,
                gateway,
            };
            (request, false)
        }
        UserCommand::Add {
            user,
            gateway,
            address,
        } => {
            let user = user.to_string();
            (
                Request::UserAdd {
                    user,
                    gateway,
                    address,
                },
                false,
            )
        }
        UserCommand::Remove { user, gateway } => {
            let user = user.to_string();
            (Request::UserRemove { user, gateway }, false)
        }
        UserCommand::Rename { old, new } => {
            let (old, new) = (old.to_string(), new.to_string());
            (Request::UserRename { old, new }, false)
        }
    }
}

fn line(command: LineCommand) -> (Request, bool) {
    match command {
        LineCommand::List { gateway, output } => (Request::LineList { gateway }, output.json),
        LineCommand::Assign { number, user } => {
            let user = user.to_string();
            (Request::LineAssign { number, user }, false)
        }
        LineCommand::Release { number } => (Request::LineRelease { number }, false),
    }
}

fn queue(command: QueueCommand) -> (Request, bool) {
    match command {
        QueueCommand::List {
            gateway,
            direction,
            limit,
            output: Output { json },
        } => {
            let direction = direction.map(|direction| match direction {
                Direction::Out => operations::Direction::Out,
                Direction::In => operations::Direction::In,
            });
            (
                Request::QueueList {
                    gateway,
                    direction,
                    limit,
                },
                json,
            )
        }
        QueueCommand::Show { id, output } => (Request::QueueShow { id }, output.json),
        QueueCommand::Retry { ids, to } => {
            let to = to.map(|jid| jid.to_string());
            (Request::QueueRetry { ids, to }, false)
        }
        QueueCommand::Cancel { ids } => (Request::QueueCancel { ids }, false),
        // Without ids: all, and the arguments have made sure that this was said.
        QueueCommand::Release { ids, .. } => (Request::QueueRelease { ids }, false),
    }
}

fn block(command: BlockCommand) -> (Request, bool) {
    match command {
        BlockCommand::List { gateway, output } => (Request::BlockList { gateway }, output.json),
        BlockCommand::Add { peer, gateway } => (Request::BlockAdd { peer, gateway }, false),
        BlockCommand::Remove { peer, gateway } => (Request::BlockRemove { peer, gateway }, false),
    }
}

/// Has it done and prints what came of it.
pub(super) async fn run(loaded: Loaded, request: Request, json: bool) -> Exit {
    match perform(loaded.config, request).await {
        Ok(reply) => {
            print(&shown(&reply, json));
            Exit::Done
        }
        Err(trouble) => trouble.complain(),
    }
}

/// A reply as it is printed.
pub(super) fn shown(reply: &Reply, json: bool) -> String {
    shown_at(reply, json, SystemClock.now().timestamp())
}

fn shown_at(reply: &Reply, json: bool, now: Timestamp) -> String {
    if json {
        serde_json::to_string_pretty(reply).unwrap_or_default()
    } else {
        show::words(reply, now)
    }
}

/// Why a command came to nothing.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) text: String,
    exit: Exit,
}

impl Trouble {
    /// Says it; how the process ends then.
    pub(super) fn complain(&self) -> Exit {
        complain(&self.text);
        self.exit
    }

    pub(super) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            exit,
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        let exit = match refusal.fault() {
            Fault::Usage => Exit::Usage,
            Fault::Data => Exit::BadData,
            Fault::Unavailable => Exit::Unavailable,
        };
        Self::new(exit, show::refusal(&refusal.to_string()))
    }
}

impl From<AskError> for Trouble {
    fn from(error: AskError) -> Self {
        Self::new(Exit::Unavailable, error.to_string())
    }
}

impl From<StartError> for Trouble {
    fn from(error: StartError) -> Self {
        let exit = match &error {
            StartError::Config(faults) => {
                let colour = Colour::of_terminal(io::stderr().is_terminal());
                return Self::new(Exit::Config, FaultList::new(faults, colour).to_string());
            }
            StartError::Store(StoreError::Newer { .. }) => Exit::BadData,
            _ => Exit::Unavailable,
        };
        Self::new(exit, error.to_string())
    }
}

/// By the running process, else on the store alone.
pub(super) async fn perform(config: Config, request: Request) -> Result<Reply, Trouble> {
    if let Some(answer) = of_running(&config, &request).await? {
        return answer.map_err(Trouble::from);
    }
    let places = places(&config);
    let alone = match App::builder().build(config).alone().await {
        Ok(alone) => alone,
        Err(StartError::Taken(lock)) => {
            let socket = places.first().cloned().unwrap_or_default();
            let text = format!(
                "a transom runs (it holds {}) but does not listen on {}; see its log, or stop it first",
                lock.display(),
                socket.display()
            );
            return Err(Trouble::new(Exit::Unavailable, text));
        }
        Err(error) => return Err(error.into()),
    };
    let done = alone.operations.perform(Actor::Admin, request).await;
    alone.close().await;
    let reply = done?;
    if wants_a_run(&reply) {
        complain("No transom runs on this database; it goes out as soon as one does.");
    }
    Ok(reply)
}

/// By the running process alone.
pub(super) async fn asked(config: &Config, request: Request) -> Result<Reply, Trouble> {
    let answer = of_running(config, &request).await?;
    answer
        .unwrap_or(Err(Refusal::NotRunning))
        .map_err(Trouble::from)
}

/// Whether what was done is seen only when a process runs.
fn wants_a_run(reply: &Reply) -> bool {
    matches!(
        reply,
        Reply::Retried(1..) | Reply::Delivered { .. } | Reply::Released(1..)
    )
}

/// What the running process says; `None` when nothing runs.
pub(super) async fn of_running(
    config: &Config,
    request: &Request,
) -> Result<Option<Result<Reply, Refusal>>, Trouble> {
    for place in places(config) {
        match ask(&place, request).await {
            Ok(Answer::Reply(reply)) => return Ok(Some(Ok(reply))),
            Ok(Answer::Refusal(refusal)) => return Ok(Some(Err(refusal))),
            Err(AskError::Nobody(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
