//! What imports are worked on with.

use std::fmt;

use crate::{clock::SharedClock, db::Db, storage::Storage};

/// The parts of the server an import needs.
#[derive(Clone)]
pub struct Tools {
    /// The store.
    pub db: Db,
    /// Where the files are.
    pub storage: Storage,
    /// Time.
    pub clock: SharedClock,
    /// Who holds the leases of this process.
    pub node: String,
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tools")
    }
}
