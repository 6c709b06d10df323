//! What was removed is to be gone from the disk, not only from the answers.
//!
//! SQLite writes over what is removed (`secure_delete`), but the log holds older pages until it is emptied, and a page
//! whose rows were moved may hold a copy of them in its unused room. PostgreSQL keeps removed rows until a vacuum, and
//! their bytes until the room is used again: there this is as much as can be asked for.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Db;

/// How often emptying the log is tried while readers are in it.
const TRIES: u32 = 20;
/// And how long they are waited for each time.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of the file looked at in one go.
const PIECE: usize = 1 << 20;

impl Db {
    /// Has the database give up the bytes of what was removed; false when readers were in the way. `words` (in small
    /// letters) are what must not be found any more: on SQLite the file is read through for them, and written anew when
    /// they are still there.
    pub async fn give_up_bytes(&self, words: &[String]) -> Result<bool, DbErr> {
        if self.is_postgres() {
            self.write.execute_unprepared("VACUUM").await?;
            return Ok(true);
        }
        if !self.empty_log().await? {
            return Ok(false);
        }
        let Some(path) = self.file().await? else {
            return Ok(true);
        };
        if !holds(&path, words).await? {
            return Ok(true);
        }
        {
            let _turn = self.turn().await?;
            self.write.execute_unprepared("VACUUM").await?;
        }
        self.empty_log().await
    }

    /// Empties SQLite's log into the file; false when readers were in the way.
    async fn empty_log(&self) -> Result<bool, DbErr> {
        for _ in 0..TRIES {
            {
                let _turn = self.turn().await?;
                let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
                let row = self.write.query_one_raw(statement).await?;
                let busy: i64 = row.map_or(Ok(1), |row| row.try_get_by_index(0))?;
                if busy == 0 {
                    return Ok(true);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(false)
    }

    async fn file(&self) -> Result<Option<PathBuf>, DbErr> {
        let statement = Statement::from_string(DbBackend::Sqlite, "SELECT file FROM pragma_database_list");
        let row = self.read.query_one_raw(statement).await?;
        let file: Option<String> = row.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
    }
}

async fn holds(path: &Path, words: &[String]) -> Result<bool, DbErr> {
    let (path, words) = (path.to_owned(), words.to_vec());
    tokio::task::spawn_blocking(move || scan(File::open(path)?, &words))
        .await
        .map_err(std::io::Error::other)
        .and_then(std::convert::identity)
        .map_err(|error| DbErr::Custom(format!("the database's file cannot be read through: {error}")))
}

/// Whether one of the words stands anywhere in these bytes.
fn scan(mut file: impl Read, words: &[String]) -> std::io::Result<bool> {
    let longest = words.iter().map(String::len).max().unwrap_or_default();
    if longest == 0 {
        return Ok(false);
    }
    let mut buffer = vec![0_u8; PIECE + longest];
    // The end of a piece is looked at again with the next one.
    let mut kept = 0;
    loop {
        let read = match file.read(buffer.get_mut(kept..).unwrap_or_default()) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = kept + read;
        let text: String = buffer
            .iter()
            .take(filled)
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect();
        // Bytes beyond ASCII became letters of two bytes each, and so do those of the words.
        let found = words.iter().any(|word| {
            let word: String = word.bytes().map(char::from).collect();
            text.contains(&word)
        });
        if found {
            return Ok(true);
        }
        let from = filled - filled.min(longest);
        buffer.copy_within(from..filled, 0);
        kept = filled - from;
    }
}

#[cfg(test)]
mod tests {
    use super::{PIECE, scan};

    #[test]
    fn a_word_is_found_wherever_it_lies_in_the_file() {
        let words = ["anna@example.com".to_owned(), "почта@пример.рф".to_owned()];
        for place in [0, 5, PIECE - 3, PIECE, PIECE + 7, 3 * PIECE - 1] {
            for word in ["Anna@example.com", "почта@пример.рф"] {
                let mut bytes = vec![0xff_u8; place];
                bytes.extend_from_slice(word.as_bytes());
                bytes.extend_from_slice(&[0; 100]);
                assert!(scan(bytes.as_slice(), &words).unwrap(), "{place}");
            }
        }
        assert!(!scan(vec![b'a'; 2 * PIECE].as_slice(), &words).unwrap());
        assert!(!scan(b"anna@example.com".as_slice(), &[]).unwrap());
    }
}
