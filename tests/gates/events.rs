//! `docs/LOGS.md` names every event that is counted, and no other.

use std::{collections::BTreeSet, fs};

use crate::{
    none, root,
    sources::{Source, in_tests, rust_files},
};

/// What stands before a word that is counted as an event.
const MARKS: [&str; 3] = [".count(", "Ignored(", "ignored: Some("];
/// The words of the refusals of webhooks, which are counted by name.
const WEBHOOKS: &str = "Self::";

#[test]
fn the_events_are_what_is_counted() {
    let page = fs::read_to_string(root().join("docs/LOGS.md")).expect("docs/LOGS.md");
    let named = named(&page);
    let mut counted = BTreeSet::new();
    for source in rust_files(&["src", "adapters"]) {
        if !in_tests(&source.path) {
            let of_webhooks = source.path.ends_with("api/src/webhook.rs");
            counted.extend(words(&code(&source), of_webhooks));
        }
    }
    assert!(named.len() > 20, "the table of events is found");
    let unnamed = counted.difference(&named);
    let unnamed = unnamed.map(|word| format!("`{word}` is counted and not in the table"));
    let unknown = named.difference(&counted);
    let unknown = unknown.map(|word| format!("`{word}` is in the table and not counted"));
    let faults: Vec<String> = unnamed.chain(unknown).collect();
    none(&faults, "docs/LOGS.md says what is counted");
}

#[test]
fn a_counted_word_is_found() {
    let code = "meter.count(\n &name(\"xmpp\"), if x { \"one_here\" } else { \"one_there\" }); \
                items.count(); Decision::Ignored(\"no_body\"); (\"other_word\")";
    assert_eq!(words(code, false), ["one_here", "one_there", "no_body"]);
}

/// The words of the table below the heading.
fn named(page: &str) -> BTreeSet<String> {
    let (_, table) = page.split_once("### Events").unwrap_or_default();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let firsts = rows.filter_map(|row| row.split(" | ").next());
    let words = firsts.flat_map(|cell| cell.split(['`', ',', ' ']));
    let known = words.filter(|word| !word.is_empty() && *word != "what");
    known.map(str::to_owned).collect()
}

fn code(source: &Source) -> String {
    let lines = source.code();
    lines
        .map(|(_, text)| Source::without_comment(text))
        .fold(String::new(), |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        })
}

/// The words that stand within the parentheses of a mark.
fn words(code: &str, of_webhooks: bool) -> Vec<String> {
    let mut texts = Vec::new();
    for mark in MARKS {
        texts.extend(code.split(mark).skip(1).map(within));
    }
    let arms = code.lines().map(str::trim_start);
    let arms = arms.filter(|line| of_webhooks && line.starts_with(WEBHOOKS));
    texts.extend(arms.map(str::to_owned));
    let quoted = texts
        .iter()
        .flat_map(|text| text.split('"').skip(1).step_by(2));
    let is_word =
        |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    quoted.filter(is_word).map(str::to_owned).collect()
}

/// Up to the parenthesis that closes, without what stands in others.
fn within(text: &str) -> String {
    let (mut open, mut own) = (1_usize, String::new());
    for c in text.chars() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ if open == 1 => own.push(c),
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    own
}
