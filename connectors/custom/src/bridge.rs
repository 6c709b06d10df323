//! One channel: takes what the program pushes and asks its callback address.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode, header};
use serde_json::json;
use switchboard_sdk::{
    Addressee, Batch, BuildContext, Connector, Fault, HttpError, HttpRequest, HttpResponse, OutboundDeletion,
    OutboundEdit, OutboundMessage, Outcome, Receipt, Rejection, SendError, Sender, Sent, Typing, Webhook,
    WebhookRequest, WebhookResponse,
};

use crate::{
    call::{self, Call, judged},
    push,
    settings::Bridge,
    signature,
};

/// How long the program may take to answer.
const LIMIT: Duration = Duration::from_secs(20);
/// How long for a hint.
const HINT_LIMIT: Duration = Duration::from_secs(8);
/// How much of an answer is read.
const MAX_ANSWER: usize = 64 << 10;

/// A channel with its settings.
pub struct Channel {
    pub bridge: Bridge,
    pub context: BuildContext,
}

impl Channel {
    async fn post(&self, call: &Call, limit: Duration) -> Result<HttpResponse, HttpError> {
        let Some(url) = &self.bridge.callback else {
            return Err(HttpError::Forbidden(
                "this channel has no callback address: it takes messages and cannot answer".to_owned(),
            ));
        };
        let now = self.context.clock.now();
        let body = call.body.to_string().into_bytes();
        let signature = signature::sign(&self.bridge.secrets(now), &call.id, now.timestamp(), &body);
        let request: Result<HttpRequest, http::Error> = http::Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(signature::ID, &call.id)
            .header(signature::TIMESTAMP, now.timestamp().to_string())
            .header(signature::SIGNATURE, signature)
            .body(Bytes::from(body));
        let request = request.map_err(|_| HttpError::Forbidden("the callback address is none".to_owned()))?;
        self.context.http.ask(request, limit, MAX_ANSWER).await
    }

    async fn tell(&self, kind: &str, to: &Addressee) -> Result<(), SendError> {
        if self.bridge.callback.is_none() {
            return Ok(());
        }
        let call = call::hint(kind, &self.context.channel_id, to, self.context.clock.now());
        judged(self.post(&call, HINT_LIMIT).await).map(drop)
    }
}

#[async_trait]
impl Connector for Channel {
    async fn check(&self) -> Result<String, Fault> {
        if self.bridge.callback.is_none() {
            return Ok(
                "Messages come in. There is no callback address, so that nothing can be answered.".to_owned(),
            );
        }
        let nobody = Addressee::default();
        let mut call = call::hint(
            "ping",
            &self.context.channel_id,
            &nobody,
            self.context.clock.now(),
        );
        call.id = format!("ping{}", call.id);
        call.body = json!({"type": "ping", "id": call.id});
        match self.post(&call, LIMIT).await {
            Ok(answer) if answer.status().is_success() => Ok(format!(
                "The program at the callback address answered a signed ping with {}.",
                answer.status()
            )),
            Ok(answer) if matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(Fault::permanent(format!(
                    "The program refused the signature ({}): it must know this channel's secret.",
                    answer.status()
                )))
            }
            Ok(answer) if answer.status().is_client_error() => Ok(format!(
                "The program is there; it answered a ping with {}. It may ignore types that it does not know with 2xx.",
                answer.status()
            )),
            Ok(answer) => Err(Fault::temporary(format!(
                "The callback address answered {}.",
                answer.status()
            ))),
            Err(HttpError::Forbidden(reason)) => Err(Fault::permanent(reason)),
            Err(HttpError::NotSent(reason) | HttpError::Unknown(reason)) => Err(Fault::temporary(format!(
                "The callback address cannot be reached: {reason}"
            ))),
        }
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn sender(&self) -> Option<&dyn Sender> {
        Some(self)
    }
}

impl Webhook for Channel {
    fn accept(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<Batch, Rejection> {
        let context = &self.context;
        push::accept(
            &self.bridge,
            &context.channel_id,
            context.max_upload_bytes,
            request,
            now,
        )
    }

    fn reply(&self, _request: &WebhookRequest, receipt: &Receipt) -> WebhookResponse {
        let body = match receipt.outcomes.first() {
            Some(
                Outcome::Stored {
                    message_id,
                    conversation_id,
                    ..
                }
                | Outcome::Duplicate {
                    message_id,
                    conversation_id,
                    ..
                },
            ) => json!({"message_id": message_id, "conversation_id": conversation_id}),
            Some(Outcome::Quarantined { id }) => {
                json!({"message_id": null, "conversation_id": null, "quarantine_id": id})
            }
            None => json!({}),
        };
        let mut answer = WebhookResponse::new(Bytes::from(body.to_string()));
        answer.headers_mut().insert(
            header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        answer
    }

    fn typing(&self, request: &WebhookRequest) -> Option<Typing> {
        push::typing(&self.context.channel_id, request)
    }

    fn is_watched(&self, _request: &WebhookRequest) -> bool {
        true
    }
}

#[async_trait]
impl Sender for Channel {
    async fn send(&self, message: &OutboundMessage) -> Result<Sent, SendError> {
        let call = call::send(&self.context.channel_id, message);
        let external_id = judged(self.post(&call, LIMIT).await)?;
        Ok(Sent {
            external_id,
            ..Sent::default()
        })
    }

    async fn edit(&self, edit: &OutboundEdit) -> Result<(), SendError> {
        let call = call::edit(&self.context.channel_id, edit);
        judged(self.post(&call, LIMIT).await).map(drop)
    }

    async fn delete(&self, deletion: &OutboundDeletion) -> Result<(), SendError> {
        let call = call::delete(&self.context.channel_id, deletion);
        judged(self.post(&call, LIMIT).await).map(drop)
    }

    async fn typing(&self, to: &Addressee) -> Result<(), SendError> {
        self.tell("typing", to).await
    }

    async fn closed(&self, to: &Addressee) -> Result<(), SendError> {
        self.tell("session.closed", to).await
    }
}
