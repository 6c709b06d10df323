//! Users. Everybody inside reads them (one transfers to a person by name); admins change them.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::{Admin, Staff},
        page::{Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    auth::{password, session},
    db::entity::operator,
    operator::{
        rights::Role,
        store::{self, NewOperator, Patch},
        view::{self, User},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, update_user))
}

/// A user about to be made.
#[derive(Deserialize, ToSchema)]
struct UserIn {
    /// Signs in with it.
    #[schema(format = "email")]
    email: String,
    /// What people call them.
    name: String,
    /// What they may do; `operator` when absent.
    role: Option<Role>,
    /// Their role by its id, built in or defined by an admin.
    role_id: Option<String>,
    /// Without one nobody can sign in as this user yet.
    #[schema(format = Password, min_length = 8)]
    password: Option<String>,
    /// Languages they answer in.
    #[serde(default)]
    languages: Vec<String>,
    /// What they know.
    #[serde(default)]
    skills: Vec<String>,
    /// The weighted load they may have, 0 to 1000; 5 when absent.
    #[schema(minimum = 0, maximum = 1000)]
    capacity: Option<f64>,
}

/// The fields of a user that change.
#[derive(Deserialize, ToSchema)]
struct UserPatch {
    /// Signs in with it.
    #[schema(format = "email")]
    email: Option<String>,
    /// What people call them.
    name: Option<String>,
    /// What they may do; it takes a role that an admin defined away.
    role: Option<Role>,
    /// Their role by its id, built in or defined by an admin.
    role_id: Option<String>,
    /// A new password; it ends their sign-ins.
    #[schema(format = Password, min_length = 8)]
    password: Option<String>,
    /// Languages they answer in.
    languages: Option<Vec<String>>,
    /// What they know.
    skills: Option<Vec<String>>,
    /// The weighted load they may have, 0 to 1000.
    #[schema(minimum = 0, maximum = 1000)]
    capacity: Option<f64>,
    /// A user who is not enabled is signed out and gets no work.
    enabled: Option<bool>,
    /// The version that was read; a stale one answers 409.
    version: Option<i64>,
}

/// Lists users in the order they were made.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", operation_id = "list_users", params(PageQuery),
    responses((status = 200, body = Page<User>)))]
async fn list_users(
    State(app): State<App>,
    Staff(_caller): Staff,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<User>>> {
    let limit = page.limit()?;
    let after: Option<String> = page.after()?;
    let rows = store::list(app.db.read(), after.as_deref(), limit + 1).await?;
    let page = Page::of_rows(rows, limit, |row| row.id.clone());
    let items = view::views(app.db.read(), page.items, &app.counting.get(), app.clock.now()).await?;
    Ok(Json(Page {
        items,
        next_cursor: page.next_cursor,
    }))
}

/// Makes a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", operation_id = "create_user", request_body = UserIn,
    responses((status = 201, body = User)))]
async fn create_user(
    State(app): State<App>,
    Admin(_caller): Admin,
    Json(input): Json<UserIn>,
) -> Result<(StatusCode, Json<User>)> {
    let new = NewOperator {
        email: Some(input.email),
        name: input.name,
        role: input.role,
        role_id: input.role_id,
        password_hash: hashed(&app, input.password).await?,
        languages: input.languages,
        skills: input.skills,
        capacity: input.capacity,
        service: false,
    };
    let mut write = app.db.write().await?;
    let row = store::create(&mut write, new, app.clock.now()).await?;
    write.commit().await?;
    Ok((StatusCode::CREATED, shown(&app, row).await?))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", operation_id = "get_user",
    params(("id" = String, Path, description = "`opr_…`")), responses((status = 200, body = User)))]
async fn get_user(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<User>> {
    let row = store::find(app.db.read(), &id).await?;
    shown(&app, row).await
}

/// Changes the fields given.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", operation_id = "update_user",
    params(("id" = String, Path, description = "`opr_…`")), request_body = UserPatch,
    responses((status = 200, body = User)))]
async fn update_user(
    State(app): State<App>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(input): Json<UserPatch>,
) -> Result<Json<User>> {
    let signs_out = input.password.is_some() || input.enabled == Some(false);
    let patch = Patch {
        email: input.email,
        name: input.name,
        role: input.role,
        role_id: input.role_id,
        password_hash: hashed(&app, input.password).await?,
        languages: input.languages,
        skills: input.skills,
        capacity: input.capacity,
        enabled: input.enabled,
        version: input.version,
    };
    let mut write = app.db.write().await?;
    let row = store::update(&mut write, &id, patch, app.clock.now()).await?;
    if signs_out {
        let own = caller.session.as_ref().filter(|_| caller.operator.id == id);
        session::delete_others(&write, &id, own.map(|session| session.token_hash.as_str())).await?;
    }
    write.commit().await?;
    shown(&app, row).await
}

async fn hashed(app: &App, plain: Option<String>) -> Result<Option<String>> {
    let Some(plain) = plain else { return Ok(None) };
    if let Some(message) = password::refusal(&plain) {
        return Err(Problem::invalid("password", message));
    }
    let hash = app
        .passwords
        .hash(&plain)
        .await
        .map_err(|error| Problem::from_cause(&error))?;
    Ok(Some(hash))
}

/// A user as the API answers one.
pub(super) async fn shown(app: &App, row: operator::Model) -> Result<Json<User>> {
    Ok(Json(
        view::view(app.db.read(), row, &app.counting.get(), app.clock.now()).await?,
    ))
}
