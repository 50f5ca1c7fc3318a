//! From arguments to what they ask for; each command ends in an [`Exit`].

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use super::{
    Arguments, CheckArguments, Colour, Command, Exit, FaultList, InitArguments, KeyCommand, init,
    keys, live,
    logging::{Level, change, filter, log_to_stderr},
    moving, operate,
    say::{complain, print},
    trial,
};
use crate::{
    app::{App, Ended, StartError},
    config::{Config, Environment, Fault, Faults, Loaded},
    store::{Store, StoreError},
};
use clap::CommandFactory as _;

/// Does what was asked; errors are on standard error, data on standard output.
pub fn execute(arguments: Arguments) -> Exit {
    let config = arguments.config;
    match arguments.command {
        Command::Init(arguments) => make(&arguments, &config),
        Command::Check(arguments) => check(&arguments, &config),
        Command::Run => with_config(&config, |loaded| in_runtime(run(loaded, config.clone()))),
        Command::Migrate => with_config(&config, |loaded| in_runtime(migrate(loaded))),
        Command::Backup { file: copy } => {
            with_config(&config, |loaded| in_runtime(live::backup(loaded, &copy)))
        }
        Command::Export { file, with_bodies } => with_config(&config, |loaded| {
            in_runtime(moving::export(loaded, file, with_bodies))
        }),
        Command::Import { file } => {
            with_config(&config, |loaded| in_runtime(moving::import(loaded, file)))
        }
        Command::Key(KeyCommand::Rotate) => {
            with_config(&config, |loaded| in_runtime(keys::rotate(loaded)))
        }
        Command::Completions { shell } => written(|out| {
            clap_complete::generate(shell, &mut Arguments::command(), "transom", out);
            Ok(())
        }),
        Command::Man => written(manual),
        command => match operate::request(command) {
            Some((request, json)) => with_config(&config, |loaded| {
                in_runtime(operate::run(loaded, request, json))
            }),
            None => Exit::Software,
        },
    }
}

/// What is made of the command line's own description.
fn written(make: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Exit {
    let mut bytes = Vec::new();
    if make(&mut bytes).is_err() {
        return Exit::Software;
    }
    // A reader that went away has seen enough.
    io::stdout().write_all(&bytes).ok();
    Exit::Done
}

/// The manual page: the program, then each command with its options.
fn manual(out: &mut Vec<u8>) -> io::Result<()> {
    let command = Arguments::command();
    clap_mangen::Man::new(command.clone()).render(out)?;
    describe(out, "transom", &command)
}

fn describe(out: &mut Vec<u8>, path: &str, parent: &clap::Command) -> io::Result<()> {
    for child in parent.get_subcommands() {
        let path = format!("{path} {}", child.get_name());
        let page = clap_mangen::Man::new(child.clone());
        writeln!(out, ".SH \"{}\"", path.to_uppercase())?;
        page.render_description_section(out)?;
        page.render_options_section(out)?;
        describe(out, &path, child)?;
    }
    Ok(())
}

fn make(arguments: &InitArguments, file: &Path) -> Exit {
    match init(
        arguments,
        file,
        &mut io::stdin().lock(),
        &mut io::stdout().lock(),
    ) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&error.to_string());
            error.exit()
        }
    }
}

fn check(arguments: &CheckArguments, file: &Path) -> Exit {
    let (faults, exit) = match checked(file, &Environment::of_process()) {
        Ok(Loaded { config, warnings }) if arguments.live => {
            if !warnings.is_empty() && !arguments.output.json {
                show(&warnings);
            }
            return in_runtime(live_check(arguments, config, &warnings));
        }
        Ok(Loaded { warnings, .. }) => (warnings, Exit::Done),
        Err(faults) => (faults.0, Exit::Config),
    };
    let colour = Colour::of_terminal(io::stdout().is_terminal());
    let list = FaultList::new(
        &faults,
        if arguments.output.json {
            Colour::Never
        } else {
            colour
        },
    );
    if arguments.output.json {
        print(&serde_json::to_string_pretty(&list).unwrap_or_default());
    } else {
        print(&list.to_string());
    }
    exit
}

/// The adapters look at their parts whatever else is wrong: one run shows all there is.
fn checked(file: &Path, environment: &Environment) -> Result<Loaded, Faults> {
    let mut draft = Config::draft(file, environment)?;
    let found = App::builder().build(draft.config.clone()).check();
    draft.extend(found.err().unwrap_or_default());
    draft.finish()
}

/// Logs in everywhere, then sends a message if one is wanted: what has nothing to do with its way must not keep it.
///
/// People see each step as it comes; JSON is one document, in the end.
async fn live_check(arguments: &CheckArguments, config: Config, warnings: &[Fault]) -> Exit {
    let say = |text: &str| {
        if !arguments.output.json {
            print(text);
        }
    };
    let live = live::look(config.clone()).await;
    say(&live::words(&live));
    let trial = match (&arguments.send_to, &arguments.as_user) {
        (Some(to), Some(user)) => {
            Some(trial::send(&config, user.to_string(), to.clone(), say).await)
        }
        _ => None,
    };
    if arguments.output.json {
        let report = live::Report {
            warnings,
            findings: &live.findings,
            trial: trial.as_ref(),
        };
        print(&serde_json::to_string_pretty(&report).unwrap_or_default());
    }
    match trial {
        Some(trial) if trial.exit != Exit::Done => trial.exit,
        _ if live.works() => Exit::Done,
        _ => Exit::Unavailable,
    }
}

/// Reads the configuration; with faults, shows them.
fn with_config(file: &Path, action: impl FnOnce(Loaded) -> Exit) -> Exit {
    match Config::load(file, &Environment::of_process()) {
        Ok(loaded) => action(loaded),
        Err(faults) => {
            show(&faults.0);
            Exit::Config
        }
    }
}

fn in_runtime(action: impl Future<Output = Exit>) -> Exit {
    // Two cores are what a small server has; a larger one gives a thread a core.
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(action),
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            Exit::Software
        }
    }
}

async fn run(loaded: Loaded, file: PathBuf) -> Exit {
    let level = log_to_stderr(loaded.config.log);
    for fault in &loaded.warnings {
        tracing::warn!(key = fault.key, remedy = fault.remedy, "{}", fault.problem);
    }
    match App::builder()
        .build(loaded.config)
        .on_log_level({
            let level = level.clone();
            move |word| change(&level, word)
        })
        .on_hangup(move || reload(&file, &level))
        .run()
        .await
    {
        Ok(Ended::Drained) => Exit::Done,
        Ok(Ended::Aborted | Ended::Failed) => Exit::Software,
        Err(StartError::Config(faults)) => {
            show(&faults);
            Exit::Config
        }
        Err(error) => not_started(&error),
    }
}

/// 78 tells the service manager to leave it: only for what no restart mends (semantics 35).
fn not_started(error: &StartError) -> Exit {
    match error {
        StartError::Config(_)
        | StartError::Listen { .. }
        | StartError::Bind(_)
        | StartError::NoDatabase(_)
        | StartError::Taken(_)
        | StartError::Store(
            StoreError::Newer { .. }
            | StoreError::Unmigrated { .. }
            | StoreError::Moved { .. }
            | StoreError::Orphans { .. },
        ) => {
            complain(&error.to_string());
            Exit::Config
        }
        StartError::Store(_) | StartError::System(_) => {
            complain(&format!(
                "transom could not start: {error}. Once that is mended, start it again; a service manager does."
            ));
            Exit::Unavailable
        }
    }
}

async fn migrate(loaded: Loaded) -> Exit {
    let migrated = async {
        let store =
            Store::open(&loaded.config.store.url, transom_adapter::Lifecycle::new()).await?;
        let applied = store.migrate(true).await?;
        store.close().await;
        Ok::<u64, StoreError>(applied)
    };
    match migrated.await {
        Ok(0) => print("The database is up to date."),
        Ok(applied) => print(&format!("Applied {applied} migration(s).")),
        Err(error) => {
            complain(&error.to_string());
            return if matches!(error, StoreError::Newer { .. }) {
                Exit::BadData
            } else {
                Exit::Unavailable
            };
        }
    }
    Exit::Done
}

/// SIGHUP: reads the configuration again. What can change while running is the log's level; the rest waits for a restart.
fn reload(file: &Path, level: &Level) {
    match Config::load(file, &Environment::of_process()) {
        Ok(loaded) => {
            let filter = filter(loaded.config.log);
            match level.reload(filter) {
                Ok(()) => tracing::info!(
                    "Read the configuration again; the log's level is taken from it."
                ),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "The log's level stays."
                ),
            }
        }
        Err(faults) => {
            tracing::error!("The configuration has faults; nothing of it was taken.");
            show(&faults.0);
        }
    }
}

fn show(faults: &[Fault]) {
    let colour = Colour::of_terminal(io::stderr().is_terminal());
    complain(&FaultList::new(faults, colour).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of the faults that one check shows, in its order, of a file with a sound `[xmpp]`.
    fn keys(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("transom.toml");
        let text = format!("[xmpp]\nallow = [\"example.org\"]\n{text}");
        std::fs::write(&file, text).unwrap();
        let faults = checked(&file, &Environment::default()).unwrap_err();
        faults.0.into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn one_check_shows_what_is_wrong_with_core_adapters_and_keys() {
        let text = r#"
            [log]
            level = "loud"
            [store]
            key_file = "missing.key"
            [gateway.fax]
            adapter = "fax"
            domain = "fax.example.org"
            secret = "s"
            [gateway.mail]
            adapter = "email"
            domain = "mail.example.org"
            secret = ""
            address_domain = "not a domain"
            [gateway.mail.smtp]
            url = "smtp://127.0.0.1:25?tls=maybe"
            username = "u"
            [gateway.mail.dkim]
            selector = "transom"
            key_file = "missing.pem"
            [gateway.sms]
            adapter = "sms"
            domain = "sms.example.org"
            region = "XX"
            [gateway.sms.provider.a]
            kind = "carrierpigeon"
            [gateway.sms.provider.b]
            kind = "kannel"
            base_url = "ftp://127.0.0.1"
            username = "u"
            password = "p"
            webhook_token = "0123456789abcdef"
        "#;
        assert_eq!(
            keys(text),
            [
                "log.level",
                "store.key_file",
                "gateway.fax.adapter",
                "gateway.mail.secret",
                "gateway.mail.address_domain",
                "gateway.mail.smtp.password",
                "gateway.mail.smtp.url",
                "gateway.mail.dkim.key_file",
                "gateway.sms.secret",
                "gateway.sms.region",
                "gateway.sms.provider.a.kind",
                "gateway.sms.provider.b.base_url",
            ]
        );
    }

    #[test]
    fn only_what_no_restart_mends_ends_with_78() {
        let store = |error| StartError::Store(error);
        let when = String::new();
        for error in [
            StartError::Config(Vec::new()),
            StartError::Listen {
                address: "127.0.0.1:80".to_owned(),
                source: io::ErrorKind::AddrInUse.into(),
            },
            StartError::NoDatabase("transom.db".into()),
            StartError::Taken("transom.lock".into()),
            store(StoreError::Newer { found: 9, known: 8 }),
            store(StoreError::Unmigrated { missing: 8 }),
            store(StoreError::Moved { when }),
            store(StoreError::Orphans { number: 8, rows: 1 }),
        ] {
            assert_eq!(not_started(&error), Exit::Config, "{error}");
        }
        for error in [
            store(StoreError::Database(sqlx::Error::PoolTimedOut)),
            store(StoreError::Uncertain),
            store(StoreError::Gone),
            StartError::System("cannot use the folder of files".to_owned()),
        ] {
            assert_eq!(not_started(&error), Exit::Unavailable, "{error}");
        }
    }

    #[test]
    fn empty_credentials_are_named() {
        let text = r#"
            [gateway.mail]
            adapter = "email"
            domain = "mail.example.org"
            secret = "s"
            address_domain = "mail.example.org"
            [gateway.mail.smtp]
            url = "smtps://127.0.0.1"
            username = "u"
            password = ""
            [gateway.sms]
            adapter = "sms"
            domain = "sms.example.org"
            secret = "s"
            region = "US"
            [gateway.sms.provider.main]
            kind = "kannel"
            base_url = "http://127.0.0.1"
            username = "u"
            password = ""
            webhook_token = ""
        "#;
        let want = [
            "gateway.mail.smtp.password",
            "gateway.sms.provider.main.password",
            "gateway.sms.provider.main.webhook_token",
        ];
        assert_eq!(keys(text), want);
    }

    #[test]
    fn a_gateway_without_domain_and_region_shows_the_faults_of_its_providers() {
        let text = r#"
            [gateway.sms]
            adapter = "sms"
            secret = "s"
            [gateway.sms.provider.a]
            kind = "carrierpigeon"
        "#;
        let want = [
            "gateway.sms.domain",
            "gateway.sms",
            "gateway.sms.provider.a.kind",
        ];
        assert_eq!(keys(text), want);
    }
}
