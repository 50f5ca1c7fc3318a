//! Replies on a terminal: English, tables at most a hundred columns wide.

use jiff::Timestamp;

use super::table::{Facts, Table, plain};
use crate::{
    commands::shown::{Block, Rows, blocks},
    operations::Reply,
    texts::Lang,
};

/// A reply in words; `now` is what ages count from.
pub(super) fn words(reply: &Reply, now: Timestamp) -> String {
    let drawn: Vec<String> = blocks(reply, Lang::En, now).iter().map(draw).collect();
    drawn.join("\n")
}

fn draw(block: &Block) -> String {
    match block {
        // Only what was made here has line breaks.
        Block::Sentence(text) => text.lines().map(plain).collect::<Vec<_>>().join("\n"),
        Block::Facts(facts) => {
            let mut drawn = Facts::default();
            for (name, value) in facts {
                drawn.add(name.to_lowercase(), value);
            }
            drawn.to_string()
        }
        Block::Table(rows) => table(rows),
    }
}

fn table(rows: &Rows) -> String {
    let title = |column: &crate::commands::shown::Column| {
        let mark = if column.shrinks { "~" } else { "" };
        format!("{}{mark}", column.title.to_uppercase())
    };
    let titles: Vec<String> = rows.columns.iter().map(title).collect();
    let mut table = Table::new(titles.iter().map(String::as_str));
    for row in &rows.rows {
        table.row(row.iter().cloned());
    }
    table.to_string()
}

/// A refusal, fit for a terminal.
pub(super) fn refusal(text: &str) -> String {
    plain(text)
}
