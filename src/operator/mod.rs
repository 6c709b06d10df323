//! People inside: who they are, what they may do, whether they are there.
//!
//! **Presence** is what is observed (a socket with heartbeats, a program that says so), kept as leases
//! that lapse. **Availability** is what the operator says, less what their schedule takes away. Both must
//! be right for work to be given.

pub mod counting;
pub mod load;
pub mod presence;
pub mod rights;
pub mod role;
pub mod roster;
pub mod schedule;
pub mod store;
pub mod team;
pub mod view;

use sea_orm::DbErr;

pub use counting::Counting;
pub use presence::{Availability, Presence};

/// Why a user or a team could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such user or team.
    #[error("not found")]
    NotFound,
    /// It was changed since the caller read it.
    #[error("it was changed meanwhile")]
    Stale,
    /// The installation would be left without anybody who can sign in and change it.
    #[error("the last admin who can sign in must stay one")]
    LastAdmin,
    /// The role is one of those that everybody has.
    #[error("a built-in role stays as it is; copy it to make one of your own")]
    BuiltIn,
    /// Somebody has the role.
    #[error("{0} users have this role; give them another one first")]
    RoleInUse(u64),
    /// Fields that cannot be: `(field, what is wrong)`.
    #[error("the fields are not valid")]
    Invalid(Vec<(String, String)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbErr),
}
