//! The `switchboard` command.

use std::process::ExitCode;

use clap::Parser;

/// Ingest and sockets make and drop many small values; the system's allocator was a fifth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    switchboard::cli::run(switchboard::cli::Command::parse())
}
