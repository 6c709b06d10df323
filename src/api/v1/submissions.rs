//! Submissions of forms, and their moderation.

use axum::extract::State;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Staff,
        page::{Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    channel,
    db::entity::{channel as channel_row, submission},
    form::store::{self, Place, SubmissionView},
    ingest,
    operator::rights::Scope,
};

/// Most submissions that are judged at once.
const MOST_AT_ONCE: usize = 200;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_submissions))
        .routes(routes!(get_submission))
        .routes(routes!(approve_submission))
        .routes(routes!(reject_submission))
        .routes(routes!(judge_submissions))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListQuery {
    /// A form, by id or key.
    pub(super) channel: Option<String>,
    /// `accepted`, `held` or `spam`.
    pub(super) state: Option<String>,
}

/// Submissions of the forms whose lines the caller sees, newest first.
#[utoipa::path(get, path = "/api/v1/submissions", tag = "submissions", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<SubmissionView>)))]
async fn list_submissions(
    State(app): State<App>,
    Staff(caller): Staff,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<SubmissionView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let channels = channels(&app, &caller.scope, query.channel).await?;
    let rows = store::list(
        app.db.read(),
        channels.as_deref(),
        query.state.as_deref(),
        after.as_ref(),
        limit,
    )
    .await?;
    let page = Page::of_rows(rows, limit, |row| Place {
        at: row.created_at,
        id: row.id.clone(),
    });
    Ok(Json(page.map(SubmissionView::from)))
}

/// The channels a list is narrowed to; `None` is all.
pub(super) async fn channels(app: &App, scope: &Scope, word: Option<String>) -> Result<Option<Vec<String>>> {
    let channels = visible_channels(app, scope).await?;
    let Some(word) = word else { return Ok(channels) };
    let id = match channel::store::by_key(app.db.read(), &word).await? {
        Some(row) => row.id,
        None => word,
    };
    Ok(match channels {
        Some(ids) if !ids.contains(&id) => Some(Vec::new()),
        Some(_) | None => Some(vec![id]),
    })
}

/// The channels whose submissions are visible; `None` is all.
async fn visible_channels(app: &App, scope: &Scope) -> Result<Option<Vec<String>>> {
    if scope.sees_all() {
        return Ok(None);
    }
    let rows = channel_row::Entity::find()
        .filter(channel_row::Column::LineId.is_in(&scope.line_ids))
        .all(app.db.read())
        .await?;
    Ok(Some(rows.into_iter().map(|row| row.id).collect()))
}

pub(super) async fn one(app: &App, scope: &Scope, id: &str) -> Result<submission::Model> {
    let missing = || Problem::not_found("submission");
    let row = submission::Entity::find_by_id(id)
        .one(app.db.read())
        .await?
        .ok_or_else(missing)?;
    match visible_channels(app, scope).await? {
        Some(ids) if !ids.contains(&row.channel_id) => Err(missing()),
        Some(_) | None => Ok(row),
    }
}

/// One submission.
#[utoipa::path(get, path = "/api/v1/submissions/{id}", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = SubmissionView)))]
async fn get_submission(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>> {
    Ok(Json(one(&app, &caller.scope, &id).await?.into()))
}

/// Lets a held submission through: it makes contact, lead and conversation. Twice is the same as once.
#[utoipa::path(post, path = "/api/v1/submissions/{id}/approve", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = SubmissionView)))]
async fn approve_submission(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>> {
    one(&app, &caller.scope, &id).await?;
    approve(&app, &id, &caller.scope).await?;
    Ok(Json(one(&app, &caller.scope, &id).await?.into()))
}

/// Marks a held submission as spam.
#[utoipa::path(post, path = "/api/v1/submissions/{id}/reject", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = SubmissionView)))]
async fn reject_submission(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>> {
    let row = one(&app, &caller.scope, &id).await?;
    if row.state == "accepted" {
        return Err(Problem::conflict(
            "this submission was accepted already; mark its conversation as spam instead",
        ));
    }
    judge(&app, &id, store::Verdict::Rejected, &caller.scope).await?;
    Ok(Json(one(&app, &caller.scope, &id).await?.into()))
}

/// Verdicts on several submissions.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SubmissionsJudgeIn)]
struct JudgeIn {
    /// At most 200.
    ids: Vec<String>,
    /// `approve` makes what the form makes; `reject` and `spam` make nothing; `hold` takes a `reject` or a `spam` back.
    verdict: VerdictIn,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubmissionVerdict)]
enum VerdictIn {
    /// Let it through.
    Approve,
    /// Not wanted.
    Reject,
    /// Not wanted, and made by a machine.
    Spam,
    /// Decide anew.
    Hold,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JudgedSubmissions)]
struct Judged {
    /// The submissions as they are now, in the order they were named.
    items: Vec<SubmissionView>,
    /// Those that could not be judged so.
    failed: Vec<NotJudged>,
}

/// One that could not be judged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubmissionNotJudged)]
struct NotJudged {
    /// `sub_…`
    id: String,
    /// Why, in words.
    detail: String,
}

/// Judges several submissions: each for itself, so that one that fails holds up no other.
#[utoipa::path(post, path = "/api/v1/submissions/judge", tag = "submissions", request_body = JudgeIn,
    responses((status = 200, body = Judged)))]
async fn judge_submissions(
    State(app): State<App>,
    Staff(caller): Staff,
    Json(input): Json<JudgeIn>,
) -> Result<Json<Judged>> {
    if input.ids.is_empty() || input.ids.len() > MOST_AT_ONCE {
        return Err(Problem::invalid(
            "ids",
            format!("name 1 to {MOST_AT_ONCE} submissions"),
        ));
    }
    let (mut items, mut failed) = (Vec::new(), Vec::new());
    for id in input.ids {
        match judge_one(&app, &caller.scope, &id, input.verdict).await {
            Ok(row) => items.push(row.into()),
            Err(problem) => failed.push(NotJudged {
                detail: problem.detail,
                id,
            }),
        }
    }
    Ok(Json(Judged { items, failed }))
}

async fn judge_one(app: &App, scope: &Scope, id: &str, verdict: VerdictIn) -> Result<submission::Model> {
    let row = one(app, scope, id).await?;
    let verdict = match verdict {
        VerdictIn::Approve => {
            approve(app, id, scope).await?;
            return one(app, scope, id).await;
        }
        VerdictIn::Reject => store::Verdict::Rejected,
        VerdictIn::Spam => store::Verdict::Spam,
        VerdictIn::Hold => store::Verdict::None,
    };
    if row.state == "accepted" {
        return Err(Problem::conflict(
            "this submission was accepted already; mark its conversation as spam instead",
        ));
    }
    judge(app, id, verdict, scope).await?;
    one(app, scope, id).await
}

async fn approve(app: &App, id: &str, by: &Scope) -> Result<()> {
    ingest::approve(&app.ingest, &app.db, id, &by.operator_id, app.clock.now())
        .await
        .map(|_receipt| ())
        .map_err(|error| match error {
            ingest::Error::Stopping => Problem::unavailable(error.to_string()),
            other => Problem::from_cause(&other),
        })
}

async fn judge(app: &App, id: &str, verdict: store::Verdict, by: &Scope) -> Result<()> {
    let mut write = app.db.write().await?;
    store::judge(&mut write, id, verdict, &by.operator_id, app.clock.now()).await?;
    write.commit().await?;
    Ok(())
}
