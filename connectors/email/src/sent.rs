//! Copies of what was sent, for the mailbox's own folder of sent mail: people who open the mailbox in a mail
//! program see what was answered.
//!
//! A service, not a promise: the mail is sent already, so whatever goes wrong here is a line in the log and
//! never a failed answer.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    imap::{Imap, ImapError},
    settings::Settings,
};

/// Copies that wait at most; a mailbox that is away longer gets the newest.
const WAITING: usize = 100;
/// And their size.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// Puts copies away, one connection at a time.
#[derive(Debug)]
pub struct Filer {
    settings: Arc<Settings>,
    pile: Arc<Mutex<Pile>>,
}

#[derive(Debug, Default)]
struct Pile {
    mails: VecDeque<Vec<u8>>,
    /// Somebody is at it.
    busy: bool,
}

impl Pile {
    fn put(&mut self, mail: Vec<u8>) {
        self.mails.push_back(mail);
        while self.mails.len() > WAITING || self.mails.iter().map(Vec::len).sum::<usize>() > WAITING_BYTES {
            self.mails.pop_front();
        }
    }
}

impl Filer {
    /// For this mailbox.
    pub fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            pile: Arc::default(),
        }
    }

    /// Puts a copy of a mail that was sent into the folder, soon.
    pub fn file(&self, mail: Vec<u8>) {
        if self.settings.saves_sent() == Some(false) {
            return;
        }
        let mut pile = lock(&self.pile);
        pile.put(mail);
        if pile.busy {
            return;
        }
        pile.busy = true;
        let (settings, pile) = (Arc::clone(&self.settings), Arc::clone(&self.pile));
        tokio::spawn(async move {
            if let Err(error) = work(&settings, &pile).await {
                tracing::warn!(%error, "a copy of what was sent could not be put into the mailbox");
            }
            lock(&pile).busy = false;
        });
    }
}

async fn work(settings: &Settings, pile: &Mutex<Pile>) -> Result<(), ImapError> {
    let mut imap = Imap::connect(settings).await?;
    let folder = match settings.saves_sent() {
        // Gmail under a company's own server name keeps what is sent as well.
        None if imap.keeps_sent() => None,
        _ => imap.sent_folder().await?,
    };
    let Some(folder) = folder else {
        lock(pile).mails.clear();
        imap.logout().await;
        return Ok(());
    };
    loop {
        // Taken away only when it is put away: what a broken connection interrupts is there for the next time.
        let Some(mail) = lock(pile).mails.front().cloned() else {
            break;
        };
        match imap.append(&folder, &mail).await {
            // Refused for good, a full mailbox for instance: the next one may fit.
            Ok(()) | Err(ImapError::Answer(_)) => drop(lock(pile).mails.pop_front()),
            Err(error) => return Err(error),
        }
    }
    imap.logout().await;
    Ok(())
}

fn lock(pile: &Mutex<Pile>) -> MutexGuard<'_, Pile> {
    pile.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pile_keeps_the_newest_and_stays_small() {
        let mut pile = Pile::default();
        for n in 0..150u8 {
            pile.put(vec![n]);
        }
        assert_eq!((pile.mails.len(), pile.mails[0][0]), (WAITING, 50));
        pile.put(vec![0; WAITING_BYTES - 10]);
        assert_eq!(pile.mails.len(), 11);
    }
}
