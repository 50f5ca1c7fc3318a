//! Measures reading: `cargo run -p transom-email --example reading -- FOLDER…` reads every `.eml` and `.txt` in the
//! folders, and in those inside them, as a mail.
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

use transom_email::measure;

/// What a mail may take at most.
const GOAL: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn Error>> {
    let mut folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let shows = folders
        .pop_if(|last| last.as_os_str() == "--show")
        .is_some();
    if folders.is_empty() {
        return Err("usage: reading FOLDER… [--show]".into());
    }
    let (mut mails, mut empty, mut slow) = (0, 0, 0);
    let mut slowest = (Duration::ZERO, String::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let kind = path.extension().and_then(|kind| kind.to_str());
            if !matches!(kind, Some("eml" | "txt")) {
                continue;
            }
            let bytes = std::fs::read(&path)?;
            let start = Instant::now();
            let read = measure::read(&bytes);
            let took = start.elapsed();
            let name = path.display().to_string();
            mails += 1;
            slow += usize::from(took > GOAL);
            empty += usize::from(read.text.is_empty() && read.files == 0 && !read.noticed);
            if shows {
                println!("=== {name}: {took:?}, {} files\n{}", read.files, read.text);
            }
            slowest = slowest.max((took, name));
        }
    }
    println!(
        "{mails} mails read, {empty} of them without text and files, {slow} slower than {GOAL:?}; slowest {:?} ({})",
        slowest.0, slowest.1
    );
    Ok(())
}
