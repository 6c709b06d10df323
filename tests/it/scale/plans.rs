//! No question of a long list reads a whole table or sorts what it reads, whatever the list is narrowed to.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, EntityTrait};
use switchboard::{
    clock::{Clock, SystemClock},
    company::store as companies,
    contact::store as contacts,
    db::{Db, entity::operator},
    deal::{funnel, pipeline, store as deals},
    lead::{report, store as leads},
    operator::rights::{Role, Scope},
    search::fill,
};

use crate::support::{Database, Plans};

/// Tables that are too long to be read whole.
const LONG: [&str; 12] = [
    "lead",
    "deal",
    "contact",
    "company",
    "identity",
    "search_record",
    "deal_move",
    "conversation",
    "session",
    "submission",
    "object_tag",
    "event",
];
/// Indexes in the order of a list: going through one ends with the page.
const ORDERS: [&str; 4] = [
    "lead_created",
    "deal_created",
    "contact_updated",
    "company_name_key",
];

/// Each of some values and none.
fn each<T: Clone>(values: &[T]) -> Vec<Option<T>> {
    let mut all = vec![None];
    all.extend(values.iter().cloned().map(Some));
    all
}

fn some(word: &str) -> Option<String> {
    Some(word.to_owned())
}

/// Fails with each statement that reads all of a long table, or sorts what it reads.
fn judge(what: &str, plans: &Plans, sorts: bool) {
    // What somebody cannot see is not asked for.
    for (sql, steps) in plans.taken() {
        for step in &steps {
            let words: Vec<&str> = step.split(' ').collect();
            if words[0] == "SCAN" {
                let ordered = ORDERS.iter().any(|index| words.contains(index));
                assert!(
                    !LONG.contains(&words[1]) || ordered && !sql.contains("COUNT("),
                    "{what}: {step}\n{sql}\n{steps:#?}"
                );
            }
            assert!(
                sorts || !step.contains("TEMP B-TREE FOR ORDER BY"),
                "{what}: {step}\n{sql}\n{steps:#?}"
            );
        }
    }
}

async fn scopes(db: &Db) -> Vec<(&'static str, Scope)> {
    let now = "'2026-01-01T00:00:00+00:00'";
    let objects = ["conversation", "contact", "company", "lead", "deal", "report"];
    let write = db.write().await.unwrap();
    for reach in ["own", "team"] {
        let rights = objects
            .map(|object| format!("\"{object}\": {{\"view\": \"{reach}\"}}"))
            .join(", ");
        let sql = format!(
            "INSERT INTO role (id, name, name_key, rights, version, created_at, updated_at) VALUES ('rol_{reach}', '{reach}', '{reach}', '{{{rights}}}', 1, {now}, {now})"
        );
        write.tx().execute_unprepared(&sql).await.unwrap();
        let sql = format!(
            "INSERT INTO operator (id, name, role, role_id, languages, skills, capacity, enabled, availability, presence, service, version, created_at) \
            VALUES ('opr_{reach}', '{reach}', 'operator', 'rol_{reach}', '[]', '[]', 5, true, 'accepting', 'online', false, 1, {now})"
        );
        write.tx().execute_unprepared(&sql).await.unwrap();
    }
    for sql in [
        format!("INSERT INTO team (id, name, created_at) VALUES ('tea_1', 'T', {now})"),
        "INSERT INTO team_member (team_id, operator_id, position) VALUES ('tea_1', 'opr_own', 0), ('tea_1', 'opr_team', 1)".to_owned(),
    ] {
        write.tx().execute_unprepared(&sql).await.unwrap();
    }
    write.commit().await.unwrap();
    let lines = BTreeSet::from(["lin_1".to_owned(), "lin_2".to_owned()]);
    let mut scopes = vec![
        (
            "a supervisor",
            Scope::new("opr_s", Role::Supervisor, BTreeSet::new()),
        ),
        ("an operator", Scope::new("opr_o", Role::Operator, lines)),
    ];
    for (who, id) in [
        ("one who sees own", "opr_own"),
        ("one who sees a team's", "opr_team"),
    ] {
        let user = operator::Entity::find_by_id(id)
            .one(db.read())
            .await
            .unwrap()
            .unwrap();
        scopes.push((who, Scope::load(db.read(), &user).await.unwrap()));
    }
    scopes
}

async fn filled() -> (Database, Db) {
    let database = Database::sqlite().await;
    let db = database.open().await;
    while fill::step(&db).await.unwrap() {}
    (database, db)
}

/// Each combination of some values and none.
fn combined<const N: usize>(values: [&[&str]; N]) -> Vec<[Option<String>; N]> {
    let mut all: Vec<[Option<String>; N]> = vec![std::array::from_fn(|_| None)];
    for (place, values) in values.into_iter().enumerate() {
        let mut more = Vec::new();
        for known in &all {
            for value in values {
                let mut one = known.clone();
                one[place] = some(value);
                more.push(one);
            }
        }
        all.extend(more);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_leads_read_no_more_than_a_page() {
    let (_database, db) = filled().await;
    let plans = Plans::of(db.read());
    let place = leads::Place {
        at: SystemClock.now(),
        id: "led_1".into(),
    };
    let filters = combined([
        &["new"],
        &["google"],
        &["lin_1"],
        &["opr_o", "opr_own"],
        &["cnt_1"],
        &["anna", "90 123 45"],
    ]);
    for (who, scope) in scopes(&db).await {
        for [status, source, line_id, operator_id, contact_id, text] in &filters {
            let filter = leads::Filter {
                status: status.clone(),
                source: source.clone(),
                line_id: line_id.clone(),
                operator_id: operator_id.clone(),
                contact_id: contact_id.clone(),
                tag: None,
                text: text.clone(),
            };
            for after in [None, Some(&place)] {
                leads::list(&plans, &scope, &filter, after, 50).await.unwrap();
                // The leads of one contact are few, and sorted.
                judge(&format!("{filter:?} of {who}"), &plans, contact_id.is_some());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_totals_of_deals_read_no_more_than_a_page() {
    let (_database, db) = filled().await;
    let plans = Plans::of(db.read());
    let place = deals::Place {
        at: SystemClock.now(),
        id: "dea_1".into(),
    };
    let filters = combined([
        &["pip_1"],
        &["stg_1"],
        &["open"],
        &["opr_o"],
        &["cnt_1"],
        &["cmp_1"],
        &["led_1"],
        &["lin_1"],
        &["anna"],
    ]);
    for (who, scope) in scopes(&db).await {
        for [
            pipeline_id,
            stage_id,
            state,
            operator_id,
            contact_id,
            company_id,
            lead_id,
            line_id,
            text,
        ] in &filters
        {
            let filter = deals::Filter {
                pipeline_id: pipeline_id.clone(),
                stage_id: stage_id.clone(),
                state: state.clone(),
                operator_id: operator_id.clone(),
                contact_id: contact_id.clone(),
                company_id: company_id.clone(),
                lead_id: lead_id.clone(),
                line_id: line_id.clone(),
                tag: None,
                text: text.clone(),
            };
            let few = [contact_id, company_id, lead_id].into_iter().any(Option::is_some);
            for after in [None, Some(&place)] {
                deals::list(&plans, &scope, &filter, after, 25).await.unwrap();
                judge(&format!("{filter:?} of {who}"), &plans, few);
            }
            deals::totals(&plans, &scope, &filter).await.unwrap();
            judge(&format!("totals of {filter:?} of {who}"), &plans, true);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_contacts_and_companies_read_no_more_than_a_page() {
    let (_database, db) = filled().await;
    let plans = Plans::of(db.read());
    let now = SystemClock.now();
    for (who, scope) in scopes(&db).await {
        for [operator, company_id, tag, duplicates, text] in
            &combined([&["opr_o", ""], &["cmp_1"], &["vip"], &["yes"], &["anna", "an"]])
        {
            let owner = operator.clone().map(|id| Some(id).filter(|id| !id.is_empty()));
            let filter = contacts::Filter {
                operator_id: owner.clone(),
                company_id: company_id.clone(),
                tag: tag.clone(),
                duplicates: duplicates.is_some(),
                text: text.clone(),
            };
            let place = contacts::Place {
                at: now,
                id: "cnt_1".into(),
            };
            for after in [None, Some(&place)] {
                contacts::list(&plans, &scope, &filter, after, 50).await.unwrap();
                // Those who may be somebody else too are few, and sorted.
                judge(&format!("{filter:?} of {who}"), &plans, duplicates.is_some());
            }
            let filter = companies::Filter {
                operator_id: owner,
                tag: tag.clone(),
                text: text.clone(),
            };
            let place = companies::Place { name: "a".into() };
            for after in [None, Some(&place)] {
                companies::list(&plans, &scope, &filter, after, 50).await.unwrap();
                judge(&format!("{filter:?} of {who}"), &plans, false);
            }
        }
    }
}

/// The other ways of [`switchboard::search::find::page`]: an empty database never needs them.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_index_finds_is_read_by_it_and_not_by_going_through_the_list() {
    let (_database, db) = filled().await;
    let plans = Plans::of(db.read());
    let write = db.write().await.unwrap();
    let now = "'2026-01-01T00:00:00+00:00'";
    for sql in [
        format!(
            "INSERT INTO line (id, key, name, enabled, version, rules, created_at, updated_at) VALUES ('lin_1', 'l', 'L', true, 1, '{{}}', {now}, {now})"
        ),
        format!(
            "INSERT INTO company (id, name, name_key, created_at) VALUES ('cmp_1', 'Firm', 'firm', {now})"
        ),
        format!(
            "WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 999) \
            INSERT INTO contact (id, name, fields, version, created_at, updated_at) SELECT 'cnt_' || n, 'Boris', '{{}}', 1, {now}, {now} FROM i"
        ),
        format!(
            "WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 999) \
            INSERT INTO company (id, name, name_key, created_at) SELECT 'cmp_x' || n, 'Firm ' || n, 'firm ' || n, {now} FROM i"
        ),
        format!(
            "WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 999) \
            INSERT INTO lead (id, title, status, contact_id, line_id, source, attribution, fields, version, created_at, updated_at) \
            SELECT 'led_' || n, 'Chairs', 'new', 'cnt_' || n, 'lin_1', 'google', '{{}}', '{{}}', 1, {now}, {now} FROM i"
        ),
        format!(
            "WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 999) \
            INSERT INTO deal (id, title, currency, pipeline_id, stage_id, state, stage_since, contact_id, line_id, fields, version, created_at, updated_at) \
            SELECT 'dea_' || n, 'Order', 'USD', 'pip_00000000000000000000000000000001', 'stg_00000000000000000000000000000001', 'open', {now}, \
            'cnt_' || n, 'lin_1', '{{}}', 1, {now}, {now} FROM i"
        ),
    ] {
        write.tx().execute_unprepared(&sql).await.unwrap();
    }
    write.commit().await.unwrap();
    let text = || some("anna 7");
    let place = leads::Place {
        at: SystemClock.now(),
        id: "led_x".into(),
    };
    for (who, scope) in scopes(&db).await {
        for operator in each(&["opr_o".to_owned()]) {
            let filter = leads::Filter {
                text: text(),
                line_id: some("lin_1"),
                operator_id: operator.clone(),
                ..Default::default()
            };
            leads::list(&plans, &scope, &filter, Some(&place), 50)
                .await
                .unwrap();
            judge(&format!("leads of {who}"), &plans, true);
            let filter = deals::Filter {
                text: text(),
                line_id: some("lin_1"),
                operator_id: operator.clone(),
                ..Default::default()
            };
            deals::list(&plans, &scope, &filter, None, 50).await.unwrap();
            judge(&format!("deals of {who}"), &plans, true);
            let filter = contacts::Filter {
                text: text(),
                operator_id: operator.clone().map(Some),
                tag: some("vip"),
                duplicates: true,
                ..Default::default()
            };
            let place = contacts::Place {
                at: place.at,
                id: "cnt_x".into(),
            };
            contacts::list(&plans, &scope, &filter, Some(&place), 50)
                .await
                .unwrap();
            judge(&format!("contacts of {who}"), &plans, true);
            let filter = contacts::Filter {
                tag: some("vip"),
                ..Default::default()
            };
            contacts::list(&plans, &scope, &filter, Some(&place), 50)
                .await
                .unwrap();
            judge(&format!("contacts of a tag of {who}"), &plans, true);
            contacts::list(&plans, &scope, &Default::default(), Some(&place), 50)
                .await
                .unwrap();
            judge(&format!("contacts that are reached by {who}"), &plans, true);
            let filter = companies::Filter {
                text: text(),
                operator_id: operator.clone().map(Some),
                ..Default::default()
            };
            companies::list(
                &plans,
                &scope,
                &filter,
                Some(&companies::Place { name: "a".into() }),
                50,
            )
            .await
            .unwrap();
            judge(&format!("companies of {who}"), &plans, true);
            companies::list(&plans, &scope, &Default::default(), None, 50)
                .await
                .unwrap();
            judge(&format!("companies that are reached by {who}"), &plans, true);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_read_their_time_alone() {
    let (_database, db) = filled().await;
    let plans = Plans::of(db.read());
    let sales = pipeline::list(db.read()).await.unwrap().remove(0);
    let to = SystemClock.now();
    let from = to - chrono::TimeDelta::days(90);
    for (who, scope) in scopes(&db).await {
        for [operator_id, line_id, channel_id] in combined([&["opr_o"], &["lin_1"], &["chn_1"]]) {
            let question = funnel::Question {
                from,
                to,
                operator_id,
                line_id: line_id.clone(),
            };
            funnel::read(&plans, &scope, &sales, &question, to).await.unwrap();
            judge(&format!("the funnel of {who}"), &plans, false);
            let question = report::Question {
                from,
                to,
                zone: chrono_tz::Tz::UTC,
                touch: report::Which::Last,
                by: vec![report::By::Source],
                line_id,
                channel_id,
            };
            report::read(&plans, &scope, &question).await.unwrap();
            judge(&format!("leads by source of {who}"), &plans, false);
        }
    }
}
