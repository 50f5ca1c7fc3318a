//! What arrived, and when: every message of a load carries a mark, `m-LOAD-NUMBER`, that comes back in its stanza or receipt.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

/// Nothing for so long means that something is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What arrived of the load under way.
#[derive(Default)]
pub(crate) struct Tally {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    load: usize,
    arrived: Vec<Option<Instant>>,
    count: usize,
    /// What came once more, and what does not belong to the load.
    extra: usize,
    /// The first of those.
    first_extra: Option<String>,
    /// What went wrong with the load under way.
    failure: Option<String>,
    /// Why the stream ended.
    end: Option<String>,
}

/// Counting under one lock, for what came in one read.
pub(crate) struct Counting<'a> {
    tally: &'a Tally,
    state: MutexGuard<'a, State>,
    now: Instant,
}

/// The mark of one message.
pub(crate) fn mark(load: usize, number: usize) -> String {
    format!("m-{load}-{number}")
}

impl Tally {
    /// Begins a load of so many messages; gives its number.
    pub(crate) fn begin(&self, messages: usize) -> usize {
        let mut state = self.lock();
        state.load += 1;
        state.arrived = vec![None; messages];
        state.count = 0;
        state.extra = 0;
        state.first_extra = None;
        state.failure = None;
        state.load
    }

    pub(crate) fn counting(&self) -> Counting<'_> {
        Counting {
            tally: self,
            state: self.lock(),
            now: Instant::now(),
        }
    }

    /// Waits until at least so many have arrived; gives how many have.
    pub(crate) fn wait(&self, count: usize) -> Result<usize> {
        let mut state = self.lock();
        while state.count < count {
            let before = state.count;
            let (next, waited) = self
                .changed
                .wait_timeout(state, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            if let Some(failure) = state.failure.as_ref().or(state.end.as_ref()) {
                bail!("{failure}");
            }
            ensure!(
                !waited.timed_out() || state.count > before,
                "{} of {count} arrived, then nothing",
                state.count
            );
        }
        Ok(state.count)
    }

    /// When each arrived, after all have.
    pub(crate) fn all(&self) -> Result<Vec<Instant>> {
        let messages = self.lock().arrived.len();
        self.wait(messages)?;
        Ok(self.lock().arrived.iter().copied().flatten().collect())
    }

    /// Each message of the load has come; gives how many came twice or carry the mark of another load, and the first of those.
    pub(crate) fn exactly(&self) -> Result<(usize, Option<String>)> {
        let state = self.lock();
        if let Some(failure) = &state.failure {
            bail!("{failure}");
        }
        let (wanted, count) = (state.arrived.len(), state.count);
        ensure!(count == wanted, "{count} of {wanted} came");
        Ok((state.extra, state.first_extra.clone()))
    }

    /// Waits until the stream has ended.
    pub(crate) fn ended(&self) -> Result<()> {
        let state = self.lock();
        let goes_on = |state: &mut State| state.end.is_none();
        let (state, waited) = self
            .changed
            .wait_timeout_while(state, PATIENCE, goes_on)
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        ensure!(!waited.timed_out(), "the server does not close the stream");
        Ok(())
    }

    /// The stream has ended; nobody need wait any longer.
    pub(crate) fn end(&self, error: Option<anyhow::Error>) {
        self.lock().end = Some(
            error.map_or("the component closed its stream".to_owned(), |error| {
                error.to_string()
            }),
        );
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counting<'_> {
    /// Counts a stanza, if it belongs to the load.
    pub(crate) fn count(&mut self, stanza: &str) {
        if stanza.contains(" type='error'") || stanza.contains(" type=\"error\"") {
            self.state
                .failure
                .get_or_insert(format!("an error came: {stanza}"));
            return;
        }
        let load = self.state.load;
        let mut marks = numbers(stanza).peekable();
        if marks.peek().is_none() {
            return;
        }
        let number = marks.find_map(|(of, number)| (of == load).then_some(number));
        let now = self.now;
        let place = number.and_then(|number| self.state.arrived.get_mut(number));
        if let Some(arrived @ None) = place {
            *arrived = Some(now);
            self.state.count += 1;
        } else {
            self.state.extra += 1;
            let first = &mut self.state.first_extra;
            first.get_or_insert_with(|| stanza.to_owned());
        }
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.tally.changed.notify_all();
    }
}

/// Every mark in a stanza.
fn numbers(stanza: &str) -> impl Iterator<Item = (usize, usize)> {
    stanza.split("m-").skip(1).filter_map(|rest| {
        let (load, rest) = rest.split_once('-')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        Some((load.parse().ok()?, rest.get(..digits)?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_stand() {
        let all = |text| numbers(text).collect::<Vec<_>>();
        assert_eq!(all("<received id='m-3-41'/>"), [(3, 41)]);
        assert_eq!(
            all("<message from='m-x' id=\"9\"><body>m-1-2 and more</body>"),
            [(1, 2)]
        );
    }

    #[test]
    fn each_message_counts_once_and_only_of_the_load_under_way() {
        let tally = Tally::default();
        let load = tally.begin(2);
        let mut counting = tally.counting();
        for number in [0, 0, 1, 7] {
            counting.count(&format!("<x id='{}'/>", mark(load, number)));
        }
        counting.count(&format!("<x id='{}'/>", mark(load + 1, 0)));
        drop(counting);
        assert_eq!(tally.wait(2).unwrap(), 2);
    }

    #[test]
    fn what_comes_twice_or_not_at_all_is_told() {
        let tally = Tally::default();
        let load = tally.begin(2);
        let count = |number: usize| tally.counting().count(&mark(load, number));
        count(0);
        assert!(tally.exactly().is_err(), "one is missing");
        count(1);
        tally.counting().count("<message id='x'/>");
        assert_eq!(tally.exactly().unwrap(), (0, None));
        count(1);
        assert_eq!(tally.exactly().unwrap(), (1, Some(mark(load, 1))), "twice");
        let next = tally.begin(1);
        tally.counting().count(&mark(next, 0));
        assert_eq!(tally.exactly().unwrap().0, 0);
        count(0);
        assert_eq!(tally.exactly().unwrap().0, 1, "one is of another load");
    }
}
