//! Access tokens: got by signing in, renewed before they expire.
//!
//! Providers may give a new refresh token with each use of the old one (RFC 6749 §6), which is worth nothing
//! from then on. The new one is durable before anything else happens; the old one is never used again.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Url, redirect};
use serde::Deserialize;
use serde_json::json;
use switchboard_sdk::{Clock, Fault, SecretChange, SecretKeeper, SignIn, SignInRequest};
use tokio::{
    sync::{Mutex, OnceCell},
    time::sleep,
};

use crate::{
    auth::{Auth, Endpoints},
    net,
};

/// Where the refresh token is among the channel's secrets.
pub const REFRESH_TOKEN: [&str; 2] = ["auth", "refresh_token"];
/// An access token is renewed this long before it expires.
const EARLY: TimeDelta = TimeDelta::minutes(5);
/// How long another node may take to store the token it got.
const OTHERS_STORE: Duration = Duration::from_secs(2);
/// What a token lasts whose server does not say (RFC 6749 §5.1 only recommends to).
const USUAL_SECS: i64 = 3600;
/// Longest wait for the server that gives tokens out.
const ANSWER: Duration = Duration::from_secs(30);
/// Its answers are small.
const MAX_ANSWER: usize = 64 * 1024;

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// A person must sign in.
    #[error("{0}")]
    SignIn(String),
    /// The settings cannot work.
    #[error("{0}")]
    Settings(String),
    /// May pass by itself.
    #[error("{0}")]
    Passing(String),
}

impl From<NoToken> for Fault {
    fn from(error: NoToken) -> Self {
        match error {
            NoToken::SignIn(text) | NoToken::Settings(text) => Self::Permanent(text),
            NoToken::Passing(text) => Self::Temporary(text),
        }
    }
}

/// The tokens of one channel.
pub struct Tokens {
    auth: Auth,
    account: String,
    endpoints: Endpoints,
    accept_invalid_certs: bool,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn SecretKeeper>,
    /// Locked during a renewal: whoever else needs a token waits for it instead of using the same refresh token.
    held: Mutex<Held>,
    http: OnceCell<Client>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[derive(Default)]
struct Held {
    access: Option<Access>,
    /// A new refresh token that could not be stored yet, and the one it follows.
    unsaved: Option<(String, String)>,
}

struct Access {
    token: String,
    renew_at: DateTime<Utc>,
}

/// What a token endpoint answers (RFC 6749 §5).
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Tokens {
    /// For the account of this address.
    pub fn new(
        auth: &Auth,
        account: &str,
        accept_invalid_certs: bool,
        clock: Arc<dyn Clock>,
        secrets: Arc<dyn SecretKeeper>,
    ) -> Self {
        Self {
            endpoints: auth.endpoints(),
            auth: auth.clone(),
            account: account.to_owned(),
            accept_invalid_certs,
            clock,
            secrets,
            held: Mutex::default(),
            http: OnceCell::new(),
        }
    }

    /// An access token that lasts for a while yet.
    pub async fn access(&self) -> Result<String, NoToken> {
        let mut held = self.held.lock().await;
        self.save(&mut held).await?;
        if let Some(access) = held
            .access
            .as_ref()
            .filter(|access| self.clock.now() < access.renew_at)
        {
            return Ok(access.token.clone());
        }
        self.renew(&mut held).await
    }

    /// A mail server refused this token: it was withdrawn, or never good. The next one is a new one.
    pub async fn refused(&self, token: &str) {
        let mut held = self.held.lock().await;
        held.access = held.access.take().filter(|access| access.token != token);
    }

    async fn renew(&self, held: &mut Held) -> Result<String, NoToken> {
        // Read each time: another node renews it too, for sending.
        let mut refresh = self.stored().await?;
        let answer = match self.ask_to_renew(&refresh).await {
            Err(NoToken::SignIn(reason)) => {
                // Refused because it ended, or because another node was faster? That one may be storing yet.
                let mut stored = self.stored().await?;
                if stored == refresh {
                    sleep(OTHERS_STORE).await;
                    stored = self.stored().await?;
                }
                if stored == refresh {
                    return Err(NoToken::SignIn(reason));
                }
                refresh = stored;
                self.ask_to_renew(&refresh).await?
            }
            answer => answer?,
        };
        let now = self.clock.now();
        held.access = Some(Access {
            token: answer.access_token.clone(),
            renew_at: renew_at(now, answer.expires_in),
        });
        if let Some(new) = answer.refresh_token.filter(|new| *new != refresh) {
            held.unsaved = Some((refresh, new));
            self.save(held).await?;
        }
        Ok(answer.access_token)
    }

    /// Stores a new refresh token. Until that is done nothing that came with it is used: a token that is
    /// forgotten locks the channel out.
    async fn save(&self, held: &mut Held) -> Result<(), NoToken> {
        let Some((old, new)) = &held.unsaved else {
            return Ok(());
        };
        let replaced = self.secrets.replace(&REFRESH_TOKEN, Some(old), new).await;
        let replaced = replaced.map_err(|fault| NoToken::Passing(fault.to_string()))?;
        if !replaced {
            tracing::info!("somebody signed in while the old sign-in was renewed: the new one counts");
        }
        held.unsaved = None;
        Ok(())
    }

    async fn stored(&self) -> Result<String, NoToken> {
        let stored = self.secrets.load(&REFRESH_TOKEN).await;
        let stored = stored.map_err(|fault| NoToken::Passing(fault.to_string()))?;
        stored.ok_or_else(|| {
            NoToken::SignIn(format!(
                "nobody signed in at {} yet: open this channel and press \"Sign in\"",
                self.auth.provider
            ))
        })
    }

    async fn ask_to_renew(&self, refresh: &str) -> Result<Answer, NoToken> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
        if !self.endpoints.scope.is_empty() {
            form.push(("scope", &self.endpoints.scope));
        }
        self.ask(form).await
    }

    async fn ask<'a>(&'a self, mut form: Vec<(&'a str, &'a str)>) -> Result<Answer, NoToken> {
        form.push(("client_id", self.auth.client_id.as_deref().unwrap_or_default()));
        if let Some(secret) = &self.auth.client_secret {
            form.push(("client_secret", secret.expose()));
        }
        let place = &self.auth.provider;
        let passing = |error: reqwest::Error| {
            NoToken::Passing(format!(
                "{place} cannot be reached to renew the sign-in ({})",
                cause(&error)
            ))
        };
        let client = self.http.get_or_try_init(|| async { self.client() }).await?;
        let request = client
            .post(&self.endpoints.token)
            .header("accept", "application/json")
            .form(&form);
        let mut response = request.send().await.map_err(passing)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(passing)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(NoToken::Passing(format!(
                    "{place} answers with something endless"
                )));
            }
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| {
                NoToken::Settings(format!(
                    "{place} answers with something that is no token: check the token address"
                ))
            });
        }
        Err(self.refusal(status.as_u16(), serde_json::from_slice(&body).ok()))
    }

    fn refusal(&self, status: u16, refusal: Option<Refusal>) -> NoToken {
        let place = &self.auth.provider;
        let Some(refusal) = refusal else {
            let text = format!("{place} answers {status} to the request for a token");
            return match status {
                404 | 405 => NoToken::Settings(format!("{text}: check the token address")),
                _ => NoToken::Passing(text),
            };
        };
        let said: String = refusal
            .error_description
            .as_deref()
            .and_then(|text| text.lines().next())
            .unwrap_or(&refusal.error)
            .chars()
            .take(300)
            .collect();
        match refusal.error.as_str() {
            "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => {
                NoToken::SignIn(format!(
                    "{place} no longer accepts the sign-in of {}: open this channel and press \"Sign in\" again. It said: {said}",
                    self.account
                ))
            }
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                NoToken::Passing(format!("{place} gives no token now: {said}"))
            }
            _ if status >= 500 || status == 429 => {
                NoToken::Passing(format!("{place} gives no token now: {said}"))
            }
            error => NoToken::Settings(format!(
                "{place} refuses the application ({error}: {said}): check client id, client secret and what the application may do"
            )),
        }
    }

    fn client(&self) -> Result<Client, NoToken> {
        let config = net::client_config(self.accept_invalid_certs)
            .map_err(|error| NoToken::Passing(error.to_string()))?;
        Client::builder()
            .tls_backend_preconfigured((*config).clone())
            // A secret is sent to the address that was set, nowhere else.
            .redirect(redirect::Policy::none())
            .timeout(ANSWER)
            .build()
            .map_err(|error| NoToken::Passing(error.to_string()))
    }
}

/// When a token is renewed: well before its end, and a short-lived one not at once.
fn renew_at(now: DateTime<Utc>, expires_in: Option<i64>) -> DateTime<Utc> {
    let lasts = TimeDelta::seconds(expires_in.unwrap_or(USUAL_SECS).clamp(1, 7 * 24 * 3600));
    now + lasts - EARLY.min(lasts / 2)
}

fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[async_trait]
impl SignIn for Tokens {
    fn authorize_url(&self, request: &SignInRequest) -> Result<String, Fault> {
        let mut url = Url::parse(&self.endpoints.authorize)
            .map_err(|_| Fault::permanent("the authorization address is not an address"))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.auth.client_id.as_deref().unwrap_or_default())
            .append_pair("redirect_uri", &request.redirect_uri)
            .append_pair("scope", &self.endpoints.scope)
            .append_pair("state", &request.state)
            .append_pair("code_challenge", &request.code_challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("login_hint", &self.account)
            .extend_pairs(&self.endpoints.extra);
        Ok(url.into())
    }

    async fn finish(
        &self,
        code: &str,
        code_verifier: &str,
        redirect_uri: &str,
    ) -> Result<Vec<SecretChange>, Fault> {
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", code_verifier),
            ("redirect_uri", redirect_uri),
        ];
        let answer = self.ask(form).await?;
        let refresh = answer.refresh_token.ok_or_else(|| {
            Fault::permanent(format!(
                "{} signed us in for a moment only (no refresh token): allow offline access to the application",
                self.auth.provider
            ))
        })?;
        let change = |name: &str, value| SecretChange {
            path: vec!["auth".to_owned(), name.to_owned()],
            value,
        };
        Ok(vec![
            change("refresh_token", json!(refresh)),
            change("signed_in_at", json!(self.clock.now())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_well_before_its_end_and_never_at_once() {
        let now: DateTime<Utc> = "2026-11-22T12:00:00Z".parse().unwrap();
        for (expires_in, after) in [(Some(3600), 3300), (Some(60), 30), (None, 3300), (Some(-5), 0)] {
            assert_eq!(
                (renew_at(now, expires_in) - now).num_seconds(),
                after,
                "{expires_in:?}"
            );
        }
    }

    #[test]
    fn a_refusal_says_who_has_to_act() {
        let auth = Auth {
            method: crate::auth::Method::OAuth2,
            ..Auth::default()
        };
        let tokens = Tokens::new(
            &auth,
            "support@shop.example",
            false,
            Arc::new(switchboard_sdk::SystemClock),
            Arc::new(switchboard_sdk::NoSecrets),
        );
        let said = |error: &str, status| {
            tokens.refusal(
                status,
                Some(Refusal {
                    error: error.to_owned(),
                    error_description: None,
                }),
            )
        };
        assert!(
            matches!(said("invalid_grant", 400), NoToken::SignIn(text) if text.contains("Sign in") && text.contains("Google"))
        );
        assert!(matches!(said("invalid_client", 401), NoToken::Settings(_)));
        assert!(matches!(said("whatever", 503), NoToken::Passing(_)));
        assert!(matches!(tokens.refusal(502, None), NoToken::Passing(_)));
        assert!(matches!(tokens.refusal(404, None), NoToken::Settings(_)));
    }

    #[test]
    fn the_browser_is_sent_with_state_challenge_and_what_the_provider_needs() {
        let auth = Auth {
            client_id: Some("app one".to_owned()),
            ..Auth::default()
        };
        let tokens = Tokens::new(
            &auth,
            "support@shop.example",
            false,
            Arc::new(switchboard_sdk::SystemClock),
            Arc::new(switchboard_sdk::NoSecrets),
        );
        let request = SignInRequest {
            redirect_uri: "https://desk.example/signed-in".to_owned(),
            state: "s&t".to_owned(),
            code_challenge: "c".to_owned(),
        };
        let url = tokens.authorize_url(&request).unwrap();
        for part in [
            "client_id=app+one",
            "state=s%26t",
            "code_challenge_method=S256",
            "access_type=offline",
            "redirect_uri=https%3A%2F%2Fdesk.example%2Fsigned-in",
        ] {
            assert!(url.contains(part), "{url} lacks {part}");
        }
    }
}
