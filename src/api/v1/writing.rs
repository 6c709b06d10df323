//! What a composer asks for: whom an answer goes to, what is put under it, what variables stand for.

use std::collections::BTreeMap;

use axum::extract::State;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::visible;
use crate::{
    api::{
        Json, Path,
        auth::Staff,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    conversation::view::RecipientView,
    db::entity::conversation,
    outbound::{
        address::{answering, is_machine, is_own},
        writing::{self, Words},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_writing))
        .routes(routes!(get_my_signature, update_my_signature))
}

/// What writing in a conversation begins with.
#[derive(Debug, Serialize, ToSchema)]
struct Writing {
    /// What variables stand for here, by their names.
    values: BTreeMap<&'static str, String>,
    /// What is put under the caller's answers; null: nothing.
    signature: Option<String>,
    /// Whom a reply goes to; empty on channels without address fields.
    reply: Vec<RecipientView>,
    /// Whom a reply to all goes to.
    reply_all: Vec<RecipientView>,
    /// Everybody else who stands in the address fields of its messages.
    people: Vec<RecipientView>,
    /// Nobody reads what is sent to the customer's address: a reply needs another one.
    unanswerable: bool,
}

/// Tells what the caller's answers in a conversation begin with.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/writing", tag = "conversations", operation_id = "get_writing",
    params(("id" = String, Path, description = "`cnv_…`")), responses((status = 200, body = Writing)))]
async fn get_writing(
    State(app): State<App>,
    May(caller, _): May<on::Conversation, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Writing>> {
    visible(&app, &caller.scope, &id).await?;
    let db = app.db.read();
    let conversation = conversation::Entity::find_by_id(&id)
        .one(db)
        .await?
        .ok_or_else(|| Problem::not_found("conversation"))?;
    let words = Words::load(db, &conversation, &caller.operator).await?;
    let capabilities = app.views.capabilities(&conversation.channel_kind);
    if !capabilities.is_some_and(|can| can.recipients) {
        return Ok(Json(Writing {
            values: words.0,
            signature: None,
            reply: Vec::new(),
            reply_all: Vec::new(),
            people: Vec::new(),
            unanswerable: false,
        }));
    }
    let signature = writing::signature(db, &conversation, &caller.operator, &words).await?;
    let own = writing::own_addresses(db, &app.views).await?;
    let last = writing::last_recipients(db, &id).await?;
    let people = writing::people(db, &conversation, &own).await?;
    let customer = writing::customer(&conversation, &words);
    let to = |all: bool| answering(&last, &customer, &own, all);
    let reply = to(false);
    Ok(Json(Writing {
        values: words.0,
        signature,
        people: people.into_iter().map(RecipientView::from).collect(),
        unanswerable: reply
            .first()
            .is_some_and(|one| is_machine(&one.address) || is_own(&one.address, &own)),
        reply: reply.into_iter().map(RecipientView::from).collect(),
        reply_all: to(true).into_iter().map(RecipientView::from).collect(),
    }))
}

/// What an operator puts under their mails.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Signature {
    /// The text, with the variables contact.name, operator.name, line.name and conversation.number; null: none.
    signature: Option<String>,
}

/// The caller's own signature.
#[utoipa::path(get, path = "/api/v1/me/signature", tag = "me", operation_id = "get_my_signature",
    responses((status = 200, body = Signature)))]
async fn get_my_signature(State(app): State<App>, Staff(caller): Staff) -> Result<Json<Signature>> {
    let signature = writing::own_signature(app.db.read(), &caller.operator.id).await?;
    Ok(Json(Signature { signature }))
}

/// Changes the caller's own signature. The line's stands under it.
#[utoipa::path(put, path = "/api/v1/me/signature", tag = "me", operation_id = "update_my_signature",
    request_body = Signature, responses((status = 200, body = Signature)))]
async fn update_my_signature(
    State(app): State<App>,
    Staff(caller): Staff,
    Json(input): Json<Signature>,
) -> Result<Json<Signature>> {
    let signature = input
        .signature
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    if let Some(message) = signature.as_deref().and_then(|text| {
        if text.contains('\0') {
            return Some("holds a character that no channel carries (NUL)".to_owned());
        }
        writing::error(text)
    }) {
        return Err(Problem::invalid("signature", message));
    }
    let write = app.db.write().await?;
    writing::keep_signature(&write, &caller.operator.id, signature.as_deref(), app.clock.now()).await?;
    write.commit().await?;
    Ok(Json(Signature { signature }))
}
