//! Mappings that are kept under a name.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_exchange::Mapping;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::check_options;
use crate::{
    api::{
        Json, Path,
        auth::Supervisor,
        page::Page,
        problem::{Problem, Result},
    },
    app::App,
    db::{entity::import_mapping, is_unique_violation},
    id,
    import::{Kind, Options, TargetShape, store},
    ingest::clean_line,
};

/// The routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_import_mappings, create_import_mapping))
        .routes(routes!(delete_import_mapping))
}

/// A mapping that is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportMapping)]
struct MappingView {
    /// `imm_…`
    id: String,
    /// Its name.
    name: String,
    /// `leads`, `contacts` or `deals`.
    kind: String,
    /// Which column fills which field.
    #[schema(value_type = Vec<TargetShape>)]
    mapping: Value,
    /// How rows are taken in.
    #[schema(value_type = Options)]
    options: Value,
}

impl From<import_mapping::Model> for MappingView {
    fn from(row: import_mapping::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            mapping: row.mapping,
            options: row.options,
        }
    }
}

/// Mappings that are kept, by name.
#[utoipa::path(get, path = "/api/v1/import-mappings", tag = "imports", responses((status = 200, body = Page<MappingView>)))]
async fn list_import_mappings(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
) -> Result<Json<Page<MappingView>>> {
    let rows = store::mappings(app.db.read()).await?;
    Ok(Json(Page::whole(
        rows.into_iter().map(MappingView::from).collect(),
    )))
}

/// A mapping to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ImportMappingIn)]
#[serde(deny_unknown_fields)]
struct MappingIn {
    /// Its name; one of that name is replaced.
    name: String,
    /// `leads`, `contacts` or `deals`.
    #[serde(default)]
    kind: Kind,
    /// Which column fills which field.
    #[schema(value_type = Vec<TargetShape>)]
    mapping: Value,
    /// How rows are taken in.
    #[serde(default)]
    options: Options,
}

/// Keeps a mapping under a name.
#[utoipa::path(post, path = "/api/v1/import-mappings", tag = "imports", request_body = MappingIn,
    responses((status = 201, body = MappingView)))]
async fn create_import_mapping(
    State(app): State<App>,
    Supervisor(caller): Supervisor,
    Json(body): Json<MappingIn>,
) -> Result<(StatusCode, Json<MappingView>)> {
    let name = clean_line(&body.name, 100);
    if name.is_empty() {
        return Err(Problem::invalid("name", "is empty"));
    }
    let mapping: Mapping = serde_json::from_value(body.mapping)
        .map_err(|error| Problem::invalid("mapping", error.to_string()))?;
    check_options(&app, &body.options).await?;
    let now = app.clock.now();
    let row = import_mapping::Model {
        id: id::new(id::Kind::ImportMapping, now),
        name: name.clone(),
        kind: body.kind.as_str().to_owned(),
        mapping: json!(mapping),
        options: json!(body.options),
        operator_id: Some(caller.operator.id),
        created_at: now,
    };
    let write = app.db.write().await?;
    store::keep_mapping(&write, row.clone()).await.map_err(|error| {
        if is_unique_violation(&error) {
            Problem::conflict("a mapping of this name was made in this moment")
        } else {
            error.into()
        }
    })?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Forgets a mapping.
#[utoipa::path(delete, path = "/api/v1/import-mappings/{id}", tag = "imports",
    params(("id" = String, Path, description = "`imm_…`")), responses((status = 204)))]
async fn delete_import_mapping(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let write = app.db.write().await?;
    let gone = store::drop_mapping(&write, &id).await?;
    write.commit().await?;
    if !gone {
        return Err(Problem::not_found("import mapping"));
    }
    Ok(StatusCode::NO_CONTENT)
}
