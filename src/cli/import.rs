//! Files taken in on the command line.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use serde_json::json;
use switchboard_exchange::{Field, Mapping, record::Target};

use super::{open, say};
use crate::{
    clock::SharedClock,
    config::Config,
    connector, id,
    import::{
        Counts, Kind, OnDuplicate, Options, State, Tools,
        new::{File, Own, guess, is_region},
        run::{self, Progress},
        store,
    },
    storage::Storage,
};

/// Some rows are wrong, the others are in.
const SOME_WRONG: u8 = 2;

/// What is taken in, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// What each row becomes
    #[arg(value_enum)]
    kind: Word,
    /// The file: CSV, XLSX or vCard
    file: PathBuf,
    /// Which column fills a field, as contact.email="E-mail"; the other columns are guessed by their names
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = target)]
    map: Vec<(Field, String)>,
    /// What happens to rows about people, or deals, that are known already
    #[arg(long, value_enum, default_value_t = Duplicate::Skip)]
    on_duplicate: Duplicate,
    /// The country of telephone numbers without a country code, as RU
    #[arg(long)]
    region: Option<String>,
    /// Calls the attention of operators to what comes in
    #[arg(long)]
    notify: bool,
    /// Tells neither webhooks nor CRMs of what comes in
    #[arg(long)]
    keep_inside: bool,
    /// The source of leads that name none
    #[arg(long)]
    source: Option<String>,
    /// Says what would happen and writes nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    Leads,
    Contacts,
    Deals,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Duplicate {
    /// Nothing
    Skip,
    /// What is empty is filled
    Fill,
    /// What the row says replaces what is there
    Update,
    /// A lead or deal of its own
    Create,
}

fn target(text: &str) -> Result<(Field, String), String> {
    let (field, column) = text
        .split_once('=')
        .ok_or("is written contact.email=\"E-mail\"")?;
    let known = Field::parse(field.trim()).ok_or_else(|| {
        let plain: Vec<String> = Field::PLAIN.iter().map(Field::to_string).collect();
        format!(
            "there is no field {field:?}; there are {}, lead.utm_source and its like, and contact.fields.X, \
             company.fields.X, lead.fields.X, deal.fields.X",
            plain.join(", ")
        )
    })?;
    Ok((known, column.trim().trim_matches('"').to_owned()))
}

pub(super) async fn run(config: &Config, clock: SharedClock, choice: &Choice) -> anyhow::Result<ExitCode> {
    let bytes =
        std::fs::read(&choice.file).with_context(|| format!("{} cannot be read", choice.file.display()))?;
    let name = choice
        .file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let bytes = bytes::Bytes::from(bytes);
    let shown = choice.file.display().to_string();
    let file = File::read(name, bytes.clone())
        .await
        .with_context(|| shown.clone())?;
    if file.total == 0 {
        bail!("{shown} has no rows");
    }
    if let Some(region) = choice.region.as_deref().filter(|region| !is_region(region)) {
        bail!("--region {region}: is a country's two letters, as RU");
    }
    let options = Options {
        on_duplicate: match choice.on_duplicate {
            Duplicate::Skip => OnDuplicate::Skip,
            Duplicate::Fill => OnDuplicate::Fill,
            Duplicate::Update => OnDuplicate::Update,
            Duplicate::Create => OnDuplicate::Create,
        },
        region: choice.region.clone(),
        source: choice.source.clone(),
        notify: choice.notify,
        send_out: !choice.keep_inside,
        ..Options::default()
    };
    let kind = match choice.kind {
        Word::Leads => Kind::Leads,
        Word::Contacts => Kind::Contacts,
        Word::Deals => Kind::Deals,
    };
    let db = open(config).await?;
    let own = store::own_fields(db.read()).await?;
    let mapping = mapping(kind, &file.head.columns, &own, &choice.map)?;
    let tools = Tools {
        storage: Storage::open(&config.storage.url).context("the storage cannot be opened")?,
        // A name of its own: on SQLite a server beside this process has always the same.
        node: format!("{}-{}", connector::node_name(&db), id::word()),
        db,
        clock,
    };
    let mut row = file.row(kind, &own, tools.clock.now());
    row.mapping = json!(mapping);
    row.options = json!(options);
    let id = row.id.clone();
    if !choice.dry_run
        && let Some(before) = store::same_file(tools.db.read(), &row.hash).await?
    {
        eprintln!(
            "{shown}: this very file was taken in before, on {}",
            before.created_at.format("%Y-%m-%d")
        );
    }
    let key = row.storage_key.clone().unwrap_or_default();
    tools
        .storage
        .put(&key, bytes)
        .await
        .context("the file cannot be kept")?;
    let write = tools.db.write().await?;
    store::create(&write, row).await?;
    let now = tools.clock.now();
    if choice.dry_run {
        store::check(&write, &id, now).await?;
    } else {
        store::start(&write, &id, true, now).await?;
    }
    // Nobody else has heard of it yet.
    run::claim(&write, &tools, &id).await?;
    write.commit().await?;
    let worked = run::work_alone(&tools, &id, &mut |progress: Progress<'_>| {
        complain(&shown, progress);
    })
    .await;
    let ended = store::find(tools.db.read(), &id).await;
    if choice.dry_run {
        let write = tools.db.write().await?;
        // One that broke off must not be gone on with either.
        drop(store::cancel(&write, &id, tools.clock.now()).await);
        store::delete(&write, &id).await?;
        write.commit().await?;
        tools.storage.delete(&key).await?;
    }
    worked.with_context(|| shown.clone())?;
    let ended = crate::import::ImportView::from(ended?);
    if !matches!(ended.state, State::Done | State::Checked) {
        // A server beside this process has taken it over, or somebody stopped it there.
        bail!(
            "the import {id} is {}; look at it in the app",
            ended.state.as_str()
        );
    }
    tools.db.close().await?;
    say(&summary(&ended.counts, choice.dry_run))?;
    Ok(code(&ended.counts))
}

/// The columns that are named, and for all others what their names suggest.
fn mapping(
    kind: Kind,
    columns: &[String],
    own: &[Own],
    named: &[(Field, String)],
) -> anyhow::Result<Mapping> {
    let targets = named.iter().map(|(field, column)| Target {
        column: column.clone(),
        field: field.clone(),
    });
    let named_targets: Vec<Target> = targets.collect();
    let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
    let guessed = guess(kind, columns, own).0.into_iter().filter(|guess| {
        !named_targets
            .iter()
            .any(|target| target.field == guess.field || same(&target.column, &guess.column))
    });
    let mapping = Mapping(named_targets.iter().cloned().chain(guessed).collect());
    let known = || columns.join(", ");
    let places = mapping.resolve(columns).map_err(|missing| {
        anyhow::anyhow!("there is no column {}; there are {}", missing.join(", "), known())
    })?;
    let told = match kind {
        Kind::Deals => places.has_deal(),
        Kind::Leads | Kind::Contacts => places.has_person(),
    };
    if !told {
        bail!(
            "no column is known to be a name, an e-mail address or a phone; say which, as --map contact.email=\"E-mail\"; \
             there are {}",
            known()
        );
    }
    Ok(mapping)
}

/// Each wrong row: file, line, field, reason.
fn complain(file: &str, progress: Progress<'_>) {
    for (line, wrong) in progress.wrong {
        for one in wrong {
            let value = if one.value.is_empty() {
                String::new()
            } else {
                format!("{:?} ", one.value)
            };
            eprintln!("{file}:{line}: {}: {value}{}", one.field, one.reason);
        }
    }
}

fn summary(counts: &Counts, dry_run: bool) -> String {
    let is = if dry_run { "would be" } else { "are" };
    let good = counts.rows - counts.failed;
    format!(
        "{good} of {} rows {is} in: {} created, {} updated, {} skipped; {} wrong\nmade: {} contacts, {} leads, {} companies, {} deals",
        counts.rows,
        counts.created,
        counts.updated,
        counts.skipped,
        counts.failed,
        counts.contacts,
        counts.leads,
        counts.companies,
        counts.deals
    )
}

fn code(counts: &Counts) -> ExitCode {
    match (counts.failed, counts.rows - counts.failed) {
        (0, _) => ExitCode::SUCCESS,
        (_, 0) => ExitCode::FAILURE,
        _ => ExitCode::from(SOME_WRONG),
    }
}
