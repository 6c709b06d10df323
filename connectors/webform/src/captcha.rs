//! Captchas of other services: an option for those who want one.
//!
//! A post without a token, with a bad one, or at a time when the service does not answer, is held for a
//! person. Nothing is ever lost to a captcha, and nobody is sent away by one.

use std::time::Duration;

use bytes::Bytes;
use http::header;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use switchboard_sdk::{Http, SettingsError};

/// How long the service may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// Longest token that is passed on (Turnstile's are at most 2048 characters, the others' are longer).
const MAX_TOKEN: usize = 8 * 1024;

/// A captcha of another service.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptchaSettings {
    /// Whose it is.
    #[schemars(title = "Service")]
    pub provider: Provider,
    /// The public key the service gave out for the site.
    #[schemars(title = "Site key", length(min = 1, max = 200))]
    pub site_key: String,
    /// The secret key that belongs to it.
    #[schemars(title = "Secret key", length(min = 1, max = 500), extend("x-secret" = true))]
    pub secret: String,
    /// With reCAPTCHA v3: the least score (0 to 1) that is let through; 0.5 when empty.
    #[serde(default)]
    #[schemars(title = "Least score", range(min = 0.0, max = 1.0))]
    pub min_score: Option<f64>,
}

impl std::fmt::Debug for CaptchaSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptchaSettings")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Provider {
    /// Cloudflare Turnstile.
    Turnstile,
    /// hCaptcha.
    Hcaptcha,
    /// Google reCAPTCHA v2 or v3.
    Recaptcha,
}

impl Provider {
    /// The word for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Turnstile => "turnstile",
            Self::Hcaptcha => "hcaptcha",
            Self::Recaptcha => "recaptcha",
        }
    }

    /// Where tokens are verified.
    pub fn verify_url(self) -> &'static str {
        match self {
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            Self::Hcaptcha => "https://api.hcaptcha.com/siteverify",
            Self::Recaptcha => "https://www.google.com/recaptcha/api/siteverify",
        }
    }

    /// The script that draws it; it looks for elements of [`Self::class`] by itself.
    pub fn script(self) -> &'static str {
        match self {
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/api.js",
            Self::Hcaptcha => "https://js.hcaptcha.com/1/api.js",
            Self::Recaptcha => "https://www.google.com/recaptcha/api.js",
        }
    }

    /// Class of the element it is drawn in.
    pub fn class(self) -> &'static str {
        match self {
            Self::Turnstile => "cf-turnstile",
            Self::Hcaptcha => "h-captcha",
            Self::Recaptcha => "g-recaptcha",
        }
    }

    /// The field its token is posted in.
    pub fn field(self) -> &'static str {
        match self {
            Self::Turnstile => "cf-turnstile-response",
            Self::Hcaptcha => "h-captcha-response",
            Self::Recaptcha => "g-recaptcha-response",
        }
    }

    /// What a page's policy must allow: scripts, frames and connections.
    pub fn hosts(self) -> &'static str {
        match self {
            Self::Turnstile => "https://challenges.cloudflare.com",
            Self::Hcaptcha => "https://hcaptcha.com https://*.hcaptcha.com",
            Self::Recaptcha => "https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
        }
    }
}

/// Names under which tokens are posted, of any service: never worth keeping.
pub const TOKEN_FIELDS: [&str; 3] = [
    "cf-turnstile-response",
    "h-captcha-response",
    "g-recaptcha-response",
];

/// Refuses what cannot work.
pub fn check(settings: &CaptchaSettings) -> Result<(), SettingsError> {
    let token = |text: &str| !text.trim().is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !token(settings.site_key.trim()) || settings.site_key.contains(['"', '<', '&']) {
        return Err(SettingsError::new(
            "captcha.site_key",
            "write the key as the service shows it",
        ));
    }
    if !token(settings.secret.trim()) {
        return Err(SettingsError::new(
            "captcha.secret",
            "write the secret as the service shows it",
        ));
    }
    Ok(())
}

/// What came of a token: nothing when a person is there, else the reason to hold the post.
pub async fn doubt(
    settings: &CaptchaSettings,
    web: &dyn Http,
    token: Option<&str>,
    peer: Option<String>,
) -> Option<&'static str> {
    let Some(token) = token.filter(|token| token.len() <= MAX_TOKEN) else {
        return Some("captcha_missing");
    };
    let body = question(settings, token, peer.as_deref());
    let request = http::Request::builder()
        .method("POST")
        .uri(settings.provider.verify_url())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body));
    let Ok(request) = request else {
        return Some("captcha_unavailable");
    };
    let Ok(answer) = web.ask(request, LIMIT, MAX_ANSWER).await else {
        return Some("captcha_unavailable");
    };
    let verdict: Value = match serde_json::from_slice(answer.body()) {
        Ok(verdict) if answer.status().is_success() => verdict,
        _ => return Some("captcha_unavailable"),
    };
    judge(settings, &verdict)
}

/// What the service is asked.
fn question(settings: &CaptchaSettings, token: &str, peer: Option<&str>) -> String {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    fields
        .append_pair("secret", settings.secret.trim())
        .append_pair("response", token);
    if settings.provider == Provider::Hcaptcha {
        fields.append_pair("sitekey", settings.site_key.trim());
    }
    if let Some(peer) = peer {
        fields.append_pair("remoteip", peer);
    }
    fields.finish()
}

/// Reads the service's answer.
fn judge(settings: &CaptchaSettings, verdict: &Value) -> Option<&'static str> {
    let said = verdict.get("success").and_then(Value::as_bool);
    let codes: Vec<&str> = verdict
        .get("error-codes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    // Our own keys are wrong: the visitor is not to blame, but nobody vouches for them either.
    let ours = [
        "missing-input-secret",
        "invalid-input-secret",
        "internal-error",
        "sitekey-secret-mismatch",
        "bad-request",
    ];
    match said {
        Some(true) => {
            let score = verdict.get("score").and_then(Value::as_f64);
            score
                .is_some_and(|score| score < settings.min_score.unwrap_or(0.5))
                .then_some("captcha_failed")
        }
        Some(false) if codes.iter().any(|code| ours.contains(code)) => Some("captcha_unavailable"),
        Some(false) => Some("captcha_failed"),
        None => Some("captcha_unavailable"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_clear_yes_lets_a_post_through() {
        let settings = CaptchaSettings {
            provider: Provider::Recaptcha,
            site_key: "k".to_owned(),
            secret: "s".to_owned(),
            min_score: None,
        };
        for (verdict, doubt) in [
            (json!({"success": true}), None),
            (json!({"success": true, "score": 0.9}), None),
            (json!({"success": true, "score": 0.1}), Some("captcha_failed")),
            (
                json!({"success": false, "error-codes": ["timeout-or-duplicate"]}),
                Some("captcha_failed"),
            ),
            (
                json!({"success": false, "error-codes": ["invalid-input-secret"]}),
                Some("captcha_unavailable"),
            ),
            (json!({"success": false}), Some("captcha_failed")),
            (json!([]), Some("captcha_unavailable")),
            (json!({"success": "true"}), Some("captcha_unavailable")),
        ] {
            assert_eq!(judge(&settings, &verdict), doubt, "{verdict}");
        }
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
