//! Secrets that change while a channel runs: a provider gives a new refresh token with each use.

use std::fmt;

use async_trait::async_trait;

use crate::Fault;

/// Keeps the secrets of one channel. Implemented by the server, and by the testkit.
#[async_trait]
pub trait SecretKeeper: Send + Sync {
    /// The secret as it is stored now: another node, or an admin, may have changed it since the connector
    /// was built.
    async fn load(&self, path: &[&str]) -> Result<Option<String>, Fault>;

    /// Puts `new` in the place of `old`. Resolves after the durable commit, and only then may what was got
    /// together with the new secret be used. `false`: something else than `old` is stored, and stays.
    async fn replace(&self, path: &[&str], old: Option<&str>, new: &str) -> Result<bool, Fault>;
}

impl fmt::Debug for dyn SecretKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKeeper")
    }
}

/// For a connector that is built to see whether its settings can work, and never run.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

#[async_trait]
impl SecretKeeper for NoSecrets {
    async fn load(&self, _path: &[&str]) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    async fn replace(&self, _path: &[&str], _old: Option<&str>, _new: &str) -> Result<bool, Fault> {
        Err(Fault::temporary(
            "nothing can be stored for a channel that does not exist",
        ))
    }
}
