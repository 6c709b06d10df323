//! What other rules would have done, on the command line.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{apply, open, say, table};
use crate::{
    apply::format::{Document, Member, Operator},
    clock::SharedClock,
    config::Config,
    db::{Db, entity::operator, sqlite_path},
    line::{self, Rules},
    operator::{roster, schedule::Schedule, store, team},
    routing::{
        history,
        simulate::{
            self, ARRIVAL_LIMIT, Answering, Arrival, Note, Report, Scenario, SimLine, Staff, TARGET_SECS, csv,
            today::{Recorded, recorded_figures},
        },
    },
};

/// More objects than an installation has.
const ALL: u64 = 1_000_000;
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
    let (from, mut to) = period(options, given.as_deref())?;
    if given.is_none() {
        // What is to come is recorded of nobody, and would be played for everybody.
        to = to.min(clock.now());
    }
    let mut scenario = Scenario {
        lines: BTreeMap::new(),
        staff: BTreeMap::new(),
        arrivals: Vec::new(),
        weights: config.routing.weights,
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
        .map(|recorded| recorded_figures(&recorded, (from, to), options.target, &scenario.weights, &names));
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

fn operator_of<'a>(document: &'a Document, word: &str) -> Option<&'a Operator> {
    let wanted = word.trim().to_lowercase();
    document
        .operators
        .iter()
        .find(|operator| operator.email == wanted)
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

/// What the database knows.
#[derive(Default)]
struct Known {
    operators: Vec<operator::Model>,
    schedules: BTreeMap<String, Schedule>,
    teams: Vec<team::Team>,
    /// The lines as they are, by key.
    lines: BTreeMap<String, KnownLine>,
}

/// A line as it is.
struct KnownLine {
    id: String,
    enabled: bool,
    rules: Rules,
    /// Who stands in it, by id.
    queue: Vec<String>,
}

impl Known {
    async fn read(db: &Db) -> anyhow::Result<Self> {
        let rows = line::store::list(db.read(), None, ALL).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let mut queues = line::queue::resolved(db.read(), &ids).await?;
        let mut lines = BTreeMap::new();
        for row in rows {
            let line = KnownLine {
                enabled: row.enabled,
                rules: Rules::from_stored(&row.rules)?,
                queue: queues.remove(&row.id).unwrap_or_default(),
                id: row.id,
            };
            lines.insert(row.key, line);
        }
        let schedules = roster::all(db.read()).await?.into_iter();
        Ok(Self {
            schedules: schedules.map(|(id, (schedule, _))| (id, schedule)).collect(),
            operators: store::list(db.read(), None, ALL).await?,
            teams: team::list(db.read(), None, ALL).await?,
            lines,
        })
    }

    /// The word that stands for an operator here: the e-mail, or the id of who has none.
    fn word(&self, id: &str) -> String {
        let row = self.operators.iter().find(|row| row.id == id);
        row.and_then(|row| row.email.clone())
            .unwrap_or_else(|| id.to_owned())
    }

    fn operator(&self, word: &str) -> Option<&operator::Model> {
        let wanted = word.trim().to_lowercase();
        let mut rows = self.operators.iter();
        rows.find(|row| row.id == word || row.email.as_ref() == Some(&wanted))
    }

    /// An operator as the database has them, under the word that stands for them here.
    fn as_it_is(&self, row: &operator::Model) -> (String, Staff) {
        let schedule = self.schedules.get(&row.id).cloned();
        let plan = schedule.map(|schedule| schedule.plan(DateTime::UNIX_EPOCH));
        (self.word(&row.id), history::staff(row, plan.as_ref()))
    }

    fn staff(&self, document: &Document, word: &str) -> anyhow::Result<(String, Staff)> {
        let row = self.operator(word);
        if let Some(described) = operator_of(document, word) {
            let present = row.and_then(|row| self.schedules.get(&row.id));
            let staff = Staff {
                name: described.email.clone(),
                capacity: described.capacity,
                languages: described.languages.clone(),
                skills: described.skills.clone(),
                schedule: described.schedule.as_ref().map(|shifts| shifts.plan(present)),
            };
            return Ok((described.email.clone(), staff));
        }
        row.map(|row| self.as_it_is(row)).with_context(|| {
            format!("there is no operator {word}, neither in the file nor in the database")
        })
    }

    /// The same arrivals on the lines as the database has them, if it has them all.
    fn unchanged(&self, changed: &Scenario) -> Option<Scenario> {
        let mut wanted: BTreeSet<&String> = changed.arrivals.iter().map(|arrival| &arrival.line).collect();
        let key_of = |id: &String| {
            let mut lines = self.lines.iter();
            lines.find_map(|(key, line)| (line.id == *id).then_some(key))
        };
        let (mut lines, mut staff) = (BTreeMap::new(), BTreeMap::new());
        while let Some(key) = wanted.pop_first() {
            let line = self.lines.get(key)?;
            let mut rules = line.rules.clone();
            let other = rules.overflow.line_id.as_ref().and_then(key_of);
            wanted.extend(other.filter(|other| *other != key && !lines.contains_key(*other)));
            rules.overflow.line_id = other.cloned();
            let people = line.queue.iter().filter_map(|id| self.operator(id));
            let people: Vec<(String, Staff)> = people.map(|row| self.as_it_is(row)).collect();
            let line = SimLine {
                enabled: line.enabled,
                rules,
                queue: people.iter().map(|(word, _)| word.clone()).collect(),
            };
            lines.insert(key.clone(), line);
            staff.extend(people);
        }
        Some(Scenario {
            lines,
            staff,
            ..changed.clone()
        })
    }

    /// The lines of the file with everybody who stands in their queues.
    fn people(&self, document: &Document, scenario: &mut Scenario) -> anyhow::Result<()> {
        for line in &document.lines {
            let mut words = Vec::new();
            match &line.queue {
                Some(queue) => {
                    for member in queue {
                        match member {
                            Member::Operator(email) => words.push(email.clone()),
                            Member::Team(name) => words.extend(self.team(document, name)?),
                        }
                    }
                }
                None => {
                    let queue = self.lines.get(&line.key).map(|line| &line.queue);
                    words.extend(queue.into_iter().flatten().map(|id| self.word(id)));
                }
            }
            let mut queue = Vec::new();
            let mut seen = BTreeSet::new();
            for word in words {
                let (id, staff) = self.staff(document, &word)?;
                scenario.staff.insert(id.clone(), staff);
                if seen.insert(id.clone()) {
                    queue.push(id);
                }
            }
            let line_here = SimLine {
                enabled: line.enabled.unwrap_or(true),
                rules: line.rules.clone(),
                queue,
            };
            scenario.lines.insert(line.key.clone(), line_here);
        }
        Ok(())
    }

    fn team(&self, document: &Document, name: &str) -> anyhow::Result<Vec<String>> {
        if let Some(team) = document.teams.iter().find(|team| team.name == name) {
            return Ok(team.members.clone());
        }
        let team = self
            .teams
            .iter()
            .find(|team| team.name == name)
            .with_context(|| format!("there is no team {name}, neither in the file nor in the database"))?;
        Ok(team.member_ids.iter().map(|id| self.word(id)).collect())
    }

    /// What was recorded on lines of the same keys, in the words of the file.
    async fn recorded(
        &self,
        db: &Db,
        document: &Document,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> anyhow::Result<Vec<Recorded>> {
        let keys: BTreeMap<&String, &String> = document
            .lines
            .iter()
            .filter_map(|line| Some((&self.lines.get(&line.key)?.id, &line.key)))
            .collect();
        if keys.is_empty() {
            bail!("the database has no line of a key in the file, so nothing is recorded for it");
        }
        let ids: Vec<String> = keys.keys().map(|id| (*id).clone()).collect();
        let mut records = history::recorded(db.read(), &ids, from, to, ARRIVAL_LIMIT + 1).await?;
        if records.is_empty() {
            bail!("no arrivals are recorded on these lines between {from} and {to}");
        }
        for record in &mut records {
            if let Some(key) = keys.get(&record.line_id) {
                record.line_id = (*key).clone();
            }
            record.operator_id = record.operator_id.take().map(|id| self.word(&id));
            record.responsible = record.responsible.take().map(|id| self.word(&id));
        }
        Ok(records)
    }
}
