//! All that happened with a contact, a company, a lead or a deal, in one order.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{companies, contacts, deals, leads};
use crate::{
    api::{
        Json, Path, Query,
        auth::Caller,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    operator::rights::Action,
    timeline::{self, Entry, Kind, Of, Place, Reader},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_contact_timeline))
        .routes(routes!(list_company_timeline))
        .routes(routes!(list_lead_timeline))
        .routes(routes!(list_deal_timeline))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct TimelineQuery {
    /// Only these kinds, as `call,form`: `message`, `note`, `system`, `call`, `form`, `change`, `lead`, `deal`, `task`,
    /// `task_done`, `merge`.
    kinds: Option<String>,
}

async fn page(
    app: &App,
    caller: &Caller,
    of: Of<'_>,
    query: TimelineQuery,
    page: &PageQuery,
) -> Result<Json<Page<Entry>>> {
    let (limit, after): (u64, Option<Place>) = (page.limit()?, page.after()?);
    let kinds = Kind::parse_list(query.kinds.as_deref().unwrap_or_default())
        .map_err(|word| Problem::invalid("kinds", format!("{word:?} is no kind of entry")))?;
    let reader = Reader {
        views: &app.views,
        scope: &caller.scope,
        of,
        kinds: &kinds,
    };
    let (items, next) = timeline::page(app.db.read(), reader, after.as_ref(), limit).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// All that happened with a contact, newest first, as far as the caller sees it: messages of all channels, calls with
/// their recordings, forms, notes, tasks made and done, changes, where leads came from, the stages of deals, merges.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/timeline", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`"), TimelineQuery, PageQuery),
    responses((status = 200, body = Page<Entry>)))]
async fn list_contact_timeline(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::View>,
    Path(id): Path<String>,
    Query(query): Query<TimelineQuery>,
    Query(at): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    contacts::seen(&app, &caller.scope, Action::View, &id).await?;
    page(&app, &caller, Of::Contact(&id), query, &at).await
}

/// The same of a company: of all who work there, as far as the caller sees them, and of what is sold to it.
#[utoipa::path(get, path = "/api/v1/companies/{id}/timeline", tag = "companies",
    params(("id" = String, Path, description = "`cmp_…`"), TimelineQuery, PageQuery),
    responses((status = 200, body = Page<Entry>)))]
async fn list_company_timeline(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::View>,
    Path(id): Path<String>,
    Query(query): Query<TimelineQuery>,
    Query(at): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    companies::seen(&app, &caller.scope, Action::View, &id).await?;
    page(&app, &caller, Of::Company(&id), query, &at).await
}

/// The same of a lead: what was said with its contact on every channel, and what was done about the lead.
#[utoipa::path(get, path = "/api/v1/leads/{id}/timeline", tag = "leads",
    params(("id" = String, Path, description = "`led_…`"), TimelineQuery, PageQuery),
    responses((status = 200, body = Page<Entry>)))]
async fn list_lead_timeline(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::View>,
    Path(id): Path<String>,
    Query(query): Query<TimelineQuery>,
    Query(at): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    let row = leads::seen(&app, &caller.scope, Action::View, &id).await?;
    page(&app, &caller, Of::Lead(&row), query, &at).await
}

/// The same of a deal: what was said with its contact (or, where it has none, with the people of its company), where its
/// lead came from, and what was done about the deal.
#[utoipa::path(get, path = "/api/v1/deals/{id}/timeline", tag = "deals",
    params(("id" = String, Path, description = "`dea_…`"), TimelineQuery, PageQuery),
    responses((status = 200, body = Page<Entry>)))]
async fn list_deal_timeline(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::View>,
    Path(id): Path<String>,
    Query(query): Query<TimelineQuery>,
    Query(at): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    let row = deals::seen(&app, &caller, Action::View, &id).await?;
    page(&app, &caller, Of::Deal(&row), query, &at).await
}
