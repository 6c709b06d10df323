//! The command line. Answers go to standard output, everything else to standard error.

#![expect(
    clippy::print_stderr,
    reason = "this is where the process talks to a terminal"
)]

mod accounts;
mod apply;
mod backup;
mod import;
mod known;
mod serve;
mod simulate;
mod table;

use std::{io::Write, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    clock::{SharedClock, SteadyClock, SystemClock},
    config::{self, Config},
    db::Db,
    operator::rights::Role,
    telemetry,
};

/// Omnichannel inbox and lead-capture gateway in one binary.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, about, arg_required_else_help = true)]
pub struct Command {
    /// A settings file; what it does not say has its default. Environment variables win over it.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Brings the database up and serves until SIGTERM or Ctrl-C
    Serve,
    /// Brings the database's schema up to this version
    Migrate,
    /// Prints the API's OpenAPI document
    Openapi,
    /// Reads the settings and says whether they can work
    CheckConfig,
    /// Asks the server of these settings whether it is ready
    Healthcheck,
    /// Writes the database and all files into one archive, while the server runs or not (SQLite)
    Backup {
        /// The archive to write; it must not exist
        file: PathBuf,
    },
    /// Brings an archive back into an empty place; needs the same master key (SQLite)
    Restore {
        /// The archive to read
        file: PathBuf,
    },
    /// Brings lines, channels and teams to what a file says; exit code 0 when done, 1 when nothing was
    ///
    /// The format is shown in config/examples/lines.toml. Objects are matched by key (teams by name), operators are
    /// named by e-mail; what the file does not name is left alone. All is applied or nothing, while the server runs or not.
    Apply {
        /// The file (TOML)
        file: PathBuf,
        /// Says what would change and writes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Takes leads or contacts in from a file; exit code 0 all rows in, 2 some rows wrong, 1 nothing done
    ///
    /// Each wrong row is told on standard error: line, field, reason; the others are in. The format, the encoding, the separator
    /// and what the columns mean are recognised. Works while the server runs or not; killed in the middle, the server goes on with
    /// it.
    Import(import::Choice),
    /// Plays a line's rules on recorded or given arrivals and tells the waiting times; writes nothing
    ///
    /// The lines are those of the file (see `apply`), the operators those of their queues: as the file describes them, or as
    /// they are in the database. Arrivals are the sessions recorded on lines of these keys between --from and --to, or the rows
    /// of a CSV file: at,channel_kind,language,priority,handle_secs,patience_secs,reply_secs,responsible,line (only `at` is
    /// required). The same seed gives the same result.
    Simulate(simulate::Options),
    /// People who sign in
    #[command(subcommand)]
    User(UserAction),
    /// Keys for programs
    #[command(subcommand)]
    Apikey(ApikeyAction),
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// Makes a user; without --password-stdin a password is made up and printed
    Create {
        /// Signs in with it
        #[arg(long)]
        email: String,
        /// Shown to customers
        #[arg(long)]
        name: String,
        /// What they may do
        #[arg(long, value_enum)]
        role: RoleWord,
        /// Reads the password from standard input, to the end of the first line
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ApikeyAction {
    /// Makes a key with a service user of its own and prints it, alone
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do
        #[arg(long, value_enum)]
        role: RoleWord,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleWord {
    Admin,
    Supervisor,
    Operator,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Admin => Self::Admin,
            RoleWord::Supervisor => Self::Supervisor,
            RoleWord::Operator => Self::Operator,
        }
    }
}

/// Runs a command; a failure is printed with its causes.
pub fn run(command: Command) -> ExitCode {
    match act(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("switchboard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(command: Command) -> anyhow::Result<ExitCode> {
    if let Action::Openapi = command.action {
        say(&crate::api::document_text())?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = config::load(command.config.as_deref(), std::env::vars())?;
    if let Action::CheckConfig = command.action {
        say(&format!(
            "the settings are fine: {} on {}",
            config.server.public_url, config.server.listen
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    telemetry::start(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(async {
        match command.action {
            Action::Serve => serve::run(config, clock()).await,
            Action::Migrate => {
                open(&config).await?.close().await?;
                Ok(ExitCode::SUCCESS)
            }
            Action::Healthcheck => serve::healthcheck(&config).await,
            Action::Backup { file } => backup::write(&config, &file, clock().now()).await,
            Action::Restore { file } => backup::read(&config, &file).await,
            Action::Apply { file, dry_run } => apply::run(&config, clock(), &file, dry_run).await,
            Action::Import(choice) => import::run(&config, clock(), &choice).await,
            Action::Simulate(options) => simulate::run(&config, clock(), &options).await,
            Action::User(UserAction::Create {
                email,
                name,
                role,
                password_stdin,
            }) => accounts::create_user(&config, clock(), email, name, role.into(), password_stdin).await,
            Action::Apikey(ApikeyAction::Create { name, role }) => {
                accounts::create_apikey(&config, clock(), &name, role.into()).await
            }
            Action::Openapi | Action::CheckConfig => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Prints an answer. A reader who went away (`| head`) is no failure.
fn say(text: &str) -> std::io::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Opens the database and brings its schema up; fine beside a running server.
async fn open(config: &Config) -> anyhow::Result<Db> {
    let db = Db::connect(config.database.url.reveal())
        .await
        .context("the database cannot be opened")?;
    db.migrate()
        .await
        .context("the database's schema cannot be brought up")?;
    Ok(db)
}

fn clock() -> SharedClock {
    Arc::new(SteadyClock::new(SystemClock))
}
