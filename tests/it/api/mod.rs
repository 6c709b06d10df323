//! Mirrors `src/api/v1`.
