//! Long lists: they are found by a text as they stand, and no question about them reads all there is.

mod finding;
mod plans;
