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
    let taken = plans.taken();
    assert!(!taken.is_empty(), "{what} asks nothing");
    for (sql, steps) in taken {
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

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_leads_read_no_more_than_a_page() {
    let (_database, db) = filled().await;
    let plans = Plans::of(db.read());
    let place = leads::Place {
        at: SystemClock.now(),
        id: "led_1".into(),
    };
    for (who, scope) in scopes(&db).await {
        for status in each(&["new".to_owned()]) {
            for source in each(&["google".to_owned()]) {
                for line_id in each(&["lin_1".to_owned()]) {
                    for operator_id in each(&["opr_o".to_owned(), "opr_own".to_owned()]) {
                        for contact_id in each(&["cnt_1".to_owned()]) {
                            for text in each(&["anna".to_owned(), "90 123 45".to_owned()]) {
                                let filter = leads::Filter {
                                    status: status.clone(),
                                    source: source.clone(),
                                    line_id: line_id.clone(),
                                    operator_id: operator_id.clone(),
                                    contact_id: contact_id.clone(),
                                    text,
                                };
                                for after in [None, Some(&place)] {
                                    leads::list(&plans, &scope, &filter, after, 50).await.unwrap();
                                    let seen = plans.taken();
                                    // What nobody may see is not asked for.
                                    for (sql, steps) in &seen {
                                        let one = Plans::of(db.read());
                                        one.put(sql, steps);
                                        judge(&format!("{filter:?} of {who}"), &one, false);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
