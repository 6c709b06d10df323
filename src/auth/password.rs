//! Passwords: argon2id, off the async threads, never more than a few at a time.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

/// Fewer characters are refused.
pub const MIN_CHARS: usize = 8;
/// More bytes are refused: hashing time grows with them.
pub const MAX_BYTES: usize = 1024;
/// Each takes about 19 MiB and 20 ms; more at a time would let sign-ins starve the machine.
const AT_A_TIME: usize = 2;

/// Hashes and checks passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

/// The hashing itself failed: no memory, or a shutdown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct Error(String);

impl Default for Passwords {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }
}

impl Passwords {
    /// The hash to store, with its salt and parameters.
    pub async fn hash(&self, plain: &str) -> Result<String, Error> {
        let plain = plain.to_owned();
        self.run(move || hash(&plain)).await?
    }

    /// Whether `plain` is the password of `stored`. Without a stored hash (an unknown user, one without
    /// a password) the same work is done for nothing, so that the time does not tell who exists.
    pub async fn verify(&self, plain: &str, stored: Option<String>) -> Result<bool, Error> {
        let plain = plain.to_owned();
        self.run(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
            let parsed = PasswordHash::new(&stored).map_err(|error| Error(error.to_string()))?;
            Ok(Argon2::default()
                .verify_password(plain.as_bytes(), &parsed)
                .is_ok()
                && known)
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|error| Error(error.to_string()))?;
        let task = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        task.await.map_err(|error| Error(error.to_string()))
    }
}

/// What is wrong with a new password, in words for the person who chose it.
pub fn refusal(plain: &str) -> Option<String> {
    if plain.chars().count() < MIN_CHARS {
        return Some(format!("must have at least {MIN_CHARS} characters"));
    }
    (plain.len() > MAX_BYTES).then(|| format!("must not be longer than {MAX_BYTES} bytes"))
}

fn hash(plain: &str) -> Result<String, Error> {
    Argon2::default()
        .hash_password(plain.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error(error.to_string()))
}

/// The hash of nobody's password, with the parameters of every new one: checking against it takes the
/// same time.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LS0xNg$bm9ib2R5cy1oYXNoLW9mLTMyLWJ5dGVzLS0tLS0tLS0";

#[cfg(test)]
mod tests {
    use super::{NOBODY, Passwords, refusal};

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_accepted() {
        let passwords = Passwords::default();
        let Ok(hash) = passwords.hash("correct horse").await else {
            panic!("hashes")
        };
        assert!(hash.starts_with("$argon2id$"));
        assert_eq!(
            passwords.verify("correct horse", Some(hash.clone())).await,
            Ok(true)
        );
        assert_eq!(passwords.verify("wrong horse", Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
    }

    #[tokio::test]
    async fn nobody_takes_as_long_as_somebody() {
        let Ok(hash) = Passwords::default().hash("correct horse").await else {
            panic!("hashes")
        };
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(NOBODY), parameters(&hash));
        let lengths = |hash: &str| hash.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(NOBODY), lengths(&hash));
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!(refusal("пароль1").is_some());
        assert!(refusal("пароль12").is_none());
        assert!(refusal(&"x".repeat(2000)).is_some());
    }
}
