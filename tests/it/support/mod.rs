//! A whole server in this process, on a database of its own.

mod app;
mod database;
mod mail;
mod socket;

pub use app::{Answer, TestApp};
pub use database::Database;
pub use mail::Mailbox;
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
