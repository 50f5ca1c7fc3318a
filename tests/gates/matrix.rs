//! `docs/XMPP.md`: what works on which server, each cell with the test that proves it.
//!
//! A flow test says `proves!("feature", Server)`; the table is made of these. With `UPDATE_MATRIX=1` the page is written anew.

use std::collections::BTreeMap;
use std::fs;

use crate::root;
use crate::sources::rust_files;

/// The columns: what the flow tests call a server, and its heading.
const SERVERS: [(&str, &str); 2] = [("Prosody", "Prosody 0.12"), ("Ejabberd", "ejabberd 23.01")];
const BEGIN: &str = "<!-- made by the tests: begin -->\n";
const END: &str = "<!-- made by the tests: end -->\n";

#[test]
fn the_matrix_is_what_the_tests_prove() {
    let path = root().join("docs/XMPP.md");
    let page = fs::read_to_string(&path).expect("docs/XMPP.md");
    let (before, rest) = page.split_once(BEGIN).expect("the begin of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    let right = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        fs::write(&path, &right).expect("docs/XMPP.md can be written");
        return;
    }
    assert!(
        page == right,
        "docs/XMPP.md is stale: run `cargo test -p transom --test gates` with UPDATE_MATRIX=1"
    );
}

fn table() -> String {
    let mut cells: BTreeMap<String, [Vec<String>; 2]> = BTreeMap::new();
    for source in rust_files(&["tests/flow"]) {
        let lines: Vec<&str> = source.all().map(|(_, line)| line).collect();
        let text = lines.join("\n");
        let module = source.path.file_stem().unwrap_or_default();
        let module = module.to_string_lossy();
        for (feature, servers, test) in proofs(&text) {
            let row = cells.entry(feature.clone()).or_default();
            for server in servers {
                let place = SERVERS.iter().position(|(name, _)| *name == server);
                assert!(place.is_some(), "{module}: no server {server}");
                let Some(place) = place else { continue };
                row[place].push(format!("`{module}::{test}`"));
            }
        }
    }
    let line = |first: &str, cells: [String; 2]| format!("| {first} | {} |\n", cells.join(" | "));
    let mut table = line("feature", SERVERS.map(|(_, heading)| heading.to_owned()));
    table.push_str("|---|---|---|\n");
    for (feature, row) in &cells {
        let row = row.each_ref().map(|tests| {
            if tests.is_empty() {
                "–".to_owned()
            } else {
                format!("✓ {}", tests.join(", "))
            }
        });
        table.push_str(&line(feature, row));
    }
    table
}

/// Every `proves!("feature", Server, …)` of a file, with the test that it stands in.
fn proofs(text: &str) -> Vec<(String, Vec<String>, String)> {
    let call = "proves!(";
    let mut found = Vec::new();
    for (at, _) in text.match_indices(call) {
        let rest = text.get(at + call.len()..).unwrap_or_default();
        let Some((arguments, _)) = rest.split_once(");") else {
            continue;
        };
        let mut parts = arguments.split('"');
        let feature = parts.nth(1).unwrap_or_default().to_owned();
        let servers = parts.next().unwrap_or_default().split(',');
        let servers = servers.map(str::trim).filter(|name| !name.is_empty());
        let name = text
            .get(..at)
            .unwrap_or_default()
            .rsplit("\nasync fn ")
            .next()
            .unwrap_or_default();
        let name = name.split('(').next().unwrap_or_default().to_owned();
        found.push((feature, servers.map(str::to_owned).collect(), name));
    }
    found
}

#[test]
fn a_proof_names_its_feature_its_servers_and_its_test() {
    let text = "\nasync fn one() {\n    proves!(\"a, b\", Prosody);\n}\n\nasync fn two() {\n    proves!(\n        \"c\",\n        \
                Prosody,\n        Ejabberd\n    );\n}\n";
    let of = |feature: &str, servers: &[&str], test: &str| {
        let servers = servers.iter().map(|&name| name.to_owned()).collect();
        (feature.to_owned(), servers, test.to_owned())
    };
    assert_eq!(
        proofs(text),
        [
            of("a, b", &["Prosody"], "one"),
            of("c", &["Prosody", "Ejabberd"], "two")
        ]
    );
}
