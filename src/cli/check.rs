//! How `transom check` shows the faults of a configuration.

use std::fmt;

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::config::{Fault, Severity};

/// Faults to be shown: one a block, or as JSON by `serde`.
#[derive(Clone, Debug, Serialize)]
pub struct FaultList<'a> {
    /// How many make the configuration unusable.
    errors: usize,
    /// How many do not.
    warnings: usize,
    faults: &'a [Fault],
    #[serde(skip)]
    colour: Colour,
}

/// Whether the terminal shows colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colour {
    /// It does.
    Always,
    /// It does not, or it is no terminal.
    #[default]
    Never,
}

impl Colour {
    /// Colours for a terminal, unless `NO_COLOR` is set.
    pub fn of_terminal(is_terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if is_terminal && !unwanted {
            Self::Always
        } else {
            Self::Never
        }
    }

    fn of(self, severity: Severity) -> Style {
        match (self, severity) {
            (Self::Never, _) => Style::new(),
            (Self::Always, Severity::Error) => AnsiColor::Red.on_default().bold(),
            (Self::Always, Severity::Warning) => AnsiColor::Yellow.on_default().bold(),
        }
    }
}

impl<'a> FaultList<'a> {
    /// The faults, to be shown in these colours.
    pub fn new(faults: &'a [Fault], colour: Colour) -> Self {
        let errors = faults
            .iter()
            .filter(|fault| fault.severity == Severity::Error)
            .count();
        Self {
            errors,
            warnings: faults.len() - errors,
            faults,
            colour,
        }
    }
}

impl fmt::Display for FaultList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.faults {
            let style = self.colour.of(fault.severity);
            let word = match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let key = if fault.key.is_empty() {
                "the whole file"
            } else {
                &fault.key
            };
            writeln!(f, "{style}{word:<8}{style:#}{key}")?;
            writeln!(f, "        {}", fault.problem)?;
            writeln!(f, "  at    {}", fault.place)?;
            writeln!(f, "  fix   {}\n", fault.remedy)?;
        }
        match (self.errors, self.warnings) {
            (0, 0) => writeln!(f, "The configuration is good."),
            (0, warnings) => writeln!(
                f,
                "The configuration can be used; {}.",
                number(warnings, "warning")
            ),
            (errors, 0) => writeln!(
                f,
                "The configuration cannot be used: {}.",
                number(errors, "error")
            ),
            (errors, warnings) => writeln!(
                f,
                "The configuration cannot be used: {}, {}.",
                number(errors, "error"),
                number(warnings, "warning")
            ),
        }
    }
}

fn number(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Environment};

    fn faults() -> Vec<Fault> {
        let text = "[gateway.sms]\nadapter = \"sms\"\ndomain = \"sms.example.org\"\nsecret = 5\n";
        Config::parse(text, Path::new("transom.toml"), &Environment::default())
            .unwrap_err()
            .0
    }

    #[test]
    fn each_fault_is_a_block() {
        assert_eq!(
            FaultList::new(&faults(), Colour::Never).to_string(),
            "warning xmpp.allow\n        \
                     nobody may use the gateways\n  \
               at    transom.toml\n  \
               fix   list the domains or bare JIDs that may, for example [\"example.org\"]\n\n\
             error   gateway.sms.secret\n        \
                     expected a text in quotes, found a number\n  \
               at    transom.toml:4\n  \
               fix   correct the value\n\n\
             The configuration cannot be used: 1 error, 1 warning.\n"
        );
    }

    #[test]
    fn colours_are_only_for_terminals() {
        let faults = faults();
        let escape = '\u{1b}';
        let coloured = FaultList::new(&faults, Colour::Always).to_string();
        assert!(coloured.contains(escape));
        let plain = FaultList::new(&faults, Colour::of_terminal(false)).to_string();
        assert!(!plain.contains(escape));
    }

    #[test]
    fn json_has_the_same() {
        let faults = faults();
        let json = serde_json::to_value(FaultList::new(&faults, Colour::Never)).unwrap();
        assert_eq!(json["errors"], 1);
        assert_eq!(json["warnings"], 1);
        assert_eq!(json["faults"][1]["severity"], "error");
        assert_eq!(json["faults"][1]["key"], "gateway.sms.secret");
        assert_eq!(json["faults"][1]["place"]["file"], "transom.toml");
        assert_eq!(json["faults"][1]["place"]["line"], 4);
    }

    #[test]
    fn nothing_wrong_is_one_line() {
        let shown = FaultList::new(&[], Colour::Never).to_string();
        assert_eq!(shown, "The configuration is good.\n");
    }
}
