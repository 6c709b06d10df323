//! What other rules would have done on a line: a simulation on recorded or given arrivals.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path,
        auth::Supervisor,
        problem::{Problem, Result},
    },
    app::App,
    line::{Rules, store},
    routing::{
        history,
        simulate::{
            self, ARRIVAL_LIMIT, Answering, Arrival, DAY_LIMIT, Error, Note, Report, Scenario, TARGET_SECS,
            change::{self, StaffChange},
            today::{Recorded, recorded_figures},
        },
    },
};

/// Rows a request may bring.
const GIVEN_LIMIT: usize = 5_000;
/// Operators a request may change.
const STAFF_LIMIT: usize = 500;
/// After the last given arrival, where no end is said.
const AFTERMATH: TimeDelta = TimeDelta::hours(1);
/// Simulations at once: each takes a processor for a while, and clients come first.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(simulate_line))
}

/// What is played. Arrivals are those recorded between `from` and `to`, or those given.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SimulationIn {
    /// Fields of the line's rules that change, as in a change of the line.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub rules: Map<String, Value>,
    /// Operators who change.
    #[serde(default)]
    pub staff: Vec<SimulatedOperator>,
    /// The beginning of the period; may be left out when arrivals are given.
    pub from: Option<DateTime<Utc>>,
    /// Its end, now at the latest; one hour after the last given arrival when left out.
    pub to: Option<DateTime<Utc>>,
    /// Arrivals to play in place of the recorded ones.
    pub arrivals: Option<Vec<SimulatedArrival>>,
    /// What is not known is drawn; the same seed draws the same. 1 when left out.
    pub seed: Option<u32>,
    /// An answer is in time within this; 60 when left out.
    pub target_secs: Option<u32>,
    /// Clients of unknown patience wait this long on the average; for ever when left out.
    pub patience_secs: Option<f64>,
    /// Seconds in which an operator says yes to an offer, on the average; 8 when left out.
    pub accept_secs: Option<f64>,
    /// The share of offers that an operator who is there lets lapse, 0 to 1; 0.05 when left out.
    pub lapse_share: Option<f64>,
}

/// What changes of one operator.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SimulatedOperator {
    /// Who. One who does not stand in the queue is added at its end.
    pub operator_id: String,
    /// Another capacity.
    pub capacity: Option<f64>,
    /// They are not there at all.
    #[serde(default)]
    pub away: bool,
}

/// A session that comes.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SimulatedArrival {
    /// When.
    pub at: DateTime<Utc>,
    /// On which kind of channel; `webchat` when left out.
    pub channel_kind: Option<String>,
    /// The contact's language.
    pub language: Option<String>,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i64,
    /// How long its owner holds it; drawn when left out.
    pub handle_secs: Option<f64>,
    /// How long its owner takes to the first reply; none when left out.
    pub reply_secs: Option<f64>,
    /// How long the client waits for it.
    pub patience_secs: Option<f64>,
}

/// Plays a line's rules with changes, and as they are, on the sessions of a period. Changes nothing.
/// Two run at once; a third one is answered 503.
#[utoipa::path(post, path = "/api/v1/lines/{id}/simulate", tag = "lines", operation_id = "simulate_line",
    params(("id" = String, Path, description = "`lin_…`")), request_body = SimulationIn,
    responses((status = 200, body = Report),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Two simulations run already")))]
async fn simulate_line(
    State(app): State<App>,
    Supervisor(_caller): Supervisor,
    Path(id): Path<String>,
    Json(input): Json<SimulationIn>,
) -> Result<Json<Report>> {
    let db = app.db.read();
    let line = store::find(db, &id).await?;
    let permit = PERMITS
        .try_acquire()
        .map_err(|_| Problem::unavailable("two simulations run already; try again in a moment"))?;
    let (from, mut to) = checked(&input)?;
    let answering = input.answering();
    if input.arrivals.is_none() {
        // What is to come is recorded of nobody, and would be played for everybody.
        to = to.min(app.clock.now());
    }
    let rules =
        change::rules(&Rules::from_stored(&line.rules)?, &input.rules).map_err(Problem::validation)?;
    let wanted = [Some(line.id.clone()), rules.overflow.line_id.clone()];
    let lines = history::lines(db, wanted.into_iter().flatten()).await?;
    let recorded = match &input.arrivals {
        Some(_) => None,
        None => {
            let ids = [line.id.clone()];
            let records = history::recorded(db, &ids, from, to, ARRIVAL_LIMIT + 1).await?;
            if records.is_empty() {
                return Err(Problem::invalid(
                    "from",
                    "no sessions came on this line in this period",
                ));
            }
            Some(records)
        }
    };
    let people: BTreeSet<String> = lines
        .values()
        .flat_map(|line| line.queue.iter().cloned())
        .collect();
    let mut asked = people.clone();
    asked.extend(input.staff.iter().map(|change| change.operator_id.clone()));
    let known = history::people(db, &asked).await?;
    let given = input.arrivals.unwrap_or_default().into_iter();
    let unchanged = Scenario {
        staff: known
            .iter()
            .filter(|(id, _)| people.contains(*id))
            .map(|(id, staff)| (id.clone(), staff.clone()))
            .collect(),
        lines,
        arrivals: match &recorded {
            Some(records) => records.iter().map(Recorded::arrival).collect(),
            None => given.map(|arrival| arrival.on(&line.id)).collect(),
        },
        counting: app.counting.get(),
        from,
        to,
        seed: u64::from(input.seed.unwrap_or(1)),
        target_secs: input.target_secs.unwrap_or(TARGET_SECS),
        patience_secs: input.patience_secs,
        answering,
    };
    let staff: Vec<StaffChange> = input.staff.into_iter().map(StaffChange::from).collect();
    let changed = unchanged
        .changed(&line.id, rules, &staff, &known)
        .map_err(Problem::validation)?;
    let played = tokio::task::spawn_blocking(move || {
        let report = play(&unchanged, &changed, recorded.as_deref());
        drop(permit);
        report
    });
    let report = played.await.map_err(|error| Problem::from_cause(&error))?;
    report.map(Json).map_err(refused)
}

impl SimulationIn {
    fn answering(&self) -> Answering {
        let usual = Answering::default();
        Answering {
            accept_secs: self.accept_secs.unwrap_or(usual.accept_secs),
            lapse_share: self.lapse_share.unwrap_or(usual.lapse_share),
        }
    }
}

impl SimulatedArrival {
    fn on(self, line: &str) -> Arrival {
        Arrival {
            at: self.at,
            line: line.to_owned(),
            channel_kind: self.channel_kind.unwrap_or_else(|| "webchat".to_owned()),
            language: self.language,
            priority: self.priority,
            responsible: None,
            reply_secs: self.reply_secs,
            handle_secs: self.handle_secs,
            patience_secs: self.patience_secs,
        }
    }
}

impl From<SimulatedOperator> for StaffChange {
    fn from(change: SimulatedOperator) -> Self {
        Self {
            operator_id: change.operator_id,
            capacity: change.capacity,
            away: change.away,
        }
    }
}

/// The period, when everything that is given can be.
fn checked(input: &SimulationIn) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let mut errors: Vec<(String, String)> = Vec::new();
    let mut wrong = |field: &str, message: String| errors.push((field.to_owned(), message));
    if input.staff.len() > STAFF_LIMIT {
        wrong("staff", format!("at most {STAFF_LIMIT}"));
    }
    if input
        .patience_secs
        .is_some_and(|secs| !(1.0..=1e8).contains(&secs))
    {
        wrong("patience_secs", "must be at least 1".to_owned());
    }
    for (field, message) in input.answering().errors() {
        wrong(&field, message);
    }
    let given = input.arrivals.as_deref().unwrap_or_default();
    if given.len() > GIVEN_LIMIT {
        wrong("arrivals", format!("at most {GIVEN_LIMIT} rows"));
    }
    for (index, arrival) in given.iter().enumerate() {
        let secs = [arrival.handle_secs, arrival.reply_secs, arrival.patience_secs];
        if secs
            .into_iter()
            .flatten()
            .any(|secs| !(0.0..=1e8).contains(&secs))
        {
            wrong(
                &format!("arrivals.{index}"),
                "times are seconds from 0".to_owned(),
            );
        }
    }
    let times = || given.iter().map(|arrival| arrival.at);
    let from = input.from.or(times().min());
    let to = input.to.or(times().max().map(|last| last + AFTERMATH));
    let (Some(from), Some(to)) = (from, to) else {
        wrong("from", "give `from` and `to`, or arrivals".to_owned());
        return Err(Problem::validation(errors));
    };
    if from >= to {
        wrong("to", "must be after `from`".to_owned());
    } else if to - from > TimeDelta::days(DAY_LIMIT) {
        wrong("to", format!("at most {DAY_LIMIT} days after `from`"));
    }
    if times().any(|at| at < from || at >= to) {
        wrong("arrivals", "must lie between `from` and `to`".to_owned());
    }
    if errors.is_empty() {
        Ok((from, to))
    } else {
        Err(Problem::validation(errors))
    }
}

fn play(
    unchanged: &Scenario,
    changed: &Scenario,
    recorded: Option<&[Recorded]>,
) -> std::result::Result<Report, Error> {
    let simulated = simulate::run(changed)?;
    let names: BTreeMap<String, String> = unchanged
        .staff
        .iter()
        .map(|(id, staff)| (id.clone(), staff.name.clone()))
        .collect();
    let mut notes = changed.notes();
    if changed.lines.len() > 1 {
        notes.push(Note::OtherLinesIdle);
    }
    let period = (changed.from, changed.to);
    Ok(Report {
        from: changed.from,
        to: changed.to,
        seed: changed.seed,
        target_secs: changed.target_secs,
        accept_secs: changed.answering.accept_secs,
        lapse_share: changed.answering.lapse_share,
        today: recorded
            .map(|records| recorded_figures(records, period, changed.target_secs, &changed.counting, &names)),
        unchanged: Some(simulate::run(unchanged)?),
        simulated,
        notes,
    })
}

fn refused(error: Error) -> Problem {
    match error {
        Error::NoArrivals => Problem::invalid("arrivals", error.to_string()),
        Error::TooLarge(message) => Problem::invalid("from", message),
    }
}
