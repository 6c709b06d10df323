//! A whole server in this process, on a database of its own.

mod app;
mod authorization;
mod database;
mod mail;
mod plans;
pub mod reads;
mod socket;

pub use app::{Answer, TestApp};
pub use authorization::Authorization;
pub use database::Database;
pub use mail::Mailbox;
pub use plans::Plans;
pub use socket::Socket;

/// Runs a scenario on SQLite and on PostgreSQL, as two tests.
macro_rules! both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports, reason = "not every scenario needs all of them")]
                use super::*;

                async fn scenario($app: $crate::support::TestApp) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    scenario($crate::support::TestApp::start($crate::support::Database::sqlite().await).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    scenario($crate::support::TestApp::start($crate::support::Database::postgres().await).await).await;
                }
            }
        )+
    };
}

/// Runs a scenario on SQLite and on PostgreSQL, with a clock that stands still until the scenario moves it:
/// at first it is eight on Monday, 23 November 2026, UTC.
macro_rules! both_databases_by_the_clock {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident: TestApp, $clock:ident: Clock) $body:block)+) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[allow(unused_imports, reason = "not every scenario needs all of them")]
                use super::*;

                async fn scenario($app: $crate::support::TestApp, $clock: std::sync::Arc<switchboard::clock::ManualClock>) $body

                async fn on(database: $crate::support::Database) {
                    let clock = switchboard::clock::ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap());
                    let app = $crate::support::TestApp::start_at(database, clock.clone()).await;
                    scenario(app, clock).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    on($crate::support::Database::sqlite().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    on($crate::support::Database::postgres().await).await;
                }
            }
        )+
    };
}
