//! When operators work. Admins change it; supervisors read everybody's, operators their own.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path,
        auth::{Admin, Staff},
        problem::{Problem, Result},
    },
    app::App,
    line::hours::Weekly,
    operator::{
        rights::Role,
        roster,
        schedule::{Absence, Outlook, Schedule},
        store,
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_schedule, put_schedule))
        .routes(routes!(preview_schedule))
}

/// A schedule about to be kept. What is absent is empty: this is no patch.
// Flattened, serde would not know in which field of the schedule an error is.
#[derive(Deserialize, ToSchema)]
struct ScheduleIn {
    /// An IANA name: `Asia/Tashkent`.
    time_zone: String,
    /// The shifts of each day of the week, as a line's hours; null: no shifts.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Vec<Vec<String>>>>)]
    weekly: Option<Weekly>,
    /// The breaks of each day of the week; outside a shift they mean nothing.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    breaks: Weekly,
    /// Holidays, illness.
    #[serde(default)]
    absences: Vec<Absence>,
    /// The version that was read; a stale one answers 409.
    version: Option<i64>,
}

/// When an operator works.
#[derive(Serialize, ToSchema)]
struct ScheduleOut {
    /// `opr_…`
    operator_id: String,
    /// The schedule.
    #[serde(flatten)]
    schedule: Schedule,
    /// Grows with each change; 0: nobody made one yet.
    version: i64,
    /// What it says from now on.
    outlook: Outlook,
}

async fn shown(app: &App, operator_id: String, now: DateTime<Utc>) -> Result<Json<ScheduleOut>> {
    let (schedule, version, made_at) = roster::find(app.db.read(), &operator_id).await?;
    Ok(Json(ScheduleOut {
        operator_id,
        outlook: schedule.clone().plan(made_at).outlook(now),
        schedule,
        version,
    }))
}

/// When an operator works. Who has no schedule works by hand: `weekly` is null.
#[utoipa::path(get, path = "/api/v1/users/{id}/schedule", tag = "users", operation_id = "get_schedule",
    params(("id" = String, Path, description = "`opr_…`")), responses((status = 200, body = ScheduleOut)))]
async fn get_schedule(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<ScheduleOut>> {
    // An absence says why: it is nobody's business but theirs.
    if caller.operator.id != id && caller.role() < Role::Supervisor {
        return Err(Problem::forbidden(
            "one's own schedule, and as a supervisor everybody's",
        ));
    }
    store::find(app.db.read(), &id).await?;
    shown(&app, id, app.clock.now()).await
}

/// Gives an operator another schedule, as a whole. It takes effect at once.
#[utoipa::path(put, path = "/api/v1/users/{id}/schedule", tag = "users", operation_id = "put_schedule",
    params(("id" = String, Path, description = "`opr_…`")), request_body = ScheduleIn,
    responses((status = 200, body = ScheduleOut)))]
async fn put_schedule(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
    Json(input): Json<ScheduleIn>,
) -> Result<Json<ScheduleOut>> {
    let now = app.clock.now();
    let schedule = Schedule {
        time_zone: input.time_zone,
        weekly: input.weekly,
        breaks: input.breaks,
        absences: input.absences,
    };
    let mut write = app.db.write().await?;
    roster::put(&mut write, &id, &schedule, input.version, now).await?;
    write.commit().await?;
    shown(&app, id, now).await
}

/// What a schedule would say from now on. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/schedules/preview", tag = "users", operation_id = "preview_schedule",
    request_body = Schedule, responses((status = 200, body = Outlook)))]
async fn preview_schedule(
    State(app): State<App>,
    Staff(_caller): Staff,
    Json(schedule): Json<Schedule>,
) -> Result<Json<Outlook>> {
    let errors = schedule.errors();
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let now = app.clock.now();
    Ok(Json(schedule.plan(now).outlook(now)))
}
