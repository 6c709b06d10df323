//! What other rules would have done, on the command line.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{
    apply,
    known::{Known, operator_of},
    open, say, table,
};
use crate::{
    apply::format::{Document, Member},
    clock::SharedClock,
    config::Config,
    db::{Db, sqlite_path},
    operator::counting,
    routing::simulate::{
        self, Answering, Arrival, Note, Report, Scenario, TARGET_SECS, csv,
        today::{Recorded, recorded_figures},
    },
};

/// After the last given arrival, where no end is said.
const AFTERMATH: TimeDelta = TimeDelta::hours(1);

/// What is simulated.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The lines to play, as `apply` reads them
    #[arg(long, value_name = "FILE")]
    line: PathBuf,
    /// The beginning of the period: 2027-01-04 or 2027-01-04T09:00:00Z
    #[arg(long, value_parser = moment, required_unless_present = "arrivals")]
    from: Option<DateTime<Utc>>,
    /// The end of the period, now at the latest; one hour after the last of given arrivals when it is not said
    #[arg(long, value_parser = moment, required_unless_present = "arrivals")]
    to: Option<DateTime<Utc>>,
    /// Arrivals in a CSV file, in place of those that were recorded
    #[arg(long, value_name = "FILE")]
    arrivals: Option<PathBuf>,
    /// What is not known is drawn; the same seed draws the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds within which an answer is in time
    #[arg(long, default_value_t = TARGET_SECS)]
    target: u32,
    /// Seconds that clients of unknown patience wait on the average; for ever when it is not said
    #[arg(long)]
    patience: Option<f64>,
    /// Seconds in which an operator says yes to an offer, on the average
    #[arg(long, default_value_t = Answering::default().accept_secs)]
    accept_secs: f64,
    /// The share of offers that an operator who is there lets lapse, 0 to 1
    #[arg(long, default_value_t = Answering::default().lapse_share)]
    lapse_share: f64,
    /// Prints the report as JSON
    #[arg(long)]
    json: bool,
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    text.parse()
        .map_err(|_| "is written 2027-01-04 or 2027-01-04T09:00:00Z".to_owned())
}

pub(super) async fn run(config: &Config, clock: SharedClock, options: &Options) -> anyhow::Result<ExitCode> {
    let answering = answering(options)?;
    let document = apply::read(&options.line)?;
    let Some(first) = document.lines.first() else {
        bail!("{} describes no line", options.line.display());
    };
    let given = match &options.arrivals {
        Some(file) => Some(read_arrivals(file, &first.key)?),
        None => None,
    };
    let db = if given.is_none() || asks_the_database(&document) {
        Some(existing(config).await?)
    } else {
        None
    };
    let known = match &db {
        Some(db) => Known::read(db).await?,
        None => Known::default(),
    };
    let saved = match &db {
        Some(db) => counting::saved(db.read()).await?,
        None => None,
    };
    let counting = saved.unwrap_or_else(|| config.routing.counting());
    let (from, mut to) = period(options, given.as_deref())?;
    if given.is_none() {
        // What is to come is recorded of nobody, and would be played for everybody.
        to = to.min(clock.now());
    }
    let mut scenario = Scenario {
        lines: BTreeMap::new(),
        staff: BTreeMap::new(),
        arrivals: Vec::new(),
        counting,
        from,
        to,
        seed: options.seed,
        target_secs: options.target,
        patience_secs: options.patience.filter(|secs| *secs > 0.0),
        answering,
    };
    known.people(&document, &mut scenario)?;
    let recorded = match (given, &db) {
        (Some(arrivals), _) => {
            scenario.arrivals = arrivals;
            None
        }
        (None, Some(db)) => Some(known.recorded(db, &document, (from, to)).await?),
        (None, None) => None,
    };
    if let Some(recorded) = &recorded {
        scenario.arrivals = recorded.iter().map(Recorded::arrival).collect();
    }
    if let Some(db) = db {
        db.close().await?;
    }
    in_period(&mut scenario)?;
    let simulated = simulate::run(&scenario)?;
    let as_it_is = known.unchanged(&scenario);
    let unchanged = as_it_is.as_ref().map(simulate::run).transpose()?;
    let everybody = as_it_is.iter().chain([&scenario]).flat_map(|one| &one.staff);
    let names: BTreeMap<String, String> = everybody
        .map(|(id, staff)| (id.clone(), staff.name.clone()))
        .collect();
    let today = recorded
        .map(|recorded| recorded_figures(&recorded, (from, to), options.target, &scenario.counting, &names));
    let mut notes = scenario.notes();
    notes.retain(|note| *note != Note::OtherLinesIdle);
    let report = Report {
        from,
        to,
        seed: options.seed,
        target_secs: options.target,
        accept_secs: answering.accept_secs,
        lapse_share: answering.lapse_share,
        today,
        unchanged,
        simulated,
        notes,
    };
    if options.json {
        say(&serde_json::to_string_pretty(&report)?)?;
    } else {
        say(&table::render(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn answering(options: &Options) -> anyhow::Result<Answering> {
    let answering = Answering {
        accept_secs: options.accept_secs,
        lapse_share: options.lapse_share,
    };
    match answering.errors().first() {
        Some((field, message)) => bail!("--{} {message}", field.replace('_', "-")),
        None => Ok(answering),
    }
}

fn read_arrivals(file: &PathBuf, line: &str) -> anyhow::Result<Vec<Arrival>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    csv::arrivals(&text, line).map_err(|errors| {
        let shown = errors.iter().take(20);
        let said: Vec<String> = shown
            .map(|wrong| format!("{}:{}: {}", file.display(), wrong.line, wrong.message))
            .collect();
        anyhow::anyhow!(
            "{} rows are wrong, nothing was done\n{}",
            errors.len(),
            said.join("\n")
        )
    })
}

/// A simulation writes nothing: it makes no database either.
async fn existing(config: &Config) -> anyhow::Result<Db> {
    if let Some(path) = sqlite_path(config.database.url.reveal())
        && !std::path::Path::new(path).exists()
    {
        bail!(
            "there is no database at {path}: give arrivals in a CSV file, and describe in the file everybody who stands in the \
             queues, as [operator.\"e-mail\"]"
        );
    }
    open(config).await
}

/// Whether the file leaves something to the database.
fn asks_the_database(document: &Document) -> bool {
    let described = |email: &String| operator_of(document, email).is_some();
    document.lines.iter().any(|line| match &line.queue {
        None => true,
        Some(queue) => queue.iter().any(|member| match member {
            Member::Operator(email) => !described(email),
            Member::Team(name) => document
                .teams
                .iter()
                .find(|team| team.name == *name)
                .is_none_or(|team| !team.members.iter().all(described)),
        }),
    })
}

fn period(options: &Options, given: Option<&[Arrival]>) -> anyhow::Result<(DateTime<Utc>, DateTime<Utc>)> {
    let times = || given.unwrap_or_default().iter().map(|arrival| arrival.at);
    let from = options.from.or(times().min());
    let to = options.to.or(times().max().map(|last| last + AFTERMATH));
    match (from, to) {
        (Some(from), Some(to)) if from < to => Ok((from, to)),
        (Some(_), Some(_)) => bail!("the period ends before it begins"),
        _ => bail!("there are no arrivals in this period"),
    }
}

/// Arrivals outside the period stay away; one on an unknown line is a mistake.
fn in_period(scenario: &mut Scenario) -> anyhow::Result<()> {
    let (from, to) = (scenario.from, scenario.to);
    scenario
        .arrivals
        .retain(|arrival| from <= arrival.at && arrival.at < to);
    let unknown = scenario
        .arrivals
        .iter()
        .find(|arrival| !scenario.lines.contains_key(&arrival.line));
    if let Some(arrival) = unknown {
        bail!(
            "an arrival names the line {}, which the file does not describe",
            arrival.line
        );
    }
    Ok(())
}
