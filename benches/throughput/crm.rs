//! The board, the list and the card in a company with a million leads and 200,000 deals: how long each question of
//! the app takes. Seeded by the database itself, in statements that make all rows of a table.

use std::{collections::BTreeSet, path::Path, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use switchboard::{
    clock::{Clock, SystemClock},
    db::Db,
    deal::{
        funnel,
        pipeline::{self, Pipeline},
        store::{self as deals, Filter},
        view,
    },
    lead::store as leads,
    operator::rights::{Role, Scope},
    task::store as tasks,
};

const LEADS: usize = 1_000_000;
const DEALS: usize = 200_000;
const CONTACTS: usize = 400_000;
const OPERATORS: usize = 50;
/// How often each question is asked.
const ASKED: usize = 200;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.db");
    let begun = Instant::now();
    let db = Db::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    seed(&db).await;
    println!(
        "\ncrm: {LEADS} leads, {DEALS} deals, {CONTACTS} contacts seeded in {:.0} s, {} MB",
        begun.elapsed().as_secs_f64(),
        megabytes(&path)
    );
    let sales = pipeline::list(db.read()).await.unwrap().remove(0);
    println!("| question | who | p50 ms | p99 ms |");
    println!("|---|---|---|---|");
    for (who, scope) in [
        ("supervisor", scope(Role::Supervisor)),
        ("operator", scope(Role::Operator)),
    ] {
        board(&db, who, &scope, &sales).await;
        lists(&db, who, &scope).await;
        cards(&db, who, &scope).await;
    }
    let all = scope(Role::Supervisor);
    let now = SystemClock.now();
    let question = funnel::Question {
        from: now - TimeDelta::days(90),
        to: now,
        operator_id: None,
        line_id: None,
    };
    let begun = Instant::now();
    let report = funnel::read(db.read(), &all, &sales, &question, now)
        .await
        .unwrap();
    println!(
        "the funnel of 90 days, {} deals: {:.0} ms",
        report.deals,
        begun.elapsed().as_secs_f64() * 1e3
    );
    db.close().await.unwrap();
}

fn scope(role: Role) -> Scope {
    Scope::new("opr_00000007", role, BTreeSet::from(["lin_00000003".to_owned()]))
}

fn megabytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len() / 1_000_000
}

/// What the board asks when it opens: a page of each column and the totals.
async fn board(db: &Db, who: &str, scope: &Scope, sales: &Pipeline) {
    let (mut columns, mut totals) = (Vec::new(), Vec::new());
    for _ in 0..ASKED / sales.stages.len() {
        for stage in &sales.stages {
            let filter = Filter {
                stage_id: Some(stage.id.clone()),
                ..Filter::default()
            };
            let begun = Instant::now();
            let (rows, _) = deals::list(db.read(), scope, &filter, None, 25).await.unwrap();
            view::views(db.read(), rows).await.unwrap();
            columns.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let filter = Filter {
            pipeline_id: Some(sales.id.clone()),
            ..Filter::default()
        };
        let begun = Instant::now();
        deals::totals(db.read(), scope, &filter).await.unwrap();
        totals.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    say("a column of the board", who, columns);
    say("the totals of the board", who, totals);
}

/// Pages of the lists, from the top and from far below.
async fn lists(db: &Db, who: &str, scope: &Scope) {
    for status in [None, Some("new"), Some("junk")] {
        let mut took = Vec::new();
        let filter = leads::Filter {
            status: status.map(str::to_owned),
            ..leads::Filter::default()
        };
        let mut after = None;
        for _ in 0..ASKED {
            let begun = Instant::now();
            let (rows, next) = leads::list(db.read(), scope, &filter, after.as_ref(), 50)
                .await
                .unwrap();
            leads::views(db.read(), rows).await.unwrap();
            took.push(begun.elapsed().as_secs_f64() * 1e3);
            after = next.map(far_below);
        }
        say(&format!("leads, {}", status.unwrap_or("all")), who, took);
    }
    let mut took = Vec::new();
    let mut after = None;
    for _ in 0..ASKED {
        let begun = Instant::now();
        let (rows, next) = deals::list(db.read(), scope, &Filter::default(), after.as_ref(), 50)
            .await
            .unwrap();
        view::views(db.read(), rows).await.unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        after = next;
    }
    say("deals, all", who, took);
    let mut took = Vec::new();
    for _ in 0..ASKED {
        let now = SystemClock.now();
        let begun = Instant::now();
        tasks::counts(db.read(), &scope.operator_id, now, now + TimeDelta::days(1))
            .await
            .unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    say("the count of tasks", who, took);
}

/// The next page begins hours below this one: lists are looked at in many places, not only at their top.
fn far_below(place: leads::Place) -> leads::Place {
    leads::Place {
        at: place.at - TimeDelta::hours(6),
        id: place.id,
    }
}

async fn cards(db: &Db, who: &str, scope: &Scope) {
    let (mut lead, mut deal) = (Vec::new(), Vec::new());
    for n in 0..ASKED {
        let id = format!("led_{:08}", n * 4_999 % LEADS);
        let begun = Instant::now();
        if let Some(row) = leads::find(db.read(), scope, &id).await.unwrap() {
            leads::views(db.read(), vec![row]).await.unwrap();
        }
        lead.push(begun.elapsed().as_secs_f64() * 1e3);
        let id = format!("dea_{:08}", n * 997 % DEALS);
        let begun = Instant::now();
        if let Some(row) = deals::find(db.read(), scope, &id).await.unwrap() {
            view::views(db.read(), vec![row]).await.unwrap();
        }
        deals::moves(db.read(), &id).await.unwrap();
        deal.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    say("the card of a lead", who, lead);
    say("the card of a deal", who, deal);
}

fn say(question: &str, who: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    println!("| {question} | {who} | {:.2} | {:.2} |", at(50), at(99));
}

/// A company of ten years: leads of one contact each while they are open, deals of leads, each with its moves.
async fn seed(db: &Db) {
    let now: DateTime<Utc> = SystemClock.now();
    let at = |n: &str, step: i64| {
        let base = now.timestamp();
        format!("strftime('%Y-%m-%dT%H:%M:%S+00:00', {base} - ({n}) * {step}, 'unixepoch')")
    };
    let count = |rows: usize| {
        format!("WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < {rows} - 1)")
    };
    let made = at("n", 300);
    let deal_made = at("n", 1500);
    let stage = "CASE WHEN n < 3000 THEN n % 3 + 1 WHEN n % 3 = 0 THEN 4 ELSE 5 END";
    let statements = [
        format!(
            "{} INSERT INTO operator (id, name, role, languages, skills, capacity, enabled, availability, presence, service, version, created_at) \
             SELECT printf('opr_%08d', n), 'Operator ' || n, 'operator', '[]', '[]', 5, 1, 'accepting', 'online', 0, 1, {made} FROM i",
            count(OPERATORS)
        ),
        format!(
            "{} INSERT INTO line (id, key, name, enabled, version, rules, created_at, updated_at) \
             SELECT printf('lin_%08d', n), 'l' || n, 'Line ' || n, 1, 1, '{{}}', {made}, {made} FROM i",
            count(10)
        ),
        format!(
            "{} INSERT INTO contact (id, name, fields, version, created_at, updated_at) \
             SELECT printf('cnt_%08d', n), 'Client ' || n, '{{}}', 1, {made}, {made} FROM i",
            count(CONTACTS)
        ),
        format!(
            "{} INSERT INTO lead (id, title, status, contact_id, line_id, operator_id, source, attribution, fields, version, created_at, updated_at) \
             SELECT printf('led_%08d', n), 'Lead ' || n, \
             CASE WHEN n < 20000 THEN CASE WHEN n % 3 = 0 THEN 'new' ELSE 'in_progress' END WHEN n % 4 = 0 THEN 'converted' ELSE 'junk' END, \
             printf('cnt_%08d', n % {CONTACTS}), printf('lin_%08d', n % 10), printf('opr_%08d', n % {OPERATORS}), \
             CASE n % 5 WHEN 0 THEN 'google' WHEN 1 THEN 'yandex' ELSE 'webchat' END, '{{\"first\":{{}},\"last\":{{}}}}', '{{}}', 1, {made}, {made} FROM i",
            count(LEADS)
        ),
        format!(
            "{} INSERT INTO deal (id, title, amount, currency, pipeline_id, stage_id, state, stage_since, contact_id, lead_id, line_id, operator_id, fields, tags, version, created_at, updated_at) \
             SELECT printf('dea_%08d', n), 'Deal ' || n, (n % 900 + 1) * 1000000, CASE n % 3 WHEN 0 THEN 'EUR' ELSE 'USD' END, \
             'pip_00000000000000000000000000000001', printf('stg_%032d', {stage}), \
             CASE WHEN n < 3000 THEN 'open' WHEN n % 3 = 0 THEN 'won' ELSE 'lost' END, {deal_made}, \
             printf('cnt_%08d', n * 2 % {CONTACTS}), printf('led_%08d', n * 5), printf('lin_%08d', n * 5 % 10), printf('opr_%08d', n % {OPERATORS}), \
             '{{}}', '[]', 1, {deal_made}, {deal_made} FROM i",
            count(DEALS)
        ),
        format!(
            "{} INSERT INTO deal_move (id, deal_id, pipeline_id, from_stage_id, stage_id, at) \
             SELECT printf('mov_%08d', n * 2), printf('dea_%08d', n), 'pip_00000000000000000000000000000001', NULL, 'stg_00000000000000000000000000000001', {deal_made} FROM i \
             UNION ALL SELECT printf('mov_%08d', n * 2 + 1), printf('dea_%08d', n), 'pip_00000000000000000000000000000001', 'stg_00000000000000000000000000000001', printf('stg_%032d', {stage}), {deal_made} FROM i",
            count(DEALS)
        ),
        format!(
            "{} INSERT INTO task (id, title, due_at, operator_id, deal_id, version, created_at, updated_at) \
             SELECT printf('tsk_%08d', n), 'Task ' || n, {made}, printf('opr_%08d', n % {OPERATORS}), printf('dea_%08d', n), 1, {made}, {made} FROM i",
            count(20_000)
        ),
    ];
    let write = db.write().await.unwrap();
    for sql in statements {
        write.tx().execute_unprepared(&sql).await.unwrap();
    }
    write.commit().await.unwrap();
}
