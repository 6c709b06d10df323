//! Who is calling: passwords, sign-in sessions, API keys, the set-up link.
//!
//! Everything random that a caller holds is kept as its hash only, so a stolen database signs nobody
//! in. Nothing is cached: a key or a session that was revoked is refused by the very next request.

pub mod apikey;
pub mod password;
pub mod session;
pub mod setup;
pub mod throttle;
