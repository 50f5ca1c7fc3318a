//! Numbers, and what many of them come to.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::{cpu_of, cpu_of_machine};

/// The figures of one run: what was measured, and its value in the unit that the name says.
#[derive(Default)]
pub(crate) struct Figures(pub(crate) Vec<(String, f64)>);

impl Figures {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), value));
    }

    /// p50 and p99 of some times.
    pub(crate) fn add_times(&mut self, name: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        for (percent, label) in [(50, "p50"), (99, "p99")] {
            self.add(
                format!("{name}, {label} (ms)"),
                percentile(&times, percent).as_secs_f64() * 1e3,
            );
        }
    }
}

/// The value that so many percent of the sorted times do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

/// Processor time spent between two moments: by what is measured, by this program, by all others.
pub(crate) struct Meter {
    process: String,
    began: Instant,
    measured: Duration,
    own: Duration,
    machine: Duration,
}

impl Meter {
    pub(crate) fn start(process: u32) -> Result<Self> {
        let measured = cpu_of(&process.to_string())?;
        let ahead = Self::ahead()?;
        Ok(Self {
            measured,
            ..ahead.of(process)
        })
    }

    /// Starts before the process does, so that its start counts.
    pub(crate) fn ahead() -> Result<Self> {
        Ok(Self {
            began: Instant::now(),
            measured: Duration::ZERO,
            process: String::new(),
            own: cpu_of("self")?,
            machine: cpu_of_machine()?,
        })
    }

    /// Which process has been started since.
    pub(crate) fn of(self, process: u32) -> Self {
        Self {
            process: process.to_string(),
            ..self
        }
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// So many messages a second since the start.
    pub(crate) fn rate(&self, messages: usize) -> Result<f64> {
        let count = f64::from(u32::try_from(messages)?);
        Ok(count / self.began.elapsed().as_secs_f64())
    }

    /// Writes down rate, processor time a message, and how busy the machine was with other things.
    pub(crate) fn stop(&self, what: &str, messages: usize, figures: &mut Figures) -> Result<()> {
        let seconds = self.began.elapsed().as_secs_f64();
        let count = f64::from(u32::try_from(messages)?);
        let used = cpu_of(&self.process)?.saturating_sub(self.measured);
        let own = cpu_of("self")?.saturating_sub(self.own);
        let others = cpu_of_machine()?
            .saturating_sub(self.machine)
            .saturating_sub(used)
            .saturating_sub(own);
        figures.add(format!("{what}: messages a second"), count / seconds);
        figures.add(
            format!("{what}: CPU (µs a message)"),
            used.as_secs_f64() * 1e6 / count,
        );
        figures.add(
            format!("{what}: CPU of the load generator (µs a message)"),
            own.as_secs_f64() * 1e6 / count,
        );
        figures.add(
            format!("{what}: cores busy with other programs"),
            others.as_secs_f64() / seconds,
        );
        Ok(())
    }
}

/// The median, the least and the greatest.
pub(crate) fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let last = sorted.len().saturating_sub(1);
    (
        f64::midpoint(at(last / 2), at(sorted.len() / 2)),
        at(0),
        at(last),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(50));
        assert_eq!(percentile(&times, 99), Duration::from_millis(99));
        assert_eq!(percentile(&times[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        assert_eq!(spread(&[4.0, 1.0, 2.0]), (2.0, 1.0, 4.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), (2.5, 1.0, 4.0));
    }
}
