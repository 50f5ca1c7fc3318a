//! A secret `x` of the core can be given as `x_file`. Those of an adapter are read by the adapter, by the same rules.

use std::{collections::BTreeSet, path::Path};

use figment::value::{Dict, Value};

use super::document::read_limited;

/// Keys and certificates are a few KiB.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// What came of reading the files.
#[derive(Default)]
pub(super) struct SecretFiles {
    /// The dotted paths of the values that were read.
    pub(super) keys: BTreeSet<String>,
    /// Dotted path, problem and remedy of those that could not be.
    pub(super) problems: Vec<(String, String, &'static str)>,
}

impl SecretFiles {
    /// Replaces each `x_file = "path"` of the core by `x = "what the file holds"`; relative paths start at `base`.
    pub(super) fn resolve(tree: &mut Dict, base: &Path) -> Self {
        let mut files = Self::default();
        if let Some(Value::Dict(_, store)) = tree.get_mut("store") {
            files.replace(store, "store", "url", base);
        }
        if let Some(Value::Dict(_, http)) = tree.get_mut("http") {
            files.replace(http, "http", "admin_token", base);
        }
        if let Some(Value::Dict(_, gateways)) = tree.get_mut("gateway") {
            for (name, gateway) in gateways {
                if let Value::Dict(_, gateway) = gateway {
                    files.replace(gateway, &format!("gateway.{name}"), "secret", base);
                }
            }
        }
        files
    }

    fn replace(&mut self, table: &mut Dict, path: &str, name: &str, base: &Path) {
        let Some(value) = table.remove(&format!("{name}_file")) else {
            return;
        };
        let key = format!("{path}.{name}");
        let (problem, remedy) = if table.contains_key(name) {
            let problem = format!("both {name} and {name}_file are given");
            (problem, "keep one of them")
        } else if let Some(file) = value.as_str() {
            let file = base.join(file);
            match read_limited(&file, SECRET_BYTES_MAX) {
                Ok(text) => {
                    let secret = text.trim_end_matches(['\r', '\n']);
                    table.insert(name.to_owned(), Value::from(secret));
                    self.keys.insert(key);
                    return;
                }
                Err(problem) => (
                    format!("{} cannot be read: {problem}", file.display()),
                    "check the path, and that the user transom runs as may read it",
                ),
            }
        } else {
            let problem = "expected the path of a file".to_owned();
            (problem, "write the path in quotes")
        };
        self.problems.push((format!("{key}_file"), problem, remedy));
    }
}
