//! Tasks. Operators see those they do or made, and those about what they see.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::present;
use crate::{
    api::{
        Json, Path, Query,
        auth::Caller,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    db::entity::task,
    operator::rights::{Action, Object},
    task::{
        On, OnKind, Task,
        store::{self, Change, Counts, Error, Filter, Place, Which},
        time::{Due, midnight_after, span},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_tasks, create_task))
        .routes(routes!(task_counts))
        .routes(routes!(get_task, update_task, delete_task))
}

fn problem(error: Error) -> Problem {
    match error {
        Error::NotFound => Problem::not_found("task"),
        Error::Stale => Problem::conflict(error.to_string()),
        Error::Invalid(errors) => Problem::validation(errors),
        Error::Db(error) => error.into(),
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// `open` or `done`; both when absent.
    state: Option<String>,
    /// Open tasks by when they are due: `overdue`, `today`, `later` (the first due first) or `someday`.
    #[param(inline)]
    due: Option<Due>,
    /// Days end at midnight of this time zone; UTC when absent.
    time_zone: Option<String>,
    /// Whose tasks; `me` is the caller.
    operator: Option<String>,
    /// About this contact.
    contact: Option<String>,
    /// About this lead.
    lead: Option<String>,
    /// About this deal.
    deal: Option<String>,
    /// About this conversation.
    conversation: Option<String>,
    /// About this company.
    company: Option<String>,
    /// About this contact, or a conversation, a lead or a deal of theirs.
    person: Option<String>,
}

fn zone(word: Option<&str>) -> Result<Tz> {
    let word = word.unwrap_or("UTC");
    word.parse()
        .map_err(|_| Problem::invalid("time_zone", format!("{word:?} is not a time zone")))
}

impl ListQuery {
    fn which(&self, now: DateTime<Utc>) -> Result<Which> {
        let zone = zone(self.time_zone.as_deref())?;
        match (self.due, self.state.as_deref()) {
            (Some(due), _) => Ok(span(due, zone, now).map_or(Which::Someday, Which::Due)),
            (None, None | Some("")) => Ok(Which::All),
            (None, Some("open")) => Ok(Which::Open),
            (None, Some("done")) => Ok(Which::Done),
            (None, Some(_)) => Err(Problem::invalid("state", "is open or done")),
        }
    }

    fn on(&self) -> Option<On> {
        [
            (OnKind::Contact, &self.contact),
            (OnKind::Lead, &self.lead),
            (OnKind::Deal, &self.deal),
            (OnKind::Conversation, &self.conversation),
            (OnKind::Company, &self.company),
        ]
        .into_iter()
        .find_map(|(kind, id)| {
            Some(On {
                r#type: kind,
                id: id.clone()?,
            })
        })
    }
}

/// Tasks, the last made first (or as `due` says), as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<Task>)))]
async fn list_tasks(
    State(app): State<App>,
    May(caller, _): May<on::Task, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Task>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let filter = Filter {
        which: query.which(app.clock.now())?,
        on: query.on(),
        person: query.person,
        operator_id: query.operator.map(|word| {
            if word == "me" {
                caller.operator.id.clone()
            } else {
                word
            }
        }),
    };
    let person = filter.person.iter().map(|id| On {
        r#type: OnKind::Contact,
        id: id.clone(),
    });
    for on in filter.on.iter().cloned().chain(person) {
        if !store::sees(app.db.read(), &caller.scope, &on).await? {
            return Ok(Json(Page::whole(Vec::new())));
        }
    }
    let (rows, next) = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = store::views(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct CountsQuery {
    /// Days end at midnight of this time zone; UTC when absent.
    time_zone: Option<String>,
}

/// How many open tasks the caller has that are overdue, and that are due today.
#[utoipa::path(get, path = "/api/v1/tasks/counts", tag = "tasks", params(CountsQuery),
    responses((status = 200, body = Counts)))]
async fn task_counts(
    State(app): State<App>,
    May(caller, _): May<on::Task, to::View>,
    Query(query): Query<CountsQuery>,
) -> Result<Json<Counts>> {
    let now = app.clock.now();
    let midnight = midnight_after(zone(query.time_zone.as_deref())?, now);
    let counts = store::counts(app.db.read(), &caller.operator.id, now, midnight).await?;
    Ok(Json(counts))
}

/// A task about to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaskIn {
    /// What is to be done.
    title: String,
    /// Until when.
    due_at: Option<DateTime<Utc>>,
    /// When to remind; when it is due when absent.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    remind_at: Option<Option<DateTime<Utc>>>,
    /// Who does it; the caller when absent.
    operator_id: Option<String>,
    /// What it is about.
    on: Option<On>,
}

/// Makes a task.
#[utoipa::path(post, path = "/api/v1/tasks", tag = "tasks", request_body = TaskIn,
    responses((status = 201, body = Task)))]
async fn create_task(
    State(app): State<App>,
    May(caller, _): May<on::Task, to::Edit>,
    Json(body): Json<TaskIn>,
) -> Result<(StatusCode, Json<Task>)> {
    check(&app, &caller, body.on.as_ref()).await?;
    let new = Change {
        title: Some(body.title),
        due_at: body.due_at.map(Some),
        remind_at: body.remind_at,
        operator_id: body.operator_id.map(Some),
        on: body.on.map(Some),
        ..Change::default()
    };
    let mut write = app.db.write().await?;
    let row = store::create(&mut write, new, &caller.operator.id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(show(&app, row).await?)))
}

async fn check(app: &App, caller: &Caller, on: Option<&On>) -> Result<()> {
    match on {
        Some(on) if !store::sees(app.db.read(), &caller.scope, on).await? => Err(Problem::invalid(
            "on.id",
            "there is no such object, or you may not see it",
        )),
        _ => Ok(()),
    }
}

async fn show(app: &App, row: task::Model) -> Result<Task> {
    let mut views = store::views(app.db.read(), vec![row]).await?;
    views.pop().ok_or_else(|| Problem::not_found("task"))
}

/// The task, when the caller sees it and may do this to it.
async fn seen(app: &App, caller: &Caller, action: Action, id: &str) -> Result<task::Model> {
    let row = store::find(app.db.read(), &caller.scope, id)
        .await
        .map_err(problem)?;
    if let Some(eyes) = right::narrower(&caller.scope, Object::Task, action)? {
        match store::find(app.db.read(), &eyes, id).await {
            Ok(_) => {}
            Err(Error::NotFound) => return Err(Problem::no_right(Object::Task, action)),
            Err(other) => return Err(problem(other)),
        }
    }
    Ok(row)
}

/// One task.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path, description = "`tsk_…`")),
    responses((status = 200, body = Task)))]
async fn get_task(
    State(app): State<App>,
    May(caller, _): May<on::Task, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Task>> {
    let row = seen(&app, &caller, Action::View, &id).await?;
    show(&app, row).await.map(Json)
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaskPatch {
    /// What is to be done.
    title: Option<String>,
    /// Until when; null for no particular time.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    due_at: Option<Option<DateTime<Utc>>>,
    /// When to remind; null for never. Unless it is set by itself, it follows `due_at`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    remind_at: Option<Option<DateTime<Utc>>>,
    /// Whether it is done.
    done: Option<bool>,
    /// Since when it is done; null opens it again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    done_at: Option<Option<DateTime<Utc>>>,
    /// Who does it; null for nobody in particular.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    operator_id: Option<Option<String>>,
    /// What it is about; null for nothing in particular.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<On>)]
    on: Option<Option<On>>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Changes a task, or says that it is done.
#[utoipa::path(patch, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path, description = "`tsk_…`")),
    request_body = TaskPatch, responses((status = 200, body = Task)))]
async fn update_task(
    State(app): State<App>,
    May(caller, _): May<on::Task, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<TaskPatch>,
) -> Result<Json<Task>> {
    let row = seen(&app, &caller, Action::Edit, &id).await?;
    check(&app, &caller, body.on.as_ref().and_then(Option::as_ref)).await?;
    let now = app.clock.now();
    let done_at = match (body.done_at, body.done) {
        (Some(at), _) => Some(at),
        // Done twice is done since the first time.
        (None, Some(true)) => Some(row.done_at.or(Some(now))),
        (None, Some(false)) => Some(None),
        (None, None) => None,
    };
    let change = Change {
        title: body.title,
        due_at: body.due_at,
        remind_at: body.remind_at,
        done_at,
        operator_id: body.operator_id,
        on: body.on,
        version: body.version,
    };
    let mut write = app.db.write().await?;
    let row = store::change(&mut write, &id, change, &caller.operator.id, now)
        .await
        .map_err(problem)?;
    write.commit().await?;
    show(&app, row).await.map(Json)
}

/// Removes a task.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path, description = "`tsk_…`")),
    responses((status = 204, description = "Removed")))]
async fn delete_task(
    State(app): State<App>,
    May(caller, _): May<on::Task, to::Delete>,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    seen(&app, &caller, Action::Delete, &id).await?;
    let mut write = app.db.write().await?;
    store::remove(&mut write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
