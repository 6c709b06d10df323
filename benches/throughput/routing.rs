//! The router: how long a decision takes, how many sessions it places, and how soon an operator who
//! becomes free has the next one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use switchboard::{
    clock::{Clock, SystemClock},
    conversation::session,
    db::{
        Db,
        entity::{channel, operator, presence_lease, session as row},
    },
    ingest::Ingest,
    line::{Rules, store as lines},
    operator::{
        Availability, Counting, Presence, load::Load, presence::Observed, rights::Role, store as people,
    },
    routing::{
        self, Router,
        plan::plan,
        world::{LineState, OperatorState, Round, Waiting, World},
    },
    storage::Storage,
};
use switchboard_sdk::{
    Batch, CancellationToken, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Person,
};

/// Operators in a line's queue.
const QUEUE: usize = 10;
/// Sessions each of them can hold.
const CAPACITY: f64 = 5.0;
/// Messages brought in at once.
const BATCH: usize = 100;
/// Sessions the router plans at once, at most.
const PAGE: usize = 500;
/// Operators who become free, one after another.
const FREED: usize = 300;

pub async fn measure() {
    decisions();
    for (operators, waiting) in [(100, 10_000), (1_000, 100_000)] {
        placements(operators, waiting).await;
    }
}

/// The rule alone, in memory.
fn decisions() {
    println!("\nrouting: one decision, in memory; a page is what the router plans at once");
    println!("| operators | in a queue | waiting | µs a decision about all | µs a decision about a page |");
    println!("|---|---|---|---|---|");
    for (operators, queue, waiting) in [
        (100, QUEUE, 10_000),
        (1_000, QUEUE, 100_000),
        (100, 100, 10_000),
        (1_000, 1_000, 100_000),
    ] {
        let mut world = world(operators, queue, waiting);
        let all = each(&world, 5);
        world.waiting.truncate(PAGE);
        println!(
            "| {operators} | {queue} | {waiting} | {all:.2} | {:.2} |",
            each(&world, 100)
        );
    }
}

/// Microseconds a decision takes in a plan about everybody who waits; the median of so many plans.
fn each(world: &World, plans: usize) -> f64 {
    let now = SystemClock.now();
    let mut took: Vec<f64> = (0..plans)
        .map(|_| {
            let begun = Instant::now();
            std::hint::black_box(plan(world, now));
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    took.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let waiting = world.waiting.len() as f64;
    took[took.len() / 2] / waiting
}

fn world(operators: usize, queue: usize, waiting: usize) -> World {
    let now = SystemClock.now();
    let name = |at: usize| format!("opr_{at:05}");
    let state = OperatorState {
        may_answer: true,
        enabled: true,
        availability: Availability::Accepting,
        observed: Observed {
            presence: Presence::Online,
            gone_since: None,
        },
        languages: vec!["en".to_owned()],
        skills: Vec::new(),
        capacity: CAPACITY,
        load: Load::default(),
    };
    let lines = (0..operators / queue).map(|line| {
        let members: Vec<String> = (line * queue..(line + 1) * queue).map(name).collect();
        let state = LineState {
            version: 1,
            enabled: true,
            rules: Rules::default(),
            turns: members.iter().map(|id| (id.clone(), now)).collect(),
            queue: members,
            overflow_to: None,
        };
        (format!("lin_{line:04}"), state)
    });
    let lines: BTreeMap<String, LineState> = lines.collect();
    let count = lines.len();
    World {
        lines,
        operators: (0..operators).map(|at| (name(at), state.clone())).collect(),
        waiting: (0..waiting)
            .map(|at| Waiting {
                due_at: None,
                session_id: format!("ses_{at:06}"),
                version: 1,
                conversation_id: format!("cnv_{at:06}"),
                line_id: format!("lin_{:04}", at % count),
                weight: 1.0,
                priority: 0,
                waiting_since: now,
                language: None,
                responsible: None,
                declined: BTreeSet::new(),
                lapsed: BTreeSet::new(),
                round: Round::default(),
            })
            .collect(),
    }
}

/// The whole router on SQLite: everybody comes online at once; then one after another closes a session.
async fn placements(operators: usize, waiting: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.db");
    let db = Db::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    let staff = staff(&db, operators).await;
    queue_up(&db, &staff.lines, waiting, &folder.path().join("files")).await;
    let begun = Instant::now();
    let mut router = Router::new(db.clone(), Arc::new(SystemClock), Counting::default().into());
    router.step().await.unwrap();
    let took = begun.elapsed();
    let placed = row::Entity::find()
        .filter(row::Column::State.eq("assigned"))
        .count(db.read())
        .await
        .unwrap();
    println!(
        "\nrouting: {operators} operators on {} lines, {waiting} waiting: {placed} placed in {took:.1?}, {:.0} a second",
        staff.lines.len(),
        f64::from(u32::try_from(placed).unwrap()) / took.as_secs_f64()
    );
    freed(&db, &staff).await;
}

struct Staff {
    lines: Vec<String>,
    people: Vec<String>,
}

async fn staff(db: &Db, operators: usize) -> Staff {
    let now = SystemClock.now();
    let mut write = db.write().await.unwrap();
    let mut made = Vec::with_capacity(operators);
    for number in 0..operators {
        let new = people::NewOperator {
            email: None,
            name: format!("Operator {number}"),
            role: Some(Role::Operator),
            role_id: None,
            password_hash: None,
            languages: Vec::new(),
            skills: Vec::new(),
            capacity: Some(CAPACITY),
            service: true,
        };
        made.push(people::create(&mut write, new, now).await.unwrap().id);
    }
    for id in &made {
        let lease = presence_lease::ActiveModel {
            operator_id: Set(id.clone()),
            source: Set("bench".to_owned()),
            state: Set(Presence::Online.as_str().to_owned()),
            expires_at: Set(now + chrono::TimeDelta::hours(1)),
        };
        presence_lease::Entity::insert(lease)
            .exec_without_returning(write.tx())
            .await
            .unwrap();
    }
    let mut all = Vec::new();
    for (number, members) in made.chunks(QUEUE).enumerate() {
        let queue: Vec<_> = members.iter().map(|id| json!({"operator_id": id})).collect();
        let change = json!({"name": format!("Line {number}"), "queue": queue, "sticky": {"enabled": false}});
        let change = serde_json::from_value(change).unwrap();
        all.push(lines::create(&mut write, change, None, now).await.unwrap().id);
    }
    write.commit().await.unwrap();
    Staff {
        lines: all,
        people: made,
    }
}

/// Clients who write for the first time, round the lines.
async fn queue_up(db: &Db, lines: &[String], waiting: usize, files: &Path) {
    let now = SystemClock.now();
    let write = db.write().await.unwrap();
    for (at, line) in lines.iter().enumerate() {
        let chat = channel::ActiveModel {
            id: Set(format!("chn_{at}")),
            key: Set(format!("chat{at}")),
            kind: Set("webchat".to_owned()),
            line_id: Set(line.clone()),
            name: Set("Chat".to_owned()),
            enabled: Set(true),
            settings: Set(json!({})),
            secrets: Set(None),
            version: Set(1),
            health_state: Set("ok".to_owned()),
            last_success_at: Set(None),
            last_error: Set(None),
            last_error_at: Set(None),
            behind_since: Set(None),
            looked_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
        };
        channel::Entity::insert(chat)
            .exec_without_returning(write.tx())
            .await
            .unwrap();
    }
    write.commit().await.unwrap();
    let storage = Storage::open(&format!("file://{}", files.display())).unwrap();
    let stop = CancellationToken::new();
    let (ingest, writer) = Ingest::start(db.clone(), storage, Arc::new(SystemClock), stop.clone());
    let writer = tokio::spawn(writer);
    let all: Vec<usize> = (0..waiting).collect();
    for (number, some) in all.chunks(BATCH).enumerate() {
        let batch = Batch {
            events: some.iter().map(|client| hello(*client, now)).collect(),
            cursor: None,
        };
        let channel = format!("chn_{}", number % lines.len());
        ingest.deliver(&channel, batch).await.unwrap();
    }
    stop.cancel();
    writer.await.unwrap();
}

fn hello(client: usize, at: DateTime<Utc>) -> InboundEvent {
    let identity = Identity {
        kind: IdentityKind::External,
        value: format!("client {client}"),
        verified: true,
    };
    InboundEvent {
        external_id: format!("m{client}"),
        at,
        body: InboundBody::Message(InboundMessage {
            from: Person {
                identities: vec![identity],
                ..Person::default()
            },
            text: "Hello".to_owned(),
            ..InboundMessage::default()
        }),
    }
}

/// One after another closes a session while the router runs; how long until they have the next one.
async fn freed(db: &Db, staff: &Staff) {
    let stop = CancellationToken::new();
    let clock = Arc::new(SystemClock);
    let router = tokio::spawn(routing::run(
        db.clone(),
        clock,
        Counting::default().into(),
        stop.clone(),
    ));
    let mut head = db.head();
    let mut took = Vec::with_capacity(FREED);
    // The first look at everything is not what is measured.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for number in 0..FREED {
        let id = &staff.people[number * 7 % staff.people.len()];
        let owner = operator::Entity::find_by_id(id)
            .one(db.read())
            .await
            .unwrap()
            .unwrap();
        let held = row::Entity::find()
            .filter(row::Column::OperatorId.eq(id))
            .filter(row::Column::State.eq("assigned"))
            .order_by_asc(row::Column::AssignedAt)
            .one(db.read())
            .await
            .unwrap()
            .unwrap();
        let mut write = db.write().await.unwrap();
        session::close(&mut write, &held.conversation_id, &owner, None, SystemClock.now())
            .await
            .unwrap();
        write.commit().await.unwrap();
        let begun = Instant::now();
        loop {
            head.mark_unchanged();
            let owned = row::Entity::find()
                .filter(row::Column::OperatorId.eq(id))
                .filter(row::Column::State.eq("assigned"))
                .count(db.read())
                .await
                .unwrap();
            if f64::from(u32::try_from(owned).unwrap()) >= CAPACITY {
                break;
            }
            head.changed().await.unwrap();
        }
        took.push(begun.elapsed());
    }
    stop.cancel();
    router.await.unwrap();
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!(
        "routing: from free to the next session at {} lines: p50 {:.1?}, p99 {:.1?}, the longest {:.1?} of {}",
        staff.lines.len(),
        at(50),
        at(99),
        at(100),
        took.len()
    );
}
