//! What goes wrong in a running channel.

/// A failure the supervisor acts on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// May pass by itself: the channel restarts with back-off.
    #[error("{0}")]
    Temporary(String),
    /// Needs a person (a wrong password): the channel is parked and raises an alarm.
    #[error("{0}")]
    Permanent(String),
}

impl Fault {
    /// A passing failure, in words that say what was tried.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::Temporary(message.into())
    }

    /// A lasting failure, in words that say what to change.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::Permanent(message.into())
    }
}
