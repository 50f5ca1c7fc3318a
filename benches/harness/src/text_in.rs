//! Text in: signed webhook on a keep-alive connection → committed, then answered → stanza → barrier.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

use crate::{
    figures::{Figures, Meter},
    process::Gateway,
    tally::mark,
    webhook::Caller,
    world::{CONTACTS, USERS, chat, line, phone},
};

/// Connections, each with one call under way.
pub(crate) const CONNECTIONS: usize = 64;

/// When a message is due; `None`: at once.
type Due<'a> = &'a (dyn Fn(usize) -> Option<Instant> + Sync);

/// Times of one message.
#[derive(Clone, Copy)]
struct Times {
    due: Instant,
    answered: Instant,
}

/// Every chat once.
pub(crate) fn warm_up(gateway: &Gateway) -> Result<()> {
    run(gateway, USERS * CONTACTS, CONNECTIONS, &|_| None).map(drop)
}

/// One call at a time.
pub(crate) fn unloaded(gateway: &Gateway, messages: usize, figures: &mut Figures) -> Result<()> {
    let (answered, handed) = run(gateway, messages, 1, &|_| None)?;
    figures.add_times("(c) text in, unloaded: call to answer", answered);
    figures.add_times("(c) text in, unloaded: call to stanza", handed);
    Ok(())
}

/// As fast as the answers come.
pub(crate) fn loaded(
    gateway: &Gateway,
    what: &str,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    measured(gateway, messages, what, &|_| None, figures)
}

/// So many a second, whatever is answered; counted from the moment a call was due.
pub(crate) fn paced(
    gateway: &Gateway,
    messages: usize,
    rate: u32,
    figures: &mut Figures,
) -> Result<()> {
    let begin = Instant::now();
    let due = |number: usize| {
        Some(begin + Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX) / rate)
    };
    measured(
        gateway,
        messages,
        &format!("(c) text in, {rate} a second"),
        &due,
        figures,
    )
}

fn measured(
    gateway: &Gateway,
    messages: usize,
    what: &str,
    due: Due<'_>,
    figures: &mut Figures,
) -> Result<()> {
    let meter = Meter::start(gateway.pid())?;
    let (answered, handed) = run(gateway, messages, CONNECTIONS, due)?;
    meter.stop(what, messages, figures)?;
    figures.add_times(&format!("{what}: call to answer"), answered);
    figures.add_times(&format!("{what}: call to stanza"), handed);
    Ok(())
}

/// How long each call took until its answer, and until its stanza.
fn run(
    gateway: &Gateway,
    messages: usize,
    connections: usize,
    due: Due<'_>,
) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let load = gateway.link.tally.begin(messages);
    let next = AtomicUsize::new(0);
    let call = || -> Result<Vec<(usize, Times)>> {
        let mut caller = Caller::connect(gateway.http)?;
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= messages {
                return Ok(done);
            }
            let at = due(number).unwrap_or_else(Instant::now);
            thread::sleep(at.saturating_duration_since(Instant::now()));
            let (user, contact) = chat(number);
            let body = format!("{} Running late, start without me!", mark(load, number));
            let sid = format!("SM{load:08x}{number:024x}");
            caller.deliver(&sid, &phone(contact), &line(user), &body)?;
            done.push((
                number,
                Times {
                    due: at,
                    answered: Instant::now(),
                },
            ));
        }
    };
    let mut times = Vec::with_capacity(messages);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..connections).map(|_| scope.spawn(call)).collect();
        for caller in callers {
            times.extend(caller.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        anyhow::Ok(())
    })?;
    let arrived = gateway.link.tally.all()?;
    times.sort_unstable_by_key(|(number, _)| *number);
    let answered = times
        .iter()
        .map(|(_, times)| times.answered.saturating_duration_since(times.due))
        .collect();
    let handed = times
        .iter()
        .zip(&arrived)
        .map(|((_, times), arrived)| arrived.saturating_duration_since(times.due))
        .collect();
    Ok((answered, handed))
}
