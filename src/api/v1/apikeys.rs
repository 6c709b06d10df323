//! Keys for programs.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Admin,
        page::{Page, PageQuery},
        problem::Problem,
    },
    app::App,
    auth::apikey,
    db::entity::{api_key, operator},
    operator::{rights::Role, role},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_apikeys, create_apikey))
        .routes(routes!(delete_apikey))
}

/// A key, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKey {
    /// `key_…`
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What its service user may do; `operator` of one with a role that an admin defined.
    pub role: Role,
    /// The role of its service user: `admin`, `supervisor`, `operator` or `rol_…`.
    pub role_id: String,
    /// How the key begins.
    pub prefix: String,
    /// Its service user.
    pub operator_id: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApiKey {
    /// The key's entry.
    #[serde(flatten)]
    pub entry: ApiKey,
    /// The key itself. It is shown now and never again.
    pub key: String,
}

/// A key about to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ApiKeyIn {
    /// What it is for.
    pub name: String,
    /// What it may do; this or `role_id` is required.
    pub role: Option<Role>,
    /// Its role by its id, built in or defined by an admin.
    pub role_id: Option<String>,
}

/// Lists the keys.
#[utoipa::path(get, path = "/api/v1/apikeys", tag = "apikeys", operation_id = "list_apikeys", params(PageQuery),
    responses((status = 200, body = Page<ApiKey>)))]
async fn list_apikeys(
    State(app): State<App>,
    Admin(_caller): Admin,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let limit = query.limit()?;
    let mut rows = api_key::Entity::find()
        .order_by_asc(api_key::Column::Id)
        .limit(limit + 1);
    if let Some(after) = query.after::<String>()? {
        rows = rows.filter(api_key::Column::Id.gt(after));
    }
    let rows = rows.all(app.db.read()).await?;
    let ids = rows.iter().map(|row| row.operator_id.clone());
    let users = operator::Entity::find()
        .filter(operator::Column::Id.is_in(ids))
        .all(app.db.read())
        .await?;
    let page = Page::of_rows(rows, limit, |row| row.id.clone());
    Ok(Json(page.map(|row| {
        let user = users.iter().find(|user| user.id == row.operator_id);
        entry(row, user)
    })))
}

/// Makes a key and its service user.
#[utoipa::path(post, path = "/api/v1/apikeys", tag = "apikeys", operation_id = "create_apikey", request_body = ApiKeyIn,
    responses((status = 201, body = NewApiKey)))]
async fn create_apikey(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<ApiKeyIn>,
) -> Result<(StatusCode, Json<NewApiKey>), Problem> {
    if input.role.is_none() && input.role_id.is_none() {
        return Err(Problem::invalid("role", "name a role, or a role_id"));
    }
    let mut write = app.db.write().await?;
    let made = apikey::create(
        &mut write,
        &input.name,
        input.role,
        input.role_id,
        app.clock.now(),
    )
    .await?;
    write.commit().await?;
    Ok((
        StatusCode::CREATED,
        Json(NewApiKey {
            entry: entry(made.row, Some(&made.user)),
            key: made.key,
        }),
    ))
}

/// Revokes a key; it is refused from the next request on.
#[utoipa::path(delete, path = "/api/v1/apikeys/{id}", tag = "apikeys", operation_id = "delete_apikey",
    params(("id" = String, Path, description = "`key_…`")), responses((status = 204, description = "Revoked")))]
async fn delete_apikey(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let mut write = app.db.write().await?;
    if !apikey::revoke(&mut write, &id, app.clock.now()).await? {
        return Err(Problem::not_found("API key"));
    }
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn entry(row: api_key::Model, user: Option<&operator::Model>) -> ApiKey {
    ApiKey {
        role: Role::parse(user.map_or("operator", |user| user.role.as_str())),
        role_id: user.map_or_else(|| "operator".to_owned(), role::id_of),
        id: row.id,
        name: row.name,
        prefix: row.prefix,
        operator_id: row.operator_id,
        created_at: row.created_at,
    }
}
