//! The receiving half: asks for updates, or sees to it that they are brought.
//!
//! Asking says by its offset what was taken. teloxide's own loop moves it when updates arrive; here it is moved by
//! the question after the commit, and the place stands in the commit itself. A kill between loses nothing: what was
//! not committed is asked for again, what was committed and not told is recognised.
//!
//! Places are taken as they come and never compared: after a quiet week Telegram begins its numbers anew.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use switchboard_sdk::{Batch, CancellationToken, Clock, Cursor, Fault, InboundBody, InboundEvent, Intake};
use tokio::time::sleep;

use crate::{
    api::{Api, LONG_POLL},
    bots::Claim,
    fetch,
    map::{self, Pressed},
    settings::{Mode, Settings},
    trouble::Trouble,
};

/// At most this many bytes of files are in memory for one batch, and one file more.
const BATCH_BYTES: u64 = 24 << 20;
/// How many questions in a row may fail before that is a failure of the channel,
const HICCUPS: u32 = 3;
/// and the pause after the first of them.
const PAUSE: Duration = Duration::from_millis(500);
/// How often the webhook is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// One run of the receiver.
pub struct Run<'a> {
    /// The bot.
    pub api: &'a Api,
    /// The channel's settings.
    pub settings: &'a Settings,
    /// Its name, for the channel that wants the same bot.
    pub channel_name: &'a str,
    /// Where Telegram is to bring updates.
    pub hook: &'a Hook,
    /// The largest file that is taken.
    pub file_limit: u64,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Where events go.
    pub intake: &'a dyn Intake,
    /// Fires when it is to end.
    pub stop: &'a CancellationToken,
}

/// Where Telegram is to bring updates, and how it proves itself.
#[derive(Clone)]
pub struct Hook {
    /// The address.
    pub url: String,
    /// The word.
    pub secret: String,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What of a list of updates is ready to be handed over.
#[derive(Default)]
struct Ready {
    events: Vec<InboundEvent>,
    pressed: Vec<Pressed>,
    bytes: u64,
}

impl Run<'_> {
    /// Runs until stopped.
    pub async fn run(&self) -> Result<(), Fault> {
        tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            result = self.receive() => result,
        }
    }

    async fn receive(&self) -> Result<(), Fault> {
        let bot = self.settings.bot_id();
        let _claim = Claim::take(&self.settings.api_url, bot, self.channel_name).map_err(|other| {
            Fault::temporary(format!(
                "the channel {other:?} receives for this bot already, and Telegram gives each message to one receiver alone: make another bot for this channel with @BotFather, or switch one of the two off"
            ))
        })?;
        self.api.me().await.map_err(Trouble::fault)?;
        if !self.settings.commands.is_empty()
            && let Err(trouble) = self.api.set_commands().await
        {
            self.intake.warn(format!("the commands were not set: {trouble}"));
        }
        match self.settings.mode {
            Mode::Polling => self.poll().await,
            Mode::Webhook => self.watch().await,
        }
    }

    async fn poll(&self) -> Result<(), Fault> {
        // Telegram gives nothing to those who ask while it is told to bring.
        let told = match self.api.webhook().await {
            Ok(webhook) => !webhook.url.is_empty(),
            // Not every server that speaks this protocol says it.
            Err(Trouble::Refused(_) | Trouble::Unknown(_)) => true,
            Err(trouble) => return Err(trouble.fault()),
        };
        if told {
            self.api.delete_webhook().await.map_err(Trouble::fault)?;
        }
        let cursor = format!("updates {}", self.settings.bot_id());
        let stored = self.intake.cursor(&cursor).await?;
        let mut offset = stored.as_ref().and_then(|place| place.get("offset")?.as_i64());
        // The first answer says whether all is well; only then is there time to wait for news.
        let mut wait = Duration::ZERO;
        let mut failures = 0;
        loop {
            let updates = match self.api.updates(offset, wait).await {
                Ok(updates) => updates,
                // Long connections end now and then: nothing an admin should read about.
                Err(trouble) if trouble.is_passing() && failures < HICCUPS && wait > Duration::ZERO => {
                    failures += 1;
                    tracing::debug!(%trouble, "asking again for updates");
                    sleep(PAUSE * failures).await;
                    continue;
                }
                Err(trouble) => return Err(trouble.fault()),
            };
            (wait, failures) = (LONG_POLL, 0);
            if updates.is_empty() {
                self.intake.behind(None);
                self.intake.alive();
                continue;
            }
            offset = Some(self.take(&cursor, &updates).await?);
        }
    }

    /// Hands updates over, in as many batches as their files need; answers where to go on.
    async fn take(&self, cursor: &str, updates: &[Value]) -> Result<i64, Fault> {
        self.intake.behind(oldest(updates));
        let mut ready = Ready::default();
        let (mut after, mut stored) = (0, 0);
        for update in updates {
            let number = map::update_id(update).ok_or_else(|| {
                Fault::temporary(
                    "the Bot API server gave an update without a number: that is none of Telegram's",
                )
            })?;
            if let Err(trouble) = self.prepare(update, &mut ready).await {
                // What is ready is not held up by what is not.
                if after != stored {
                    self.deliver(cursor, after, &mut ready).await?;
                }
                return Err(trouble.fault());
            }
            after = number + 1;
            if ready.bytes > BATCH_BYTES {
                self.deliver(cursor, after, &mut ready).await?;
                stored = after;
            }
        }
        if after != stored {
            self.deliver(cursor, after, &mut ready).await?;
        }
        Ok(after)
    }

    async fn prepare(&self, update: &Value, ready: &mut Ready) -> Result<(), Trouble> {
        let now = self.clock.now();
        let taken = map::map(update, &self.api.known(), self.settings, now);
        if let Some(why) = taken.passed_over {
            tracing::debug!(update = map::update_id(update), why, "an update is passed over");
        }
        for draft in taken.drafts {
            let event = fetch::complete(self.api, draft, self.file_limit, now).await?;
            ready.bytes += size(&event);
            ready.events.push(event);
        }
        ready.pressed.extend(taken.pressed);
        Ok(())
    }

    /// One commit of events and place.
    async fn deliver(&self, cursor: &str, after: i64, ready: &mut Ready) -> Result<(), Fault> {
        let Ready { events, pressed, .. } = std::mem::take(ready);
        let cursor = Some(Cursor {
            name: cursor.to_owned(),
            value: json!({"offset": after}),
        });
        self.intake.deliver(Batch { events, cursor }).await?;
        for press in pressed {
            let api = self.api.clone();
            // A press that is answered late or never only spins a little longer.
            tokio::spawn(async move {
                if let Err(trouble) = api.answer_press(&press.id).await {
                    tracing::debug!(%trouble, "a pressed button was not answered");
                }
            });
        }
        Ok(())
    }

    /// Has updates brought, and looks now and then whether they still are.
    async fn watch(&self) -> Result<(), Fault> {
        let (mut told, mut first) = (None, true);
        loop {
            let state = self.api.webhook().await.map_err(Trouble::fault)?;
            if first || state.url != self.hook.url {
                if !first {
                    self.intake.warn(
                        "somebody else changed this bot's webhook, and it was set back: another program uses the same bot"
                            .to_owned(),
                    );
                }
                self.api
                    .set_webhook(&self.hook.url, &self.hook.secret)
                    .await
                    .map_err(Trouble::fault)?;
            }
            first = false;
            let failed = state
                .last_error_date
                .and_then(|at| DateTime::from_timestamp(at, 0));
            if let Some(at) =
                failed.filter(|at| self.clock.now() - *at < TimeDelta::seconds(120) && told != Some(*at))
            {
                told = Some(at);
                let words = state.last_error_message.unwrap_or_default();
                self.intake.warn(format!(
                    "Telegram cannot bring messages to {}: {words}",
                    self.hook.url
                ));
            }
            self.intake
                .behind(failed.filter(|_| state.pending_update_count > 0));
            self.intake.alive();
            sleep(LOOK).await;
        }
    }
}

/// When the oldest message of the list was written.
fn oldest(updates: &[Value]) -> Option<DateTime<Utc>> {
    let date = |update: &Value| {
        let fields = update.as_object()?;
        fields.values().find_map(|body| body.get("date")?.as_i64())
    };
    let oldest = updates.iter().filter_map(date).min()?;
    DateTime::from_timestamp(oldest, 0)
}

fn size(event: &InboundEvent) -> u64 {
    match &event.body {
        InboundBody::Message(message) => message.attachments.iter().map(|file| file.data.len()).sum(),
        InboundBody::Edit(edit) => edit
            .attachments
            .iter()
            .flatten()
            .map(|file| file.data.len())
            .sum(),
        _ => 0,
    }
}
