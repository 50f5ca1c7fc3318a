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
    config::{Config, Environment, Fault, Loaded},
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
    let (faults, exit) = match Config::load(file, &Environment::of_process()) {
        Ok(Loaded {
            config,
            mut warnings,
        }) => match App::builder().build(config.clone()).check() {
            Ok(()) if arguments.live => {
                if !warnings.is_empty() && !arguments.output.json {
                    show(&warnings);
                }
                return in_runtime(live_check(arguments, config, &warnings));
            }
            Ok(()) => (warnings, Exit::Done),
            Err(faults) => {
                warnings.extend(faults);
                (warnings, Exit::Config)
            }
        },
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

/// Logs in everywhere, then sends a message if one is wanted: what has nothing to do with its way must not keep it.
async fn live_check(arguments: &CheckArguments, config: Config, warnings: &[Fault]) -> Exit {
    let exit = live::check(config.clone(), warnings, arguments.output.json).await;
    match (&arguments.send_to, &arguments.as_user) {
        (Some(to), Some(user)) => match trial::send(&config, user.to_string(), to.clone()).await {
            Exit::Done => exit,
            failed => failed,
        },
        _ => exit,
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
        Err(error) => {
            complain(&error.to_string());
            Exit::Config
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
