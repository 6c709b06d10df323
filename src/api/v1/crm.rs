//! The CRMs that leads are sent to. Admins alone connect and look at what waits; who sees a lead sees where it is.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use switchboard_crm::{Adapter, SyncError};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Admin,
        page::{Page, PageQuery},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    custom_field,
    db::entity::crm_connection as table,
    lead::store as leads,
    operator::rights::Role,
    sync::{
        self, Error, New, Options, Patch,
        engine::{LIVE_LIMIT, guarded},
        mapping::{self, Mapping},
        queue::{self, MAX_NAMED, Which},
        store,
        view::{AdapterView, ConnectionView, JobView, LinkView, connections, jobs, links},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_crm_adapters))
        .routes(routes!(list_crm_sources))
        .routes(routes!(list_crm_connections, create_crm_connection))
        .routes(routes!(
            get_crm_connection,
            update_crm_connection,
            delete_crm_connection
        ))
        .routes(routes!(check_crm_connection))
        .routes(routes!(list_crm_fields))
        .routes(routes!(list_crm_statuses))
        .routes(routes!(list_crm_users))
        .routes(routes!(start_crm_backfill, stop_crm_backfill))
        .routes(routes!(list_crm_queue))
        .routes(routes!(retry_crm_queue))
        .routes(routes!(discard_crm_queue))
        .routes(routes!(list_lead_crm_links))
}

/// A connection about to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CrmConnectionIn {
    /// Which adapter, see `/api/v1/crm-adapters`.
    kind: String,
    /// What people call it; the adapter's label when nothing is said.
    name: Option<String>,
    /// By the adapter's `settings_schema`.
    #[serde(default = "no_settings")]
    #[schema(value_type = Object)]
    settings: Value,
    /// Which of our fields fill which of theirs.
    #[serde(default)]
    mapping: Mapping,
    /// What goes there, and what comes back.
    #[serde(default)]
    options: Options,
    /// Whether it works at once; else it is paused, and what happens waits.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
}

/// What changes of a connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CrmConnectionPatch {
    /// What people call it.
    name: Option<String>,
    /// The settings that change; a secret that is null or absent stays. Changed settings start one that was stopped.
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// The whole new mapping.
    mapping: Option<Mapping>,
    /// All new options.
    options: Option<Options>,
    /// At work, or paused: what happens waits.
    enabled: Option<bool>,
    /// The version the change was made on; 409 when it is not the present one.
    version: Option<i64>,
}

/// Which earlier leads are taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BackfillIn {
    /// Those made at this time or later.
    from: DateTime<Utc>,
}

/// Which steps are meant.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct CrmQueueIn {
    /// These, 200 at most; all in `state` when absent.
    ids: Option<Vec<String>>,
    /// `dead`, `queued` or `skipped`; `dead` when absent and no ids are given.
    state: Option<String>,
}

/// How many steps were meant.
#[derive(Serialize, ToSchema)]
struct CrmQueueChanged {
    /// Steps.
    changed: u64,
}

/// What a CRM answered to a test.
#[derive(Serialize, ToSchema)]
struct CrmCheck {
    /// It would work.
    ok: bool,
    /// What was found, or what failed and what to do.
    detail: String,
}

/// A field of a lead there.
#[derive(Serialize, ToSchema)]
struct CrmField {
    /// The CRM's name of it.
    id: String,
    /// What people there call it.
    label: String,
    /// What it takes.
    kind: mapping::Kind,
    /// A lead cannot be made without it.
    required: bool,
    /// Of a choice: what may be chosen.
    options: Vec<CrmFieldOption>,
}

/// One value of a choice there.
#[derive(Serialize, ToSchema)]
struct CrmFieldOption {
    /// The CRM's id of it.
    id: String,
    /// What people there call it.
    label: String,
}

/// Somebody there who may be responsible for leads.
#[derive(Debug, Serialize, ToSchema)]
struct CrmUser {
    /// The CRM's id of them, as `mapping.owners` wants it.
    id: String,
    /// What people there call them.
    name: String,
    /// Their address.
    email: Option<String>,
}

/// A state of leads there.
#[derive(Serialize, ToSchema)]
struct CrmStatus {
    /// The CRM's id of it.
    id: String,
    /// What people there call it.
    label: String,
    /// What it means, when the CRM says so: `open`, `won` or `lost`.
    #[schema(value_type = Option<String>)]
    stage: Option<switchboard_crm::Stage>,
}

/// A field of ours that can fill one of theirs.
#[derive(Serialize, ToSchema)]
struct CrmSource {
    /// As a mapping names it.
    id: String,
    /// What people call it, of a field that admins defined.
    label: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct QueueQuery {
    /// `queued`, `sending`, `done`, `dead` or `skipped`; without it those that have not gone well.
    state: Option<String>,
}

fn yes() -> bool {
    true
}

fn no_settings() -> Value {
    Value::Object(Map::new())
}

fn problem(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::not_found("connection"),
        Error::Stale | Error::TooMany | Error::Conflict(_) => Problem::conflict(error.to_string()),
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Secret(error) => Problem::from_cause(&error),
        Error::Database(error) => error.into(),
    }
}

async fn shown(app: &App, row: table::Model) -> Result<ConnectionView> {
    let mut views = connections(app.db.read(), vec![row]).await?;
    views.pop().ok_or_else(|| Problem::not_found("connection"))
}

async fn one(app: &App, id: &str) -> Result<table::Model> {
    store::find(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found("connection"))
}

/// The adapter of a connection; 409 when its settings cannot work.
async fn adapter(app: &App, id: &str) -> Result<std::sync::Arc<dyn Adapter>> {
    let row = one(app, id).await?;
    app.crm
        .adapter(&row)
        .map_err(|error| Problem::conflict(format!("the settings of this connection cannot work: {error}")))
}

/// What a CRM said instead of what it was asked for.
fn refusal(error: &SyncError) -> Problem {
    match error {
        SyncError::Auth(_) | SyncError::Refused { .. } | SyncError::Gone(_) => {
            Problem::conflict(format!("the CRM refuses: {error}"))
        }
        _ => Problem::unavailable(format!("the CRM does not answer now: {error}")),
    }
}

/// The kinds of CRMs, in the order to offer them.
#[utoipa::path(get, path = "/api/v1/crm-adapters", tag = "crm", responses((status = 200, body = Page<AdapterView>)))]
async fn list_crm_adapters(State(app): State<App>, _admin: Admin) -> Json<Page<AdapterView>> {
    let known = app.crm.parts().adapters.iter().copied();
    Json(Page::whole(known.map(AdapterView::from).collect()))
}

/// Our fields that can fill those of a CRM.
#[utoipa::path(get, path = "/api/v1/crm-sources", tag = "crm", responses((status = 200, body = Page<CrmSource>)))]
async fn list_crm_sources(State(app): State<App>, _admin: Admin) -> Result<Json<Page<CrmSource>>> {
    let bare = |id: String| CrmSource { id, label: None };
    let mut sources: Vec<CrmSource> = mapping::SOURCES.iter().map(|id| bare((*id).to_owned())).collect();
    for row in custom_field::store::list(app.db.read(), None).await? {
        if row.object != "deal" {
            sources.push(CrmSource {
                id: format!("{}.fields.{}", row.object, row.key),
                label: Some(row.label),
            });
        }
    }
    for begin in ["attribution", "first"] {
        sources.extend(mapping::TOUCHES.iter().map(|key| bare(format!("{begin}.{key}"))));
    }
    Ok(Json(Page::whole(sources)))
}

/// All connections, in the order they were made.
#[utoipa::path(get, path = "/api/v1/crm-connections", tag = "crm",
    responses((status = 200, body = Page<ConnectionView>)))]
async fn list_crm_connections(State(app): State<App>, _admin: Admin) -> Result<Json<Page<ConnectionView>>> {
    let rows = store::all(app.db.read()).await?;
    Ok(Json(Page::whole(connections(app.db.read(), rows).await?)))
}

/// Makes a connection. It takes leads that are made from now on.
#[utoipa::path(post, path = "/api/v1/crm-connections", tag = "crm", request_body = CrmConnectionIn,
    responses((status = 201, body = ConnectionView)))]
async fn create_crm_connection(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(input): Json<CrmConnectionIn>,
) -> Result<(StatusCode, Json<ConnectionView>)> {
    let new = New {
        kind: input.kind,
        name: input.name,
        settings: input.settings,
        mapping: input.mapping,
        options: input.options,
        enabled: input.enabled,
    };
    let mut write = app.db.write().await?;
    let by = &caller.scope.operator_id;
    let made = sync::create(&mut write, &app.crm, new, by, app.clock.now()).await;
    let row = made.map_err(problem)?;
    write.commit().await?;
    app.crm.bell().ring();
    Ok((StatusCode::CREATED, Json(shown(&app, row).await?)))
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/crm-connections/{id}", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 200, body = ConnectionView)))]
async fn get_crm_connection(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<ConnectionView>> {
    let row = one(&app, &id).await?;
    Ok(Json(shown(&app, row).await?))
}

/// Changes the fields given. Changed settings start a connection that the CRM refused.
#[utoipa::path(patch, path = "/api/v1/crm-connections/{id}", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), request_body = CrmConnectionPatch,
    responses((status = 200, body = ConnectionView)))]
async fn update_crm_connection(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<CrmConnectionPatch>,
) -> Result<Json<ConnectionView>> {
    let patch = Patch {
        name: input.name,
        settings: input.settings,
        mapping: input.mapping,
        options: input.options,
        enabled: input.enabled,
        version: input.version,
    };
    let mut write = app.db.write().await?;
    let changed = sync::update(&mut write, &app.crm, &id, patch, app.clock.now()).await;
    let row = changed.map_err(problem)?;
    write.commit().await?;
    app.crm.bell().ring();
    Ok(Json(shown(&app, row).await?))
}

/// Removes a connection with what it knows and what waits for it. What is in the CRM stays there.
#[utoipa::path(delete, path = "/api/v1/crm-connections/{id}", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 204, description = "Removed")))]
async fn delete_crm_connection(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let mut write = app.db.write().await?;
    sync::delete(&mut write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tests the connection, changing nothing there. Takes up to twenty seconds.
#[utoipa::path(post, path = "/api/v1/crm-connections/{id}/check", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 200, body = CrmCheck)))]
async fn check_crm_connection(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<CrmCheck>> {
    let row = one(&app, &id).await?;
    let answer = match app.crm.adapter(&row) {
        Ok(adapter) => guarded(adapter.check(), LIVE_LIMIT)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Ok(Json(CrmCheck {
        ok: answer.is_ok(),
        detail: answer.unwrap_or_else(|error| error),
    }))
}

/// The fields of a lead there, as the CRM has them now.
#[utoipa::path(get, path = "/api/v1/crm-connections/{id}/fields", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 200, body = Page<CrmField>)))]
async fn list_crm_fields(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<Page<CrmField>>> {
    let adapter = adapter(&app, &id).await?;
    let fields = guarded(adapter.fields(), LIVE_LIMIT)
        .await
        .map_err(|error| refusal(&error))?;
    let fields = fields.into_iter().map(|field| CrmField {
        id: field.id,
        label: field.label,
        kind: mapping::Kind::from(field.kind),
        required: field.required,
        options: field
            .options
            .into_iter()
            .map(|(id, label)| CrmFieldOption { id, label })
            .collect(),
    });
    Ok(Json(Page::whole(fields.collect())))
}

/// The states a lead can have there, as the CRM has them now.
#[utoipa::path(get, path = "/api/v1/crm-connections/{id}/statuses", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 200, body = Page<CrmStatus>)))]
async fn list_crm_statuses(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<Page<CrmStatus>>> {
    let adapter = adapter(&app, &id).await?;
    let statuses = guarded(adapter.statuses(), LIVE_LIMIT)
        .await
        .map_err(|error| refusal(&error))?;
    let statuses = statuses.into_iter().map(|status| CrmStatus {
        id: status.id,
        label: status.label,
        stage: status.stage,
    });
    Ok(Json(Page::whole(statuses.collect())))
}

/// The people there who may be responsible for leads, as the CRM has them now; none where it does not let them be
/// listed.
#[utoipa::path(get, path = "/api/v1/crm-connections/{id}/users", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 200, body = Page<CrmUser>)))]
async fn list_crm_users(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<Page<CrmUser>>> {
    let adapter = adapter(&app, &id).await?;
    let users = guarded(adapter.users(), LIVE_LIMIT)
        .await
        .map_err(|error| refusal(&error))?;
    let users = users.unwrap_or_default().into_iter().map(|user| CrmUser {
        id: user.id,
        name: user.name,
        email: user.email,
    });
    Ok(Json(Page::whole(users.collect())))
}

/// Takes the leads that were made since a moment too. One that is there already is not made twice.
#[utoipa::path(post, path = "/api/v1/crm-connections/{id}/backfill", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), request_body = BackfillIn,
    responses((status = 200, body = ConnectionView)))]
async fn start_crm_backfill(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<BackfillIn>,
) -> Result<Json<ConnectionView>> {
    let mut write = app.db.write().await?;
    let begun = sync::take_earlier(&mut write, &id, input.from, app.clock.now()).await;
    let row = begun.map_err(problem)?;
    write.commit().await?;
    app.crm.bell().ring();
    Ok(Json(shown(&app, row).await?))
}

/// Takes no more earlier leads; those that wait already are still told.
#[utoipa::path(delete, path = "/api/v1/crm-connections/{id}/backfill", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), responses((status = 200, body = ConnectionView)))]
async fn stop_crm_backfill(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<ConnectionView>> {
    let mut write = app.db.write().await?;
    let ended = sync::stop_earlier(&mut write, &id, app.clock.now()).await;
    let row = ended.map_err(problem)?;
    write.commit().await?;
    Ok(Json(shown(&app, row).await?))
}

/// What waits for a CRM or could not be told it, newest first.
#[utoipa::path(get, path = "/api/v1/crm-connections/{id}/queue", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`"), QueueQuery, PageQuery),
    responses((status = 200, body = Page<JobView>)))]
async fn list_crm_queue(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Query(query): Query<QueueQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<JobView>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    one(&app, &id).await?;
    let state = query.state.as_deref().filter(|state| !state.contains('\0'));
    let rows = queue::list(app.db.read(), &id, state, after.as_deref(), limit + 1).await?;
    let page = Page::of_rows(rows, limit, |row| row.id.clone());
    Ok(Json(Page {
        items: jobs(app.db.read(), page.items).await?,
        next_cursor: page.next_cursor,
    }))
}

/// Which steps are meant; the dead ones when nothing is said.
fn which(input: CrmQueueIn, states: &[&str]) -> Result<Which> {
    if input
        .ids
        .as_ref()
        .is_some_and(|ids| ids.is_empty() || ids.len() > MAX_NAMED)
    {
        return Err(Problem::invalid("ids", format!("1 to {MAX_NAMED} of them")));
    }
    let state = match (input.state, &input.ids) {
        (Some(state), _) if !states.contains(&state.as_str()) => {
            return Err(Problem::invalid(
                "state",
                format!("must be one of {}", states.join(", ")),
            ));
        }
        (Some(state), _) => Some(state),
        (None, Some(_)) => None,
        (None, None) => Some("dead".to_owned()),
    };
    Ok(Which {
        ids: input.ids,
        state,
    })
}

/// Tries steps again now: those named, or all that failed.
#[utoipa::path(post, path = "/api/v1/crm-connections/{id}/queue/retry", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), request_body = CrmQueueIn,
    responses((status = 200, body = CrmQueueChanged)))]
async fn retry_crm_queue(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<CrmQueueIn>,
) -> Result<Json<CrmQueueChanged>> {
    one(&app, &id).await?;
    let which = which(input, &["dead", "queued", "skipped"])?;
    let write = app.db.write().await?;
    let changed = queue::retry(&write, &id, &which, app.clock.now()).await?;
    write.commit().await?;
    app.crm.bell().ring();
    Ok(Json(CrmQueueChanged { changed }))
}

/// Gives steps up: those named, or all that failed. A lead that changes later is told again.
#[utoipa::path(post, path = "/api/v1/crm-connections/{id}/queue/discard", tag = "crm",
    params(("id" = String, Path, description = "`crm_…`")), request_body = CrmQueueIn,
    responses((status = 200, body = CrmQueueChanged)))]
async fn discard_crm_queue(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<CrmQueueIn>,
) -> Result<Json<CrmQueueChanged>> {
    one(&app, &id).await?;
    let which = which(input, &["dead", "queued"])?;
    let write = app.db.write().await?;
    let changed = queue::discard(&write, &id, &which, app.clock.now()).await?;
    write.commit().await?;
    Ok(Json(CrmQueueChanged { changed }))
}

/// Where a lead is in the CRMs it is sent to.
#[utoipa::path(get, path = "/api/v1/leads/{id}/crm-links", tag = "crm",
    params(("id" = String, Path, description = "`led_…`")), responses((status = 200, body = Page<LinkView>)))]
async fn list_lead_crm_links(
    State(app): State<App>,
    May(caller, _): May<on::Lead, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<LinkView>>> {
    let row = leads::find(app.db.read(), &caller.scope, &id).await?;
    let row = row.ok_or_else(|| Problem::not_found("lead"))?;
    let views = links(app.db.read(), &row.id, caller.role() >= Role::Supervisor).await?;
    Ok(Json(Page::whole(views)))
}
