//! What a person agreed to, and took back.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::seen;
use crate::{
    api::{
        Json, Path,
        page::Page,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    contact::{
        consent::{self, ConsentView, Said},
        sight,
    },
    operator::rights::Action,
};

/// Longest text, in characters.
const TEXT: usize = 5_000;
/// Longest version, in characters.
const VERSION: usize = 100;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_consents, note_consent))
}

/// What a person agreed to and took back, the newest first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/consents", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 200, body = Page<ConsentView>)))]
async fn list_consents(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<ConsentView>>> {
    seen(&app, &caller.scope, Action::View, &id).await?;
    Ok(Json(Page {
        items: consent::of_contacts(app.db.read(), &[id]).await?,
        next_cursor: None,
    }))
}

/// What somebody was told, by telephone or on paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConsentIn {
    /// Agreed; false: taken back.
    given: bool,
    /// To which words, and how it was said.
    text: String,
    /// Which version of the words.
    #[serde(default)]
    version: Option<String>,
}

/// Writes down what a person agreed to or took back. It is never changed afterwards: who takes it back says so anew.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/consents", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`")), request_body = ConsentIn,
    responses((status = 201, body = ConsentView)))]
async fn note_consent(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<ConsentIn>,
) -> Result<(StatusCode, Json<ConsentView>)> {
    let row = seen(&app, &caller.scope, Action::Edit, &id).await?;
    let contact_id = sight::end_of_chain(app.db.read(), &row).await?;
    let text = body.text.trim().to_owned();
    if text.is_empty() || text.chars().count() > TEXT || text.contains('\0') {
        return Err(Problem::invalid(
            "text",
            format!("must have 1 to {TEXT} characters"),
        ));
    }
    let version = body
        .version
        .map(|version| version.trim().to_owned())
        .filter(|version| !version.is_empty());
    if version
        .as_ref()
        .is_some_and(|version| version.chars().count() > VERSION || version.contains('\0'))
    {
        return Err(Problem::invalid(
            "version",
            format!("at most {VERSION} characters"),
        ));
    }
    let now = app.clock.now();
    let said = Said {
        contact_id,
        given: body.given,
        text: text.clone(),
        version: version.clone(),
        source: "operator",
        source_id: None,
        operator_id: Some(caller.operator.id.clone()),
        at: now,
    };
    let write = app.db.write().await?;
    let ids = consent::note(&write, vec![said], now).await?;
    write.commit().await?;
    let view = ConsentView {
        id: ids.into_iter().next().unwrap_or_default(),
        given: body.given,
        text,
        version,
        source: "operator".to_owned(),
        source_id: None,
        operator_id: Some(caller.operator.id),
        at: now,
    };
    Ok((StatusCode::CREATED, Json(view)))
}
