//! Search in contacts, companies, leads, deals and messages.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::shown;
use crate::{
    api::{Json, Query, auth::Staff, problem::Result},
    app::App,
    company::store::{self as companies, CompanyView},
    contact::store::{self as contacts, ContactView, Filter},
    conversation::view::{ConversationView, MessageView},
    deal::{
        store as deals,
        view::{self as deal_views, DealView},
    },
    lead::store::{self as leads, LeadView},
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
#[derive(Debug, Default, Serialize, ToSchema)]
struct SearchResult {
    /// Contacts by name or address.
    contacts: Vec<ContactView>,
    /// Companies by name, website, tax number or address.
    companies: Vec<CompanyView>,
    /// Leads by title or by their contact's name, the newest first.
    leads: Vec<LeadView>,
    /// Deals by title or by their contact's or company's name, the newest first.
    deals: Vec<DealView>,
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

/// Finds contacts, companies, leads and deals that the caller sees, and messages of conversations they see.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery),
    responses((status = 200, body = SearchResult)))]
async fn search_everything(
    State(app): State<App>,
    Staff(caller): Staff,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchResult>> {
    let limit = query.limit.unwrap_or(20).clamp(1, MAX_HITS);
    if query.q.trim().is_empty() {
        return Ok(Json(SearchResult::default()));
    }
    let (db, scope) = (app.db.read(), &caller.scope);
    let filter = Filter {
        text: Some(query.q.clone()),
        ..Filter::default()
    };
    let (rows, _) = contacts::list(db, scope, &filter, None, limit).await?;
    let contacts = shown(&app, scope, rows).await?;
    let filter = companies::Filter {
        text: Some(query.q.clone()),
        ..companies::Filter::default()
    };
    let mut rows = companies::list(db, scope, &filter, None, limit).await?;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let companies = companies::views(db, rows).await?;
    let filter = leads::Filter {
        text: Some(query.q.clone()),
        ..leads::Filter::default()
    };
    let (rows, _) = leads::list(db, scope, &filter, None, limit).await?;
    let leads = leads::views(db, rows).await?;
    let filter = deals::Filter {
        text: Some(query.q.clone()),
        ..deals::Filter::default()
    };
    let (rows, _) = deals::list(db, scope, &filter, None, limit).await?;
    let deals = deal_views::views(db, rows).await?;
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
    Ok(Json(SearchResult {
        contacts,
        companies,
        leads,
        deals,
        messages,
    }))
}
