//! Measures quote cutting: `cargo run -p transom-email --example replies -- FOLDER` reads every `.txt` in it as an answer.
#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::{error::Error, path::PathBuf};

use transom_email::measure;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: replies FOLDER")?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let (mut cut, mut tricky, mut tricky_cut) = (0, 0, 0);
    for path in &files {
        let text = String::from_utf8_lossy(&std::fs::read(path)?).replace("\r\n", "\n");
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let kept = measure::cut_reply(&text);
        let (before, after) = (lines(&text), lines(kept));
        let is_tricky = name.contains("tricky");
        tricky += usize::from(is_tricky);
        if after < before {
            cut += 1;
            tricky_cut += usize::from(is_tricky);
        }
        println!("{name}: kept {after} of {before} lines");
    }
    println!(
        "{} mails, {cut} cut, {} left whole; {tricky} tricky ones, {tricky_cut} of them cut",
        files.len(),
        files.len() - cut
    );
    Ok(())
}

fn lines(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}
