//! A company of ten years, made by the database itself in statements that each make all rows of a table: leads of
//! 400,000 people, their deals with each move, companies, conversations, tags. On SQLite and on PostgreSQL.

use sea_orm::ConnectionTrait;
use switchboard::{
    clock::{Clock, SystemClock},
    db::Db,
    search::fill,
};

pub const LEADS: usize = 1_000_000;
pub const DEALS: usize = 200_000;
pub const CONTACTS: usize = 400_000;
pub const COMPANIES: usize = 50_000;
const OPERATORS: usize = 50;
/// The last one has hardly begun.
const BUSY: usize = OPERATORS - 1;
const LINES: usize = 10;
const THREADS: usize = 100_000;
/// Seconds between two leads, and between two deals.
pub const STEP: i64 = 300;
const DEAL_STEP: i64 = 1_500;
/// Who has written for ten years, and how often.
pub const OLD_CUSTOMER: &str = "cnt_00000007";
const SAID: usize = 5_000;

/// What the two databases write differently.
struct Sql {
    postgres: bool,
    now: i64,
}

impl Sql {
    fn id(&self, prefix: &str, n: &str) -> String {
        if self.postgres {
            format!("('{prefix}_' || lpad(({n})::text, 8, '0'))")
        } else {
            format!("printf('{prefix}_%08d', {n})")
        }
    }

    fn stage(&self, n: &str) -> String {
        if self.postgres {
            format!("('stg_' || lpad(({n})::text, 32, '0'))")
        } else {
            format!("printf('stg_%032d', {n})")
        }
    }

    /// So many steps of so many seconds ago.
    fn ago(&self, n: &str, step: i64) -> String {
        let seconds = format!("{} - ({n}) * {step}", self.now);
        if self.postgres {
            format!("to_timestamp({seconds})")
        } else {
            format!("strftime('%Y-%m-%dT%H:%M:%S+00:00', {seconds}, 'unixepoch')")
        }
    }

    /// One of some words of one length.
    fn one_of(words: &[&str], n: &str) -> String {
        let (all, size) = (words.concat(), words[0].len());
        format!("substr('{all}', ({n}) % {} * {size} + 1, {size})", words.len())
    }

    fn insert(&self, table: &str, rows: usize, columns: &[(&str, String)]) -> String {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
        let (names, values) = (names.join(", "), values.join(", "));
        if self.postgres {
            format!(
                "INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(0, {rows} - 1) AS i (n)"
            )
        } else {
            format!(
                "WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < {rows} - 1) \
                 INSERT INTO {table} ({names}) SELECT {values} FROM i"
            )
        }
    }
}

/// Seeds an empty database whose schema is up, and fills in what lists are found by.
pub async fn seed(db: &Db) {
    let sql = Sql {
        postgres: db.is_postgres(),
        now: SystemClock.now().timestamp(),
    };
    let write = db.write().await.unwrap();
    for statement in statements(&sql) {
        write
            .tx()
            .execute_unprepared(&statement)
            .await
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    write.commit().await.unwrap();
    while fill::step(db).await.unwrap() {}
    if sql.postgres {
        // What it does by itself within the hour.
        db.read().execute_unprepared("VACUUM ANALYZE").await.unwrap();
    }
}

fn statements(sql: &Sql) -> Vec<String> {
    const FIRST: [&str; 8] = ["Anna", "Boro", "Vera", "Gleb", "Dina", "Egor", "Zoya", "Ivan"];
    const LAST: [&str; 8] = [
        "Karimo", "Petrov", "Yusupo", "Sidoro", "Ahmedo", "Kuznet", "Rahimo", "Orlovi",
    ];
    let text = |text: &str| format!("'{text}'");
    let one = || "1".to_owned();
    let name = format!(
        "{} || ' ' || {} || ' ' || n",
        Sql::one_of(&FIRST, "n"),
        Sql::one_of(&LAST, "n / 8")
    );
    let made = sql.ago("n", STEP);
    let moved = sql.ago("n", DEAL_STEP);
    let pipeline = || text("pip_00000000000000000000000000000001");
    let stage = "CASE WHEN n < 3000 THEN n % 3 + 1 WHEN n % 3 = 0 THEN 4 ELSE 5 END";
    // A campaign of seven years ago: much, and all of it far below.
    let title = "CASE WHEN n BETWEEN 700000 AND 719999 THEN 'Autumn sale ' WHEN n % 5 = 0 THEN 'Delivery ' ELSE 'Request ' END || n";
    let rights = |reach: &str| {
        let objects = [
            "conversation",
            "contact",
            "company",
            "lead",
            "deal",
            "task",
            "call",
            "submission",
            "report",
        ];
        let each = objects.map(|object| format!("\"{object}\": {{\"view\": \"{reach}\"}}"));
        format!("'{{{}}}'", each.join(", "))
    };
    let role = |id: &str, reach: &str| {
        format!(
            "INSERT INTO role (id, name, name_key, rights, version, created_at, updated_at) \
             SELECT '{id}', '{id}', '{id}', {}, 1, {made}, {made} FROM (SELECT 0 AS n) AS i",
            rights(reach)
        )
    };
    let mut all = vec![
        role("rol_own", "own"),
        role("rol_team", "team"),
        sql.insert(
            "operator",
            OPERATORS,
            &[
                ("id", sql.id("opr", "n")),
                ("name", "'Operator ' || n".into()),
                ("role", text("operator")),
                (
                    "role_id",
                    "CASE n WHEN 11 THEN 'rol_own' WHEN 12 THEN 'rol_team' WHEN 49 THEN 'rol_own' END".into(),
                ),
                ("languages", text("[]")),
                ("skills", text("[]")),
                ("capacity", "5".into()),
                ("enabled", "true".into()),
                ("availability", text("accepting")),
                ("presence", text("online")),
                ("service", "false".into()),
                ("version", one()),
                ("created_at", made.clone()),
            ],
        ),
        format!(
            "INSERT INTO team (id, name, created_at) SELECT 'tea_1', 'Sales', {made} FROM (SELECT 0 AS n) AS i"
        ),
        sql.insert(
            "team_member",
            10,
            &[
                ("team_id", text("tea_1")),
                ("operator_id", sql.id("opr", "n + 12")),
                ("position", "n".into()),
            ],
        ),
        sql.insert(
            "line",
            LINES,
            &[
                ("id", sql.id("lin", "n")),
                ("key", "'l' || n".into()),
                ("name", "'Line ' || n".into()),
                ("enabled", "true".into()),
                ("version", one()),
                ("rules", text("{}")),
                ("created_at", made.clone()),
                ("updated_at", made.clone()),
            ],
        ),
        sql.insert(
            "line_queue",
            1,
            &[
                ("line_id", sql.id("lin", "3")),
                ("position", "n".into()),
                ("operator_id", sql.id("opr", "7")),
            ],
        ),
        sql.insert(
            "channel",
            LINES,
            &[
                ("id", sql.id("chn", "n")),
                ("key", "'c' || n".into()),
                ("kind", text("webchat")),
                ("line_id", sql.id("lin", "n")),
                ("name", "'Chat ' || n".into()),
                ("enabled", "true".into()),
                ("settings", text("{}")),
                ("version", one()),
                ("health_state", text("ok")),
                ("created_at", made.clone()),
                ("updated_at", made.clone()),
            ],
        ),
        sql.insert(
            "company",
            COMPANIES,
            &[
                ("id", sql.id("cmp", "n")),
                (
                    "name",
                    format!("{} || ' and partners ' || n", Sql::one_of(&LAST, "n")),
                ),
                (
                    "name_key",
                    format!("lower({}) || ' and partners ' || n", Sql::one_of(&LAST, "n")),
                ),
                ("website", "'https://firm' || n || '.example'".into()),
                (
                    "operator_id",
                    format!(
                        "CASE WHEN n % 3 > 0 THEN {} END",
                        sql.id("opr", &format!("n % {BUSY}"))
                    ),
                ),
                ("version", one()),
                ("created_at", made.clone()),
                ("updated_at", made.clone()),
            ],
        ),
        // Nobody is responsible for most.
        sql.insert(
            "contact",
            CONTACTS,
            &[
                ("id", sql.id("cnt", "n")),
                ("name", name),
                (
                    "company_id",
                    format!(
                        "CASE n % 2 WHEN 0 THEN {} END",
                        sql.id("cmp", &format!("n / 2 % {COMPANIES}"))
                    ),
                ),
                (
                    "operator_id",
                    format!(
                        "CASE n % 4 WHEN 0 THEN {} END",
                        sql.id("opr", &format!("n / 4 % {BUSY}"))
                    ),
                ),
                ("fields", text("{}")),
                ("version", one()),
                ("created_at", made.clone()),
                ("updated_at", made.clone()),
            ],
        ),
    ];
    for (kind, value) in [
        ("phone", "'+99890' || substr('' || (10000000 + n), 2)".to_owned()),
        (
            "email",
            "'client' || n || '@firm' || (n % 5000) || '.example'".to_owned(),
        ),
    ] {
        all.push(sql.insert(
            "identity",
            CONTACTS,
            &[
                ("kind", text(kind)),
                ("value", value),
                ("contact_id", sql.id("cnt", "n")),
                ("verified", "false".into()),
                ("created_at", made.clone()),
            ],
        ));
    }
    all.extend([
        sql.insert("object_tag", CONTACTS / 3, &[("object_id", sql.id("cnt", "n * 3")), ("tag", text("client"))]),
        sql.insert("object_tag", CONTACTS / 1000, &[("object_id", sql.id("cnt", "n * 1000 + 1")), ("tag", text("vip"))]),
        sql.insert("object_tag", COMPANIES / 100, &[("object_id", sql.id("cmp", "n * 100")), ("tag", text("vip"))]),
        sql.insert("contact_suggestion", 1000, &[
            ("contact_id", sql.id("cnt", "n * 300")),
            ("other_id", sql.id("cnt", "n * 300 + 1")),
            ("reason", text("the same phone")),
            ("created_at", made.clone()),
        ]),
        sql.insert("lead", LEADS, &[
            ("id", sql.id("led", "n")),
            ("title", title.into()),
            ("status", "CASE WHEN n < 20000 THEN CASE WHEN n % 3 = 0 THEN 'new' ELSE 'in_progress' END WHEN n % 4 = 0 THEN 'converted' ELSE 'junk' END".into()),
            ("contact_id", sql.id("cnt", &format!("n % {CONTACTS}"))),
            ("line_id", sql.id("lin", &format!("n % {LINES}"))),
            ("channel_id", sql.id("chn", &format!("n % {LINES}"))),
            ("channel_kind", text("webchat")),
            ("operator_id", format!("CASE WHEN n < 3 THEN 'opr_00000049' ELSE {} END", sql.id("opr", &format!("n % {BUSY}")))),
            ("source", "CASE n % 5 WHEN 0 THEN 'google' WHEN 1 THEN 'yandex' ELSE 'webchat' END".into()),
            ("attribution", text("{\"first\": {\"utm_source\": \"google\", \"utm_medium\": \"cpc\"}, \"last\": {\"utm_source\": \"google\", \"utm_medium\": \"cpc\", \"utm_campaign\": \"brand\"}}")),
            ("fields", text("{}")),
            ("version", one()),
            ("created_at", made.clone()),
            ("updated_at", made.clone()),
        ]),
        sql.insert("deal", DEALS, &[
            ("id", sql.id("dea", "n")),
            ("title", "'Deal ' || n".into()),
            ("amount", "(n % 900 + 1)::bigint * 1000000".replace("::bigint", if sql.postgres { "::bigint" } else { "" })),
            ("currency", "CASE n % 3 WHEN 0 THEN 'EUR' ELSE 'USD' END".into()),
            ("pipeline_id", pipeline()),
            ("stage_id", sql.stage(stage)),
            ("state", "CASE WHEN n < 3000 THEN 'open' WHEN n % 3 = 0 THEN 'won' ELSE 'lost' END".into()),
            ("stage_since", moved.clone()),
            ("contact_id", sql.id("cnt", &format!("n * 2 % {CONTACTS}"))),
            ("company_id", sql.id("cmp", &format!("n % {COMPANIES}"))),
            ("lead_id", sql.id("led", "n * 5")),
            ("line_id", sql.id("lin", &format!("n * 5 % {LINES}"))),
            ("operator_id", sql.id("opr", &format!("n % {BUSY}"))),
            ("fields", text("{}")),
            ("version", one()),
            ("created_at", moved.clone()),
            ("updated_at", moved.clone()),
        ]),
    ]);
    let moves: [(&str, String, String); 2] = [
        (
            "n * 2",
            "NULL".into(),
            text("stg_00000000000000000000000000000001"),
        ),
        (
            "n * 2 + 1",
            text("stg_00000000000000000000000000000001"),
            sql.stage(stage),
        ),
    ];
    for (n, from, to) in moves {
        all.push(sql.insert(
            "deal_move",
            DEALS,
            &[
                ("id", sql.id("mov", n)),
                ("deal_id", sql.id("dea", "n")),
                ("pipeline_id", pipeline()),
                ("from_stage_id", from),
                ("stage_id", to),
                ("at", moved.clone()),
            ],
        ));
    }
    all.push(sql.insert(
        "task",
        20_000,
        &[
            ("id", sql.id("tsk", "n")),
            ("title", "'Task ' || n".into()),
            ("due_at", made.clone()),
            ("operator_id", sql.id("opr", &format!("n % {BUSY}"))),
            ("deal_id", sql.id("dea", "n")),
            ("version", one()),
            ("created_at", made.clone()),
            ("updated_at", made.clone()),
        ],
    ));
    all.extend(threads(sql, &made));
    all
}

/// What was said: three messages a thread, and very many in one.
fn threads(sql: &Sql, made: &str) -> Vec<String> {
    let text = |text: &str| format!("'{text}'");
    let (zero, one) = (|| "0".to_owned(), || "1".to_owned());
    let message = |rows: usize, id: &str, thread: &str, seq: &str, at: String| {
        sql.insert(
            "message",
            rows,
            &[
                ("id", sql.id("msg", id)),
                ("conversation_id", sql.id("cnv", thread)),
                ("session_id", sql.id("ses", thread)),
                ("seq", seq.to_owned()),
                ("kind", "CASE n % 2 WHEN 0 THEN 'inbound' ELSE 'reply' END".into()),
                (
                    "author_type",
                    "CASE n % 2 WHEN 0 THEN 'contact' ELSE 'operator' END".into(),
                ),
                ("body", "'What does it cost? ' || n".into()),
                ("has_attachments", "false".into()),
                ("hidden", "false".into()),
                ("delivery_attempts", zero()),
                ("created_at", at),
            ],
        )
    };
    let (last, seqs) = (format!("{THREADS} * 3 + n"), "4 + n".to_owned());
    vec![
        sql.insert(
            "conversation",
            THREADS,
            &[
                ("id", sql.id("cnv", "n")),
                ("number", "n + 1".into()),
                ("channel_id", sql.id("chn", &format!("n % {LINES}"))),
                ("channel_kind", text("webchat")),
                ("line_id", sql.id("lin", &format!("n % {LINES}"))),
                ("contact_id", sql.id("cnt", "n")),
                ("address", "'v' || n".into()),
                ("claimed", "false".into()),
                ("lead_id", sql.id("led", "n")),
                ("session_id", sql.id("ses", "n")),
                ("thread_key", "'v' || n".into()),
                ("priority", zero()),
                ("tags", text("[]")),
                ("last_seq", "3".into()),
                ("last_inbound_seq", "3".into()),
                ("unread", zero()),
                ("read_seq", "3".into()),
                ("client_read_seq", "3".into()),
                ("client_delivered_seq", "3".into()),
                ("version", one()),
                ("created_at", made.to_owned()),
                ("updated_at", made.to_owned()),
            ],
        ),
        sql.insert(
            "session",
            THREADS,
            &[
                ("id", sql.id("ses", "n")),
                ("conversation_id", sql.id("cnv", "n")),
                ("line_id", sql.id("lin", &format!("n % {LINES}"))),
                ("channel_kind", text("webchat")),
                ("state", text("closed")),
                ("operator_id", sql.id("opr", &format!("n % {BUSY}"))),
                ("opened_at", made.to_owned()),
                ("waiting_since", made.to_owned()),
                ("assigned_at", made.to_owned()),
                ("first_reply_at", made.to_owned()),
                ("closed_at", made.to_owned()),
                ("version", one()),
            ],
        ),
        message(THREADS * 3, "n", "n / 3", "n % 3 + 1", sql.ago("n / 3", STEP)),
        message(SAID, &last, "7", &seqs, sql.ago("n", 3600)),
    ]
}
