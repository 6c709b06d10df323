//! The webhook: Telegram proves itself by a word and brings one update.
//!
//! What has to be fetched for it is fetched after it was accepted and before it is stored ([`Webhook::complete`]),
//! so that 200 is answered for what is stored whole. Telegram brings the next update of a chat only then, and the
//! same one again until then.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use switchboard_sdk::{
    Batch, BuildContext, Fault, Receipt, Rejection, Webhook, WebhookRequest, WebhookResponse,
};

use crate::{
    Telegram, fetch,
    map::{self, Taken},
    receive::Hook,
    settings::{Groups, Settings},
    trouble::Trouble,
};

/// Updates hold words and names of files; none of Telegram's is nearly as large.
const LONGEST: usize = 4 << 20;
/// Where the word stands.
const SECRET: &str = "x-telegram-bot-api-secret-token";

/// Where Telegram is to bring updates of this channel.
pub fn of(settings: &Settings, context: &BuildContext) -> Hook {
    Hook {
        url: format!("{}/hooks/telegram/{}", context.public_url, context.channel_key),
        secret: settings
            .webhook_secret
            .clone()
            .unwrap_or_else(|| made_up(settings, context)),
    }
}

/// A word nobody guesses: the same as long as the channel and its bot live.
fn made_up(settings: &Settings, context: &BuildContext) -> String {
    let key = context.signing_key.expose().copied().unwrap_or_default();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        return String::new(); // a key of any length will do
    };
    mac.update(b"telegram webhook ");
    mac.update(settings.token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[async_trait]
impl Webhook for Telegram {
    fn accept(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<Batch, Rejection> {
        let word = request
            .headers()
            .get(SECRET)
            .map(http::HeaderValue::as_bytes)
            .unwrap_or_default();
        // Compared whole, whatever it is: how long that takes tells nothing.
        if self.hook.secret.is_empty() || !bool::from(word.ct_eq(self.hook.secret.as_bytes())) {
            return Err(Rejection::Unauthenticated(
                "this is not Telegram: the secret token is missing or wrong".to_owned(),
            ));
        }
        let update = read(request)?;
        let taken = map::map(&update, &self.api.known(), &self.settings, now);
        Ok(Batch {
            events: taken.drafts.into_iter().map(|draft| draft.event).collect(),
            cursor: None,
        })
    }

    async fn complete(&self, request: &WebhookRequest, _batch: Batch) -> Result<Batch, Fault> {
        let Ok(update) = read(request) else {
            return Ok(Batch::default());
        };
        let now = self.clock.now();
        if self.settings.groups == Groups::Addressed {
            // Groups are read by the bot's name, which so far another node may have asked for.
            self.api.me().await.map_err(Trouble::fault)?;
        }
        let taken = self.taken(&update, now);
        let mut batch = Batch::default();
        for draft in taken.drafts {
            let event = fetch::complete(&self.api, draft, self.file_limit, now).await;
            batch.events.push(event.map_err(Trouble::fault)?);
        }
        Ok(batch)
    }

    fn reply(&self, request: &WebhookRequest, _receipt: &Receipt) -> WebhookResponse {
        let pressed = read(request).ok().and_then(|update| {
            let id = update.pointer("/callback_query/id")?.as_str()?;
            // A call in the answer's place costs no connection, and it matters to nobody what came of it.
            Some(json!({"method": "answerCallbackQuery", "callback_query_id": id}))
        });
        let mut response = WebhookResponse::default();
        if let Some(call) = pressed {
            *response.body_mut() = Bytes::from(call.to_string());
            response.headers_mut().insert(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            );
        }
        response
    }
}

impl Telegram {
    fn taken(&self, update: &Value, now: DateTime<Utc>) -> Taken {
        map::map(update, &self.api.known(), &self.settings, now)
    }
}

fn read(request: &WebhookRequest) -> Result<Value, Rejection> {
    if request.body().len() > LONGEST {
        return Err(Rejection::TooLarge("an update has at most 4 MB".to_owned()));
    }
    let update: Value = serde_json::from_slice(request.body())
        .map_err(|error| Rejection::Malformed(format!("this is no update: {error}")))?;
    if map::update_id(&update).is_none() {
        return Err(Rejection::Malformed(
            "an update has a number (update_id)".to_owned(),
        ));
    }
    Ok(update)
}
