//! What the process says about itself: log lines and metrics. Never texts, names, addresses or tokens.

pub mod metrics;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

/// Starts logging to standard error. Standard output belongs to what a command answers.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // The query builder logs each statement; nobody who asks for "info" or "debug" of ours wants them.
    let filter = [
        ("sqlx", "warn"),
        ("sea_orm", "warn"),
        ("sea_orm_migration", "warn"),
        ("hyper_util", "warn"),
    ]
    .into_iter()
    .filter(|(target, _)| !log.level.contains(target))
    .filter_map(|(target, level)| format!("{target}={level}").parse().ok())
    .fold(filter, EnvFilter::add_directive);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match log.format {
        LogFormat::Text => {
            let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry
                .with(fmt::layer().with_writer(std::io::stderr).with_ansi(ansi))
                .try_init()
        }
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
    };
    // A second start in one process (tests) keeps the first.
    drop(started);
}
