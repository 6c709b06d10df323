//! What a channel remembers between connections, beside the cursor: where fetching failed. Pure.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// After this many failures to fetch one mail it is given up and shown in the quarantine.
const GIVE_UP: u32 = 6;
/// The same when the connection broke each time, which is more often the network than the mail.
const GIVE_UP_LOST: u32 = 25;

/// What earlier connections learnt.
#[derive(Debug, Default)]
pub struct Memory {
    stuck: Mutex<Option<Stuck>>,
    /// The server offers IDLE and refuses it.
    idle_refused: AtomicBool,
}

/// A fetch that failed.
#[derive(Debug, Clone, Copy)]
struct Stuck {
    /// Up to this UID mails are fetched one at a time, so that one of them cannot keep the others.
    until: u32,
    /// The mail that failed alone,
    uid: u32,
    /// and how often in a row.
    failures: u32,
}

impl Memory {
    /// Notes that fetching the mails from `first` to `last` failed.
    pub fn failed(&self, first: u32, last: u32) {
        let mut stuck = self.lock();
        let before = stuck
            .filter(|stuck| stuck.uid == first && first == last)
            .map_or(0, |stuck| stuck.failures);
        let until = stuck.map_or(last, |stuck| stuck.until.max(last));
        let failures = if first == last { before + 1 } else { 0 };
        *stuck = Some(Stuck {
            until,
            uid: first,
            failures,
        });
    }

    /// Notes that everything up to this mail was dealt with.
    pub fn passed(&self, uid: u32) {
        let mut stuck = self.lock();
        if stuck.is_some_and(|stuck| stuck.until <= uid) {
            *stuck = None;
        }
    }

    /// Whether this mail must be fetched alone.
    pub fn alone(&self, uid: u32) -> bool {
        self.lock().is_some_and(|stuck| uid <= stuck.until)
    }

    /// Whether this mail failed alone so often that it is no use; `lost` when the connection broke each time.
    pub fn is_hopeless(&self, uid: u32, lost: bool) -> bool {
        let failures = self
            .lock()
            .filter(|stuck| stuck.uid == uid)
            .map_or(0, |stuck| stuck.failures);
        failures >= if lost { GIVE_UP_LOST } else { GIVE_UP }
    }

    /// Notes that the server offers IDLE and refuses it.
    pub fn idle_was_refused(&self) {
        self.idle_refused.store(true, Ordering::Relaxed);
    }

    /// Whether IDLE is worth a try.
    pub fn may_idle(&self) -> bool {
        !self.idle_refused.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stuck>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_batch_is_tried_mail_by_mail_until_the_bad_one_is_known() {
        let memory = Memory::default();
        memory.failed(1, 25);
        memory.passed(1);
        assert!(memory.alone(2) && memory.alone(25) && !memory.alone(26));
        for _ in 0..GIVE_UP {
            assert!(!memory.is_hopeless(13, false));
            memory.failed(13, 13);
        }
        assert!(
            memory.is_hopeless(13, false) && !memory.is_hopeless(13, true) && !memory.is_hopeless(14, false)
        );
        memory.passed(24);
        assert!(memory.alone(25));
        memory.passed(25);
        assert!(!memory.alone(25));
    }
}
