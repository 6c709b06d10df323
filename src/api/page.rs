//! Lists in pages: `?cursor=&limit=` in, `{"items":[…],"next_cursor":…}` out. Keyset only.

use std::marker::PhantomData;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use super::problem::{Problem, Result};

/// Rows of a page when none are asked for.
pub const DEFAULT_LIMIT: u64 = 50;
/// Most rows of a page.
pub const MAX_LIMIT: u64 = 200;

/// What every list takes.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
}

impl PageQuery {
    /// The rows wanted; 400 when out of bounds.
    pub fn limit(&self) -> Result<u64> {
        match self.limit {
            None => Ok(DEFAULT_LIMIT),
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::bad_request(format!("limit must be 1 to {MAX_LIMIT}"))),
        }
    }

    /// Where the page before ended; 400 when it is not a cursor of this list.
    pub fn after<T: DeserializeOwned + Serialize>(&self) -> Result<Option<T>> {
        match self.cursor.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => Cursor::<T>::decode(text).map(Some),
        }
    }
}

/// A place in a list as an opaque word. `T` holds the sort key and the id.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Cursor<T> {
    /// Writes the word.
    pub fn encode(place: &T) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
    }

    /// Reads it; 400 when it is none of ours.
    pub fn decode(text: &str) -> Result<T> {
        let refused = || Problem::bad_request("this cursor is none that a list of this kind gave out");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        serde_json::from_slice(&bytes).map_err(|_| refused())
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// All there is.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }

    /// Turns `limit + 1` rows, read to see whether more follow, into a page; `place` names where a
    /// row stands in the list.
    pub fn of_rows<P: Serialize + DeserializeOwned>(
        mut rows: Vec<T>,
        limit: u64,
        place: impl Fn(&T) -> P,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more {
            rows.last().map(|row| Cursor::encode(&place(row)))
        } else {
            None
        };
        Self {
            items: rows,
            next_cursor,
        }
    }

    /// The same page with each row as something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Page, PageQuery};

    #[test]
    fn a_cursor_reads_back_and_rubbish_is_refused() {
        let place = ("2026-01-01".to_owned(), "cnv_1".to_owned());
        let word = Cursor::encode(&place);
        assert_eq!(Cursor::<(String, String)>::decode(&word).ok(), Some(place));
        assert_eq!(
            Cursor::<(String, String)>::decode("rubbish!")
                .err()
                .map(|problem| problem.status),
            Some(400)
        );
        assert_eq!(
            Cursor::<i64>::decode(&word).err().map(|problem| problem.status),
            Some(400)
        );
    }

    #[test]
    fn a_page_says_whether_more_follow() {
        let page = Page::of_rows(vec![1_i64, 2, 3], 2, |row| *row);
        assert_eq!((page.items.len(), page.next_cursor.is_some()), (2, true));
        let page = Page::of_rows(vec![1_i64, 2], 2, |row| *row);
        assert_eq!((page.items.len(), page.next_cursor), (2, None));
    }

    #[test]
    fn a_limit_out_of_bounds_is_400() {
        let query = PageQuery {
            cursor: None,
            limit: Some(201),
        };
        assert_eq!(query.limit().err().map(|problem| problem.status), Some(400));
        let query = PageQuery {
            cursor: None,
            limit: Some(0),
        };
        assert_eq!(query.limit().err().map(|problem| problem.status), Some(400));
    }
}
