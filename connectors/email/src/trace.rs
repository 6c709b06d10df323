//! The steps of a test, noted by those who take them.

use switchboard_sdk::{CheckStep, Fault};

/// What was tried so far, and what is being tried.
#[derive(Debug, Default)]
pub struct Trace {
    steps: Vec<CheckStep>,
    now: &'static str,
}

impl Trace {
    /// From now on it is about this step.
    pub fn begin(&mut self, step: &'static str) {
        self.now = step;
    }

    /// The step went well.
    pub fn done(&mut self, found: impl Into<String>) {
        self.note(Ok(found.into()));
    }

    /// The step failed.
    pub fn failed(&mut self, fault: Fault) {
        self.note(Err(fault));
    }

    /// All of them, in order.
    pub fn into_steps(self) -> Vec<CheckStep> {
        self.steps
    }

    fn note(&mut self, outcome: Result<String, Fault>) {
        self.steps.push(CheckStep {
            step: self.now,
            outcome,
        });
    }
}
