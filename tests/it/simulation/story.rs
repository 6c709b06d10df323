//! What happens, by chance; and the machine it happens to.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use switchboard::{
    automation::{self, voice::Voice},
    clock::ManualClock,
    connector::registry,
    conversation::{
        message::MessageKind,
        session::{self, Error},
        view::Views,
    },
    db::{
        Db,
        entity::{channel, offer, operator, session as row},
    },
    ingest::Ingest,
    line::store as lines,
    operator::{Availability, Counting, Presence, presence, rights::Role, store as operators},
    outbound::{
        mail::Mail,
        reply::{self, Draft},
    },
    routing::{
        self, Router,
        hand::{self, Transfer},
    },
    storage::Storage,
};
use switchboard_sdk::{
    Batch, CancellationToken, Clock, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage,
    Person,
};

use super::promises;
use crate::support::Database;

/// Clients who write in a story.
const CLIENTS: u64 = 14;
/// A lease of presence, when it is given.
const PRESENT: Duration = Duration::from_secs(240);

/// Numbers by chance, the same for the same seed (splitmix64, Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap();
        from.get(at)
    }
}

pub struct Story {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub counting: Counting,
    chance: Chance,
    ingest: Ingest,
    writer: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    views: Views,
    voice: Voice,
    routers: Vec<Router>,
    operators: Vec<String>,
    lines: Vec<String>,
    channels: Vec<String>,
    /// Messages of clients that were acknowledged.
    pub delivered: u64,
    told: Vec<String>,
    _database: Database,
}

impl Story {
    pub async fn begin(database: Database, seed: u64) -> Self {
        let db = database.open().await;
        let clock = ManualClock::at(DateTime::from_timestamp(1_800_014_400, 0).unwrap());
        let stop = CancellationToken::new();
        let storage = Storage::open(&format!("file://{}/files", database.folder.path().display())).unwrap();
        let (ingest, writer) = Ingest::start(db.clone(), storage, clock.clone(), stop.clone());
        let views = Views::new(registry::ALL.iter().map(|one| (one.kind, one.capabilities)));
        let mut chance = Chance(seed);
        let counting = Counting {
            client_wait_secs: [None, Some(90), Some(1800)][usize::try_from(chance.below(3)).unwrap()],
            ..Counting::default()
        };
        let mut story = Self {
            counting,
            chance,
            ingest,
            writer: tokio::spawn(writer),
            stop,
            voice: Voice::new(views.clone(), counting.into(), "http://chat.example"),
            views,
            routers: Vec::new(),
            operators: Vec::new(),
            lines: Vec::new(),
            channels: Vec::new(),
            delivered: 0,
            told: Vec::new(),
            db,
            clock,
            _database: database,
        };
        story.people().await;
        story.lines_and_channels().await;
        story.routers = vec![story.router(), story.router()];
        story
    }

    fn router(&self) -> Router {
        Router::new(self.db.clone(), self.clock.clone(), self.counting.into())
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn people(&mut self) {
        for number in 0..5_u32 {
            let mut write = self.db.write().await.unwrap();
            let new = operators::NewOperator {
                email: Some(format!("operator{number}@example.com")),
                name: format!("Operator {number}"),
                role: Some(Role::Operator),
                role_id: None,
                password_hash: None,
                languages: Vec::new(),
                skills: Vec::new(),
                capacity: Some(f64::from(1 + number % 3)),
                service: false,
            };
            let made = operators::create(&mut write, new, self.now()).await.unwrap();
            write.commit().await.unwrap();
            self.operators.push(made.id);
        }
    }

    async fn lines_and_channels(&mut self) {
        let overflow = self
            .line(
                "Overflow",
                json!({"distribution": "least_loaded"}),
                &[0, 1, 2, 3, 4],
            )
            .await;
        let asking = json!({
            "distribution": "strict", "acceptance": "offer", "offer_timeout_secs": 20,
            "overflow": {"line_id": overflow, "after_secs": 900}
        });
        let ways = [
            (
                json!({"distribution": "even", "return_after_secs": 300, "limit_per_operator": 2}),
                &[0, 1, 2][..],
            ),
            (asking, &[1, 2, 3]),
            (
                json!({"distribution": "all", "acceptance": "offer", "offer_timeout_secs": 30}),
                &[0, 3, 4],
            ),
        ];
        for (number, (rules, queue)) in ways.into_iter().enumerate() {
            let line = self.line(&format!("Line {number}"), rules, queue).await;
            self.lines.push(line.clone());
            let id = format!("chn_{number}");
            let now = self.now();
            let write = self.db.write().await.unwrap();
            let row = channel::ActiveModel {
                id: Set(id.clone()),
                key: Set(format!("chat{number}")),
                kind: Set("webchat".to_owned()),
                line_id: Set(line),
                name: Set("Chat".to_owned()),
                enabled: Set(true),
                settings: Set(json!({})),
                secrets: Set(None),
                version: Set(1),
                health_state: Set("ok".to_owned()),
                last_success_at: Set(None),
                last_error: Set(None),
                last_error_at: Set(None),
                looked_at: Set(None),
                behind_since: Set(None),
                created_at: Set(now),
                updated_at: Set(now),
            };
            channel::Entity::insert(row)
                .exec_without_returning(write.tx())
                .await
                .unwrap();
            write.commit().await.unwrap();
            self.channels.push(id);
        }
        self.lines.push(overflow);
    }

    async fn line(&self, name: &str, rules: Value, queue: &[usize]) -> String {
        let queue: Vec<Value> = queue
            .iter()
            .map(|at| json!({"operator_id": self.operators[*at]}))
            .collect();
        let mut all = json!({"name": name, "queue": queue, "sticky": {"enabled": false}});
        all.as_object_mut()
            .unwrap()
            .extend(rules.as_object().unwrap().clone());
        let change: lines::Change = serde_json::from_value(all).unwrap();
        let mut write = self.db.write().await.unwrap();
        let made = lines::create(&mut write, change, None, self.now()).await.unwrap();
        write.commit().await.unwrap();
        made.id
    }

    /// One thing happens, the routers look at it, and the promises hold.
    pub async fn step(&mut self) {
        let by = TimeDelta::milliseconds(i64::try_from(self.chance.below(30_000)).unwrap());
        // The machine slept, or its clock was set.
        let jump = TimeDelta::hours(if self.chance.one_in(60) { 2 } else { 0 });
        self.clock.advance(by + jump);
        let what = self.something().await;
        self.told.push(what);
        if self.told.len() > 12 {
            self.told.remove(0);
        }
        let before = promises::Owners::of(&self.db).await;
        if self.chance.one_in(6) {
            self.die_in_the_middle().await;
        }
        for router in &mut self.routers {
            router.step().await.unwrap();
        }
        if let Err(broken) = promises::look(self, &before).await {
            panic!("{broken}\nat {}; the last steps: {:#?}", self.now(), self.told);
        }
    }

    /// A router or the timers of the lines stop between two awaits; a router that starts anew knows
    /// nothing but what is stored.
    async fn die_in_the_middle(&mut self) {
        let polls = 1 + self.chance.below(40);
        if self.chance.one_in(3) {
            let now = self.now();
            let tick = automation::tick(&self.db, &self.voice, now);
            Cut {
                work: Box::pin(tick),
                polls,
            }
            .await;
        } else {
            let at = usize::try_from(self.chance.below(self.routers.len() as u64)).unwrap();
            let fresh = self.router();
            let mut router = std::mem::replace(&mut self.routers[at], fresh);
            let work = async move { router.step().await };
            Cut {
                work: Box::pin(work),
                polls,
            }
            .await;
        }
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.writer.await.unwrap();
    }

    async fn something(&mut self) -> String {
        match self.chance.below(34) {
            0..=9 => self.a_client_writes().await,
            10..=13 => self.somebody_comes().await,
            14 => self.somebody_goes().await,
            15 | 16 => self.somebody_pauses_or_goes_on().await,
            17..=19 => self.an_owner_answers().await,
            20..=22 => self.an_owner_closes().await,
            23..=26 => self.somebody_answers_an_offer().await,
            27 => self.an_owner_gives_back().await,
            28 => self.an_owner_transfers().await,
            29 => self.somebody_takes_by_hand().await,
            30 => self.a_line_changes().await,
            _ => {
                let now = self.now();
                automation::tick(&self.db, &self.voice, now).await.unwrap();
                "the timers of the lines tick".to_owned()
            }
        }
    }

    async fn a_client_writes(&mut self) -> String {
        let client = self.chance.below(CLIENTS);
        let Some(channel) = self.chance.pick(&self.channels).cloned() else {
            return String::new();
        };
        self.delivered += 1;
        let identity = Identity {
            kind: IdentityKind::External,
            value: format!("client {client}"),
            verified: true,
        };
        let event = InboundEvent {
            external_id: format!("m{}", self.delivered),
            at: self.now(),
            body: InboundBody::Message(InboundMessage {
                from: Person {
                    identities: vec![identity],
                    ..Person::default()
                },
                text: "Hello".to_owned(),
                ..InboundMessage::default()
            }),
        };
        self.ingest
            .deliver(&channel, Batch::one(event.clone()))
            .await
            .unwrap();
        if self.chance.one_in(5) {
            // The provider did not hear the acknowledgement.
            self.ingest.deliver(&channel, Batch::one(event)).await.unwrap();
        }
        format!("client {client} writes on {channel}")
    }

    fn somebody(&mut self) -> String {
        self.chance.pick(&self.operators).cloned().unwrap()
    }

    async fn somebody_comes(&mut self) -> String {
        let who = self.somebody();
        presence::touch(&self.db, &who, "story", Presence::Online, PRESENT, self.now())
            .await
            .unwrap();
        format!("{who} is there")
    }

    async fn somebody_goes(&mut self) -> String {
        let who = self.somebody();
        presence::leave(&self.db, &who, "story", Duration::ZERO, self.now())
            .await
            .unwrap();
        format!("{who} goes")
    }

    async fn somebody_pauses_or_goes_on(&mut self) -> String {
        let who = self.somebody();
        let state = if self.chance.one_in(2) {
            Availability::Paused
        } else {
            Availability::Accepting
        };
        let mut write = self.db.write().await.unwrap();
        operators::set_availability(&mut write, &who, state, None, self.now())
            .await
            .unwrap();
        write.commit().await.unwrap();
        format!("{who} says {}", state.as_str())
    }

    /// A session with its owner, by chance.
    async fn owned(&mut self) -> Option<(row::Model, operator::Model)> {
        let owned = row::Entity::find()
            .filter(row::Column::State.eq("assigned"))
            .order_by_asc(row::Column::OpenedAt)
            .order_by_asc(row::Column::WaitingSince)
            .all(self.db.read())
            .await
            .unwrap();
        let session = self.chance.pick(&owned)?.clone();
        let owner = self.operator(session.operator_id.as_ref()?).await;
        Some((session, owner))
    }

    async fn operator(&self, id: &str) -> operator::Model {
        operator::Entity::find_by_id(id)
            .one(self.db.read())
            .await
            .unwrap()
            .unwrap()
    }

    async fn an_owner_answers(&mut self) -> String {
        let Some((session, owner)) = self.owned().await else {
            return "nobody has anything to answer".to_owned();
        };
        let draft = Draft {
            kind: MessageKind::Reply,
            text: "Here it is".to_owned(),
            client_id: None,
            attachment_ids: Vec::new(),
            mail: Mail::default(),
            reply_to: None,
            extra: switchboard::conversation::extra::Extra::default(),
        };
        let mut write = self.db.write().await.unwrap();
        reply::post(
            &mut write,
            &self.views,
            &session.conversation_id,
            &owner,
            draft,
            self.now(),
        )
        .await
        .unwrap();
        write.commit().await.unwrap();
        format!("{} answers {}", owner.id, session.id)
    }

    async fn an_owner_closes(&mut self) -> String {
        let Some((session, owner)) = self.owned().await else {
            return "nobody has anything to close".to_owned();
        };
        let mut write = self.db.write().await.unwrap();
        session::close(&mut write, &session.conversation_id, &owner, None, self.now())
            .await
            .unwrap();
        write.commit().await.unwrap();
        format!("{} closes {}", owner.id, session.id)
    }

    async fn somebody_answers_an_offer(&mut self) -> String {
        let open = offer::Entity::find()
            .filter(offer::Column::EndedAt.is_null())
            .order_by_asc(offer::Column::OfferedAt)
            .order_by_asc(offer::Column::OperatorId)
            .all(self.db.read())
            .await
            .unwrap();
        let Some(offer) = self.chance.pick(&open).cloned() else {
            return "nobody is asked".to_owned();
        };
        let who = self.operator(&offer.operator_id).await;
        let (id, now) = (&offer.conversation_id, self.now());
        let accepts = !self.chance.one_in(3);
        let mut write = self.db.write().await.unwrap();
        let done = if accepts {
            routing::offer::accept(&mut write, id, &who, &self.counting, now).await
        } else {
            routing::offer::decline(&mut write, id, &who, None, now).await
        };
        match done {
            Ok(()) => write.commit().await.unwrap(),
            // Too late, or full by what was taken meanwhile.
            Err(Error::Refused(_) | Error::AtCapacity) => drop(write),
            Err(other) => panic!("{other:?}"),
        }
        format!(
            "{} {} {}",
            who.id,
            if accepts { "accepts" } else { "declines" },
            offer.session_id
        )
    }

    async fn an_owner_gives_back(&mut self) -> String {
        let Some((session, owner)) = self.owned().await else {
            return "nobody has anything to give back".to_owned();
        };
        let mut write = self.db.write().await.unwrap();
        hand::give_back(&mut write, &session.conversation_id, &owner, self.now())
            .await
            .unwrap();
        write.commit().await.unwrap();
        format!("{} gives {} back", owner.id, session.id)
    }

    async fn an_owner_transfers(&mut self) -> String {
        let Some((session, owner)) = self.owned().await else {
            return "nobody has anything to transfer".to_owned();
        };
        let how = Transfer::default();
        let now = self.now();
        let mut write = self.db.write().await.unwrap();
        let id = &session.conversation_id;
        let (to, done) = if self.chance.one_in(2) {
            let line = self.chance.pick(&self.lines).cloned().unwrap();
            let done = hand::transfer_to_line(&mut write, id, &owner, &line, &how, now).await;
            (line, done)
        } else {
            let to = self.chance.pick(&self.operators).cloned().unwrap();
            let done =
                hand::transfer_to_operator(&mut write, id, &owner, &to, &how, &self.counting, now).await;
            (to, done)
        };
        match done {
            Ok(()) => write.commit().await.unwrap(),
            Err(Error::AtCapacity) => drop(write),
            Err(other) => panic!("{other:?}"),
        }
        format!("{} transfers {} to {to}", owner.id, session.id)
    }

    async fn somebody_takes_by_hand(&mut self) -> String {
        let queued = row::Entity::find()
            .filter(row::Column::State.is_in(["waiting", "offered"]))
            .order_by_asc(row::Column::WaitingSince)
            .order_by_asc(row::Column::OpenedAt)
            .all(self.db.read())
            .await
            .unwrap();
        let who = self.somebody();
        let Some(session) = self.chance.pick(&queued).cloned() else {
            return "nobody waits to be taken".to_owned();
        };
        let by = self.operator(&who).await;
        let mut write = self.db.write().await.unwrap();
        match hand::take(
            &mut write,
            &session.conversation_id,
            &by,
            false,
            &self.counting,
            self.now(),
        )
        .await
        {
            Ok(()) => write.commit().await.unwrap(),
            Err(Error::AtCapacity) => drop(write),
            Err(other) => panic!("{other:?}"),
        }
        format!("{who} takes {}", session.id)
    }

    async fn a_line_changes(&mut self) -> String {
        let at = usize::try_from(self.chance.below(3)).unwrap();
        let line = self.lines[at].clone();
        let distribution = ["strict", "even", "least_loaded"][usize::try_from(self.chance.below(3)).unwrap()];
        let change = json!({"distribution": distribution});
        let mut write = self.db.write().await.unwrap();
        let change: lines::Change = serde_json::from_value(change).unwrap();
        lines::update(&mut write, &line, change, None, self.now())
            .await
            .unwrap();
        write.commit().await.unwrap();
        format!("{line} is {distribution} now")
    }

    /// The ids of the operators.
    pub fn everybody(&self) -> Vec<String> {
        self.operators.clone()
    }

    /// The ids of the lines.
    pub fn all_lines(&self) -> Vec<String> {
        self.lines.clone()
    }
}

/// Work that is dropped after so many polls, as a process is that dies.
struct Cut<F> {
    work: Pin<Box<F>>,
    polls: u64,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.work.as_mut().poll(context).map(Some)
    }
}
