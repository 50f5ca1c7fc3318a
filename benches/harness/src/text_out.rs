//! Text out: stanza → committed → simulated provider → its report committed → receipt.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    figures::{Figures, Meter},
    load,
    process::Transom,
    tally::mark,
    world::{CONTACTS, USERS, chat, text_out},
};

/// Messages without their receipt, under full load.
pub(crate) const WINDOW: usize = 512;

/// Every chat once: users register, contacts become known.
pub(crate) fn warm_up(transom: &Transom) -> Result<()> {
    windowed(transom, USERS * CONTACTS, WINDOW).map(drop)
}

/// One message at a time.
pub(crate) fn unloaded(transom: &Transom, messages: usize, figures: &mut Figures) -> Result<()> {
    figures.add_times(
        "(b) text out, unloaded: stanza to receipt",
        windowed(transom, messages, 1)?,
    );
    Ok(())
}

/// As fast as the receipts come back.
pub(crate) fn loaded(
    transom: &Transom,
    what: &str,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    let meter = Meter::start(transom.pid())?;
    let times = windowed(transom, messages, WINDOW)?;
    meter.stop(what, messages, figures)?;
    figures.add_times(&format!("{what}: stanza to receipt"), times);
    Ok(())
}

/// So many a second, whatever comes back; counted from the moment a message was due.
pub(crate) fn paced(
    transom: &Transom,
    messages: usize,
    rate: u32,
    figures: &mut Figures,
) -> Result<()> {
    let tally = &transom.link.tally;
    let load = tally.begin(messages);
    let meter = Meter::start(transom.pid())?;
    let begin = Instant::now();
    let due = |number: usize| {
        begin + Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX) / rate
    };
    for number in 0..messages {
        thread::sleep(due(number).saturating_duration_since(Instant::now()));
        let (user, contact) = chat(number);
        let mut stanza = String::new();
        text_out(&mut stanza, user, contact, &mark(load, number));
        transom.link.write(&stanza)?;
    }
    let arrived = tally.all()?;
    let what = format!("(b) text out, {rate} a second");
    meter.stop(&what, messages, figures)?;
    let times = arrived
        .iter()
        .enumerate()
        .map(|(number, at)| at.saturating_duration_since(due(number)))
        .collect();
    figures.add_times(&format!("{what}: stanza to receipt"), times);
    Ok(())
}

fn windowed(transom: &Transom, messages: usize, window: usize) -> Result<Vec<Duration>> {
    load::windowed(&transom.link, messages, window, |out, number, mark| {
        let (user, contact) = chat(number);
        text_out(out, user, contact, mark);
    })
}
