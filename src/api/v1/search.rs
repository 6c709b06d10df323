//! Search in contacts and messages.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::shown;
use crate::{
    api::{Json, Query, auth::Staff, problem::Result},
    app::App,
    contact::store::{self as contacts, ContactView, Filter},
    conversation::view::{ConversationView, MessageView},
    search,
};

/// Hits of a kind at most.
const MAX_HITS: u64 = 50;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search_everything))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct SearchQuery {
    /// What to look for: all words, the last one may be a beginning.
    q: String,
    /// Hits of a kind, 1 to 50; 20 when absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u64>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
struct SearchResult {
    /// Contacts by name or address.
    contacts: Vec<ContactView>,
    /// Messages by their words, the newest first.
    messages: Vec<MessageHit>,
}

/// A message that was found.
#[derive(Debug, Serialize, ToSchema)]
struct MessageHit {
    /// The message.
    message: MessageView,
    /// Its conversation.
    conversation: ConversationView,
    /// The words around the hits as HTML: escaped, hits in `<mark>`.
    snippet: String,
}

/// Finds contacts that the caller sees, and messages of conversations they see.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = SearchResult)))]
async fn search_everything(
    State(app): State<App>,
    Staff(caller): Staff,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchResult>> {
    let limit = query.limit.unwrap_or(20).clamp(1, MAX_HITS);
    if query.q.trim().is_empty() {
        return Ok(Json(SearchResult {
            contacts: Vec::new(),
            messages: Vec::new(),
        }));
    }
    let filter = Filter {
        text: Some(query.q.clone()),
        ..Filter::default()
    };
    let (rows, _) = contacts::list(app.db.read(), &caller.scope, &filter, None, limit).await?;
    let contacts = shown(&app, &caller.scope, rows).await?;
    let hits = search::messages(&app.db, &caller.scope, &query.q, limit).await?;
    let mut messages = Vec::with_capacity(hits.len());
    let (mut rows, mut conversations, mut snippets) = (Vec::new(), Vec::new(), Vec::new());
    for hit in hits {
        rows.push(hit.message);
        conversations.push(hit.conversation);
        snippets.push(hit.snippet);
    }
    let views = app.views.messages(app.db.read(), rows).await?;
    let conversations = app.views.of_rows(app.db.read(), conversations).await?;
    for ((message, conversation), snippet) in views.into_iter().zip(conversations).zip(snippets) {
        messages.push(MessageHit {
            message,
            conversation,
            snippet: search::snippet_html(&snippet),
        });
    }
    Ok(Json(SearchResult { contacts, messages }))
}
