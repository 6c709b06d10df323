//! A mail too large to be held in memory: taken apart into a small mail, which is read like any other, and its large
//! bodies, which stay in files.
//!
//! Which bytes are a part is decided exactly as the mail parser decides it ([`walk`] follows its steps), so that a part
//! is the same file whether its mail was small or large.

mod decode;
mod read;
mod walk;

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use switchboard_sdk::{Content, Spool};

use crate::{fingerprint::Taken, ids, map::Raw};
use read::Reader;

/// What stays in the small mail.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest body of a file,
    pub file: u64,
    /// and of a text.
    pub text: u64,
    /// How much is left of a longer text, and of an encoded mail that is attached.
    pub beginning: u64,
    /// Longest block of header fields.
    pub head: usize,
    /// From this size of the small mail on only the smallest bodies stay,
    pub full: usize,
    /// and from this one on nothing does.
    pub most: usize,
    /// Parts looked at.
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 256 * 1024,
            text: 1024 * 1024,
            beginning: 256 * 1024,
            head: 1024 * 1024,
            full: 4 * 1024 * 1024,
            most: 8 * 1024 * 1024,
            parts: 1000,
        }
    }
}

/// What was taken out of a large mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Large {
    /// The mail as it came.
    pub whole: Content,
    /// The bodies that are not in the small mail, in their order.
    pub bodies: Vec<Body>,
    /// What the ids need of its body.
    pub body: Taken,
    /// False when it was too much to take apart: the small mail is the beginning of it.
    pub complete: bool,
}

/// A body that is not in the small mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Where in the small mail the body of its part begins.
    pub at: usize,
    /// The body, decoded.
    pub content: Content,
}

impl Raw {
    /// A whole mail, wherever it is. Blocks while a large one is taken apart.
    pub fn of(whole: Content, arrived: DateTime<Utc>, folder: &Path) -> io::Result<Self> {
        match whole.in_memory() {
            Some(bytes) => Ok(Self {
                bytes: bytes.clone(),
                arrived,
                cut_from: None,
                large: None,
            }),
            None => Self::large(whole, arrived, folder, &Limits::default()),
        }
    }

    /// A mail that lies in a file, taken apart. Blocks.
    pub fn large(whole: Content, arrived: DateTime<Utc>, folder: &Path, limits: &Limits) -> io::Result<Self> {
        let mut reader = Reader::new(&whole);
        let body = fingerprint(&mut reader, limits)?;
        let walked = walk::walk(&mut reader, folder, limits)?;
        let decoded = walked.decoded.map(Spool::finish).unwrap_or_default();
        let bodies = walked
            .bodies
            .into_iter()
            .map(|found| Body {
                at: found.at,
                content: match found.lies {
                    walk::Lies::InMail(range) => whole.slice(range),
                    walk::Lies::Decoded(range) => decoded.slice(range),
                },
            })
            .collect();
        Ok(Self {
            bytes: Bytes::from(walked.small),
            arrived,
            cut_from: None,
            large: Some(Arc::new(Large {
                body,
                bodies,
                complete: walked.complete,
                whole,
            })),
        })
    }

    /// The mail as it came.
    pub fn whole(&self) -> Content {
        match &self.large {
            Some(large) => large.whole.clone(),
            None => self.bytes.clone().into(),
        }
    }
}

fn fingerprint(reader: &mut Reader<'_>, limits: &Limits) -> io::Result<Taken> {
    let beginning = reader.bytes(0, limits.head)?;
    let (head, body) = ids::split(&beginning);
    let mut taken = ids::fingerprint(head);
    let from = if body.is_empty() {
        beginning.len()
    } else {
        beginning.len() - body.len()
    };
    let end = reader.len();
    let Ok(()) = reader.each(from as u64, end, |piece| {
        taken.take(piece);
        Ok::<(), std::convert::Infallible>(())
    })?;
    Ok(taken.end())
}
