//! The environment as a source of options.
//!
//! `TRANSOM_GATEWAY__SMS__SECRET` is `gateway.sms.secret`. A value stays the string it is: a provider that guesses types
//! turns the phone number `+33612` and the token `12345` into numbers. A name without two underscores after the prefix
//! (`TRANSOM_CONFIG`) is not an option.

use std::{ffi::OsString, path::PathBuf};

use figment::{Figment, providers::Serialized};

const PREFIX: &str = "TRANSOM_";
const SEPARATOR: &str = "__";

/// What the environment says, taken once at the start.
#[derive(Clone, Default)]
pub struct Environment {
    /// Where the service manager lets us keep state: relative paths resolve against it.
    pub(super) state_directory: Option<PathBuf>,
    pub(super) settings: Vec<Setting>,
}

/// One variable that names an option.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) variable: String,
    /// `gateway.sms.secret`
    pub(super) key: String,
    /// `None`: not UTF-8.
    value: Option<String>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    /// An environment of these variables.
    pub fn from_variables<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let mut environment = Self::default();
        for (name, value) in variables {
            let Ok(name) = name.into().into_string() else {
                continue;
            };
            if name == "STATE_DIRECTORY" {
                environment.state_directory = first_directory(value.into());
            } else if let Some(key) = key(&name) {
                environment.settings.push(Setting {
                    variable: name,
                    key,
                    value: value.into().into_string().ok(),
                });
            }
        }
        environment
            .settings
            .sort_by(|a, b| a.variable.cmp(&b.variable));
        environment
    }

    /// Adds the options to those of the file.
    pub(super) fn merge_into(&self, figment: Figment) -> Figment {
        self.settings.iter().fold(figment, |figment, setting| {
            match (&setting.value, setting.is_well_named()) {
                (Some(value), true) => figment.merge(Serialized::default(&setting.key, value)),
                _ => figment,
            }
        })
    }
}

impl Setting {
    /// Why the variable cannot be an option, whatever the options are called.
    pub(super) fn problem(&self) -> Option<&'static str> {
        if !self.is_well_named() {
            Some("has an empty section name")
        } else if self.value.is_none() {
            Some("is not UTF-8")
        } else {
            None
        }
    }

    fn is_well_named(&self) -> bool {
        self.key.split('.').all(|section| !section.is_empty())
    }
}

fn key(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix(PREFIX)?;
    rest.contains(SEPARATOR)
        .then(|| rest.to_ascii_lowercase().replace(SEPARATOR, "."))
}

/// systemd separates several state directories by colons; the first is the service's own.
fn first_directory(value: OsString) -> Option<PathBuf> {
    let text = value.into_string().ok()?;
    let first = text.split(':').next()?;
    (!first.is_empty()).then(|| PathBuf::from(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_two_underscores_are_options() {
        let environment = Environment::from_variables([
            ("TRANSOM_CONFIG", "/etc/x"),
            ("TRANSOM_HTTP__LISTEN", "[::1]:80"),
            ("TRANSOM_GATEWAY__MY_SMS__SECRET", "12345"),
            ("PATH", "/bin"),
            ("STATE_DIRECTORY", "/var/lib/transom:/var/lib/other"),
        ]);
        let keys: Vec<_> = environment.settings.iter().map(|s| &*s.key).collect();
        assert_eq!(keys, ["gateway.my_sms.secret", "http.listen"]);
        let directory = environment.state_directory.clone();
        assert_eq!(directory, Some(PathBuf::from("/var/lib/transom")));
    }

    #[test]
    fn values_are_never_guessed() {
        let environment = Environment::from_variables([
            ("TRANSOM_A__NUMBER", "+33612"),
            ("TRANSOM_A__FLAG", "true"),
            ("TRANSOM_A__LIST", "[1]"),
        ]);
        let figment = environment.merge_into(Figment::new());
        for (key, want) in [
            ("a.number", "+33612"),
            ("a.flag", "true"),
            ("a.list", "[1]"),
        ] {
            let value = figment.find_value(key).unwrap();
            assert_eq!(value.as_str(), Some(want), "{key}");
        }
    }

    #[test]
    fn an_empty_section_name_is_a_problem_of_the_variable() {
        let environment = Environment::from_variables([("TRANSOM_A____B", "x")]);
        let problem = environment.settings[0].problem();
        assert_eq!(problem, Some("has an empty section name"));
    }
}
