//! Who may use whom: the table in docs/ARCHITECTURE.md against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::sources::{Source, in_tests, rust_files};
use super::{none, root};

/// Module → what it may use.
type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_use_only_what_the_architecture_allows() {
    let document = root().join("docs/ARCHITECTURE.md");
    let document = fs::read_to_string(&document)
        .unwrap_or_else(|error| panic!("docs/ARCHITECTURE.md, for its layering: {error}"));
    let table = parse_table(&document);
    assert!(
        !table.is_empty(),
        "docs/ARCHITECTURE.md needs `## Layering` with a table `| module | may use |`"
    );
    let sources = rust_files(&["src"]);
    let modules: BTreeSet<String> = sources.iter().filter_map(module_of).collect();
    let mut faults = Vec::new();
    for module in modules.iter().filter(|module| !table.contains_key(*module)) {
        faults.push(format!(
            "src has the module `{module}`, the table has no row for it"
        ));
    }
    for module in table.keys().filter(|module| !modules.contains(*module)) {
        faults.push(format!(
            "the table has a row for `{module}`, src has no such module"
        ));
    }
    let nothing = BTreeSet::new();
    for source in sources.iter().filter(|source| !in_tests(&source.path)) {
        let Some(module) = module_of(source) else {
            continue;
        };
        let allowed = table.get(&module).unwrap_or(&nothing);
        for (line, used) in edges(source) {
            if used != module && modules.contains(&used) && !allowed.contains(&used) {
                let edge = format!("`{module}` may not use `{used}`");
                faults.push(source.at(line, &edge));
            }
        }
    }
    none(&faults, "the layering of docs/ARCHITECTURE.md is broken");
}

/// The top-level module a file belongs to; `None` for the two roots.
fn module_of(source: &Source) -> Option<String> {
    let inside = source.path.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_string_lossy();
    let name = first.strip_suffix(".rs").unwrap_or(&first);
    let is_root = matches!(name, "lib" | "main" | "bin");
    (!is_root).then(|| name.to_owned())
}

/// The rows of the table under `## Layering`: names in backticks, whatever stands between them.
fn parse_table(document: &str) -> Table {
    let section = document
        .lines()
        .skip_while(|line| line.trim() != "## Layering")
        .skip(1);
    let rows = section
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with('|'));
    let mut table = Table::new();
    for row in rows {
        let mut cells = row.trim_matches('|').split('|');
        let (Some(module), Some(may_use)) = (cells.next(), cells.next()) else {
            continue;
        };
        for module in names(module) {
            table.insert(module, names(may_use).collect());
        }
    }
    table
}

fn names(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// Every `crate::x` outside tests and comments, with its line; of a group `crate::{x, y::z}` each.
fn edges(source: &Source) -> Vec<(usize, String)> {
    let mut edges = Vec::new();
    let mut code = String::new();
    for (_, text) in source.code() {
        code.push_str(Source::without_comment(text));
        code.push('\n');
    }
    for (start, path) in code.match_indices("crate::") {
        let before = code.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let glued =
            before.ends_with(|character: char| character.is_alphanumeric() || character == '_');
        let after = code.get(start + path.len()..).unwrap_or_default();
        if !glued {
            edges.extend(first_names(after).into_iter().map(|name| (line, name)));
        }
    }
    edges
}

/// The first name of a path, or those of each path in a group.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![identifier(path)];
    };
    let mut names = vec![identifier(group.trim_start())];
    let mut depth = 1;
    for (place, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                let rest = group.get(place + 1..).unwrap_or_default();
                names.push(identifier(rest.trim_start()));
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

#[test]
fn the_table_and_the_paths_are_read() {
    let document = "# x\n## Layering\n\nwhy\n\n| module | may use |\n|---|---|\n| `app` | `cli`, `store` |\n\
        | `xmpp` | nothing |\n## Next\n| `not` | `this` |\n";
    let table = parse_table(document);
    assert_eq!(table.len(), 2);
    assert_eq!(Vec::from_iter(&table["app"]), ["cli", "store"]);
    assert!(table["xmpp"].is_empty());
    assert_eq!(first_names("store::read;"), ["store"]);
    assert_eq!(
        first_names("{queue::{a, b}, store, texts::Text};"),
        ["queue", "store", "texts"]
    );
}
