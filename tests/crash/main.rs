//! Crash test: strangers write, an operator answers, and the server is killed with SIGKILL again and again in the middle of it.
//!
//! Afterwards everything that was answered with 2xx, or that lay in the mailbox, must be there exactly once, and every
//! reply that the API accepted from an operator must have reached its reader at least once. Everything is asked through
//! the public API of the real program on a real database, a real IMAP and a real SMTP server.
//!
//! `SWITCHBOARD_CRASH_SEED` repeats the choices of an earlier run (the machine's timing is never the same),
//! `SWITCHBOARD_CRASH_KILLS` sets the number of kills. The servers come from the environment: `make crash`, `make test-rust`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops where it cannot go on, and says where it is"
)]

mod random;
mod reading;
mod server;
mod traffic;
mod verify;
mod world;

use std::time::Duration;

use random::Random;
use server::Server;
use world::World;

/// A variable that says where a server of the tests is; without it the test fails, it is never skipped.
fn from_environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run `make crash` or `make test-rust`, or start the servers: eval \"$(make -s servers)\""
        )
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_by_sigkill_on_sqlite() {
    survive("sqlite", 50, |dir| {
        format!("sqlite://{}/switchboard.db", dir.display())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_by_sigkill_on_postgresql() {
    let server = from_environment("SWITCHBOARD_TEST_POSTGRES");
    let name = format!("crash_{}", uuid::Uuid::new_v4().simple());
    let connection = sea_orm::Database::connect(&server)
        .await
        .expect("PostgreSQL of the tests");
    sea_orm::ConnectionTrait::execute_unprepared(&connection, &format!("CREATE DATABASE {name}"))
        .await
        .expect("a database of our own");
    let (before, _) = server.rsplit_once('/').expect("a URL with a database");
    let url = format!("{before}/{name}");
    survive("postgresql", 25, |_| url.clone()).await;
    sea_orm::ConnectionTrait::execute_unprepared(&connection, &format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .expect("the database goes");
}

/// The whole test on one database; `kills` unless the environment says otherwise.
async fn survive(name: &str, kills: u32, database: impl Fn(&std::path::Path) -> String) {
    // A second call finds it installed already, by the other test.
    rustls::crypto::ring::default_provider().install_default().ok();
    let number = |variable: &str| {
        std::env::var(variable)
            .ok()
            .map(|value| value.parse::<u64>().expect("a number"))
    };
    let seed = number("SWITCHBOARD_CRASH_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().1);
    let kills = number("SWITCHBOARD_CRASH_KILLS")
        .map_or(kills, |value| u32::try_from(value).expect("a small number"));
    eprintln!("{name}: {kills} kills, SWITCHBOARD_CRASH_SEED={seed}");
    let mut random = Random::new(seed);

    let dir = tempfile::Builder::new()
        .prefix("switchboard-crash-")
        .tempdir()
        .expect("a folder");
    let mut server = Server::new(dir.path(), &database(dir.path()));
    server.run(&["migrate"]);
    let key = server
        .run(&["apikey", "create", "--name", "crash test", "--role", "admin"])
        .trim()
        .to_owned();
    server.start();
    server.ready().await;
    let world = World::set_up(&server, key, &mut random).await;

    let traffic = traffic::start(&world, &mut random);
    for number in 1..=kills {
        // Now and then a longer life: on PostgreSQL a dead node's mailbox is taken over only when its lease has lapsed.
        if number % 8 == 0 {
            server.ready().await;
            world.mailbox_is_read().await;
        }
        moment_of_death(&world, &mut server, &mut random).await;
        server.kill();
        server.start();
        if number % 10 == 0 {
            eprintln!("{name}: {number} of {kills} kills");
        }
    }
    server.ready().await;
    let sent = traffic.finish().await;

    let faults = verify::faults(&world, &sent).await;
    server.kill();
    eprintln!("{name}: {}; {}", sent.summary(), server.start_times());
    if !faults.is_empty() {
        let kept = dir.keep();
        panic!(
            "{name}, seed {seed}: {} faults (the server's folder and log are kept in {}):\n{}",
            faults.len(),
            kept.display(),
            faults
                .iter()
                .take(60)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
}

/// Waits for the moment at which the server dies: while it starts, in the midst of traffic, or right after it has accepted a
/// reply, when that is on its way out.
async fn moment_of_death(world: &World, server: &mut Server, random: &mut Random) {
    if random.one_in(5) {
        tokio::time::sleep(Duration::from_millis(random.below(400))).await;
        return;
    }
    server.ready().await;
    tokio::time::sleep(Duration::from_millis(random.below(1500))).await;
    if random.one_in(2) {
        // Should no reply come, the server dies all the same.
        tokio::time::timeout(Duration::from_secs(3), world.reply_accepted.notified())
            .await
            .ok();
        tokio::time::sleep(Duration::from_millis(random.below(60))).await;
    }
}
