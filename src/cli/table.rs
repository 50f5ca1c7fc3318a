//! Tables and lists of facts for people: aligned, plain, at most a hundred columns wide.

use std::fmt;

/// Rows under a header. Columns that may shrink do so where the whole would be too wide; `--json` has everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Column {
    title: &'static str,
    shrinks: bool,
}

const WIDTH_MAX: usize = 100;
const SHRUNK_MIN: usize = 8;
const GAP: usize = 2;

impl Table {
    /// A table with these columns; a title that ends in `~` is that of one that may shrink.
    pub(super) fn new(titles: &[&'static str]) -> Self {
        let column = |title: &&'static str| Column {
            title: title.strip_suffix('~').unwrap_or(title),
            shrinks: title.ends_with('~'),
        };
        Self {
            columns: titles.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |(at, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            let cells = cells.map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(column.title.chars().count())
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(widest).collect();
        let gaps = GAP * self.columns.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > WIDTH_MAX {
            let shrinking = widths.iter_mut().zip(&self.columns);
            let widest = shrinking
                .filter(|(width, column)| column.shrinks && **width > SHRUNK_MIN)
                .max_by_key(|(width, _)| **width);
            match widest {
                Some((width, _)) => *width -= 1,
                None => break,
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let titles: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.title.to_owned())
            .collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = shortened(cell, *width);
                line.push_str(&format!("{cell:<width$}"));
                line.push_str(&" ".repeat(GAP));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Facts with their names in front, aligned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// Adds a fact; an empty name goes on under the last one.
    pub(super) fn add(&mut self, name: &'static str, value: impl AsRef<str>) {
        self.0.push((name, plain(value.as_ref())));
    }

    /// Adds a fact, if there is one.
    pub(super) fn add_some(&mut self, name: &'static str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &self.0 {
            writeln!(f, "{}", format!("{name:<width$}  {value}").trim_end())?;
        }
        Ok(())
    }
}

/// Without what moves a terminal's cursor: ids and addresses come from outside.
pub(super) fn plain(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(plain).collect()
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_spaces() {
        let mut table = Table::new(&["USER~", "STATE"]);
        table.row(["alice@example.org".to_owned(), "active".to_owned()]);
        table.row(["bob".to_owned(), String::new()]);
        assert_eq!(
            table.to_string(),
            "USER               STATE\nalice@example.org  active\nbob\n"
        );
    }

    #[test]
    fn only_columns_that_may_shrink_do() {
        let mut table = Table::new(&["ID", "USER~", "PEER~"]);
        table.row(["1".repeat(40), "u".repeat(60), "p".repeat(20)]);
        let shown = table.to_string();
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH_MAX), "{shown}");
        assert!(shown.contains(&"1".repeat(40)) && shown.contains('…'), "{shown}");
        let mut stiff = Table::new(&["ID"]);
        stiff.row(["1".repeat(140)]);
        assert!(stiff.to_string().contains(&"1".repeat(140)), "an id is never cut");
    }

    #[test]
    fn what_comes_from_outside_moves_no_cursor() {
        let mut table = Table::new(&["ID"]);
        table.row(["a\u{1b}[2J\nb\u{9b}1A".to_owned()]);
        assert_eq!(table.to_string(), "ID\na\u{fffd}[2J\u{fffd}b\u{fffd}1A\n");
        let mut facts = Facts::default();
        facts.add("id", "a\rb");
        assert_eq!(facts.to_string(), "id  a\u{fffd}b\n");
    }
}
