//! Signing in at a provider in the admin's browser: the authorization code flow with PKCE (RFC 6749, 7636).
//!
//! The server makes the state and the verifier, binds them to the admin and the channel, and keeps what
//! comes of it; the connector knows the provider's addresses and how to ask there.

use async_trait::async_trait;
use serde_json::Value;

use crate::Fault;

/// What the server adds to the address at which the admin signs in.
#[derive(Debug, Clone)]
pub struct SignInRequest {
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
    /// Comes back unchanged.
    pub state: String,
    /// SHA-256 of the verifier in base64url (method `S256`).
    pub code_challenge: String,
}

/// A setting that changes, most often a secret.
#[derive(Clone)]
pub struct SecretChange {
    /// Property names from the outside in.
    pub path: Vec<String>,
    /// The value.
    pub value: Value,
}

impl std::fmt::Debug for SecretChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretChange({})", self.path.join("."))
    }
}

/// A connector whose provider wants a person to sign in.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// The address the admin's browser is sent to. No I/O.
    fn authorize_url(&self, request: &SignInRequest) -> Result<String, Fault>;

    /// Trades the code for what the channel needs from then on. The server stores it before anything else
    /// happens to the channel.
    async fn finish(
        &self,
        code: &str,
        code_verifier: &str,
        redirect_uri: &str,
    ) -> Result<Vec<SecretChange>, Fault>;
}
