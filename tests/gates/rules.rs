//! `docs/MAIL.md`: each rule of mail with the test that proves it. A test that is gone or has another name is noticed here.

use std::fs;

use crate::{none, root, sources::tests};

const TABLE: &str = "## Rules and the tests that prove them\n";

#[test]
fn every_rule_of_mail_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/MAIL.md")).expect("docs/MAIL.md");
    let (_, table) = page.split_once(TABLE).expect("the table of rules");
    let table = table.split("\n## ").next().unwrap_or_default();
    let known = tests();
    let mut faults = Vec::new();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    // The heading.
    for row in rows.skip(1) {
        let mut names = row.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() {
            faults.push(format!("no test: {row}"));
        }
        for name in names {
            let last = name.rsplit("::").next().unwrap_or(name);
            if !known.contains(last) {
                faults.push(format!("no such test: {name}"));
            }
        }
    }
    none(&faults, "each rule has a test, by its name");
}
