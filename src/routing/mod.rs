//! The queue router: waiting sessions find operators who are really there.
//!
//! [`snapshot`] reads the [`world`], [`decide`] is the pure rule, [`plan`] asks it about many at once (over the
//! [`standing`](self) of each line, which keeps a decision cheap in a long queue), [`commit`] writes what was decided after
//! looking again under locks, [`worker`] runs them when the log says that something changed. [`hand`]
//! is what people do themselves, through the same checks; [`offer`] is what they answer; [`returns`] takes
//! sessions back from operators who left, [`timers`] does what time alone brings; [`explain`] shows why,
//! and [`place`] tells a client how far the queue is. [`preview`] and [`explain_operator`] ask the same rule
//! about the present, and store nothing; [`simulate`] plays other rules on what [`history`] recorded.

pub mod commit;
pub mod decide;
pub mod explain;
pub mod explain_operator;
pub mod hand;
pub mod history;
pub mod offer;
pub mod place;
pub mod plan;
pub mod preview;
pub mod returns;
pub mod simulate;
pub mod snapshot;
mod standing;
pub mod timers;
pub mod worker;
pub mod world;

pub use worker::{Router, run};
