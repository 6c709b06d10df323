//! Access tokens of OAuth 2.0: renewed when they end, and refresh tokens that work once.
//!
//! A new refresh token is durable before anything that came with it is used: whoever forgets one is locked out.
//! Access tokens are kept too, so that a restart and a second node do not renew what still lasts.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_sdk::SecretKeeper;
use tokio::{sync::Mutex, time::sleep};
use url::Url;

use super::{
    client::{Client, Effect, with_header},
    settings::Secret,
    text, value,
};
use crate::{BuildContext, SyncError};

/// Where tokens are among the connection's secrets.
pub(crate) const REFRESH_TOKEN: [&str; 2] = ["auth", "refresh_token"];
pub(crate) const ACCESS_TOKEN: [&str; 2] = ["auth", "access_token"];
/// An access token is renewed this long before it ends.
const EARLY: TimeDelta = TimeDelta::minutes(5);
/// How long another node may take to store the token it got.
const OTHERS_STORE: Duration = Duration::from_secs(2);
/// What a token lasts whose server does not say.
const USUAL_SECS: i64 = 3600;

/// How the CRM wants to be asked for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A form with the application's id and secret in it.
    Form,
    /// A form, the application by HTTP Basic.
    Basic,
    /// JSON.
    Json,
    /// In the query, as Bitrix24 documents it.
    Query,
}

/// An application at a CRM.
#[derive(Clone)]
pub(crate) struct Application {
    pub(crate) token_url: Url,
    pub(crate) style: Style,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code: Option<Secret>,
    /// The field of the answer that names the host to ask, and its default.
    pub(crate) host_field: Option<&'static str>,
    /// The application signs in as itself: there is no refresh token.
    pub(crate) as_itself: bool,
}

/// A token and what came with it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Access {
    #[serde(rename = "t")]
    pub(crate) token: String,
    /// The host to ask, as the token's server named it.
    #[serde(rename = "h", default)]
    pub(crate) host: Option<String>,
    #[serde(rename = "u")]
    until: i64,
    /// The refresh token it came with: another one means that somebody signed in anew.
    #[serde(rename = "r", default)]
    refresh: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(…)")
    }
}

/// How a connection proves itself.
#[derive(Debug)]
pub(crate) enum Login {
    /// A token that lasts until it is withdrawn.
    Fixed(Secret),
    OAuth(Box<Tokens>),
}

impl Login {
    pub(crate) async fn access(&self) -> Result<Access, SyncError> {
        match self {
            Self::Fixed(token) => Ok(Access {
                token: token.expose().to_owned(),
                host: None,
                until: 0,
                refresh: String::new(),
            }),
            Self::OAuth(tokens) => tokens.access().await,
        }
    }

    /// The CRM says that this token ended; answers whether there can be another.
    pub(crate) async fn refused(&self, access: &Access) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::OAuth(tokens) => {
                tokens.refused(&access.token).await;
                true
            }
        }
    }
}

/// The tokens of one connection.
pub(crate) struct Tokens {
    client: Client,
    application: Application,
    secrets: Arc<dyn SecretKeeper>,
    /// Locked during a renewal: whoever else needs a token waits for it.
    held: Mutex<Held>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[derive(Default)]
struct Held {
    access: Option<Access>,
    /// What could not be stored yet: the refresh token before, the new one.
    unsaved: Option<(Option<String>, String)>,
    refused: Option<String>,
}

impl Tokens {
    pub(crate) fn new(client: Client, application: Application, context: &BuildContext) -> Self {
        Self {
            client,
            application,
            secrets: context.secrets.clone(),
            held: Mutex::default(),
        }
    }

    /// An access token that lasts for a while yet.
    pub(crate) async fn access(&self) -> Result<Access, SyncError> {
        let mut held = self.held.lock().await;
        self.save(&mut held).await?;
        if let Some(access) = held.access.as_ref().filter(|access| self.lasts(access)) {
            return Ok(access.clone());
        }
        let refresh = self.stored(&REFRESH_TOKEN).await?;
        if let Some(kept) = self.kept(&held, refresh.as_deref()).await? {
            held.access = Some(kept.clone());
            return Ok(kept);
        }
        self.renew(&mut held, refresh).await
    }

    /// The CRM refused this token before its time. The next one is a new one.
    pub(crate) async fn refused(&self, token: &str) {
        let mut held = self.held.lock().await;
        held.access = held.access.take().filter(|access| access.token != token);
        held.refused = Some(token.to_owned());
    }

    fn lasts(&self, access: &Access) -> bool {
        self.client.now().timestamp() < access.until
    }

    /// What this node or another one kept.
    async fn kept(&self, held: &Held, refresh: Option<&str>) -> Result<Option<Access>, SyncError> {
        let Some(kept) = self.stored(&ACCESS_TOKEN).await? else {
            return Ok(None);
        };
        let kept: Option<Access> = serde_json::from_str(&kept).ok();
        Ok(kept.filter(|kept| {
            self.lasts(kept)
                && kept.refresh == refresh.unwrap_or_default()
                && held.refused.as_deref() != Some(&kept.token)
        }))
    }

    async fn renew(&self, held: &mut Held, refresh: Option<String>) -> Result<Access, SyncError> {
        let (old, answer) = match refresh {
            Some(refresh) => self.with_refresh(refresh).await?,
            None => (None, self.at_first().await?),
        };
        let Some(token) = answer.get("access_token").and_then(value::id) else {
            return Err(SyncError::Temporary(format!(
                "{} answers with something that is no token",
                self.client.crm
            )));
        };
        let new = answer.get("refresh_token").and_then(value::id);
        let lasts = answer.get("expires_in").and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        });
        let access = Access {
            token,
            host: self
                .application
                .host_field
                .and_then(|field| answer.get(field))
                .and_then(value::id),
            until: until(self.client.now(), lasts),
            refresh: new.clone().or_else(|| old.clone()).unwrap_or_default(),
        };
        // Given out only after what follows is stored: `access` begins with it when it fails here.
        held.access = Some(access.clone());
        if let Some(new) = new.filter(|new| Some(new) != old.as_ref()) {
            held.unsaved = Some((old, new));
            self.save(held).await?;
        }
        self.keep(&access).await;
        held.refused = None;
        Ok(access)
    }

    async fn with_refresh(&self, refresh: String) -> Result<(Option<String>, Value), SyncError> {
        match self.ask(&renewal(&refresh)).await {
            Err(SyncError::Auth(reason)) => {
                // Refused because it ended, or because another node was faster? That one may be storing yet.
                let mut stored = self.stored(&REFRESH_TOKEN).await?;
                if stored.as_ref() == Some(&refresh) {
                    sleep(OTHERS_STORE).await;
                    stored = self.stored(&REFRESH_TOKEN).await?;
                }
                match stored.filter(|stored| *stored != refresh) {
                    Some(other) => {
                        let answer = self.ask(&renewal(&other)).await?;
                        Ok((Some(other), answer))
                    }
                    None => Err(SyncError::Auth(reason)),
                }
            }
            answer => Ok((Some(refresh), answer?)),
        }
    }

    /// The first token: by the application itself, or by the code that was shown when it was allowed.
    async fn at_first(&self) -> Result<Value, SyncError> {
        if self.application.as_itself {
            return self.ask(&[("grant_type", "client_credentials".to_owned())]).await;
        }
        let Some(code) = self
            .application
            .code
            .as_ref()
            .filter(|code| !code.expose().is_empty())
        else {
            return Err(SyncError::Auth(format!(
                "nobody signed in at {} yet: enter a refresh token, or a fresh authorization code",
                self.client.crm
            )));
        };
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.expose().to_owned()),
        ];
        if let Some(redirect) = &self.application.redirect_uri {
            form.push(("redirect_uri", redirect.clone()));
        }
        self.ask(&form).await
    }

    /// Stores a new refresh token. Until that is done nothing that came with it is used.
    async fn save(&self, held: &mut Held) -> Result<(), SyncError> {
        let Some((old, new)) = held.unsaved.clone() else {
            return Ok(());
        };
        let replaced = self.secrets.replace(&REFRESH_TOKEN, old.as_deref(), &new).await;
        let replaced = replaced.map_err(|fault| SyncError::Temporary(fault.to_string()))?;
        held.unsaved = None;
        if replaced {
            return Ok(());
        }
        held.access = None;
        Err(SyncError::Temporary(format!(
            "somebody signed in at {} anew while the old sign-in was renewed: the new one counts",
            self.client.crm
        )))
    }

    /// Nothing is lost when this fails: the token is asked for once more after a restart.
    async fn keep(&self, access: &Access) {
        let Ok(text) = serde_json::to_string(access) else {
            return;
        };
        if let Ok(old) = self.secrets.load(&ACCESS_TOKEN).await {
            drop(self.secrets.replace(&ACCESS_TOKEN, old.as_deref(), &text).await);
        }
    }

    async fn stored(&self, path: &[&str]) -> Result<Option<String>, SyncError> {
        let stored = self.secrets.load(path).await;
        let stored = stored.map_err(|fault| SyncError::Temporary(fault.to_string()))?;
        Ok(stored.filter(|stored| !stored.is_empty()))
    }

    async fn ask(&self, form: &[(&'static str, String)]) -> Result<Value, SyncError> {
        let crm = self.client.crm;
        let application = &self.application;
        let mut fields: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if application.style != Style::Basic {
            fields.push(("client_id", &application.client_id));
            fields.push(("client_secret", application.client_secret.expose()));
        }
        let mut url = application.token_url.clone();
        let (kind, body) = if application.style == Style::Query {
            url.query_pairs_mut().extend_pairs(&fields);
            ("text/plain", String::new())
        } else if application.style == Style::Json {
            // amoCRM wants the redirect address with each kind of request.
            if let Some(redirect) = &application.redirect_uri
                && !fields.iter().any(|(name, _)| *name == "redirect_uri")
            {
                fields.push(("redirect_uri", redirect));
            }
            let object: serde_json::Map<String, Value> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect();
            ("application/json", Value::Object(object).to_string())
        } else {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(&fields);
            ("application/x-www-form-urlencoded", body.finish())
        };
        let method = match application.style {
            Style::Query => http::Method::GET,
            _ => http::Method::POST,
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, kind)
            .body(Bytes::from(body))
            .map_err(|_| SyncError::Auth(format!("the address for tokens of {crm} cannot be asked")))?;
        if application.style == Style::Basic {
            let pair = format!("{}:{}", application.client_id, application.client_secret.expose());
            let basic = format!("Basic {}", STANDARD.encode(pair));
            request = with_header(request, "authorization", &basic)?;
        }
        // A token is no record: what may have been done there doubles nothing here.
        let answer = self.client.ask(request, Effect::Reads).await?;
        let body = answer.json();
        if answer.status.is_success() && body.get("error").is_none() {
            return Ok(body);
        }
        let status = answer.status.as_u16();
        // amoCRM answers as RFC 7807, the others as RFC 6749 §5.2.
        let code = value::text(&body, "error");
        let words = ["error_description", "message", "detail", "hint", "title"]
            .iter()
            .map(|name| value::text(&body, name))
            .find(|words| !words.is_empty());
        let said = self.without_secrets(&text::said(words.unwrap_or(code)), form);
        if status == 429 || status >= 500 {
            return Err(self.client.by_status(&answer, Some(&said)));
        }
        Err(SyncError::Auth(match code {
            "invalid_client" | "unauthorized_client" => {
                format!("{crm} does not know the application: check client id and client secret ({said})")
            }
            "PAYMENT_REQUIRED" => format!("{crm} says that the account or the application is not paid"),
            _ => format!("{crm} no longer accepts the sign-in: sign in anew ({said})"),
        }))
    }

    fn without_secrets(&self, said: &str, form: &[(&'static str, String)]) -> String {
        let ours = [self.application.client_secret.expose()];
        let sent = form
            .iter()
            .filter(|(name, _)| matches!(*name, "code" | "refresh_token"))
            .map(|(_, value)| value.as_str());
        ours.into_iter()
            .chain(sent)
            .filter(|secret| secret.len() > 3)
            .fold(said.to_owned(), |said, secret| said.replace(secret, "…"))
    }
}

fn renewal(refresh: &str) -> [(&'static str, String); 2] {
    [
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh.to_owned()),
    ]
}

/// Until when a token is used: well before its end, and a short-lived one not at once renewed.
fn until(now: DateTime<Utc>, lasts: Option<i64>) -> i64 {
    let lasts = TimeDelta::seconds(lasts.unwrap_or(USUAL_SECS).clamp(1, 365 * 24 * 3600));
    (now + lasts - EARLY.min(lasts / 2)).timestamp()
}
