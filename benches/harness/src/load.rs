//! A load over the component stream: so many messages, at most some of them under way.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{server::Link, tally::mark};

/// Writes message by message, never more than `window` ahead of what has arrived; how long each took. `write` puts the message of a
/// number, with its mark, to the end of a text.
pub(crate) fn windowed(
    link: &Link,
    messages: usize,
    window: usize,
    write: impl Fn(&mut String, usize, &str),
) -> Result<Vec<Duration>> {
    let tally = &link.tally;
    let load = tally.begin(messages);
    let mut sent = Vec::with_capacity(messages);
    let mut stanzas = String::new();
    while sent.len() < messages {
        let arrived = tally.wait((sent.len() + 1).saturating_sub(window))?;
        let until = messages.min(arrived + window);
        stanzas.clear();
        for number in sent.len()..until {
            write(&mut stanzas, number, &mark(load, number));
        }
        sent.resize(until, Instant::now());
        link.write(&stanzas)?;
    }
    let arrived = tally.all()?;
    let pairs = arrived.iter().zip(&sent);
    Ok(pairs
        .map(|(arrived, sent)| arrived.saturating_duration_since(*sent))
        .collect())
}
