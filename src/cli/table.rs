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
    title: String,
    shrinks: bool,
}

const WIDTH_MAX: usize = 100;
const SHRUNK_MIN: usize = 8;
const GAP: usize = 2;

impl Table {
    /// A table with these columns; a title that ends in `~` is that of one that may shrink.
    pub(super) fn new<'a>(titles: impl IntoIterator<Item = &'a str>) -> Self {
        let column = |title: &str| Column {
            title: title.strip_suffix('~').unwrap_or(title).to_owned(),
            shrinks: title.ends_with('~'),
        };
        Self {
            columns: titles.into_iter().map(column).collect(),
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
            .map(|column| column.title.clone())
            .collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let padded = |(cell, width): (&String, &usize)| {
                let cell = shortened(cell, *width);
                format!("{cell:<width$}")
            };
            let cells: Vec<String> = row.iter().zip(&widths).map(padded).collect();
            writeln!(f, "{}", cells.join(&" ".repeat(GAP)).trim_end())?;
        }
        Ok(())
    }
}

/// Facts with their names in front, aligned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Facts(Vec<(String, String)>);

impl Facts {
    /// Adds a fact; an empty name goes on under the last one.
    pub(super) fn add(&mut self, name: impl Into<String>, value: impl AsRef<str>) {
        self.0.push((name.into(), plain(value.as_ref())));
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.chars().count());
        let width = width.max().unwrap_or(0);
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
        let mut table = Table::new(["USER~", "STATE"]);
        table.row(["alice@example.org".to_owned(), "active".to_owned()]);
        table.row(["bob".to_owned(), String::new()]);
        assert_eq!(
            table.to_string(),
            "USER               STATE\nalice@example.org  active\nbob\n"
        );
    }

    #[test]
    fn only_columns_that_may_shrink_do() {
        let mut table = Table::new(["ID", "USER~", "PEER~"]);
        table.row(["1".repeat(40), "u".repeat(60), "p".repeat(20)]);
        let shown = table.to_string();
        assert!(
            shown.lines().all(|line| line.chars().count() <= WIDTH_MAX),
            "{shown}"
        );
        assert!(
            shown.contains(&"1".repeat(40)) && shown.contains('…'),
            "{shown}"
        );
        let mut stiff = Table::new(["ID"]);
        stiff.row(["1".repeat(140)]);
        assert!(
            stiff.to_string().contains(&"1".repeat(140)),
            "an id is never cut"
        );
    }

    #[test]
    fn what_comes_from_outside_moves_no_cursor() {
        let mut table = Table::new(["ID"]);
        table.row(["a\u{1b}[2J\nb\u{9b}1A".to_owned()]);
        assert_eq!(table.to_string(), "ID\na\u{fffd}[2J\u{fffd}b\u{fffd}1A\n");
        let mut facts = Facts::default();
        facts.add("id", "a\rb");
        assert_eq!(facts.to_string(), "id  a\u{fffd}b\n");
    }
}
