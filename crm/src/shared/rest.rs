//! Asking with a token in a header, once more when it ended.

use http::{Method, StatusCode};
use serde_json::Value;
use switchboard_sdk::HttpRequest;
use url::Url;

use super::{
    client::{Answer, Client, Effect, request, with_header},
    tokens::{Access, Login},
};
use crate::SyncError;

/// A CRM that takes tokens in a header.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) client: Client,
    pub(crate) login: Login,
    /// A fixed token goes into this header instead of `Authorization: Bearer`.
    pub(crate) token_header: Option<&'static str>,
}

impl Rest {
    /// Asks what `make` makes for a token; a 401 is asked once more with a new one, since nothing was done.
    pub(crate) async fn ask<F>(&self, effect: Effect, make: F) -> Result<Answer, SyncError>
    where
        F: Fn(&Access) -> Result<HttpRequest, SyncError> + Send,
    {
        let access = self.login.access().await?;
        let answer = self.once(effect, &access, &make).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.login.refused(&access).await {
            return Ok(answer);
        }
        let access = self.login.access().await?;
        self.once(effect, &access, &make).await
    }

    async fn once<F>(&self, effect: Effect, access: &Access, make: &F) -> Result<Answer, SyncError>
    where
        F: Fn(&Access) -> Result<HttpRequest, SyncError> + Send,
    {
        let request = make(access)?;
        let request = match (self.token_header, &self.login) {
            (Some(name), Login::Fixed(_)) => with_header(request, name, &access.token)?,
            _ => with_header(request, "authorization", &format!("Bearer {}", access.token))?,
        };
        self.client.ask(request, effect).await
    }

    /// One address that does not depend on the token.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        effect: Effect,
    ) -> Result<Answer, SyncError> {
        self.ask(effect, |_| request(method.clone(), url, body)).await
    }
}
