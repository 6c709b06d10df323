//! What the database knows of the lines and the people of a file, for a simulation.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};

use crate::{
    apply::format::{Document, Member, Operator},
    db::{Db, entity::operator},
    line::{self, Rules},
    operator::{roster, schedule::Schedule, store, team},
    routing::{
        history,
        simulate::{ARRIVAL_LIMIT, Scenario, SimLine, Staff, today::Recorded},
    },
};

/// More objects than an installation has.
const ALL: u64 = 1_000_000;

/// An operator as the file describes them.
pub(super) fn operator_of<'a>(document: &'a Document, word: &str) -> Option<&'a Operator> {
    let wanted = word.trim().to_lowercase();
    document
        .operators
        .iter()
        .find(|operator| operator.email == wanted)
}

/// What the database knows.
#[derive(Default)]
pub(super) struct Known {
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
    pub(super) async fn read(db: &Db) -> anyhow::Result<Self> {
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
            // What the file does not say of a schedule, `apply` leaves as it is.
            let present = row.and_then(|row| self.schedules.get(&row.id));
            let as_it_is = || Some(present?.clone().plan(DateTime::UNIX_EPOCH));
            let shifts = described.schedule.as_ref();
            let staff = Staff {
                name: described.email.clone(),
                capacity: described.capacity,
                languages: described.languages.clone(),
                skills: described.skills.clone(),
                schedule: shifts.map(|shifts| shifts.plan(present)).or_else(as_it_is),
            };
            return Ok((described.email.clone(), staff));
        }
        row.map(|row| self.as_it_is(row))
            .with_context(|| format!("there is no operator {word}, neither in the file nor in the database"))
    }

    /// The same arrivals on the lines as the database has them, if it has them all.
    pub(super) fn unchanged(&self, changed: &Scenario) -> Option<Scenario> {
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
    pub(super) fn people(&self, document: &Document, scenario: &mut Scenario) -> anyhow::Result<()> {
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
    pub(super) async fn recorded(
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
