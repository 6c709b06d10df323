//! What must hold of the schema, on both databases.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::support::Database;

async fn column(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql.to_owned()))
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index::<String>(0).unwrap())
        .collect()
}

/// Tables with their columns and whether those may be null.
async fn tables(db: &DatabaseConnection) -> BTreeMap<String, BTreeSet<(String, bool)>> {
    let mut tables = BTreeMap::new();
    if db.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT table_name || '.' || column_name || '.' || is_nullable FROM information_schema.columns WHERE table_schema = 'public'";
        for row in column(db, sql).await {
            let parts: Vec<&str> = row.split('.').collect();
            let columns: &mut BTreeSet<(String, bool)> = tables.entry(parts[0].to_owned()).or_default();
            columns.insert((parts[1].to_owned(), parts[2] == "YES"));
        }
    } else {
        let sql = "SELECT m.name || '.' || c.name || '.' || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'NO' ELSE 'YES' END \
                   FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                   WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'search_index%'";
        for row in column(db, sql).await {
            let parts: Vec<&str> = row.split('.').collect();
            let columns: &mut BTreeSet<(String, bool)> = tables.entry(parts[0].to_owned()).or_default();
            columns.insert((parts[1].to_owned(), parts[2] == "YES"));
        }
    }
    tables.remove("seaql_migrations");
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (Database::sqlite().await, Database::postgres().await);
    let (a, b) = (sqlite.open().await, postgres.open().await);
    assert_eq!(tables(a.read()).await, tables(b.read()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_from_empty_and_a_second_time_do_nothing() {
    for database in [Database::sqlite().await, Database::postgres().await] {
        let db = database.open().await;
        db.migrate().await.unwrap();
        assert!(tables(db.read()).await.len() > 30);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_foreign_key_is_the_beginning_of_an_index() {
    let database = Database::postgres().await;
    let db = database.open().await;
    let sql = "SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c \
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
               WHERE c.contype = 'f' AND NOT EXISTS ( \
                 SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])";
    assert_eq!(column(db.read(), sql).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_truth_value_may_be_unknown() {
    let database = Database::postgres().await;
    let db = database.open().await;
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns \
               WHERE table_schema = 'public' AND data_type = 'boolean' AND is_nullable = 'YES'";
    assert_eq!(column(db.read(), sql).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_of_sqlite_syncs_each_commit() {
    let database = Database::sqlite().await;
    let db = database.open().await;
    for _ in 0..20 {
        let row = db
            .read()
            .query_one_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA synchronous"))
            .await;
        assert_eq!(row.unwrap().unwrap().try_get_by_index::<i64>(0).unwrap(), 2);
    }
    let write = db.write().await.unwrap();
    for (pragma, value) in [("synchronous", 2), ("foreign_keys", 1)] {
        let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
        let row = write.tx().query_one_raw(statement).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), value, "{pragma}");
    }
}

/// The questions asked all day long, and the index each must find.
#[tokio::test(flavor = "multi_thread")]
async fn hot_questions_use_their_indexes() {
    let database = Database::sqlite().await;
    let db = database.open().await;
    let questions = [
        (
            "SELECT * FROM contact WHERE merged_into IS NULL AND operator_id = 'x' ORDER BY updated_at DESC, id DESC LIMIT 51",
            "contact_operator",
        ),
        (
            "SELECT * FROM contact WHERE merged_into IS NULL AND company_id = 'x' ORDER BY updated_at DESC, id DESC LIMIT 51",
            "contact_company",
        ),
        (
            "SELECT object_id FROM object_tag WHERE tag = 'vip'",
            "object_tag_tag",
        ),
        (
            "SELECT id, at FROM field_change WHERE object_id = 'x' ORDER BY at DESC, id DESC LIMIT 51",
            "field_change_object",
        ),
        (
            "SELECT * FROM outbox WHERE due_at IS NOT NULL AND due_at <= '2026' ORDER BY due_at",
            "outbox_due",
        ),
        (
            "SELECT * FROM session WHERE line_id = 'x' AND state = 'waiting' ORDER BY waiting_since",
            "session_waiting",
        ),
        (
            "SELECT * FROM session WHERE line_id = 'x' AND operator_id IS NULL AND closed_at IS NULL AND waiting_since <= '2026' ORDER BY waiting_since",
            "session_unowned",
        ),
        (
            "SELECT waiting_since, assigned_at FROM session WHERE line_id = 'x' AND assigned_at IS NOT NULL AND assigned_at >= '2026' ORDER BY assigned_at DESC LIMIT 50",
            "session_handed",
        ),
        (
            "SELECT * FROM session WHERE operator_id = 'x' AND state <> 'closed'",
            "session_operator",
        ),
        (
            "SELECT line_id, state, COUNT(*) FROM session WHERE session.conversation_id > '' AND session.state <> 'closed' GROUP BY line_id, state",
            "session_one_open",
        ),
        (
            "SELECT * FROM message WHERE conversation_id = 'x' AND seq > 5 ORDER BY seq",
            "message_seq",
        ),
        (
            "SELECT * FROM identity WHERE kind = 'email' AND value IN ('a', 'b')",
            "sqlite_autoindex_identity_1",
        ),
        (
            "SELECT id FROM conversation WHERE channel_id = 'x' AND thread_key IN ('a', 'b')",
            "conversation_thread",
        ),
        (
            "SELECT * FROM conversation ORDER BY updated_at DESC, id DESC LIMIT 50",
            "conversation_updated",
        ),
        (
            "SELECT * FROM lead ORDER BY created_at DESC, id DESC LIMIT 50",
            "lead_created",
        ),
        (
            "SELECT * FROM lead WHERE status = 'junk' ORDER BY created_at DESC, id DESC LIMIT 50",
            "lead_status",
        ),
        (
            "SELECT * FROM lead WHERE source = 'x' AND (created_at < '2026' OR (created_at = '2026' AND id < 'y')) ORDER BY created_at DESC, id DESC LIMIT 50",
            "lead_source",
        ),
        (
            "SELECT operator_id, COUNT(*) FROM lead WHERE operator_id IN ('a', 'b') AND (status IN ('new', 'in_progress')) GROUP BY operator_id",
            "COVERING INDEX lead_load",
        ),
        (
            "SELECT * FROM deal WHERE stage_id = 'x' AND (stage_since < '2026' OR (stage_since = '2026' AND id < 'y')) ORDER BY stage_since DESC, id DESC LIMIT 26",
            "deal_stage",
        ),
        (
            "SELECT stage_id, currency, COUNT(*), SUM(amount / 10), SUM(amount % 10) FROM deal WHERE pipeline_id = 'x' GROUP BY stage_id, currency ORDER BY stage_id, currency",
            "COVERING INDEX deal_totals",
        ),
        (
            "SELECT stage_id, currency, COUNT(*), SUM(amount / 10) FROM deal WHERE (operator_id = 'x' OR line_id IN ('a')) AND pipeline_id = 'x' GROUP BY stage_id, currency ORDER BY stage_id, currency",
            "COVERING INDEX deal_totals",
        ),
        (
            "SELECT * FROM deal ORDER BY created_at DESC, id DESC LIMIT 51",
            "deal_created",
        ),
        (
            "SELECT * FROM deal WHERE state = 'lost' ORDER BY created_at DESC, id DESC LIMIT 51",
            "deal_state",
        ),
        (
            "SELECT * FROM deal WHERE contact_id = 'x' ORDER BY created_at DESC, id DESC LIMIT 51",
            "deal_contact",
        ),
        (
            "SELECT * FROM deal_move WHERE deal_id = 'x' ORDER BY at, id",
            "deal_move_deal",
        ),
        (
            "SELECT * FROM task WHERE operator_id = 'x' AND done_at IS NULL AND due_at IS NOT NULL AND due_at < '2026' ORDER BY due_at, id LIMIT 51",
            "task_open",
        ),
        (
            "SELECT * FROM task WHERE deal_id IN ('a', 'b') AND done_at IS NULL",
            "task_deal",
        ),
        (
            "SELECT id, created_at FROM task WHERE contact_id = 'x' ORDER BY created_at DESC, id DESC LIMIT 51",
            "task_contact",
        ),
        (
            "SELECT id, created_at FROM task WHERE company_id = 'x' ORDER BY created_at DESC, id DESC LIMIT 51",
            "task_company",
        ),
        (
            "SELECT * FROM task WHERE contact_id = 'x' OR lead_id IN (SELECT id FROM lead WHERE contact_id = 'x') OR deal_id IN (SELECT id FROM deal WHERE contact_id = 'x') OR conversation_id IN (SELECT id FROM conversation WHERE contact_id = 'x') ORDER BY id DESC LIMIT 51",
            "task_conversation",
        ),
        (
            "SELECT * FROM company WHERE keyed_version <> version ORDER BY id LIMIT 200",
            "company_unkeyed",
        ),
        (
            "SELECT * FROM company_key WHERE ((kind = 'name' AND value = 'x') OR (kind = 'domain' AND value = 'y')) AND company_id <> 'z' LIMIT 200",
            "company_key_value",
        ),
        (
            "SELECT id FROM task WHERE remind_at IS NOT NULL AND remind_at <= '2026' AND reminded_at IS NULL AND done_at IS NULL ORDER BY remind_at LIMIT 200",
            "task_remind",
        ),
        (
            "SELECT * FROM call_event WHERE call_id IS NULL ORDER BY received_at, id LIMIT 256",
            "call_event_new",
        ),
        (
            "SELECT id FROM call WHERE check_at IS NOT NULL AND check_at <= '2026' ORDER BY check_at LIMIT 64",
            "call_check",
        ),
        (
            "SELECT * FROM call_recording WHERE next_attempt_at IS NOT NULL AND next_attempt_at <= '2026' ORDER BY next_attempt_at LIMIT 4",
            "call_recording_due",
        ),
        (
            "SELECT * FROM call WHERE shown = TRUE ORDER BY started_at DESC, id DESC LIMIT 50",
            "call_started",
        ),
        (
            "SELECT MIN(due_at) FROM webhook_delivery d WHERE d.webhook_id = 'x' AND d.state = 'queued' AND (TRUE OR d.type = 'y')",
            "webhook_delivery_due",
        ),
        (
            "SELECT 1 FROM webhook_delivery b WHERE b.webhook_id = 'x' AND b.order_key = 'y' AND b.due_at IS NOT NULL AND b.seq < 5",
            "webhook_delivery_order",
        ),
        (
            "SELECT * FROM webhook_delivery WHERE webhook_id = 'x' ORDER BY id DESC LIMIT 50",
            "webhook_delivery_list",
        ),
        (
            "SELECT id FROM form_notification WHERE due_at IS NOT NULL AND state = 'queued' AND due_at <= '2026' ORDER BY due_at LIMIT 8",
            "form_notification_due",
        ),
        (
            "SELECT * FROM event WHERE seq > 5 ORDER BY seq LIMIT 500",
            "USING INTEGER PRIMARY KEY",
        ),
    ];
    for (question, index) in questions {
        let plan = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {question}"));
        let rows = db.read().query_all_raw(plan).await.unwrap();
        let plan: Vec<String> = rows
            .iter()
            .map(|row| row.try_get::<String>("", "detail").unwrap())
            .collect();
        assert!(
            plan.iter().any(|step| step.contains(index)),
            "{question}: {plan:?}"
        );
        // A page of a long list that is sorted first is read whole first.
        let sorted = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorted || !index.contains("deal"), "{question}: {plan:?}");
    }
}
