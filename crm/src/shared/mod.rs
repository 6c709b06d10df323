//! What all adapters do alike.

pub(crate) mod client;
pub(crate) mod kept;
pub(crate) mod origin;
pub(crate) mod poll;
pub(crate) mod rest;
pub(crate) mod settings;
pub(crate) mod text;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod value;
