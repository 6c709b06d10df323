//! `GET /files/{attachment}?token=`: files for the programs that bring answers to customers.

use axum::{Router, extract::State, response::Response, routing::get};
use sea_orm::EntityTrait;
use serde::Deserialize;

use super::{
    Path, Query,
    problem::{Problem, Result},
    widget::file_response,
};
use crate::{app::App, db::entity::attachment, outbound::link, storage};

/// The route.
pub fn router() -> Router<App> {
    Router::new().route("/files/{id}", get(download))
}

#[derive(Debug, Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

async fn download(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<Token>,
) -> Result<Response> {
    if !link::opens(&app.vault, &id, &query.token, app.clock.now()) {
        return Err(Problem::unauthenticated_because(
            "this address has run out, or was never given out",
        ));
    }
    let row = attachment::Entity::find_by_id(&id).one(app.db.read()).await?;
    let row = row.ok_or_else(|| Problem::not_found("file"))?;
    match app.storage.get(&row.storage_key).await {
        Ok(data) => Ok(file_response(&row, data)),
        Err(storage::Error::Missing) => Err(Problem::not_found("file")),
        Err(error) => Err(Problem::from_cause(&error)),
    }
}
