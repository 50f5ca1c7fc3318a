//! How an adapter reads its part of the configuration.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

/// One thing wrong with the configuration. The reader is told all of them at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigFault {
    /// The whole key: `gateway.sms.provider.main.auth_token`.
    pub key: String,
    /// What is wrong, without the value where that may be a secret.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.problem, self.remedy)
    }
}

/// A table of the configuration with the key it stands under.
#[derive(Clone, Debug)]
pub struct Section {
    /// `gateway.sms`.
    pub key: String,
    /// The table, without what the core has read from it already.
    pub table: serde_json::Map<String, Value>,
    /// What relative paths in it resolve against.
    pub base_dir: PathBuf,
}

impl Section {
    /// Reads the table as `T`; with `#[serde(deny_unknown_fields)]` on `T`, unknown keys are faults.
    ///
    /// # Errors
    ///
    /// The fault that serde found first.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigFault> {
        let value = Value::Object(self.table.clone());
        T::deserialize(value).map_err(|error| {
            self.fault(
                "",
                error.to_string(),
                "compare with config/transom.example.toml",
            )
        })
    }

    /// A table inside this one; an empty one when it is missing.
    #[must_use]
    pub fn section(&self, name: &str) -> Self {
        let table = self.table.get(name).and_then(Value::as_object).cloned();
        Self {
            key: format!("{}.{name}", self.key),
            table: table.unwrap_or_default(),
            base_dir: self.base_dir.clone(),
        }
    }

    /// A fault of the key `name` in this table; of the table itself when `name` is empty.
    pub fn fault(
        &self,
        name: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ConfigFault {
        let key = if name.is_empty() {
            self.key.clone()
        } else {
            format!("{}.{name}", self.key)
        };
        ConfigFault {
            key,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The secret `name`, given as it is or as `{name}_file`; `None` when it is given in neither way.
    ///
    /// # Errors
    ///
    /// When both are given, the file cannot be read, or what is given is empty.
    pub fn secret(
        &self,
        name: &str,
        value: Option<SecretString>,
        file: Option<&Path>,
    ) -> Result<Option<SecretString>, ConfigFault> {
        let key = format!("{name}_file");
        let Some(file) = file else {
            // A server that is asked with it would only say that the login is wrong.
            if value.as_ref().is_some_and(is_empty) {
                let remedy = format!(
                    "write the secret, or give {key} with the path of a file that holds it"
                );
                return Err(self.fault(name, "is empty", remedy));
            }
            return Ok(value);
        };
        if value.is_some() {
            return Err(self.fault(
                name,
                format!("given twice, also as {key}"),
                "remove one of the two",
            ));
        }
        let path = self.base_dir.join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            self.fault(
                &key,
                format!("cannot read {}: {error}", path.display()),
                "make the file readable for transom",
            )
        })?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(self.fault(
                &key,
                format!("{} is empty", path.display()),
                "write the secret into it",
            ));
        }
        Ok(Some(text.into()))
    }
}

fn is_empty(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}

/// A number or a switch that may come as text: the environment gives nothing else.
///
/// # Errors
///
/// When it is neither; a text is not repeated, for it may be a secret in the wrong place.
pub fn plain_or_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + FromStr<Err: fmt::Display>,
{
    match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().map_err(D::Error::custom),
        value => T::deserialize(value).map_err(D::Error::custom),
    }
}

/// The same for one that may be missing.
///
/// # Errors
///
/// As [`plain_or_text`].
pub fn optional_plain_or_text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + FromStr<Err: fmt::Display>,
{
    plain_or_text(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn section() -> Section {
        Section {
            key: "gateway.sms".into(),
            table: serde_json::Map::new(),
            base_dir: std::env::temp_dir(),
        }
    }

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_end() {
        let name = format!("transom-secret-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        std::fs::write(&path, "s3cret\n").unwrap();
        let secret = section()
            .secret("auth_token", None, Some(Path::new(&name)))
            .unwrap()
            .unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(secret.expose_secret(), "s3cret");
    }

    #[test]
    fn a_secret_given_twice_is_a_fault_that_does_not_show_it() {
        let fault = section()
            .secret("auth_token", Some("s3cret".into()), Some(Path::new("x")))
            .unwrap_err();
        let text =
            "gateway.sms.auth_token: given twice, also as auth_token_file; remove one of the two";
        assert_eq!(fault.to_string(), text);
    }

    #[test]
    fn an_empty_secret_is_a_fault() {
        let fault = section()
            .secret("auth_token", Some("".into()), None)
            .unwrap_err();
        let text = "gateway.sms.auth_token: is empty; \
            write the secret, or give auth_token_file with the path of a file that holds it";
        assert_eq!(fault.to_string(), text);
        let missing = section().secret("auth_token", None, None).unwrap();
        assert!(missing.is_none());
    }

    #[derive(Deserialize, PartialEq, Debug)]
    struct Plain {
        #[serde(default, deserialize_with = "plain_or_text")]
        switch: bool,
        #[serde(default, deserialize_with = "optional_plain_or_text")]
        number: Option<u16>,
    }

    #[test]
    fn numbers_and_switches_may_come_as_text() {
        let read = |table: Value| {
            let table = table.as_object().cloned().unwrap();
            let section = Section { table, ..section() };
            section.read::<Plain>().map_err(|fault| fault.problem)
        };
        let given = Plain {
            switch: true,
            number: Some(300),
        };
        assert_eq!(
            read(json!({"switch": "true", "number": "300"})).as_ref(),
            Ok(&given)
        );
        assert_eq!(read(json!({"switch": true, "number": 300})), Ok(given));
        let missing = Plain {
            switch: false,
            number: None,
        };
        assert_eq!(read(json!({})), Ok(missing));
        for wrong in [json!({"number": "s3cret"}), json!({"number": 70_000})] {
            let problem = read(wrong).unwrap_err();
            assert!(!problem.contains("s3cret"), "{problem}");
            assert!(!problem.contains("variant"), "{problem}");
        }
    }
}
