//! "Test connection", step by step.

use crate::Fault;

/// One step of the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckStep {
    /// A stable word: `imap_dns`, `imap_login`.
    pub step: &'static str,
    /// What was found, or what failed and what to do; both in sentences for an admin.
    pub outcome: Result<String, Fault>,
}

impl CheckStep {
    /// The whole in one answer: what was found everywhere, or the first thing that failed.
    pub fn summary(steps: Vec<Self>) -> Result<String, Fault> {
        let found: Result<Vec<String>, Fault> = steps.into_iter().map(|step| step.outcome).collect();
        found.map(|found| found.join(" "))
    }
}
