//! The command line: every command and option, with the text that `--help` shows.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use jid::BareJid;

use super::{
    Exit,
    block::BlockCommand,
    book::{AddressBook, address_book},
    keys::KeyCommand,
};

/// An XMPP transport to text messages and email.
///
/// Each gateway is a component of an XMPP server: people are contacts on its domain, a phone number as
/// +12025550147@sms.example.org, a mail address as bob\40example.com@mail.example.org.
///
/// Begin with `transom init`, then `transom check --live`, then `transom run`.
#[derive(Parser, Debug)]
#[command(name = "transom", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TRANSOM_CONFIG",
        default_value = "/etc/transom/transom.toml"
    )]
    pub config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 64 usage, 65 bad data, 69 a server cannot be reached, \
    70 a fault of transom, 78 bad configuration";

/// A command.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the gateways, in the foreground.
    ///
    /// Logs go to standard error. SIGTERM finishes what was begun and exits, a second one stops at once; SIGHUP reads the
    /// configuration again, as far as it can change while running.
    Run,
    /// Write a configuration from a few questions or options.
    ///
    /// Makes the secrets, and prints the lines to add to Prosody's or ejabberd's configuration.
    Init(InitArguments),
    /// Name every fault of the configuration, each with its key, file and remedy.
    Check(CheckArguments),
    /// Bring the database's tables up to date.
    ///
    /// `run` does so too, unless store.migrate is false.
    Migrate,
    /// Registered users, their numbers and addresses.
    #[command(subcommand)]
    User(UserCommand),
    /// Our own numbers and who owns them.
    #[command(subcommand)]
    Line(LineCommand),
    /// What waits, in either direction, and why.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Show one message's whole life.
    Trace {
        /// A stanza id, a provider's id, a Message-ID, or the id that `queue list` and the log show.
        id: String,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Peers that nobody may reach, and that may reach nobody.
    #[command(subcommand)]
    Block(BlockCommand),
    /// Peers that said STOP: nothing is sent to them from that number until they send START.
    Optouts {
        /// At this gateway alone.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Write a consistent copy of the SQLite database, also while running.
    ///
    /// A copy that is put back sends nothing by itself: what it has queued waits for `transom queue release`.
    Backup {
        /// The copy; must not exist yet.
        file: PathBuf,
    },
    /// Write everything as JSON lines, to move to another database; marks this one as moved.
    ///
    /// Nothing may run on the database. Afterwards `run` refuses it: the one that it is imported into goes on. Texts of messages
    /// that are done with stay behind; what waits goes along whole. Files are copied by hand. A file that was lost or cut can be
    /// written again.
    Export {
        /// The file; must not exist yet.
        file: PathBuf,
        /// Take the texts of all messages along.
        #[arg(long)]
        with_bodies: bool,
    },
    /// Read what `export` wrote into the database of this configuration, which must be empty.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// The keys that seal the passwords of users' mail accounts.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print a link that opens the operator's page once, within ten minutes.
    AdminLink {
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// How data is printed.
#[derive(Args, Clone, Copy, Debug)]
pub struct Output {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `transom check`
#[derive(Args, Debug)]
pub struct CheckArguments {
    /// Also log in to the XMPP server, the database, the mail servers and each provider, and say what was found.
    #[arg(long)]
    pub live: bool,
    /// Then send one real message to this number or mail address, and say when it came how far. A transom has to run.
    #[arg(long, value_name = "ADDRESS", requires_all = ["live", "as_user"])]
    pub send_to: Option<String>,
    /// In whose name.
    #[arg(long = "as", id = "as_user", value_name = "JID", requires = "send_to")]
    pub as_user: Option<BareJid>,
    /// How to print it.
    #[command(flatten)]
    pub output: Output,
}

/// `transom init`
#[derive(Args, Debug, Clone)]
pub struct InitArguments {
    /// Ask nothing; take the options, and the defaults for the rest.
    #[arg(long)]
    pub non_interactive: bool,
    /// Replace the configuration file if there is one.
    #[arg(long)]
    pub force: bool,
    /// The XMPP server, whose lines are printed.
    #[arg(long, value_enum)]
    pub server: Option<XmppServer>,
    /// The XMPP domain whose users may use the gateways.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Who is told when something is wrong.
    #[arg(long, value_name = "JID")]
    pub admin: Option<BareJid>,
    /// What providers and people see of the HTTP listener.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// The domain of a gateway for text messages.
    #[arg(long, value_name = "DOMAIN")]
    pub sms: Option<String>,
    /// Who carries the text messages.
    #[arg(long, value_enum)]
    pub provider: Option<ProviderKind>,
    /// The country of numbers typed without a country code.
    #[arg(long, value_name = "COUNTRY")]
    pub region: Option<String>,
    /// A number of our own; can be given several times.
    #[arg(long = "line", value_name = "NUMBER")]
    pub lines: Vec<String>,
    /// The domain of a gateway for mail, which is the domain of its addresses too.
    #[arg(long, value_name = "DOMAIN")]
    pub mail: Option<String>,
}

/// An XMPP server that `init` knows the configuration of.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum XmppServer {
    /// Prosody.
    Prosody,
    /// ejabberd.
    Ejabberd,
}

/// A provider that `init` can set up.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProviderKind {
    /// Phones in the browser, for trying it without an account anywhere.
    Simulator,
    /// A Kannel of your own.
    Kannel,
    /// Twilio.
    Twilio,
}

/// `transom user`
#[derive(Subcommand, Debug)]
pub enum UserCommand {
    /// List the users.
    List {
        /// Of this gateway alone.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Show a user's numbers, addresses, conversations and what waits.
    Show {
        /// The user.
        user: BareJid,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Make contacts of a user out of an address book, with their names.
    Contacts {
        /// The user.
        user: BareJid,
        /// A file of vCards, version 3.0 or 4.0.
        #[arg(value_parser = address_book)]
        file: AddressBook,
        /// The gateway; can be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
    },
    /// Register a user.
    Add {
        /// The user; must be admitted by xmpp.allow.
        user: BareJid,
        /// The gateway; can be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
        /// The number or the mail alias the user gets. Default: what registration would choose.
        #[arg(long)]
        address: Option<String>,
    },
    /// Unregister a user, at once and completely.
    Remove {
        /// The user.
        user: BareJid,
        /// From this gateway alone. Default: from all.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
    },
    /// Give everything of one JID to another.
    Rename {
        /// The JID so far.
        old: BareJid,
        /// The JID from now on; must not be a user yet.
        new: BareJid,
    },
}

/// `transom line`
#[derive(Subcommand, Debug)]
pub enum LineCommand {
    /// List our numbers and who owns them.
    List {
        /// Of this gateway alone.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Give a number of the pool to a user. What the configuration file says about a number wins.
    Assign {
        /// The number, as +12025550100.
        number: String,
        /// The user.
        user: BareJid,
    },
    /// Take a number from its owners. It rests 90 days, then its conversations are dropped.
    Release {
        /// The number, as +12025550100.
        number: String,
    },
}

/// `transom queue`
#[derive(Subcommand, Debug)]
pub enum QueueCommand {
    /// List what waits, the oldest first.
    List {
        /// In this gateway alone.
        #[arg(long, value_name = "NAME")]
        gateway: Option<String>,
        /// In this direction alone.
        #[arg(long, value_enum)]
        direction: Option<Direction>,
        /// At most so many.
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: u32,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Show one message that waits: its attempts and why each failed.
    Show {
        /// The id that `queue list` shows.
        id: String,
        /// How to print it.
        #[command(flatten)]
        output: Output,
    },
    /// Try messages again now.
    Retry {
        /// The ids that `queue list` shows.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Deliver texts that belong to nobody to this user.
        #[arg(long, value_name = "JID")]
        to: Option<BareJid>,
    },
    /// Give messages up; their senders are told.
    Cancel {
        /// The ids that `queue list` shows.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Send what is held since a copy of the database was put back.
    ///
    /// Some of it may have been sent before.
    Release {
        /// The ids that `queue list` shows.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All that is held.
        #[arg(long)]
        all: bool,
    },
}

/// Which way a message goes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From an XMPP user to the outside.
    Out,
    /// From the outside to an XMPP user.
    In,
}

impl Arguments {
    /// Reads the command line; prints help, version or what is wrong with it.
    ///
    /// # Errors
    ///
    /// How the process ends when there is nothing to run: [`Exit::Done`] after help and version, else [`Exit::Usage`].
    pub fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        Self::try_parse_from(line).map_err(|error| {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // A closed pipe is the reader's wish.
            error.print().ok();
            exit
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_says_what_it_is_for() {
        fn visit(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            for option in command.get_arguments() {
                assert!(option.get_help().is_some(), "{name} {}", option.get_id());
            }
            command.get_subcommands().for_each(visit);
        }
        visit(&Arguments::command());
    }

    #[test]
    fn the_configuration_can_be_named_before_and_after_the_command() {
        for line in ["transom --config x run", "transom run --config x"] {
            assert_eq!(parse(line).unwrap().config, PathBuf::from("x"));
        }
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        for line in [
            "transom",
            "transom fly",
            "transom user add",
            "transom user add @",
            "transom queue retry",
            "transom queue release",
            "transom queue release 1 --all",
        ] {
            let words = line.split(' ').map(OsString::from);
            assert_eq!(Arguments::read(words).unwrap_err(), Exit::Usage, "{line}");
        }
        let help = ["transom", "--help"].map(OsString::from);
        assert_eq!(Arguments::read(help).unwrap_err(), Exit::Done);
    }
}
