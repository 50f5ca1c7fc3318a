//! Measures bounce recognition: `cargo run -p transom-email --example bounces -- FOLDER` reads every `.eml` in it as a bounce, and
//! every `.txt` as the body of a person's mail, which must not be taken for one.
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::{
    collections::BTreeMap,
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

use transom_email::measure;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("usage: bounces FOLDER [--list]")?;
    let list = std::env::args().any(|argument| argument == "--list");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    let (mut mails, mut recognised, mut standard, mut resolved, mut ours) = (0, 0, 0, 0, 0);
    let (mut humans, mut mistaken) = (0, 0);
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for path in &files {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(path)?;
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("eml") => {
                mails += 1;
                let start = Instant::now();
                let bounce = measure::bounce(&bytes);
                slowest = slowest.max(start.elapsed());
                let Some(bounce) = bounce else {
                    println!("not recognised: {name} ({:?})", measure::class(&bytes));
                    continue;
                };
                recognised += 1;
                standard += usize::from(bounce.standard);
                ours += usize::from(measure::is_report_at_bounce_address(&bytes));
                resolved += usize::from(bounce.original.is_some());
                let verdict = format!("{:?} {:?}", bounce.progress, bounce.reason);
                if list || bounce.original.is_none() {
                    println!("{name}: {verdict}, original {:?}", bounce.original);
                }
                *verdicts.entry(verdict).or_default() += 1;
            }
            Some("txt") => {
                humans += 1;
                let mail = [HUMAN.as_bytes(), &bytes].concat();
                if measure::bounce(&mail).is_some() {
                    mistaken += 1;
                    println!("taken for a bounce: {name}");
                }
            }
            _ => {}
        }
    }
    println!(
        "{mails} bounces: {recognised} recognised ({standard} standard), original named in {resolved}, \
         resolved at a bounce address of ours {ours}"
    );
    let per_mille = ours * 1000 / recognised.max(1);
    println!(
        "resolved to their delivery: {ours} of {recognised} reports, {}.{} %",
        per_mille / 10,
        per_mille % 10
    );
    for (verdict, count) in verdicts {
        println!("  {count:4} {verdict}");
    }
    println!("{humans} mails of people, {mistaken} taken for bounces; slowest mail {slowest:?}");
    Ok(())
}

const HUMAN: &str = "From: Bob <bob@example.com>\r\nTo: alice@mail.example.org\r\nSubject: Re: Lunch\r\nReturn-Path: <bob@example.com>\r\n\r\n";
