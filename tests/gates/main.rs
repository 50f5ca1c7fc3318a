//! Cheap checks of the tree itself: what the compiler and clippy cannot see.
//!
//! Each test lists all faults it finds, with file and line.

mod events;
mod layering;
mod manifests;
mod matrix;
mod rules;
mod sources;
mod threats;

use std::fs;
use std::path::{Path, PathBuf};

use sources::{Source, in_tests, rust_files};

/// Lines of code a file may have, without its tests.
const FILE_LINES_MAX: usize = 400;
/// The same, when its module documentation has a line `//! Length:` with the reason.
const FILE_LINES_MAX_WITH_REASON: usize = 600;

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Panics with the faults, if there are any.
#[track_caller]
fn none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn tests_do_not_sleep() {
    let mut faults = Vec::new();
    for source in rust_files(&["src", "adapters", "tests"]) {
        for (line, text) in source.tests() {
            if calls(text, "sleep") {
                faults.push(source.at(line, text));
            }
        }
    }
    none(&faults, "wait for a condition, with a deadline");
}

#[test]
fn tasks_are_started_by_the_lifecycle_alone() {
    let mut faults = Vec::new();
    for source in rust_files(&["src", "adapters", "tests"]) {
        let lifecycle = source.path.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part == "lifecycle" || part == "lifecycle.rs"
        });
        for (line, text) in source.all() {
            let spawns = ["tokio::spawn(", "tokio::task::spawn("];
            if !lifecycle && spawns.iter().any(|call| text.contains(call)) {
                faults.push(source.at(line, text));
            }
        }
    }
    none(
        &faults,
        "a task that nobody awaits; spawn on the `Lifecycle`, or on a `JoinSet` in tests",
    );
}

#[test]
fn sql_stands_in_the_store_alone() {
    let statements = [
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE ",
    ];
    let mut faults = Vec::new();
    for source in rust_files(&["src", "adapters"]) {
        if source.path.starts_with("src/store") || in_tests(&source.path) {
            continue;
        }
        for (line, text) in source.code() {
            let start = text
                .trim_start()
                .trim_start_matches("r#")
                .trim_start_matches('"');
            let sql = statements.iter().any(|statement| {
                start.starts_with(statement) || text.contains(&format!("\"{statement}"))
            });
            if sql || text.contains("sqlx::") {
                faults.push(source.at(line, text));
            }
        }
    }
    none(&faults, "SQL outside src/store");
}

#[test]
fn files_are_short() {
    let mut faults = Vec::new();
    for source in rust_files(&["src", "adapters", "tests"]) {
        if in_tests(&source.path) && !source.path.starts_with("tests/servers/src") {
            continue; // a list of cases may be long
        }
        let reason = source
            .all()
            .any(|(_, text)| text.starts_with("//! Length:"));
        let limit = if reason {
            FILE_LINES_MAX_WITH_REASON
        } else {
            FILE_LINES_MAX
        };
        let lines = source.code().count();
        if lines > limit {
            faults.push(format!(
                "{}: {lines} lines of code, {limit} allowed",
                source.path.display()
            ));
        }
    }
    none(
        &faults,
        "split the file, or give the reason in its `//! Length:`",
    );
}

#[test]
fn both_databases_have_the_same_migrations() {
    let [sqlite, postgres] = ["sqlite", "postgres"].map(|engine| {
        let folder = root().join("migrations").join(engine);
        let mut names: Vec<String> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| has_extension(name, "sql"))
            .collect();
        names.sort();
        names
    });
    assert_eq!(
        sqlite, postgres,
        "migrations/sqlite and migrations/postgres"
    );
    for name in sqlite {
        let [sqlite, postgres] = ["sqlite", "postgres"].map(|engine| {
            let file = root().join("migrations").join(engine).join(&name);
            statements(&fs::read_to_string(file).unwrap())
        });
        // Whoever changes one changes the other: the words that SQLite wants for a key are all that differs.
        let common = sqlite
            .replace("INTEGER", "BIGINT")
            .replace(" WITHOUT ROWID", "");
        assert_eq!(common, postgres, "migrations/*/{name}");
    }
}

/// The statements of a migration, without comments, each word one blank behind the other.
fn statements(text: &str) -> String {
    let code = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or(line));
    let words: Vec<&str> = code.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

fn has_extension(name: &str, wanted: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == wanted)
}

/// Whether a function of this name is called, by path or bare, in code; a method of the name is another matter.
fn calls(text: &str, function: &str) -> bool {
    let code = Source::without_comment(text);
    code.match_indices(&format!("{function}("))
        .any(|(start, _)| {
            let before = code
                .get(..start)
                .and_then(|before| before.chars().next_back());
            !before
                .is_some_and(|character| character.is_alphanumeric() || "_.\"".contains(character))
        })
}

#[test]
fn a_call_is_told_from_what_looks_like_one() {
    for text in [
        "tokio::time::sleep(x)",
        "  sleep(x).await",
        "thread::sleep(x)",
    ] {
        assert!(calls(text, "sleep"), "{text}");
    }
    for text in [
        "clock.sleep(x)",
        "fn no_sleep()",
        "// sleep(x)",
        "sleep_until(x)",
        "\"sleep(\"",
    ] {
        assert!(!calls(text, "sleep"), "{text}");
    }
}
