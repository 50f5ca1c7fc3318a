//! The faults found so far.

use std::sync::Arc;

use super::{
    fault::{Fault, Severity, put_in_order},
    origins::Origins,
};

/// After this many faults the rest is not worth reading.
const FAULTS_MAX: usize = 100;

/// The faults found so far, each told once.
#[derive(Default)]
pub(super) struct Collector {
    origins: Arc<Origins>,
    faults: Vec<Fault>,
    /// Dotted paths of values that could not be read and are now absent.
    taken_out: Vec<String>,
}

impl Collector {
    pub(super) fn new(origins: Arc<Origins>) -> Self {
        Self {
            origins,
            faults: Vec::new(),
            taken_out: Vec::new(),
        }
    }

    pub(super) fn error(
        &mut self,
        dotted: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Error, dotted, problem.into(), remedy.into());
    }

    pub(super) fn warning(
        &mut self,
        dotted: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Warning, dotted, problem.into(), remedy.into());
    }

    /// Notes that a faulty value is now absent: that it, or something in it, is missing is not a second fault.
    pub(super) fn note_taken_out(&mut self, dotted: String) {
        self.taken_out.push(dotted);
    }

    /// Whether anything makes the configuration unusable.
    pub(super) fn has_errors(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.severity == Severity::Error)
    }

    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    /// The faults in the order of the file, then those of the environment.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        put_in_order(&mut self.faults);
        self.faults
    }

    fn add(&mut self, severity: Severity, dotted: &str, problem: String, remedy: String) {
        let fault = self.origins.fault(severity, dotted, problem, remedy);
        let told = self.faults.iter().any(|other| other.key == fault.key)
            || self.taken_out.iter().any(|path| is_inside(dotted, path));
        if !told && !self.is_full() {
            self.faults.push(fault);
        }
    }
}

/// Whether the inner path is the outer one or below it.
fn is_inside(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
