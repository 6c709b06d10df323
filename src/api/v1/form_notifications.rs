//! Whom forms tell of their submissions.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::submissions;
use crate::{
    api::{
        Json, Path,
        auth::Admin,
        page::Page,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    id::{self, Kind},
    notification::{
        Way,
        attempt::{self, Letter, Outcome},
        store::{self, NotificationView},
        text::{self, Language, Told},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_submission_notifications))
        .routes(routes!(repeat_submission_notification))
        .routes(routes!(try_form_notification))
}

/// A notification that is tried before it is saved.
#[derive(Deserialize, ToSchema)]
#[schema(as = FormNotificationTryIn)]
struct TryIn {
    /// `mail` or `telegram`.
    #[schema(value_type = String)]
    kind: Way,
    /// The e-mail or Telegram channel.
    channel_id: String,
    /// One address, or one chat.
    to: String,
    /// `en` or `ru`.
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
}

/// What a trial came to.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(as = FormNotificationTried)]
struct Tried {
    /// It was sent.
    ok: bool,
    /// What is missing, or what was done, in words.
    detail: String,
}

/// Whom a submission was told, and what became of it.
#[utoipa::path(get, path = "/api/v1/submissions/{id}/notifications", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = Page<NotificationView>)))]
async fn list_submission_notifications(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<NotificationView>>> {
    let row = submissions::one(&app, &caller.scope, &id).await?;
    Ok(Json(Page::whole(
        store::of_submission(app.db.read(), &row.id).await?,
    )))
}

/// Sends a notification again that failed, or of which nobody knows whether it went out.
#[utoipa::path(post, path = "/api/v1/submissions/{id}/notifications/{notification_id}/repeat", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`"), ("notification_id" = String, Path, description = "`ntf_…`")),
    responses((status = 200, body = NotificationView)))]
async fn repeat_submission_notification(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::Edit>,
    Path((id, notification_id)): Path<(String, String)>,
) -> Result<Json<NotificationView>> {
    let row = submissions::to_judge(&app, &caller.scope, &id).await?;
    let write = app.db.write().await?;
    store::again(&write, &row.id, &notification_id, app.clock.now()).await?;
    write.commit().await?;
    app.notifications.ring();
    let views = store::of_submission(app.db.read(), &row.id).await?;
    let view = views.into_iter().find(|view| view.id == notification_id);
    Ok(Json(view.ok_or_else(|| Problem::not_found("notification"))?))
}

/// Sends an example now, and says what is missing when it cannot be sent.
#[utoipa::path(post, path = "/api/v1/forms/try-notification", tag = "channels", request_body = TryIn,
    responses((status = 200, body = Tried)))]
async fn try_form_notification(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<TryIn>,
) -> Result<Json<Tried>> {
    let Some(kind) = input.kind.channel_kind() else {
        return Err(Problem::invalid("kind", "a webhook has a test of its own"));
    };
    let target = input.to.trim();
    if input.channel_id.contains('\0') {
        return Err(Problem::invalid("channel_id", "there is no such channel"));
    }
    if target.is_empty() || target.chars().count() > 320 {
        return Err(Problem::invalid("to", "say where it goes"));
    }
    app.host.reload(&input.channel_id).await?;
    let now = app.clock.now();
    let told = Told {
        form: "✓",
        values: serde_json::json!({"name": "Ann Example", "phone": "+1 555 0100"})
            .as_object()
            .cloned()
            .unwrap_or_default(),
        link: Some(app.config.server.public_url.clone()),
        ..Told::default()
    };
    let (subject, body) = text::compose(&told, input.language.unwrap_or_default());
    let letter = Letter {
        id: &id::new(Kind::FormNotification, now),
        kind,
        channel_id: Some(&input.channel_id),
        target,
        subject: &subject,
        body: &body,
        attempt: 1,
        at: now,
    };
    let (ok, detail) = match attempt::send(&app.host, letter).await {
        Outcome::Sent => (true, format!("An example was sent to {target}.")),
        Outcome::Wait(_) => (
            false,
            "The channel's limit is reached: try again in a moment.".to_owned(),
        ),
        Outcome::Again(_, reason) | Outcome::Failed(reason) => (false, reason),
        Outcome::Unknown(reason) => (false, format!("It may have gone out: {reason}")),
    };
    Ok(Json(Tried { ok, detail }))
}
