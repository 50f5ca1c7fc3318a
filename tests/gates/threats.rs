//! `docs/THREATS.md`: each threat with the tests that try it; every one of them has to be there.

use std::fs;

use crate::{none, root, sources::tests};

#[test]
fn every_threat_has_its_tests() {
    let page = fs::read_to_string(root().join("docs/THREATS.md")).expect("docs/THREATS.md");
    let known = tests();
    let mut faults = Vec::new();
    for (place, line) in page.lines().enumerate() {
        let Some(tests) = tests_of(line) else {
            continue;
        };
        if tests.is_empty() {
            faults.push(format!(
                "docs/THREATS.md:{}: a threat without a test",
                place + 1
            ));
        }
        for test in tests.iter().filter(|test| !known.contains(**test)) {
            faults.push(format!("docs/THREATS.md:{}: no test `{test}`", place + 1));
        }
    }
    none(&faults, "what docs/THREATS.md promises has to be tried");
}

/// The tests that a row of the tables of threats names; the table of persons and the headings are none.
fn tests_of(line: &str) -> Option<Vec<&str>> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
    let [threat, _, tests] = cells.as_slice() else {
        return None;
    };
    let is_test = |name: &&str| name.contains('_') && !name.contains(['.', ' ', '|']);
    let names: Vec<&str> = tests
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_test)
        .collect();
    let is_heading = *threat == "threat";
    let is_person = names.is_empty() && !tests.contains('`');
    (!is_heading && !is_person).then_some(names)
}
