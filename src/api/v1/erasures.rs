//! Erasing people: what would go, asking for it, and how far it is.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::seen;
use crate::{
    api::{
        Json, Path, Query,
        auth::Caller,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    db::is_conflict,
    erase::{
        self, Counts,
        store::{self, ErasureView, Place},
    },
    operator::rights::{Action, Object},
};

/// So long a request waits for the person to be gone from every answer; who has more than can be removed in this time is
/// hidden step by step.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(erase_contact))
        .routes(routes!(preview_erasure))
        .routes(routes!(list_erasures))
        .routes(routes!(get_erasure))
}

fn problem(error: store::Error) -> Problem {
    match error {
        store::Error::Missing => Problem::not_found("contact"),
        store::Error::Db(error) => error.into(),
        store::Error::Sealed(error) => sea_orm::DbErr::Custom(error.to_string()).into(),
    }
}

/// Refuses a contact to which the right to remove does not reach. Who reaches all is told by the work itself, which also
/// goes on with a person of whom only a part is left.
async fn reached(app: &App, caller: &Caller, id: &str) -> Result<()> {
    let scope = caller.scope.narrowed(Object::Contact, Action::Delete);
    if !scope.view(Object::Contact).is_all() {
        seen(app, &caller.scope, Action::Delete, id).await?;
    }
    Ok(())
}

/// Erases a person for good: the contact, all that were merged into it, and everything of theirs, with their addresses
/// wherever else they stand. Once this is answered they are gone from every answer; from the disk within a minute.
/// A contact that was merged away is the person it was merged into.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 202, body = ErasureView)))]
async fn erase_contact(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Delete>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<ErasureView>)> {
    reached(&app, &caller, &id).await?;
    let tools = app.erasing();
    let mut tries = 0;
    let row = loop {
        let mut write = app.db.write().await?;
        let begun = store::begin(
            &mut write,
            &tools,
            &id,
            Some(&caller.operator.id),
            app.clock.now(),
        )
        .await;
        let done = match begun {
            Ok(row) => write.commit().await.map(|()| row).map_err(store::Error::Db),
            Err(error) => Err(error),
        };
        match done {
            Ok(row) => break row,
            Err(store::Error::Db(error)) if is_conflict(&error) && tries < 8 => tries += 1,
            Err(error) => return Err(problem(error)),
        }
    };
    erase::run::wake();
    let gone = async {
        while store::is_there(app.db.read(), &row.person_id).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok::<(), sea_orm::DbErr>(())
    };
    if let Ok(looked) = tokio::time::timeout(PATIENCE, gone).await {
        looked?;
    }
    let view = store::find(app.db.read(), &row.id).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(view.unwrap_or_else(|| ErasureView::from(row))),
    ))
}

/// What erasing this person would remove.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/erasure", tag = "privacy",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 200, body = Counts)))]
async fn preview_erasure(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Delete>,
    Path(id): Path<String>,
) -> Result<Json<Counts>> {
    if id.contains('\0') {
        return Err(Problem::not_found("contact"));
    }
    reached(&app, &caller, &id).await?;
    let counts = store::preview(app.db.read(), &id).await.map_err(problem)?;
    Ok(Json(counts))
}

/// People who are being erased and who were, the newest first. Nothing here says who they were.
#[utoipa::path(get, path = "/api/v1/erasures", tag = "privacy", params(PageQuery),
    responses((status = 200, body = Page<ErasureView>)))]
async fn list_erasures(
    State(app): State<App>,
    _: May<on::Contact, to::Delete>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ErasureView>>> {
    let (limit, after): (u64, Option<Place>) = (page.limit()?, page.after()?);
    let (items, next) = store::list(app.db.read(), after.as_ref(), limit).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// How far an erasure is.
#[utoipa::path(get, path = "/api/v1/erasures/{id}", tag = "privacy",
    params(("id" = String, Path, description = "`ers_…`")), responses((status = 200, body = ErasureView)))]
async fn get_erasure(
    State(app): State<App>,
    _: May<on::Contact, to::Delete>,
    Path(id): Path<String>,
) -> Result<Json<ErasureView>> {
    let view = store::find(app.db.read(), &id).await?;
    view.map(Json).ok_or_else(|| Problem::not_found("erasure"))
}
