//! The 1Cs that send orders and counterparties. Admins alone set them up; who sees a deal sees its order.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
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
    commerce::{
        self, Error, New, Options, Patch, store,
        view::{ExchangeView, FaultView, FileView, OrderView},
    },
    db::entity::{commerce_exchange, commerce_file},
    deal::store as deals,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_commerce_exchanges, create_commerce_exchange))
        .routes(routes!(
            get_commerce_exchange,
            update_commerce_exchange,
            delete_commerce_exchange
        ))
        .routes(routes!(renew_commerce_password))
        .routes(routes!(list_commerce_statuses))
        .routes(routes!(list_commerce_files))
        .routes(routes!(list_commerce_faults))
        .routes(routes!(list_deal_orders))
}

/// An exchange about to be made.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct CommerceExchangeIn {
    /// What people call it; `1C` when nothing is said.
    name: Option<String>,
    /// What is taken.
    options: Options,
}

/// What changes of an exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommerceExchangePatch {
    /// What people call it.
    name: Option<String>,
    /// All new options.
    options: Option<Options>,
    /// At work, or held: 1C is told that it is switched off.
    enabled: Option<bool>,
    /// The version the change was made on; 409 when it is not the present one.
    version: Option<i64>,
}

/// An exchange with its password, which nobody can read again.
#[derive(Serialize, ToSchema)]
struct CommerceExchangeWithPassword {
    /// The exchange.
    #[serde(flatten)]
    exchange: ExchangeView,
    /// What 1C signs in with.
    password: String,
}

/// A status of orders in 1C.
#[derive(Serialize, ToSchema)]
struct CommerceStatus {
    /// What it is called there.
    status: String,
    /// How many orders are in it.
    orders: i64,
}

/// A place in the list of files.
#[derive(Serialize, Deserialize)]
struct FilePlace {
    id: String,
}

/// A place in the list of what could not be taken.
#[derive(Serialize, Deserialize)]
struct FaultPlace {
    number: i64,
}

fn problem(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::not_found("exchange"),
        Error::Stale | Error::TooMany => Problem::conflict(error.to_string()),
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Database(error) => error.into(),
    }
}

fn shown(app: &App, row: commerce_exchange::Model) -> ExchangeView {
    ExchangeView::new(row, &app.config.server.public_url)
}

async fn one(app: &App, id: &str) -> Result<commerce_exchange::Model> {
    let row = store::find(app.db.read(), id).await?;
    row.ok_or_else(|| Problem::not_found("exchange"))
}

/// All exchanges, in the order they were made.
#[utoipa::path(get, path = "/api/v1/commerce-exchanges", tag = "commerce",
    responses((status = 200, body = Page<ExchangeView>)))]
async fn list_commerce_exchanges(State(app): State<App>, _admin: Admin) -> Result<Json<Page<ExchangeView>>> {
    let rows = store::all(app.db.read()).await?;
    Ok(Json(Page::whole(
        rows.into_iter().map(|row| shown(&app, row)).collect(),
    )))
}

/// Makes an exchange. Its password is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/commerce-exchanges", tag = "commerce", request_body = CommerceExchangeIn,
    responses((status = 201, body = CommerceExchangeWithPassword)))]
async fn create_commerce_exchange(
    State(app): State<App>,
    Admin(caller): Admin,
    Json(input): Json<CommerceExchangeIn>,
) -> Result<(StatusCode, Json<CommerceExchangeWithPassword>)> {
    let new = New {
        name: input.name,
        options: input.options,
    };
    let mut write = app.db.write().await?;
    let by = &caller.scope.operator_id;
    let made = commerce::create(&mut write, new, Some(by), app.clock.now()).await;
    let (row, password) = made.map_err(problem)?;
    write.commit().await?;
    let exchange = shown(&app, row);
    Ok((
        StatusCode::CREATED,
        Json(CommerceExchangeWithPassword { exchange, password }),
    ))
}

/// One exchange.
#[utoipa::path(get, path = "/api/v1/commerce-exchanges/{id}", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`")), responses((status = 200, body = ExchangeView)))]
async fn get_commerce_exchange(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<ExchangeView>> {
    let row = one(&app, &id).await?;
    Ok(Json(shown(&app, row)))
}

/// Changes the fields given.
#[utoipa::path(patch, path = "/api/v1/commerce-exchanges/{id}", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`")), request_body = CommerceExchangePatch,
    responses((status = 200, body = ExchangeView)))]
async fn update_commerce_exchange(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Json(input): Json<CommerceExchangePatch>,
) -> Result<Json<ExchangeView>> {
    let patch = Patch {
        name: input.name,
        options: input.options,
        enabled: input.enabled,
        version: input.version,
    };
    let mut write = app.db.write().await?;
    let changed = commerce::update(&mut write, &id, patch, app.clock.now()).await;
    let row = changed.map_err(problem)?;
    write.commit().await?;
    Ok(Json(shown(&app, row)))
}

/// Removes an exchange, with what it remembers of orders. The deals, companies and contacts stay.
#[utoipa::path(delete, path = "/api/v1/commerce-exchanges/{id}", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`")), responses((status = 204)))]
async fn delete_commerce_exchange(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let mut write = app.db.write().await?;
    let gone = commerce::delete(&mut write, &id, app.clock.now()).await;
    let keys = gone.map_err(problem)?;
    write.commit().await?;
    store::forget_bytes(&app.storage, &keys).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new password. It is in this answer and nowhere else; 1C needs it at once, the old one is worth nothing.
#[utoipa::path(post, path = "/api/v1/commerce-exchanges/{id}/password", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`")),
    responses((status = 200, body = CommerceExchangeWithPassword)))]
async fn renew_commerce_password(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<CommerceExchangeWithPassword>> {
    let mut write = app.db.write().await?;
    let renewed = commerce::renew_password(&mut write, &id, app.clock.now()).await;
    let (row, password) = renewed.map_err(problem)?;
    write.commit().await?;
    let exchange = shown(&app, row);
    Ok(Json(CommerceExchangeWithPassword { exchange, password }))
}

/// What statuses of orders are called in 1C, as far as orders said: the most frequent 100.
#[utoipa::path(get, path = "/api/v1/commerce-exchanges/{id}/statuses", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`")), responses((status = 200, body = Page<CommerceStatus>)))]
async fn list_commerce_statuses(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<Page<CommerceStatus>>> {
    let exchange = one(&app, &id).await?;
    let known = store::statuses(app.db.read(), &exchange.id).await?;
    let items = known
        .into_iter()
        .map(|(status, orders)| CommerceStatus { status, orders });
    Ok(Json(Page::whole(items.collect())))
}

/// The files an exchange sent in the last 90 days, the last first.
#[utoipa::path(get, path = "/api/v1/commerce-exchanges/{id}/files", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`"), PageQuery),
    responses((status = 200, body = Page<FileView>)))]
async fn list_commerce_files(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<FileView>>> {
    let exchange = one(&app, &id).await?;
    let (limit, place) = (page.limit()?, page.after::<FilePlace>()?);
    let before = place.as_ref().map(|place| place.id.as_str());
    let rows = store::files(app.db.read(), &exchange.id, before, limit).await?;
    let place = |row: &commerce_file::Model| FilePlace { id: row.id.clone() };
    Ok(Json(Page::of_rows(rows, limit, place).map(FileView::from)))
}

/// What of a file could not be taken, the first thousand of it.
#[utoipa::path(get, path = "/api/v1/commerce-exchanges/{id}/files/{file_id}/faults", tag = "commerce",
    params(("id" = String, Path, description = "`exc_…`"), ("file_id" = String, Path, description = "`exf_…`"), PageQuery),
    responses((status = 200, body = Page<FaultView>)))]
async fn list_commerce_faults(
    State(app): State<App>,
    _admin: Admin,
    Path((id, file_id)): Path<(String, String)>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<FaultView>>> {
    let file = store::file(app.db.read(), &file_id).await?;
    if file.is_none_or(|file| file.exchange_id != id) {
        return Err(Problem::not_found("file"));
    }
    let (limit, place) = (page.limit()?, page.after::<FaultPlace>()?);
    let rows = store::faults(app.db.read(), &file_id, place.map(|place| place.number), limit).await?;
    let page = Page::of_rows(rows, limit, |row| FaultPlace { number: row.number });
    Ok(Json(page.map(FaultView::from)))
}

/// The orders of 1C that a deal is: one, or none.
#[utoipa::path(get, path = "/api/v1/deals/{id}/orders", tag = "deals",
    params(("id" = String, Path, description = "`dea_…`")), responses((status = 200, body = Page<OrderView>)))]
async fn list_deal_orders(
    State(app): State<App>,
    May(caller, _): May<on::Deal, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<OrderView>>> {
    let deal = deals::find(app.db.read(), &caller.scope, &id).await?;
    let deal = deal.ok_or_else(|| Problem::not_found("deal"))?;
    let orders = store::orders_of(app.db.read(), &deal.id).await?;
    let views = orders
        .into_iter()
        .filter_map(|(link, exchange)| OrderView::new(link, exchange));
    Ok(Json(Page::whole(views.collect())))
}
