//! From the tree to a struct, with every fault of it at once.
//!
//! serde stops at the first error. So: note the error, take the offending value out of the tree, and try again. Each round takes
//! one value out, so it ends.

use figment::{
    Figment, Metadata, Profile, Provider,
    error::{Actual, Kind},
    value::{Dict, Map, Value},
};
use serde::de::DeserializeOwned;

use super::{fault::suggestion, faults::Collector};

/// What to do with keys at the top of the table that the struct does not have.
pub(super) enum Strays<'a> {
    /// They are faults; these names are options too, of somebody else, and can be what was meant.
    Fault(&'static [&'static str]),
    /// They are somebody else's: an adapter's.
    MoveTo(&'a mut Foreign),
}

/// The keys of a table that are not the core's, and the names of those that are.
#[derive(Clone, Default)]
pub(super) struct Foreign {
    pub(super) table: Dict,
    pub(super) core_keys: &'static [&'static str],
}

/// Reads `table`, which stands at the dotted path `base`. `None` if it cannot be read at all; then there is a fault.
///
/// Strings are taken where numbers and truth values are wanted: the environment knows nothing else.
pub(super) fn extract<T: DeserializeOwned>(
    mut table: Dict,
    base: &str,
    mut strays: Strays<'_>,
    faults: &mut Collector,
) -> Option<T> {
    loop {
        let error = match Figment::from(Tree(table.clone())).extract_lossy() {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if let (Strays::MoveTo(foreign), Kind::UnknownField(key, known), [_]) =
            (&mut strays, &error.kind, error.path.as_slice())
        {
            foreign.core_keys = known;
            let value = table.remove(key)?;
            foreign.table.insert(key.clone(), value);
            continue;
        }
        report(&error, base, &strays, faults);
        let taken = take_out(&mut table, &error.path)?;
        faults.note_taken_out(dotted(base, taken));
        if faults.is_full() {
            return None;
        }
    }
}

/// A table as figment wants it.
struct Tree(Dict);

impl Provider for Tree {
    fn metadata(&self) -> Metadata {
        Metadata::named("configuration")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

fn report(error: &figment::Error, base: &str, strays: &Strays<'_>, faults: &mut Collector) {
    let mut path = error.path.clone();
    if let Kind::MissingField(name) = &error.kind {
        path.push(name.clone().into_owned());
    }
    let (problem, remedy) = explain(&error.kind, strays);
    faults.error(&dotted(base, &path), problem, remedy);
}

/// The problem and its remedy. Strings that were found are not repeated: they may be secrets.
fn explain(kind: &Kind, strays: &Strays<'_>) -> (String, String) {
    let (problem, remedy) = match kind {
        Kind::Message(text) => (text.clone(), None),
        Kind::InvalidType(found, wanted) => {
            let problem = format!("expected {}, found {}", plain(wanted), word(found));
            (problem, None)
        }
        Kind::InvalidValue(found, wanted) => {
            let problem = format!("expected {}, found {}", plain(wanted), value(found));
            (problem, None)
        }
        Kind::UnknownVariant(found, known) => {
            let problem = format!("{found:?} is not one of {}", known.join(", "));
            (problem, suggestion(found, known.iter().copied()))
        }
        Kind::UnknownField(name, known) => {
            let foreign: &[&str] = match strays {
                Strays::Fault(names) => names,
                Strays::MoveTo(_) => &[],
            };
            let known = known.iter().chain(foreign).copied();
            let remedy = suggestion(name, known).unwrap_or_else(|| "remove it".to_owned());
            ("unknown option".to_owned(), Some(remedy))
        }
        Kind::MissingField(_) => ("is missing".to_owned(), Some("add it".to_owned())),
        other => (other.to_string(), None),
    };
    (
        problem,
        remedy.unwrap_or_else(|| "correct the value".to_owned()),
    )
}

/// serde's names of Rust types in an admin's words.
fn plain(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        _ if wanted.starts_with("struct ") => "a table",
        _ => wanted,
    }
}

fn word(found: &Actual) -> &'static str {
    match found {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}

fn value(found: &Actual) -> String {
    match found {
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        other => word(other).to_owned(),
    }
}

/// Removes what stands at the path and says which path is now absent; `None` when there is nothing to remove.
///
/// An entry of a list takes its list with it, so that the others keep their numbers.
fn take_out<'p>(table: &mut Dict, path: &'p [String]) -> Option<&'p [String]> {
    let (first, rest) = path.split_first()?;
    let inner = match (table.get_mut(first), rest) {
        (Some(Value::Dict(_, inner)), [_, ..]) => Some((inner, 1)),
        (Some(Value::Array(_, entries)), [index, _, ..]) => {
            let index = index.parse::<usize>().ok();
            match index.and_then(|index| entries.get_mut(index)) {
                Some(Value::Dict(_, entry)) => Some((entry, 2)),
                _ => None,
            }
        }
        _ => None,
    };
    if let Some((inner, depth)) = inner
        && let Some(taken) = take_out(inner, path.get(depth..)?)
    {
        return path.get(..depth + taken.len());
    }
    table.remove(first)?;
    path.get(..1)
}

fn dotted(base: &str, path: &[String]) -> String {
    let mut sections = vec![base];
    sections.extend(path.iter().map(String::as_str));
    sections.retain(|section| !section.is_empty());
    sections.join(".")
}
