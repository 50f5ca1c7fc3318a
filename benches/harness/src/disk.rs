//! What the disk itself takes for a durable write: every other figure is read beside it.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::figures::Figures;

const WRITES: u32 = 500;

/// Appends 256 bytes and makes them durable, again and again; gives the time each took.
pub(crate) fn fdatasync(folder: &Path) -> Result<Vec<Duration>> {
    let mut file = File::create(folder.join("fdatasync"))?;
    let mut times = Vec::new();
    for _ in 0..WRITES {
        let began = Instant::now();
        file.write_all(&[b'x'; 256])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    Ok(times)
}

/// Writes the figures down.
pub(crate) fn figures(times: Vec<Duration>, figures: &mut Figures) {
    let count = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX));
    figures.add(
        "disk: fdatasync of 256 bytes, a second",
        count / times.iter().sum::<Duration>().as_secs_f64(),
    );
    figures.add_times("disk: fdatasync of 256 bytes", times);
}
