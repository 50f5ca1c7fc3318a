//! The Rust files of the repository, and which of their lines are tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::root;

/// A file, with its path from the repository's root.
pub(crate) struct Source {
    /// From the root.
    pub(crate) path: PathBuf,
    text: String,
}

/// All Rust files below the folders; not build output, nor these gates, which quote what they forbid.
pub(crate) fn rust_files(folders: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut files);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Whether a file holds nothing but tests: it lies below a folder `tests`, or is the file of a test module.
pub(crate) fn in_tests(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

impl Source {
    /// All lines, numbered from one.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, text)| (index + 1, text))
    }

    /// The lines before the test module.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.tests_start();
        self.all().take_while(move |(line, _)| *line < end)
    }

    /// The lines of the test module, which comes last; all lines of a file of tests.
    pub(crate) fn tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let start = if in_tests(&self.path) {
            0
        } else {
            self.tests_start()
        };
        self.all().skip_while(move |(line, _)| *line < start)
    }

    /// A fault: place and text.
    pub(crate) fn at(&self, line: usize, text: &str) -> String {
        format!("{}:{line}: {}", self.path.display(), text.trim())
    }

    /// A line up to its comment. A `//` within a string cuts too early, which hides a fault but invents none.
    pub(crate) fn without_comment(text: &str) -> &str {
        text.split("//").next().unwrap_or(text)
    }

    /// The line of `#[cfg(test)]` before a module with a body, else the one after the end.
    fn tests_start(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let found = lines.windows(2).position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        });
        found.unwrap_or(lines.len()) + 1
    }
}

fn collect(folder: &Path, files: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("tests/gates") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(Source {
                text: fs::read_to_string(&path).unwrap_or_default(),
                path: path.strip_prefix(root()).unwrap_or(&path).to_owned(),
            });
        }
    }
}

/// The names of all tests.
pub(crate) fn tests() -> BTreeSet<String> {
    let sources = rust_files(&["src", "adapters", "tests"]);
    sources.iter().flat_map(tests_of).collect()
}

/// The functions that stand below a mark of a test, with nothing but other marks and comments between; and those that run on each server.
fn tests_of(source: &Source) -> Vec<String> {
    const EACH: &str = "on_each_server! {";
    let (mut is_test, mut is_list) = (false, false);
    let mut tests = Vec::new();
    for (_, line) in source.all() {
        let line = line.trim_start();
        is_list |= line.starts_with(EACH);
        if is_list {
            let names = line.trim_start_matches(EACH).split([',', ' ', '}']);
            tests.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
            is_list = !line.contains('}');
            continue;
        }
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = name(line) {
            tests.extend(is_test.then_some(name));
            is_test = false;
        }
    }
    tests
}

/// The function that a line begins.
fn name(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("fn ")?;
    let (name, _) = rest.split_once('(')?;
    Some(name.to_owned())
}
