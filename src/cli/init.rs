//! `transom init`: from a few answers to a configuration, and to the lines that other servers need.

mod questions;
mod servers;
mod template;

use std::{
    fs,
    io::{self, BufRead, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jid::BareJid;
use secrecy::SecretString;

use super::{Exit, InitArguments, ProviderKind, XmppServer};
use crate::{
    app::App,
    config::{Config, Environment, Fault, Faults, Severity},
    seal::{self, KeyFileError, Keys},
};

/// The key file's name, beside the configuration.
const KEY_FILE: &str = "transom.key";

/// What will be written. Secrets are made, never asked.
#[derive(Clone, Debug)]
pub struct Plan {
    server: XmppServer,
    /// The XMPP domain whose users may use the gateways.
    domain: String,
    admin: BareJid,
    public_url: Option<String>,
    sms: Option<SmsPlan>,
    mail: Option<MailPlan>,
}

#[derive(Clone, Debug)]
struct SmsPlan {
    domain: String,
    secret: SecretString,
    provider: ProviderKind,
    region: String,
    lines: Vec<String>,
    webhook_token: SecretString,
}

#[derive(Clone, Debug)]
struct MailPlan {
    domain: String,
    secret: SecretString,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already.
    #[error("{} exists already; name another file with --config, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// An option is needed where nothing is asked.
    #[error("--{0} is needed with --non-interactive")]
    Missing(&'static str),
    /// The XMPP domain is none.
    #[error("{0:?} is not a domain")]
    NotADomain(String),
    /// Neither text messages nor mail.
    #[error("there is nothing to set up: name a domain for text messages, for mail, or for both")]
    NoGateway,
    /// The input ended before the last question.
    #[error("the input ended before the last question")]
    EndOfInput,
    /// The answers do not make a good configuration.
    #[error("the answers do not make a good configuration; nothing was written{}", listed(.0))]
    Faults(Vec<Fault>),
    /// A file could not be written, or the terminal not be used.
    #[error("{} cannot be written: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

impl InitError {
    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Missing(_) | Self::NoGateway | Self::EndOfInput => Exit::Usage,
            Self::Exists(_) | Self::NotADomain(_) | Self::Faults(_) | Self::Io(..) => Exit::BadData,
        }
    }
}

/// Asks what the options do not say, writes the configuration and prints what has to be added elsewhere.
///
/// # Errors
///
/// [`InitError`]; then nothing has been written.
pub fn init(
    arguments: &InitArguments,
    file: &Path,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), InitError> {
    if file.exists() && !arguments.force {
        return Err(InitError::Exists(file.to_owned()));
    }
    let plan = Plan::make(arguments, input, output)?;
    let text = template::configuration(&plan);
    // What init writes must load: the answers are checked by the same rules as any other configuration.
    try_out(&text, file).map_err(InitError::Faults)?;
    // A key that is there may have sealed something.
    let key_file = file.with_file_name(KEY_FILE);
    if !key_file.exists() {
        seal::write(&key_file, &Keys::generate()).map_err(|error| match error {
            KeyFileError::Io { path, source } => InitError::Io(path, source),
            other => InitError::Io(key_file.clone(), io::Error::other(other.to_string())),
        })?;
    }
    write_privately(file, &text).map_err(|error| InitError::Io(file.to_owned(), error))?;
    servers::next_steps(&plan, file)
        .lines()
        .try_for_each(|line| writeln!(output, "{line}"))
        .map_err(|error| InitError::Io("standard output".into(), error))
}

/// The faults of what would be written, without those that somebody is told to mend by filling in what a provider wants.
fn try_out(text: &str, file: &Path) -> Result<(), Vec<Fault>> {
    let loaded =
        Config::parse(text, file, &Environment::default()).map_err(|Faults(faults)| faults)?;
    let checked = App::builder().build(loaded.config).check();
    let answered = |fault: &Fault| {
        fault.severity == Severity::Error
            && ["gateway.sms.region", "gateway.sms.line"]
                .iter()
                .any(|key| fault.key.starts_with(key))
    };
    match checked {
        Err(faults) if faults.iter().any(answered) => {
            Err(faults.into_iter().filter(answered).collect())
        }
        _ => Ok(()),
    }
}

/// One a line, without a place: there is no file yet.
fn listed(faults: &[Fault]) -> String {
    let errors = faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error);
    errors.fold(String::new(), |all, fault| {
        format!(
            "{all}\n  {}: {}; {}",
            fault.key, fault.problem, fault.remedy
        )
    })
}

/// Writes a file that holds secrets: readable for its owner and group alone, and never half of it.
fn write_privately(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".new");
    fs::remove_file(&unfinished).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut writer = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(&unfinished)?;
    writer.write_all(text.as_bytes())?;
    writer.sync_all()?;
    fs::rename(&unfinished, file)
}

/// 160 bits in letters and digits that need quoting nowhere.
fn new_secret() -> SecretString {
    hex::encode(rand::random::<[u8; 20]>()).into()
}

#[cfg(test)]
mod tests;
