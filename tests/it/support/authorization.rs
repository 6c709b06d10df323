//! An authorization server (RFC 6749, 7636) that is strict: codes and refresh tokens are good for one use, the
//! challenge must fit, and its access tokens are those that the mail servers of the tests take.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::AbortHandle;

const CLIENT_ID: &str = "switchboard-tests";
const CLIENT_SECRET: &str = "client-secret";

/// The server; it ends when dropped.
pub struct Authorization {
    pub base: String,
    state: Shared,
    task: AbortHandle,
}

type Shared = Arc<Mutex<Account>>;

struct Account {
    email: String,
    key: String,
    /// Challenge and redirect address by code.
    codes: HashMap<String, (String, String)>,
    /// The one refresh token that is good now.
    refresh: Option<String>,
    /// How many access tokens were given for refresh tokens.
    renewals: usize,
    /// What it says of how long an access token lasts.
    expires_in: i64,
    failures: usize,
}

impl Drop for Authorization {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Authorization {
    /// Knows one account.
    pub async fn start(email: &str) -> Self {
        let account = Account {
            email: email.to_owned(),
            key: std::env::var("SWITCHBOARD_TEST_TOKEN_KEY")
                .expect("start the servers: eval \"$(tests/servers/up)\""),
            codes: HashMap::new(),
            refresh: None,
            renewals: 0,
            expires_in: 3600,
            failures: 0,
        };
        let state: Shared = Arc::new(Mutex::new(account));
        let router = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            base,
            state,
            task: task.abort_handle(),
        }
    }

    /// The channel's settings for signing in here.
    pub fn settings(&self) -> Value {
        json!({
            "method": "oauth2", "provider": "custom", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "authorize_url": format!("{}/authorize?prompt=consent", self.base), "token_url": format!("{}/token", self.base),
            "scopes": ["imap", "smtp"],
        })
    }

    /// What the browser of somebody does who agrees: the state and the code it comes back with.
    pub async fn consent(&self, url: &str) -> (String, String) {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let answer = client.get(url).send().await.unwrap();
        assert!(
            answer.status().is_redirection(),
            "{}",
            answer.text().await.unwrap()
        );
        let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let said: HashMap<String, String> = back.query_pairs().into_owned().collect();
        (said["state"].clone(), said["code"].clone())
    }

    /// The refresh token that is good now.
    pub fn refresh_token(&self) -> Option<String> {
        self.state.lock().unwrap().refresh.clone()
    }

    pub fn renewals(&self) -> usize {
        self.state.lock().unwrap().renewals
    }

    /// From now on it says that access tokens last this long.
    pub fn lasts(&self, secs: i64) {
        self.state.lock().unwrap().expires_in = secs;
    }

    /// The owner of the account withdraws what was agreed to.
    pub fn revoke(&self) {
        self.state.lock().unwrap().refresh = None;
    }

    /// The next answers are 503.
    pub fn fails_next(&self, times: usize) {
        self.state.lock().unwrap().failures = times;
    }
}

async fn authorize(State(state): State<Shared>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let said = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let right = said("response_type") == "code"
        && said("client_id") == CLIENT_ID
        && said("code_challenge_method") == "S256"
        && said("code_challenge").len() == 43
        && said("scope") == "imap smtp"
        && !said("state").is_empty();
    if !right {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let code = uuid::Uuid::new_v4().to_string();
    let known = (said("code_challenge"), said("redirect_uri"));
    state.lock().unwrap().codes.insert(code.clone(), known);
    let mut back = url::Url::parse(&said("redirect_uri")).unwrap();
    back.query_pairs_mut()
        .append_pair("state", &said("state"))
        .append_pair("code", &code);
    Redirect::to(back.as_str()).into_response()
}

async fn token(State(state): State<Shared>, Form(asked): Form<HashMap<String, String>>) -> Response {
    let said = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let refused = |status, error: &str| {
        (
            status,
            Json(json!({"error": error, "error_description": format!("{error} here")})),
        )
            .into_response()
    };
    let mut account = state.lock().unwrap();
    if account.failures > 0 {
        account.failures -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, "later").into_response();
    }
    if said("client_id") != CLIENT_ID || said("client_secret") != CLIENT_SECRET {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let good = match said("grant_type").as_str() {
        "authorization_code" => {
            account
                .codes
                .remove(&said("code"))
                .is_some_and(|(challenge, redirect_uri)| {
                    let proof =
                        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(said("code_verifier").as_bytes()));
                    proof == challenge && redirect_uri == said("redirect_uri")
                })
        }
        "refresh_token" => {
            account.renewals += 1;
            account.refresh.as_ref() == Some(&said("refresh_token"))
        }
        _ => return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    if !good {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    // The one before is worth nothing from now on.
    let refresh = uuid::Uuid::new_v4().to_string();
    account.refresh = Some(refresh.clone());
    let access_token = signed(&account.email, &account.key);
    Json(json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": account.expires_in, "refresh_token": refresh,
    }))
    .into_response()
}

/// A token in the form of RFC 7519 that Dovecot judges by its signature.
fn signed(email: &str, key: &str) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"sub": email, "email": email, "iat": now, "nbf": now - 5, "exp": now + 3600}));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{head}.{claims}").as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{head}.{claims}.{signature}")
}
