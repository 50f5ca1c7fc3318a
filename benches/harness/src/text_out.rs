//! Text out: stanza → committed → simulated provider → its report committed → receipt.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    figures::{Figures, Meter},
    load,
    process::Gateway,
    tally::mark,
    world::{CONTACTS, USERS, chat, text_out},
};

/// Messages without their receipt, under full load.
pub(crate) const WINDOW: usize = 512;

/// Every chat once: users register, contacts become known.
pub(crate) fn warm_up(gateway: &Gateway, window: usize) -> Result<()> {
    windowed(gateway, USERS * CONTACTS, window).map(drop)
}

/// One message at a time.
pub(crate) fn unloaded(gateway: &Gateway, messages: usize, figures: &mut Figures) -> Result<()> {
    figures.add_times(
        "(b) text out, unloaded: stanza to receipt",
        windowed(gateway, messages, 1)?,
    );
    Ok(())
}

/// As fast as the receipts come back, with at most `window` texts that have none yet.
pub(crate) fn loaded(
    gateway: &Gateway,
    what: &str,
    (messages, window): (usize, usize),
    figures: &mut Figures,
) -> Result<()> {
    let meter = Meter::start(gateway.pid())?;
    let times = windowed(gateway, messages, window)?;
    meter.stop(what, messages, figures)?;
    figures.add_times(&format!("{what}: stanza to receipt"), times);
    Ok(())
}

/// So many a second, whatever comes back; counted from the moment a message was due.
pub(crate) fn paced(
    gateway: &Gateway,
    messages: usize,
    rate: u32,
    figures: &mut Figures,
) -> Result<()> {
    let tally = &gateway.link.tally;
    let load = tally.begin(messages);
    let meter = Meter::start(gateway.pid())?;
    let begin = Instant::now();
    let due = |number: usize| {
        begin + Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX) / rate
    };
    for number in 0..messages {
        thread::sleep(due(number).saturating_duration_since(Instant::now()));
        let (user, contact) = chat(number);
        let mut stanza = String::new();
        text_out(&mut stanza, user, contact, &mark(load, number));
        gateway.link.write(&stanza)?;
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

fn windowed(gateway: &Gateway, messages: usize, window: usize) -> Result<Vec<Duration>> {
    load::windowed(&gateway.link, messages, window, |out, number, mark| {
        let (user, contact) = chat(number);
        text_out(out, user, contact, mark);
    })
}
