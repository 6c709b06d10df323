//! The pulling half, for one folder: reads what is new, hands it over, waits for more.
//!
//! The cursor in the server's own store is the one memory of what was taken, so that people and other
//! programs may use the mailbox as they like.

use std::{io, path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use switchboard_sdk::{
    Backfill, BackfillOrder, Batch, CancellationToken, Clock, Content, Cursor, Fault, InboundBody,
    InboundEvent, Intake,
};
use tokio::{sync::Semaphore, time::sleep};

use crate::{
    backfill::Earlier,
    cursor::{self, Place, Start},
    imap::{Imap, ImapError, Listed, PIECE, Wake},
    mailbox::{Folder, Lag},
    map::{self, Raw},
    memory::Memory,
    repeat::Watch,
    settings::Settings,
    tag,
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
const BEGINNING_BYTES: u64 = 256 * 1024;
/// How long to wait for an announcement before looking all the same: a safety net for servers that forget,
/// the renewal of IDLE that routers on the way need, and the time after which a dead connection is noticed.
const IDLE: Duration = Duration::from_secs(110);
/// How often to look at a server that announces nothing.
const POLL: Duration = Duration::from_secs(30);
/// A connection that lived this long may be renewed at once when it breaks; a shorter one is a failure.
const SOUND: TimeDelta = TimeDelta::seconds(60);
/// A mail larger than a batch lies in temporary files while it is read and stored: one at a time in this process,
/// however many channels there are.
static LARGE: Semaphore = Semaphore::const_new(1);

/// One run of the receiver, in one folder.
pub struct Run<'a> {
    /// The channel's settings.
    pub settings: &'a Arc<Settings>,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Where mail goes.
    pub intake: &'a dyn Intake,
    /// Fires when it is to end.
    pub stop: &'a CancellationToken,
    /// Where temporary files lie.
    pub scratch: &'a Path,
    /// The folder, and what earlier connections learnt of it.
    pub folder: &'a Folder,
    /// How many folders the channel reads.
    pub streams: usize,
    /// How far behind the channel is.
    pub lag: &'a Lag,
    /// Who wrote how much of late.
    pub senders: &'a Arc<Watch>,
}

/// A mail as the server gave it.
struct Fetched {
    uid: u32,
    /// Or the beginning of it.
    content: Content,
    arrived: DateTime<Utc>,
    cut_from: Option<u64>,
}

impl Fetched {
    /// What is read of it. Blocks while a large one is taken apart.
    fn raw(self, scratch: &Path) -> io::Result<Raw> {
        if self.cut_from.is_none() {
            return Raw::of(self.content, self.arrived, scratch);
        }
        Ok(Raw {
            bytes: self.content.read_all()?,
            arrived: self.arrived,
            cut_from: self.cut_from,
            large: None,
        })
    }
}

/// What came of a batch of mails.
#[derive(Default)]
struct Taken {
    events: Vec<InboundEvent>,
    /// Those that became an event.
    uids: Vec<u32>,
}

impl Run<'_> {
    /// Runs until stopped, over as many connections as it takes.
    pub async fn connections(&self) -> Result<(), Fault> {
        loop {
            let mut open = None;
            match self.connection(&mut open).await {
                Ok(()) => return Ok(()),
                // Servers end long connections now and then: nothing an admin should read about.
                Err(Fault::Temporary(reason))
                    if open.is_some_and(|since| self.clock.now() - since > SOUND)
                        && !self.stop.is_cancelled() =>
                {
                    tracing::debug!(%reason, "the IMAP connection ended: making a new one");
                }
                Err(_) if self.stop.is_cancelled() => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
    }

    /// One connection, from login to its end; notes since when it is open. A server that takes a minute to
    /// say nothing was never open.
    async fn connection(&self, open: &mut Option<DateTime<Utc>>) -> Result<(), Fault> {
        let name = &self.folder.name;
        let mut imap = Imap::connect(self.settings).await?;
        let opened = if self.settings.imap.mark_seen {
            imap.select(name).await?
        } else {
            imap.examine(name).await?
        };
        if opened.uid_validity == 0 {
            self.intake.warn("the IMAP server gives mails no lasting numbers (no UIDVALIDITY): mail may be read more than once".to_owned());
        }
        *open = Some(self.clock.now());
        let stored = self.intake.cursor(name).await?;
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
        let idles = imap.can_idle() && self.folder.memory.may_idle();
        if !idles {
            self.intake.warn(format!(
                "the IMAP server does not announce new mail (no IDLE): looking every {} s",
                POLL.as_secs()
            ));
        }
        let mut earlier: Option<Option<Earlier>> = None;
        loop {
            self.catch_up(&mut imap, &mut place).await?;
            self.intake.alive();
            if self.stop.is_cancelled() {
                imap.logout().await;
                return Ok(());
            }
            // Only now: earlier mail ends where live reading is.
            if earlier.is_none() {
                earlier = Some(self.ordered(&place).await?);
            }
            if let Some(Some(order)) = &mut earlier {
                if self.take_earlier(&mut imap, order).await? {
                    earlier = Some(None);
                }
                imap.noop().await?;
                continue;
            }
            if self.wait(&mut imap, idles).await? == Wake::Stop {
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
                self.folder.memory.idle_was_refused();
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
        let memory = &self.folder.memory;
        for chunk in wanted.chunks(LIST_MAILS) {
            let listed = imap.list(chunk).await?;
            let mut rest = listed.as_slice();
            while !rest.is_empty() {
                if self.stop.is_cancelled() {
                    return Ok(());
                }
                self.behind(rest.iter().filter_map(|mail| mail.arrived).min());
                let (batch, after) = rest.split_at(next_len(rest, memory));
                let last = batch.last().map_or(place.last_uid, |mail| mail.uid);
                let now = self.clock.now();
                let wanted: Vec<Listed> = batch
                    .iter()
                    .copied()
                    .filter(|mail| !place.too_early(mail.uid, mail.arrived.unwrap_or(now)))
                    .collect();
                let _turn = turn(&wanted).await;
                let taken = self.fetch(imap, place.uid_validity, &wanted, memory).await?;
                *place = self.deliver(taken.events, &place.after(last, now)).await?;
                memory.passed(last);
                self.mark(imap, &taken.uids).await?;
                rest = after;
            }
        }
        self.behind(None);
        // The looked-back part is done with, whatever its last mails were. The next commit says so.
        if let Some(back) = &place.look_back {
            *place = place.after(back.below.saturating_sub(1), self.clock.now());
        }
        Ok(())
    }

    fn behind(&self, oldest: Option<DateTime<Utc>>) {
        self.intake.behind(self.lag.note(&self.folder.name, oldest));
    }

    /// What an admin ordered of earlier mail and is not carried out.
    async fn ordered(&self, place: &Place) -> Result<Option<Earlier>, Fault> {
        let order = self.intake.cursor(BackfillOrder::CURSOR).await?;
        let progress = self.intake.cursor(&Backfill::cursor(&self.folder.name)).await?;
        Ok(Earlier::resume(
            order.as_ref(),
            progress.as_ref(),
            place.uid_validity,
            place.last_uid,
            self.streams,
        ))
    }

    /// Takes in one batch of earlier mail; whether that was all.
    async fn take_earlier(&self, imap: &mut Imap, earlier: &mut Earlier) -> Result<bool, Fault> {
        if let Some(search) = earlier.search() {
            earlier.found(imap.search(&search).await?);
            // How much there is shows before the first of it is taken.
            self.deliver_earlier(Vec::new(), earlier).await?;
        }
        let next = earlier.next(BATCH_MAILS).to_vec();
        let Some(mut last) = next.last().copied() else {
            self.deliver_earlier(Vec::new(), earlier).await?;
            return Ok(true);
        };
        let listed = imap.list(&next).await?;
        let memory = &self.folder.earlier;
        let mut taken = Taken::default();
        let mut _turn = None;
        if !listed.is_empty() {
            let batch = listed.get(..next_len(&listed, memory)).unwrap_or_default();
            if batch.len() < listed.len() {
                last = batch.last().map_or(last, |mail| mail.uid);
            }
            let now = self.clock.now();
            let wanted: Vec<Listed> = batch
                .iter()
                .copied()
                .filter(|mail| !earlier.too_early(mail.arrived.unwrap_or(now)))
                .collect();
            _turn = turn(&wanted).await;
            taken = self.fetch(imap, earlier.uid_validity(), &wanted, memory).await?;
        }
        if earlier.is_history() {
            for event in &mut taken.events {
                if let InboundBody::Message(message) = &mut event.body {
                    message.history = true;
                }
            }
        }
        earlier.passed(last);
        self.deliver_earlier(taken.events, earlier).await?;
        memory.passed(last);
        Ok(earlier.is_done())
    }

    async fn deliver_earlier(&self, events: Vec<InboundEvent>, earlier: &Earlier) -> Result<(), Fault> {
        let cursor = Some(Cursor {
            name: Backfill::cursor(&self.folder.name),
            value: earlier.stored()?,
        });
        self.intake.deliver(Batch { events, cursor }).await.map(drop)
    }

    /// One commit of events and place. Only what this returns is where we are.
    async fn deliver(&self, events: Vec<InboundEvent>, place: &Place) -> Result<Place, Fault> {
        let value = serde_json::to_value(place).map_err(|error| Fault::temporary(error.to_string()))?;
        let cursor = Some(Cursor {
            name: self.folder.name.clone(),
            value,
        });
        self.intake.deliver(Batch { events, cursor }).await?;
        Ok(place.clone())
    }

    /// Marks what is stored as seen, if the admin chose so.
    async fn mark(&self, imap: &mut Imap, uids: &[u32]) -> Result<(), Fault> {
        if !self.settings.imap.mark_seen || uids.is_empty() {
            return Ok(());
        }
        match imap.mark_seen(uids).await {
            Err(ImapError::Answer(reason)) => {
                self.intake
                    .warn(format!("mail cannot be marked as seen: {reason}"));
                Ok(())
            }
            result => Ok(result?),
        }
    }

    async fn fetch(
        &self,
        imap: &mut Imap,
        uid_validity: u32,
        wanted: &[Listed],
        memory: &Memory,
    ) -> Result<Taken, Fault> {
        let now = self.clock.now();
        let Some(first) = wanted.first().map(|mail| mail.uid) else {
            return Ok(Taken::default());
        };
        let fetched = match self.fetched(imap, wanted, now).await {
            Ok(fetched) => fetched,
            Err(error) => {
                let last = wanted.last().map_or(first, |mail| mail.uid);
                let lost = matches!(error, ImapError::Lost(_) | ImapError::Disk(_));
                if wanted.len() > 1 || !memory.is_hopeless(first, lost) {
                    memory.failed(first, last);
                    return Err(error.into());
                }
                // Ours to tell, not to solve: the mail stays in the mailbox, and the next ones get through.
                return Ok(Taken {
                    events: vec![unfetched(uid_validity, first, now, &error)],
                    uids: Vec::new(),
                });
            }
        };
        let settings = Arc::clone(self.settings);
        let senders = Arc::clone(self.senders);
        let scratch = self.scratch.to_owned();
        let mapped = tokio::task::spawn_blocking(move || {
            // Each mail's bytes are let go as soon as it is understood.
            let map = |mail: Fetched| {
                let uid = mail.uid;
                let raw = mail.raw(&scratch)?;
                let event = map::map(&raw, &settings).event();
                let event = event.map(|event| match senders.held(&event, &settings.loops) {
                    Some(reason) => InboundEvent {
                        body: switchboard_sdk::InboundBody::Poison {
                            reason,
                            raw: raw.whole(),
                        },
                        ..event
                    },
                    None => tag::routed(event, &raw.bytes, &settings),
                });
                Ok((uid, event))
            };
            fetched.into_iter().map(map).collect::<io::Result<Vec<_>>>()
        })
        .await;
        let mapped = mapped
            .map_err(io::Error::other)
            .and_then(|mapped| mapped)
            .map_err(|error| Fault::temporary(format!("reading mail failed: {error}")))?;
        let mails = mapped.len();
        let mut taken = Taken::default();
        for (uid, event) in mapped {
            if let Some(event) = event {
                taken.events.push(event);
                taken.uids.push(uid);
            }
        }
        tracing::debug!(mails, passed = mails - taken.events.len(), "fetched mail");
        Ok(taken)
    }

    async fn fetched(
        &self,
        imap: &mut Imap,
        mails: &[Listed],
        now: DateTime<Utc>,
    ) -> Result<Vec<Fetched>, ImapError> {
        let (small, long): (Vec<Listed>, Vec<Listed>) =
            mails.iter().partition(|mail| mail.size <= u64::from(PIECE));
        let mut bodies: Vec<(u32, Content)> = Vec::new();
        if !small.is_empty() {
            let uids: Vec<u32> = small.iter().map(|mail| mail.uid).collect();
            let found = imap
                .fetch(&uids, small.iter().map(|mail| mail.size).sum())
                .await?;
            bodies.extend(found.into_iter().map(|(uid, bytes)| (uid, bytes.into())));
        }
        for mail in &long {
            let limit = if mail.size > MAX_MAIL_BYTES {
                BEGINNING_BYTES
            } else {
                MAX_MAIL_BYTES
            };
            let body = imap.fetch_long(mail.uid, limit, self.scratch).await?;
            bodies.extend(body.map(|body| (mail.uid, body)));
        }
        // Of a mail that somebody deletes at this moment, servers give an empty one (RFC 2180 §4.1.3).
        bodies.retain(|(uid, body)| {
            let listed = mails.iter().find(|mail| mail.uid == *uid);
            !body.is_empty() || listed.is_none_or(|mail| mail.size == 0)
        });
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
        let fetched = |(uid, content)| {
            let listed = mails.iter().find(|mail| mail.uid == uid);
            Fetched {
                uid,
                content,
                arrived: listed.and_then(|mail| mail.arrived).unwrap_or(now),
                cut_from: listed.map(|mail| mail.size).filter(|size| *size > MAX_MAIL_BYTES),
            }
        };
        Ok(bodies.into_iter().map(fetched).collect())
    }
}

/// How many of these make the next batch: never none, and one where fetching failed before.
fn next_len(mails: &[Listed], memory: &Memory) -> usize {
    let troubled = mails.first().is_some_and(|mail| memory.alone(mail.uid));
    if troubled { 1 } else { batch_len(mails) }
}

/// The right to hold a large mail, when there is one among these.
async fn turn(mails: &[Listed]) -> Option<tokio::sync::SemaphorePermit<'static>> {
    let bytes: u64 = mails.iter().map(|mail| mail.size.min(MAX_MAIL_BYTES)).sum();
    if bytes <= BATCH_BYTES {
        return None;
    }
    LARGE.acquire().await.ok()
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
        raw: Content::default(),
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
