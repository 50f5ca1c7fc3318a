//! Where each value of the configuration came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml_edit::{ImDocument, Item};

use super::fault::{Fault, Place, Severity};

/// Where each option was given.
#[derive(Debug, Default)]
pub(super) struct Origins {
    file: PathBuf,
    /// By dotted path: the line of the file.
    lines: BTreeMap<String, usize>,
    /// By dotted path: the variable's name.
    pub(super) variables: BTreeMap<String, String>,
    /// Dotted paths whose value was read from the file that `…_file` names.
    pub(super) from_files: BTreeSet<String>,
}

impl Origins {
    pub(super) fn of_text(text: &str, file: &Path) -> Result<Self, Fault> {
        let starts = line_starts(text);
        // Only the parser's message is shown, not its excerpt: the line may hold a secret.
        let document = ImDocument::parse(text).map_err(|error| {
            let line = error.span().map(|span| line_of(&starts, span.start));
            syntax_fault(file, line, error.message())
        })?;
        let mut origins = Self {
            file: file.to_owned(),
            ..Self::default()
        };
        origins.note_item(document.as_item(), &[], &starts);
        Ok(origins)
    }

    fn note_item(&mut self, item: &Item, path: &[String], starts: &[usize]) {
        if let Some(span) = item.span() {
            self.lines
                .insert(path.join("."), line_of(starts, span.start));
        }
        let children: Vec<(String, Item)> = if let Some(table) = item.as_table_like() {
            table
                .iter()
                .map(|(key, item)| (key.to_owned(), item.clone()))
                .collect()
        } else if let Some(tables) = item.as_array_of_tables() {
            numbered(tables.iter().map(|table| Item::Table(table.clone())))
        } else if let Some(array) = item.as_array() {
            numbered(array.iter().map(|value| Item::Value(value.clone())))
        } else {
            Vec::new()
        };
        for (key, child) in children {
            let mut path = path.to_vec();
            path.push(key);
            self.note_item(&child, &path, starts);
        }
    }

    /// A fault of the option at this dotted path.
    pub(super) fn fault(
        &self,
        severity: Severity,
        dotted: &str,
        problem: String,
        remedy: String,
    ) -> Fault {
        let mut key = written_key(dotted);
        if self.from_files.contains(dotted) {
            key.push_str("_file");
        }
        Fault {
            severity,
            key,
            place: self.place(dotted),
            problem,
            remedy,
        }
    }

    /// Where this option, or else the nearest table around it, was given.
    fn place(&self, dotted: &str) -> Place {
        let enclosing = std::iter::successors(Some(dotted), |path| Some(path.rsplit_once('.')?.0));
        for path in enclosing {
            let with_file = format!("{path}_file");
            for written in [path, &with_file] {
                if let Some(name) = self.variables.get(written) {
                    return Place::Variable { name: name.clone() };
                }
                if let Some(line) = self.lines.get(written) {
                    return in_file(&self.file, Some(*line));
                }
            }
        }
        in_file(&self.file, None)
    }
}

/// The file is no TOML, so nothing of it can be read.
pub(super) fn syntax_fault(file: &Path, line: Option<usize>, message: &str) -> Fault {
    Fault {
        severity: Severity::Error,
        key: String::new(),
        place: in_file(file, line),
        problem: format!("not valid TOML: {}", message.trim().replace('\n', ", ")),
        remedy: "correct this line; nothing after it was read".to_owned(),
    }
}

/// A place in the file.
pub(super) fn in_file(path: &Path, line: Option<usize>) -> Place {
    Place::File {
        path: path.to_owned(),
        line,
    }
}

fn numbered(items: impl Iterator<Item = Item>) -> Vec<(String, Item)> {
    items
        .enumerate()
        .map(|(index, item)| (index.to_string(), item))
        .collect()
}

/// `gateway.sms.line.1.number` as people write it: `gateway.sms.line[1].number`.
fn written_key(dotted: &str) -> String {
    let mut key = String::with_capacity(dotted.len() + 2);
    for section in dotted.split('.') {
        if !section.is_empty() && section.bytes().all(|byte| byte.is_ascii_digit()) {
            key.extend(["[", section, "]"]);
        } else {
            if !key.is_empty() {
                key.push('.');
            }
            key.push_str(section);
        }
    }
    key
}

fn line_starts(text: &str) -> Vec<usize> {
    let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0)
        .chain(newlines.map(|(at, _)| at + 1))
        .collect()
}

/// The line, counted from 1, that this byte is on.
fn line_of(starts: &[usize], byte: usize) -> usize {
    starts.partition_point(|start| *start <= byte)
}
