//! Submissions of forms, and their moderation.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        page::{Page, PageQuery},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    channel,
    db::entity::submission,
    form::store::{self, Filter, Place, SubmissionView},
    ingest,
    operator::rights::{Action, Object, Scope},
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

/// Submissions, newest first, as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/submissions", tag = "submissions", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<SubmissionView>)))]
async fn list_submissions(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<SubmissionView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let filter = filter(&app, query).await?;
    let rows = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let page = Page::of_rows(rows, limit, |row| Place {
        at: row.created_at,
        id: row.id.clone(),
    });
    Ok(Json(page.map(SubmissionView::from)))
}

/// What a query narrows the list to; the channel by its id or key.
pub(super) async fn filter(app: &App, query: ListQuery) -> Result<Filter> {
    let channel_id = match query.channel {
        Some(word) => match channel::store::by_key(app.db.read(), &word).await? {
            Some(row) => Some(row.id),
            None => Some(word),
        },
        None => None,
    };
    Ok(Filter {
        channel_id,
        state: query.state,
    })
}

pub(super) async fn one(app: &App, scope: &Scope, id: &str) -> Result<submission::Model> {
    store::find(app.db.read(), scope, id)
        .await?
        .ok_or_else(|| Problem::not_found("submission"))
}

/// One that the caller may judge.
pub(super) async fn to_judge(app: &App, scope: &Scope, id: &str) -> Result<submission::Model> {
    let row = one(app, scope, id).await?;
    if let Some(eyes) = right::narrower(scope, Object::Submission, Action::Edit)?
        && store::find(app.db.read(), &eyes, id).await?.is_none()
    {
        return Err(Problem::no_right(Object::Submission, Action::Edit));
    }
    Ok(row)
}

/// One submission.
#[utoipa::path(get, path = "/api/v1/submissions/{id}", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = SubmissionView)))]
async fn get_submission(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::View>,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>> {
    Ok(Json(one(&app, &caller.scope, &id).await?.into()))
}

/// Lets a held submission through: it makes contact, lead and conversation. Twice is the same as once.
#[utoipa::path(post, path = "/api/v1/submissions/{id}/approve", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = SubmissionView)))]
async fn approve_submission(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>> {
    to_judge(&app, &caller.scope, &id).await?;
    approve(&app, &id, &caller.scope).await?;
    Ok(Json(one(&app, &caller.scope, &id).await?.into()))
}

/// Marks a held submission as spam.
#[utoipa::path(post, path = "/api/v1/submissions/{id}/reject", tag = "submissions",
    params(("id" = String, Path, description = "`sub_…`")), responses((status = 200, body = SubmissionView)))]
async fn reject_submission(
    State(app): State<App>,
    May(caller, _): May<on::Submission, to::Edit>,
    Path(id): Path<String>,
) -> Result<Json<SubmissionView>> {
    let row = to_judge(&app, &caller.scope, &id).await?;
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
    May(caller, _): May<on::Submission, to::Edit>,
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
    let row = to_judge(app, scope, id).await?;
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
