//! The table in docs/BENCHMARKS.md: what stands between its marks is ours, everything else is written by hand.

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{
    figures::{Figures, spread},
    mail_in::SESSIONS,
    text_in::CONNECTIONS,
    text_out::WINDOW,
    world::{CONTACTS, USERS},
};

const BEGIN: &str = "<!-- figures: written by benches/run -->";
const END: &str = "<!-- end of figures -->";

/// The table of all runs, as Markdown.
pub(crate) fn table(runs: &[Figures], binary: &Path) -> String {
    let mut text = String::new();
    for (name, value) in machine(binary) {
        writeln!(text, "- {name}: {value}").ok();
    }
    let count = runs.len();
    writeln!(text, "- load: {USERS} users with {CONTACTS} phones each; (b) at most {WINDOW} texts without their receipt; (c) {CONNECTIONS} keep-alive connections; (e) {SESSIONS} LMTP sessions; {count} runs\n").ok();
    writeln!(
        text,
        "| what | median | least | greatest |\n|---|---:|---:|---:|"
    )
    .ok();
    let Some(first) = runs.first() else {
        return text;
    };
    for (name, _) in &first.0 {
        let of = |run: &Figures| {
            run.0
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| *value)
        };
        let values: Vec<f64> = runs.iter().filter_map(of).collect();
        let (median, least, greatest) = spread(&values);
        writeln!(
            text,
            "| {name} | {} | {} | {} |",
            short(median),
            short(least),
            short(greatest)
        )
        .ok();
    }
    text
}

/// Puts the table between the marks.
pub(crate) fn write(file: &Path, table: &str) -> Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (before, rest) = text
        .split_once(BEGIN)
        .with_context(|| format!("{} has no line {BEGIN}", file.display()))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{} has no line {END}", file.display()))?;
    fs::write(file, format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))?;
    Ok(())
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn machine(binary: &Path) -> Vec<(&'static str, String)> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let size = fs::metadata(binary).map_or(0, |file| file.len()) / 1024;
    vec![
        (
            "machine",
            format!(
                "{cores} cores, {}",
                model.trim_start_matches([' ', '\t', ':'])
            ),
        ),
        ("kernel", said("uname", &["-sr"])),
        (
            "load average at the end",
            load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        ),
        (
            "binary",
            format!(
                "{}, {size} KiB, built by {}",
                said(&binary.to_string_lossy(), &["--version"]),
                said("rustc", &["--version"])
            ),
        ),
        ("commit", said("git", &["describe", "--always", "--dirty"])),
        ("day", said("date", &["-u", "+%F"])),
    ]
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or("unknown".to_owned(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}
