//! What is wrong with a configuration, said so that an admin can repair it without looking anything up.

use std::{fmt, path::PathBuf};

use serde::Serialize;

/// One thing that is wrong, or odd, in the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// Whether the configuration can be used nevertheless.
    pub severity: Severity,
    /// The option, as `gateway.sms.line[1].number`; entries of a list are counted from 0. Empty: the file as a whole.
    pub key: String,
    /// Where the option was given.
    pub place: Place,
    /// What is wrong, in lower case and without a full stop. Never holds a secret.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// How bad a [`Fault`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// Where an option was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// In the configuration file, at this line if it is known. An option that is missing is placed at its table.
    File {
        /// The file.
        #[serde(rename = "file")]
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// In the environment.
    Variable {
        /// The variable's name.
        #[serde(rename = "variable")]
        name: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                path,
                line: Some(line),
            } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable { name } => write!(f, "environment variable {name}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {} ({})", self.problem, self.remedy, self.place)
    }
}

/// Everything that is wrong with a configuration that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the configuration has {}", count(.0))]
pub struct Faults(pub Vec<Fault>);

/// In the order of the file, then those of the environment.
pub(super) fn put_in_order(faults: &mut [Fault]) {
    faults.sort_by_key(|fault| match fault.place {
        Place::File { line, .. } => (false, line),
        Place::Variable { .. } => (true, None),
    });
}

fn count(faults: &[Fault]) -> String {
    match faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error)
        .count()
    {
        1 => "1 fault".to_owned(),
        number => format!("{number} faults"),
    }
}

/// `did you mean …?` when one of the known names is close enough to the one that was written.
pub(super) fn suggestion<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| format!("did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_suggested_and_far_ones_are_not() {
        let known = ["owner", "owners", "shared", "fallback"];
        let check = |written: &str| suggestion(written, known);
        assert_eq!(check("onwer").as_deref(), Some("did you mean owner?"));
        assert_eq!(check("fallbak").as_deref(), Some("did you mean fallback?"));
        assert_eq!(check("colour"), None);
    }
}
