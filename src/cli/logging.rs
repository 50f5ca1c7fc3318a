//! The log on standard error, and its level.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::say::complain;
use crate::config::{LogConfig, LogFormat, LogLevel};

/// The command `log-level`: until the next start or SIGHUP.
pub(super) fn change(level: &Level, word: &str) -> bool {
    let targets = word.parse::<Targets>();
    targets.is_ok_and(|targets| level.reload(targets).is_ok())
}

/// The end by which the log's level is changed.
pub(super) type Level = tracing_subscriber::reload::Handle<Targets, tracing_subscriber::Registry>;

/// `TRANSOM_LOG` where it can be read, else the configuration's level.
pub(super) fn filter(config: LogConfig) -> Targets {
    let wanted = env::var("TRANSOM_LOG").ok();
    let wanted = wanted.and_then(|wanted| wanted.parse().ok());
    wanted.unwrap_or_else(|| {
        Targets::new().with_default(match config.level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        })
    })
}

/// Sets it up.
pub(super) fn log_to_stderr(config: LogConfig) -> Level {
    let (filter, level) = tracing_subscriber::reload::Layer::new(filter(config));
    let registry = tracing_subscriber::registry().with(filter);
    let set = match config.format {
        LogFormat::Text => {
            let ansi = io::stderr().is_terminal();
            let layer = fmt::layer().with_writer(io::stderr).with_ansi(ansi);
            registry.with(layer.with_target(false)).try_init()
        }
        LogFormat::Json => {
            let layer = fmt::layer().json().with_writer(io::stderr);
            registry.with(layer).try_init()
        }
    };
    if set.is_err() {
        complain("logging was set up twice");
    }
    level
}
