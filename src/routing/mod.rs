//! The queue router: waiting sessions find operators who are really there.
//!
//! [`snapshot`] reads the [`world`], [`decide`] is the pure rule, [`commit`] writes what was decided after
//! looking again under locks, [`worker`] runs them when the log says that something changed. [`hand`]
//! is what people do themselves, through the same checks; [`returns`] takes sessions back from
//! operators who left, [`timers`] does what time alone brings; [`explain`] shows why;
//! [`simulate`] plays other rules on what [`history`] recorded.

pub mod commit;
pub mod decide;
pub mod explain;
pub mod hand;
pub mod history;
pub mod returns;
pub mod simulate;
pub mod snapshot;
pub mod timers;
pub mod worker;
pub mod world;

pub use worker::{Router, run};
