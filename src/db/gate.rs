//! SQLite's writers take turns here, in the order of asking, rather than at the file.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a writer waits for those before it.
const PATIENCE: Duration = Duration::from_secs(30);

/// One writer's turn; it ends when dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

/// Two connections write (the driver's and the one for batches). SQLite would let the one that comes
/// second try again and again; here it waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<Mutex<()>>);

impl Gate {
    pub async fn turn(&self) -> Result<Turn, DbErr> {
        tokio::time::timeout(PATIENCE, Arc::clone(&self.0).lock_owned())
            .await
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }
}
