//! Roles with rights for each object: what they reach, and that nothing else shows.

mod admin;
mod leaks;
mod matrix;
mod world;
