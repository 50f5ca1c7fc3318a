//! The file and the environment as one tree.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use figment::{
    Figment, Profile, Provider,
    providers::{Format, Toml},
    value::Dict,
};

use super::{
    environment::Environment,
    fault::{Fault, Severity},
    faults::Collector,
    origins::{Origins, in_file, syntax_fault},
    secret_files::SecretFiles,
};

/// A configuration longer than this is a mistake: a thousand lines of text are 40 KiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The merged tree with every `x_file` already replaced by `x`.
pub(super) struct Document {
    pub(super) tree: Dict,
    pub(super) origins: Arc<Origins>,
    /// Relative paths start here.
    pub(super) base: PathBuf,
}

impl Document {
    /// Reads the file and merges the environment into it.
    pub(super) fn read(file: &Path, environment: &Environment) -> Result<(Self, Collector), Fault> {
        let text = read_limited(file, FILE_BYTES_MAX).map_err(|problem| Fault {
            severity: Severity::Error,
            key: String::new(),
            place: in_file(file, None),
            problem: format!("the configuration file cannot be read: {problem}"),
            remedy: "name another one with --config or write one with `transom init`".to_owned(),
        })?;
        Self::parse(&text, file, environment)
    }

    /// The same for a text that is already read.
    pub(super) fn parse(
        text: &str,
        file: &Path,
        environment: &Environment,
    ) -> Result<(Self, Collector), Fault> {
        let mut origins = Origins::of_text(text, file)?;
        for setting in &environment.settings {
            let variable = setting.variable.clone();
            origins.variables.insert(setting.key.clone(), variable);
        }
        let figment = environment.merge_into(Figment::from(Toml::string(text)));
        let mut tree = figment
            .data()
            .map_err(|error| syntax_fault(file, None, &error.kind.to_string()))?
            .remove(&Profile::Default)
            .unwrap_or_default();
        let base = base_directory(file, environment);
        let secrets = SecretFiles::resolve(&mut tree, &base);
        origins.from_files = secrets.keys;

        let origins = Arc::new(origins);
        let mut faults = Collector::new(Arc::clone(&origins));
        for setting in &environment.settings {
            if let Some(problem) = setting.problem() {
                let problem = format!("environment variable {} {problem}", setting.variable);
                faults.error(&setting.key, problem, "correct it or remove it");
            }
        }
        for (key, problem, remedy) in secrets.problems {
            faults.error(&key, problem, remedy);
            let secret = key.strip_suffix("_file").unwrap_or(&key);
            faults.note_taken_out(secret.to_owned());
        }
        let document = Self {
            tree,
            origins,
            base,
        };
        Ok((document, faults))
    }
}

/// Reads a text file of at most this size; the error is a plain sentence.
pub(super) fn read_limited(file: &Path, bytes_max: u64) -> Result<String, String> {
    let mut text = String::new();
    let mut reader = fs::File::open(file)
        .map_err(|error| plain_io_error(&error))?
        .take(bytes_max + 1);
    let read = reader
        .read_to_string(&mut text)
        .map_err(|error| plain_io_error(&error))?;
    if u64::try_from(read).is_ok_and(|read| read <= bytes_max) {
        Ok(text)
    } else {
        Err(format!("it is larger than {} KiB", bytes_max / 1024))
    }
}

/// The error without the ` (os error 2)` that helps nobody.
fn plain_io_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    plain.to_lowercase()
}

fn base_directory(file: &Path, environment: &Environment) -> PathBuf {
    if let Some(directory) = &environment.state_directory {
        return directory.clone();
    }
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
