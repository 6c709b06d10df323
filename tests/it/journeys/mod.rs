//! What people do, as sentences.
