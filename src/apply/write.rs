//! A file brought into the database: the present is read, the plan made and carried out in one transaction,
//! through the same doors as the API. Dropped instead of committed it is a trial: everything was checked
//! and nothing is there.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use switchboard_sdk::{Descriptor, secret_paths};

use super::{
    Error, Trouble,
    format::{Channel, Document, Line, Member, Team},
    plan::{self, Action, Connector, Plan, Planned, wanted_settings},
    present::{Present, PresentChannel, PresentLine},
    schedules::{PresentSchedule, Shifts},
};
use crate::{
    channel::{self, Changes, NewChannel, TryBuild, settings},
    db::WriteTx,
    line::{self, Rules, queue::Entry, store::Change},
    operator::{self, roster, team},
    secret::Vault,
};

/// Two applies wait for each other by this name.
const LOCK: i64 = 0x0a99;
/// More objects than an installation has.
const ALL: u64 = 1_000_000;

/// What applying needs beside the file.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The connectors of this build.
    pub descriptors: &'a [&'static Descriptor],
    /// Sees whether settings can work.
    pub try_build: TryBuild<'a>,
    /// Seals secrets.
    pub vault: &'a Vault,
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

impl Tools<'_> {
    fn descriptor(&self, kind: &str) -> Option<&'static Descriptor> {
        self.descriptors.iter().copied().find(|known| known.kind == kind)
    }

    fn connector(&self, kind: &str) -> Option<Connector> {
        let schema = (self.descriptor(kind)?.settings_schema)();
        Some(Connector {
            secrets: secret_paths(&schema),
            schema,
        })
    }
}

/// Does what the file says; the caller commits, or drops the write for a trial.
///
/// # Errors
/// [`Error::Invalid`] with each field that cannot be.
pub async fn apply(
    write: &mut WriteTx,
    document: &Document,
    tools: Tools<'_>,
    now: DateTime<Utc>,
) -> Result<Plan, Error> {
    write.lock(LOCK).await?;
    let present = present(write, tools.vault).await?;
    let plan = plan::plan(document, &present, &|kind| tools.connector(kind)).map_err(Error::Invalid)?;
    let mut work = Work {
        document,
        lines: present
            .lines
            .iter()
            .map(|line| (line.row.key.clone(), line.row.id.clone()))
            .collect(),
        teams: present
            .teams
            .iter()
            .map(|team| (team.name.clone(), team.id.clone()))
            .collect(),
        present: &present,
        tools,
        now,
    };
    let mut entries = plan.entries.iter();
    for (team, planned) in document.teams.iter().zip(entries.by_ref()) {
        work.team(write, team, planned).await?;
    }
    let lines: Vec<(&Line, &Planned)> = document.lines.iter().zip(entries.by_ref()).collect();
    work.lines(write, lines).await?;
    for (channel, planned) in document.channels.iter().zip(entries.by_ref()) {
        work.channel(write, channel, planned).await?;
    }
    let scheduled = document.operators.iter();
    let scheduled = scheduled.filter_map(|operator| Some((operator, operator.schedule.as_ref()?)));
    for ((operator, shifts), planned) in scheduled.zip(entries) {
        work.schedule(write, &operator.email, shifts, planned).await?;
    }
    Ok(plan)
}

async fn present(write: &WriteTx, vault: &Vault) -> Result<Present, Error> {
    let db = write.tx();
    let operators = operator::store::list(db, None, ALL).await?;
    let lines = line::store::list(db, None, ALL).await?;
    let ids: Vec<String> = lines.iter().map(|line| line.id.clone()).collect();
    let mut queues = line::queue::entries(db, &ids).await?;
    let mut present = Present {
        operators: operators
            .into_iter()
            .map(|row| (row.id.clone(), row.email.unwrap_or(row.id)))
            .collect(),
        schedules: roster::all(db)
            .await?
            .into_iter()
            .map(|(id, (schedule, version))| (id, PresentSchedule { schedule, version }))
            .collect(),
        teams: team::list(db, None, ALL).await?,
        ..Present::default()
    };
    for row in lines {
        present.lines.push(PresentLine {
            rules: Rules::from_stored(&row.rules)?,
            queue: queues.remove(&row.id).unwrap_or_default(),
            row,
        });
    }
    for row in channel::store::list(db, None, ALL).await? {
        let settings = channel::settings_with_secrets(&row, vault)?;
        present.channels.push(PresentChannel { row, settings });
    }
    Ok(present)
}

/// How a line is written: whole, or, in a circle of overflows, apart from the others first and joined to them then.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Whole,
    Apart,
    Joined,
}

struct Work<'a> {
    document: &'a Document,
    present: &'a Present,
    /// Ids of lines by key, new ones as they are made.
    lines: BTreeMap<String, String>,
    /// Ids of teams by name, new ones as they are made.
    teams: BTreeMap<String, String>,
    tools: Tools<'a>,
    now: DateTime<Utc>,
}

impl Work<'_> {
    fn invalid(&self, path: &str, errors: Vec<(String, String)>) -> Error {
        let trouble = |(field, message): (String, String)| -> Trouble {
            self.document.source.trouble(format!("{path}.{field}"), message)
        };
        Error::Invalid(errors.into_iter().map(trouble).collect())
    }

    async fn team(&mut self, write: &mut WriteTx, team: &Team, planned: &Planned) -> Result<(), Error> {
        let members: Vec<String> = team
            .members
            .iter()
            .filter_map(|word| self.present.operator(word))
            .cloned()
            .collect();
        let result = match planned.action {
            Action::Nothing => return Ok(()),
            Action::Create => team::create(write, &team.name, &members, self.now).await,
            Action::Change => {
                let id = self.teams.get(&team.name).cloned().unwrap_or_default();
                team::update(write, &id, None, Some(&members), self.now).await
            }
        };
        let path = format!("team.{}", team.name);
        let made = result.map_err(|error| match error {
            operator::Error::Invalid(errors) => self.invalid(&path, errors),
            operator::Error::Db(error) => error.into(),
            operator::Error::NotFound
            | operator::Error::Stale
            | operator::Error::LastAdmin
            | operator::Error::BuiltIn
            | operator::Error::RoleInUse(_) => Error::Stale(path),
        })?;
        line::store::team_changed(write, &made.id, self.now).await?;
        self.teams.insert(made.name, made.id);
        Ok(())
    }

    /// Lines that overflow into others come after them; of a circle one is made first and joined last.
    async fn lines(&mut self, write: &mut WriteTx, mut rest: Vec<(&Line, &Planned)>) -> Result<(), Error> {
        rest.retain(|(_, planned)| planned.action != Action::Nothing);
        let mut joined_later = Vec::new();
        while !rest.is_empty() {
            let ready = |(line, _): &(&Line, &Planned)| {
                let other = line.rules.overflow.line_id.as_ref();
                other.is_none_or(|other| self.lines.contains_key(other))
            };
            let next = rest.iter().position(ready);
            let (line, planned) = rest.remove(next.unwrap_or_default());
            let pass = if next.is_some() { Pass::Whole } else { Pass::Apart };
            self.line(write, line, planned, pass).await?;
            if pass == Pass::Apart {
                joined_later.push((line, planned));
            }
        }
        for (line, planned) in joined_later {
            self.line(write, line, planned, Pass::Joined).await?;
        }
        Ok(())
    }

    async fn line(
        &mut self,
        write: &mut WriteTx,
        line: &Line,
        planned: &Planned,
        pass: Pass,
    ) -> Result<(), Error> {
        let mut rules = line.rules.clone();
        let other = rules.overflow.line_id.filter(|_| pass != Pass::Apart);
        rules.overflow.line_id = other.and_then(|key| self.lines.get(&key).cloned());
        let rules = match rules.to_stored() {
            Value::Object(rules) => rules,
            _ => Map::new(),
        };
        let present = self.present.line(&line.key);
        let mut change = Change {
            key: Some(line.key.clone()),
            name: Some(line.name.clone()),
            enabled: line.enabled,
            queue: line.queue.as_ref().map(|queue| self.queue(queue)),
            version: None,
            rules,
        };
        let result = match (planned.action, self.lines.get(&line.key).cloned()) {
            (Action::Create, None) => line::store::create(write, change, None, self.now).await,
            (_, Some(id)) => {
                let seen = present.map(|present| present.row.version);
                change.version = seen.filter(|_| pass != Pass::Joined);
                line::store::update(write, &id, change, None, self.now).await
            }
            (_, None) => return Ok(()),
        };
        let path = format!("line.{}", line.key);
        let row = result.map_err(|error| match error {
            line::Error::Invalid(errors) => self.invalid(&path, errors),
            line::Error::Db(error) => error.into(),
            line::Error::NotFound | line::Error::Stale => Error::Stale(path),
        })?;
        self.lines.insert(row.key, row.id);
        Ok(())
    }

    fn queue(&self, members: &[Member]) -> Vec<Entry> {
        let operator = |word: &String| {
            let operator_id = self.present.operator(word)?.clone();
            Some(Entry::Operator { operator_id })
        };
        let team = |name: &String| {
            let team_id = self.teams.get(name)?.clone();
            Some(Entry::Team { team_id })
        };
        members
            .iter()
            .filter_map(|member| match member {
                Member::Operator(word) => operator(word),
                Member::Team(name) => team(name),
            })
            .collect()
    }

    async fn schedule(
        &mut self,
        write: &mut WriteTx,
        email: &str,
        shifts: &Shifts,
        planned: &Planned,
    ) -> Result<(), Error> {
        let Some(id) = self
            .present
            .operator(email)
            .filter(|_| planned.action != Action::Nothing)
        else {
            return Ok(());
        };
        let present = self.present.schedules.get(id);
        let schedule = shifts.beside(present.map(|present| &present.schedule));
        let version = present.map_or(0, |present| present.version);
        let path = format!("operator.{email}.schedule");
        let put = roster::put(write, id, &schedule, Some(version), self.now).await;
        put.map(drop).map_err(|error| match error {
            operator::Error::Invalid(errors) => self.invalid(&path, errors),
            operator::Error::Db(error) => error.into(),
            operator::Error::NotFound
            | operator::Error::Stale
            | operator::Error::LastAdmin
            | operator::Error::BuiltIn
            | operator::Error::RoleInUse(_) => Error::Stale(path),
        })
    }

    async fn channel(
        &mut self,
        write: &mut WriteTx,
        channel: &Channel,
        planned: &Planned,
    ) -> Result<(), Error> {
        let (Some(descriptor), Some(connector)) = (
            self.tools.descriptor(&channel.kind),
            self.tools.connector(&channel.kind),
        ) else {
            return Ok(());
        };
        let (vault, try_build) = (self.tools.vault, self.tools.try_build);
        let line_id = self.lines.get(&channel.line).cloned().unwrap_or_default();
        let result = match (planned.action, self.present.channel(&channel.key)) {
            (Action::Nothing, _) => return Ok(()),
            (_, None) => {
                let new = NewChannel {
                    key: Some(channel.key.clone()),
                    line_id,
                    name: channel.name.clone(),
                    enabled: channel.enabled.unwrap_or(true),
                    settings: channel.settings.clone(),
                };
                channel::create(write, vault, descriptor, try_build, new, self.now).await
            }
            (_, Some(present)) => {
                let wanted = wanted_settings(channel, Some(present), &connector);
                let patch = settings::replacement(&present.settings, &wanted, &connector.schema);
                let changes = Changes {
                    key: None,
                    line_id: Some(line_id),
                    name: Some(channel.name.clone()),
                    enabled: channel.enabled,
                    settings: (wanted != present.settings).then_some(patch),
                    version: Some(present.row.version),
                };
                channel::update(
                    write,
                    vault,
                    descriptor,
                    try_build,
                    &present.row.id,
                    changes,
                    self.now,
                )
                .await
            }
        };
        let path = format!("channel.{}", channel.key);
        let row = result.map_err(|error| match error {
            channel::Error::Invalid(errors) => self.invalid(&path, errors),
            channel::Error::Database(error) => error.into(),
            channel::Error::Secret(error) => error.into(),
            channel::Error::KeyTaken
            | channel::Error::NotFound
            | channel::Error::InUse
            | channel::Error::Stale => Error::Stale(path),
        });
        row.map(drop)
    }
}
