//! The pulling half: reads what is new, hands it over, waits for more.
//!
//! The mailbox is only read: the cursor in the server's own store is the one memory of what was taken, so
//! that people and other programs may use the mailbox as they like.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use switchboard_sdk::{Batch, CancellationToken, Clock, Cursor, Fault, InboundEvent, Intake};
use tokio::time::{Instant, sleep};

use crate::{
    cursor::{self, Place, Start},
    imap::{Imap, ImapError, Listed, Wake},
    map::{self, Mapped, Raw},
    memory::Memory,
    settings::Settings,
};

/// At most this many mails are handed over in one batch,
const BATCH_MAILS: usize = 25;
/// and at most this many bytes, unless a single mail is larger.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// How many mails are listed at once.
const LIST_MAILS: usize = 500;
/// Of a larger mail only the beginning is fetched.
pub const MAX_MAIL_BYTES: u64 = 50 * 1024 * 1024;
/// How much of one that is too large.
const BEGINNING_BYTES: u32 = 256 * 1024;
/// How long to wait for an announcement before looking all the same: a safety net for servers that forget,
/// the renewal of IDLE that routers on the way need, and the time after which a dead connection is noticed.
const IDLE: Duration = Duration::from_secs(110);
/// How often to look at a server that announces nothing.
const POLL: Duration = Duration::from_secs(30);
/// A connection that lived this long may be renewed at once when it breaks; a shorter one is a failure.
const SOUND: Duration = Duration::from_secs(60);
/// How long a goodbye may take when the channel is stopped.
const GOODBYE: Duration = Duration::from_millis(700);

/// One run of the receiver.
pub struct Run<'a> {
    /// The channel's settings.
    pub settings: &'a Arc<Settings>,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Where mail goes.
    pub intake: &'a dyn Intake,
    /// Fires when it is to end.
    pub stop: &'a CancellationToken,
    /// What earlier connections learnt.
    pub memory: &'a Memory,
}

impl Run<'_> {
    /// Runs until stopped.
    pub async fn run(&self) -> Result<(), Fault> {
        let stopped = async {
            self.stop.cancelled().await;
            sleep(GOODBYE).await;
        };
        tokio::select! {
            result = self.connections() => result,
            () = stopped => Ok(()),
        }
    }

    async fn connections(&self) -> Result<(), Fault> {
        loop {
            let began = Instant::now();
            match self.connection().await {
                Ok(()) => return Ok(()),
                // Servers end long connections now and then: nothing an admin should read about.
                Err(Fault::Temporary(reason)) if began.elapsed() > SOUND && !self.stop.is_cancelled() => {
                    tracing::debug!(%reason, "the IMAP connection ended: making a new one");
                }
                Err(_) if self.stop.is_cancelled() => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// One connection, from login to its end.
    async fn connection(&self) -> Result<(), Fault> {
        let mailbox = &self.settings.imap.mailbox;
        let mut imap = Imap::connect(self.settings).await?;
        let opened = imap.examine(mailbox).await?;
        if opened.uid_validity == 0 {
            self.intake.warn("the IMAP server gives mails no lasting numbers (no UIDVALIDITY): mail may be read more than once".to_owned());
        }
        let stored = self.intake.cursor(mailbox).await?;
        let (mut place, why) = cursor::start(
            stored.as_ref(),
            opened,
            self.settings.backfill_days,
            self.clock.now(),
        );
        if why == Start::Renumbered {
            self.intake.warn(
                "the mail server renumbered the mailbox: recent mail is read again, known mail is recognised"
                    .to_owned(),
            );
        }
        if why == Start::First && place.look_back.is_none() {
            // "From now on" must be remembered before the first mail, else the next start would call what
            // arrives until then old. A look back needs no such word: it is found again by date.
            self.deliver(Vec::new(), &place).await?;
        }
        let idles = imap.can_idle() && self.memory.may_idle();
        if !idles {
            self.intake.warn(format!(
                "the IMAP server does not announce new mail (no IDLE): looking every {} s",
                POLL.as_secs()
            ));
        }
        loop {
            self.catch_up(&mut imap, &mut place).await?;
            self.intake.alive();
            if self.stop.is_cancelled() || self.wait(&mut imap, idles).await? == Wake::Stop {
                imap.logout().await;
                return Ok(());
            }
        }
    }

    async fn wait(&self, imap: &mut Imap, idles: bool) -> Result<Wake, Fault> {
        if !idles {
            return tokio::select! {
                () = self.stop.cancelled() => Ok(Wake::Stop),
                () = sleep(POLL) => {
                    imap.noop().await?;
                    Ok(Wake::Time)
                }
            };
        }
        imap.idle(IDLE, self.stop).await.map_err(|error| {
            if matches!(error, ImapError::Answer(_)) {
                self.memory.idle_was_refused();
            }
            error.into()
        })
    }

    /// Reads and hands over everything that is new.
    async fn catch_up(&self, imap: &mut Imap, place: &mut Place) -> Result<(), Fault> {
        let mut found = Vec::new();
        for search in place.searches() {
            found.extend(imap.search(&search).await?);
        }
        let wanted = place.wanted(found);
        for chunk in wanted.chunks(LIST_MAILS) {
            let listed = imap.list(chunk).await?;
            let mut rest = listed.as_slice();
            while !rest.is_empty() {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                let (batch, after) = rest.split_at(self.batch_len(rest));
                let events = self.fetch(imap, place, batch).await?;
                let last = batch.last().map_or(place.last_uid, |mail| mail.uid);
                *place = self.deliver(events, &place.after(last, self.clock.now())).await?;
                self.memory.passed(last);
                rest = after;
            }
        }
        // The looked-back part is done with, whatever its last mails were. The next commit says so.
        if let Some(back) = &place.look_back {
            *place = place.after(back.below.saturating_sub(1), self.clock.now());
        }
        Ok(())
    }

    /// One commit of events and place. Only what this returns is where we are.
    async fn deliver(&self, events: Vec<InboundEvent>, place: &Place) -> Result<Place, Fault> {
        let value = serde_json::to_value(place).map_err(|error| Fault::temporary(error.to_string()))?;
        let cursor = Some(Cursor {
            name: self.settings.imap.mailbox.clone(),
            value,
        });
        self.intake.deliver(Batch { events, cursor }).await?;
        Ok(place.clone())
    }

    /// How many of these make the next batch: never none.
    fn batch_len(&self, mails: &[Listed]) -> usize {
        let troubled = mails.first().is_some_and(|mail| self.memory.alone(mail.uid));
        if troubled { 1 } else { batch_len(mails) }
    }

    async fn fetch(
        &self,
        imap: &mut Imap,
        place: &Place,
        batch: &[Listed],
    ) -> Result<Vec<InboundEvent>, Fault> {
        let now = self.clock.now();
        let wanted: Vec<Listed> = batch
            .iter()
            .copied()
            .filter(|mail| !place.too_early(mail.uid, mail.arrived.unwrap_or(now)))
            .collect();
        let Some(first) = wanted.first().map(|mail| mail.uid) else {
            return Ok(Vec::new());
        };
        let raws = match self.raws(imap, &wanted, now).await {
            Ok(raws) => raws,
            Err(error) => {
                let last = wanted.last().map_or(first, |mail| mail.uid);
                let lost = matches!(error, ImapError::Lost(_));
                if wanted.len() > 1 || !self.memory.is_hopeless(first, lost) {
                    self.memory.failed(first, last);
                    return Err(error.into());
                }
                // Ours to tell, not to solve: the mail stays in the mailbox, and the next ones get through.
                return Ok(vec![unfetched(place.uid_validity, first, now, &error)]);
            }
        };
        let settings = Arc::clone(self.settings);
        let bodies: Vec<bytes::Bytes> = raws.iter().map(|raw| raw.bytes.clone()).collect();
        let mapped = tokio::task::spawn_blocking(move || {
            raws.iter()
                .map(|raw| map::map(raw, &settings))
                .collect::<Vec<_>>()
        })
        .await;
        let mapped = mapped.map_err(|error| Fault::temporary(format!("reading mail failed: {error}")))?;
        let passed = mapped
            .iter()
            .filter(|mapped| matches!(mapped, Mapped::Passed(_)))
            .count();
        tracing::debug!(mails = mapped.len(), passed, "fetched mail");
        let unlooped = |(mapped, bytes): (Mapped, bytes::Bytes)| {
            let event = mapped.event()?;
            Some(match self.memory.senders.held(&event, &self.settings.loops) {
                Some(reason) => InboundEvent {
                    body: switchboard_sdk::InboundBody::Poison { reason, raw: bytes },
                    ..event
                },
                None => event,
            })
        };
        Ok(mapped.into_iter().zip(bodies).filter_map(unlooped).collect())
    }

    async fn raws(
        &self,
        imap: &mut Imap,
        mails: &[Listed],
        now: DateTime<Utc>,
    ) -> Result<Vec<Raw>, ImapError> {
        let (whole, cut): (Vec<Listed>, Vec<Listed>) =
            mails.iter().partition(|mail| mail.size <= MAX_MAIL_BYTES);
        let mut bodies = Vec::new();
        if !whole.is_empty() {
            let uids: Vec<u32> = whole.iter().map(|mail| mail.uid).collect();
            bodies = imap
                .fetch(&uids, whole.iter().map(|mail| mail.size).sum(), None)
                .await?;
        }
        for mail in &cut {
            bodies.extend(
                imap.fetch(&[mail.uid], u64::from(BEGINNING_BYTES), Some(BEGINNING_BYTES))
                    .await?,
            );
        }
        // A mail that was listed and not given is either gone, which is fine, or the server cannot read it.
        let missing: Vec<u32> = mails
            .iter()
            .map(|mail| mail.uid)
            .filter(|uid| !bodies.iter().any(|(got, _)| got == uid))
            .collect();
        for uid in missing {
            imap.noop().await?;
            if imap.search(&format!("UID {uid}")).await?.contains(&uid) {
                return Err(ImapError::Answer(format!(
                    "the IMAP server lists mail {uid} and does not give it"
                )));
            }
        }
        bodies.sort_by_key(|(uid, _)| *uid);
        let raw = |(uid, bytes)| {
            let listed = mails.iter().find(|mail| mail.uid == uid);
            let cut_from = listed.map(|mail| mail.size).filter(|size| *size > MAX_MAIL_BYTES);
            Raw {
                bytes,
                arrived: listed.and_then(|mail| mail.arrived).unwrap_or(now),
                cut_from,
            }
        };
        Ok(bodies.into_iter().map(raw).collect())
    }
}

fn batch_len(mails: &[Listed]) -> usize {
    let mut bytes = 0u64;
    let fitting = mails.iter().take(BATCH_MAILS).take_while(|mail| {
        bytes = bytes.saturating_add(mail.size.min(MAX_MAIL_BYTES));
        bytes <= BATCH_BYTES
    });
    fitting.count().max(1)
}

fn unfetched(uid_validity: u32, uid: u32, at: DateTime<Utc>, error: &ImapError) -> InboundEvent {
    let reason = format!("mail number {uid} cannot be fetched ({error}): look at it in the mailbox");
    let body = switchboard_sdk::InboundBody::Poison {
        reason,
        raw: bytes::Bytes::new(),
    };
    InboundEvent {
        external_id: format!("unfetched {uid_validity} {uid}"),
        at,
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(uid: u32, size: u64) -> Listed {
        Listed {
            uid,
            size,
            arrived: None,
        }
    }

    #[test]
    fn a_batch_is_bounded_by_count_and_bytes_and_never_empty() {
        let small: Vec<Listed> = (1..100).map(|uid| mail(uid, 1000)).collect();
        assert_eq!(batch_len(&small), BATCH_MAILS);
        assert_eq!(
            batch_len(&[mail(1, 5 << 20), mail(2, 2 << 20), mail(3, 2 << 20)]),
            2
        );
        assert_eq!(batch_len(&[mail(1, 40 << 20), mail(2, 1)]), 1);
        assert_eq!(batch_len(&[mail(1, 1), mail(2, 900 << 20)]), 1);
    }
}
