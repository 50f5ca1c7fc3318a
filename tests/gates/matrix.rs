//! `docs/XMPP.md`: what works on which server, each cell with the test that proves it.
//!
//! A flow test says `proves!("feature", Server)`, or `proves_instead!("feature", "what is there in its place", Server)` where the
//! server cannot; the table is made of these, and no cell of it is empty. With `UPDATE_MATRIX=1` the page is written anew.

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
        for proof in proofs(&text) {
            let row = cells.entry(proof.feature.clone()).or_default();
            for server in &proof.servers {
                let place = SERVERS.iter().position(|(name, _)| name == server);
                assert!(place.is_some(), "{module}: no server {server}");
                let Some(place) = place else { continue };
                row[place].push(proof.cell(&module));
            }
        }
    }
    let line = |first: &str, cells: [String; 2]| format!("| {first} | {} |\n", cells.join(" | "));
    let mut table = line("feature", SERVERS.map(|(_, heading)| heading.to_owned()));
    table.push_str("|---|---|---|\n");
    for (feature, row) in &cells {
        let empty = row.iter().position(Vec::is_empty);
        let empty = empty.map(|place| SERVERS[place].1);
        assert!(
            empty.is_none(),
            "no test proves {feature:?}, or what is there in its place, on {empty:?}"
        );
        table.push_str(&line(feature, row.each_ref().map(|tests| tests.join(", "))));
    }
    table
}

/// A line of a flow test that makes a cell.
#[derive(Debug, PartialEq, Eq)]
struct Proof {
    feature: String,
    /// What is there in its place, where the server cannot.
    instead: Option<String>,
    servers: Vec<String>,
    test: String,
}

impl Proof {
    fn cell(&self, module: &str) -> String {
        let test = &self.test;
        match &self.instead {
            None => format!("✓ `{module}::{test}`"),
            Some(instead) => format!("the server cannot; {instead}: ✓ `{module}::{test}`"),
        }
    }
}

/// Every `proves!(…)` and `proves_instead!(…)` of a file, with the test that it stands in.
fn proofs(text: &str) -> Vec<Proof> {
    let mut found = Vec::new();
    for (call, is_instead) in [("proves!(", false), ("proves_instead!(", true)] {
        for (at, _) in text.match_indices(call) {
            let rest = text.get(at + call.len()..).unwrap_or_default();
            let Some((arguments, _)) = rest.split_once(");") else {
                continue;
            };
            let mut parts = arguments.split('"').skip(1);
            let feature = parts.next().unwrap_or_default().to_owned();
            let instead = is_instead.then(|| parts.nth(1).unwrap_or_default().to_owned());
            let servers = parts.next().unwrap_or_default().split(',');
            let servers = servers.map(str::trim).filter(|name| !name.is_empty());
            let before = text.get(..at).unwrap_or_default();
            let name = before.rsplit("\nasync fn ").next().unwrap_or_default();
            found.push(Proof {
                feature,
                instead,
                servers: servers.map(str::to_owned).collect(),
                test: name.split('(').next().unwrap_or_default().to_owned(),
            });
        }
    }
    found
}

#[test]
fn a_proof_names_its_feature_its_servers_and_its_test() {
    let text = "\nasync fn one() {\n    proves!(\"a, b\", Prosody);\n    proves_instead!(\"d\", \"e\", Ejabberd);\n}\n\n\
                async fn two() {\n    proves!(\n        \"c\",\n        Prosody,\n        Ejabberd\n    );\n}\n";
    let of = |feature: &str, instead: Option<&str>, servers: &[&str], test: &str| Proof {
        feature: feature.to_owned(),
        instead: instead.map(str::to_owned),
        servers: servers.iter().map(|&name| name.to_owned()).collect(),
        test: test.to_owned(),
    };
    assert_eq!(
        proofs(text),
        [
            of("a, b", None, &["Prosody"], "one"),
            of("c", None, &["Prosody", "Ejabberd"], "two"),
            of("d", Some("e"), &["Ejabberd"], "one"),
        ]
    );
}
