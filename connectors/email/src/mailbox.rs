//! All folders of a mailbox at once: a connection each, one end for all.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use switchboard_sdk::{CancellationToken, Clock, Fault, Intake};
use tokio::time::sleep;

use crate::{memory::Memory, receive::Run, repeat::Watch, settings::Settings};

/// How long a goodbye may take when the channel is stopped.
const GOODBYE: Duration = Duration::from_millis(700);

/// What a channel keeps between its connections, beside the cursors.
#[derive(Debug)]
pub struct Mailbox {
    folders: Vec<Folder>,
    lag: Lag,
    /// Where temporary files lie.
    scratch: PathBuf,
    /// Who wrote how much of late, to any folder.
    senders: Arc<Watch>,
}

/// One folder.
#[derive(Debug)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// What connections learnt of new mail,
    pub memory: Memory,
    /// and of earlier mail.
    pub earlier: Memory,
}

/// Since when the oldest mail waits that is known and not taken, by folder.
#[derive(Debug, Default)]
pub struct Lag(Mutex<BTreeMap<String, DateTime<Utc>>>);

impl Lag {
    /// Notes it for one folder; answers it for all.
    pub fn note(&self, folder: &str, oldest: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match oldest {
            Some(at) => drop(folders.insert(folder.to_owned(), at)),
            None => drop(folders.remove(folder)),
        }
        folders.values().min().copied()
    }
}

impl Mailbox {
    /// Of these settings, watching who writes how much from now on; temporary files lie in this folder.
    pub fn new(settings: &Settings, now: DateTime<Utc>, scratch: PathBuf) -> Self {
        let folder = |name: &str| Folder {
            name: name.to_owned(),
            memory: Memory::default(),
            earlier: Memory::default(),
        };
        Self {
            folders: settings.imap.folders().into_iter().map(folder).collect(),
            lag: Lag::default(),
            scratch,
            senders: Arc::new(Watch::since(now)),
        }
    }

    /// Reads all folders until stopped. A folder that fails ends the run: the channel is started again as a whole.
    pub async fn run(
        &self,
        settings: &Arc<Settings>,
        clock: &dyn Clock,
        intake: &dyn Intake,
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        let runs: Vec<Run<'_>> = self
            .folders
            .iter()
            .map(|folder| Run {
                settings,
                clock,
                intake,
                stop,
                scratch: &self.scratch,
                folder,
                streams: self.folders.len(),
                lag: &self.lag,
                senders: &self.senders,
            })
            .collect();
        let stopped = async {
            stop.cancelled().await;
            sleep(GOODBYE).await;
        };
        tokio::select! {
            result = try_join_all(runs.iter().map(Run::connections)) => result.map(drop),
            () = stopped => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_that_of_the_folder_which_waits_longest() {
        let at = |hour: u32| {
            format!("2026-11-22T{hour:02}:00:00Z")
                .parse::<DateTime<Utc>>()
                .ok()
        };
        let lag = Lag::default();
        assert_eq!(lag.note("INBOX", at(9)), at(9));
        assert_eq!(lag.note("Support", at(8)), at(8));
        assert_eq!(lag.note("Support", None), at(9));
        assert_eq!(lag.note("INBOX", None), None);
    }
}
