//! Whatever contacts hold, undoing a merge restores the rows that were there before, and nothing is orphaned.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use serde_json::{Value, json};
use switchboard::db::entity::{
    call, contact, contact_distinct, contact_suggestion, conversation, identity, lead, object_tag, submission,
};

use super::{by_hand, contact_of, line_with_channel, text, writes};
use crate::support::{Database, TestApp};

type Rows = BTreeMap<&'static str, Vec<String>>;

/// All rows that merging may touch, without what counts changes.
async fn rows(app: &TestApp) -> Rows {
    fn lines(rows: Vec<Value>) -> Vec<String> {
        let strip = |mut row: Value| {
            for counted in ["version", "updated_at"] {
                row.as_object_mut().unwrap().remove(counted);
            }
            row.to_string()
        };
        let mut lines: Vec<String> = rows.into_iter().map(strip).collect();
        lines.sort();
        lines
    }
    let db = app.app.db.read();
    BTreeMap::from([
        (
            "contact",
            lines(contact::Entity::find().into_json().all(db).await.unwrap()),
        ),
        (
            "identity",
            lines(identity::Entity::find().into_json().all(db).await.unwrap()),
        ),
        (
            "conversation",
            lines(conversation::Entity::find().into_json().all(db).await.unwrap()),
        ),
        (
            "lead",
            lines(lead::Entity::find().into_json().all(db).await.unwrap()),
        ),
        (
            "submission",
            lines(submission::Entity::find().into_json().all(db).await.unwrap()),
        ),
        (
            "call",
            lines(call::Entity::find().into_json().all(db).await.unwrap()),
        ),
        (
            "suggestion",
            lines(
                contact_suggestion::Entity::find()
                    .into_json()
                    .all(db)
                    .await
                    .unwrap(),
            ),
        ),
        (
            "distinct",
            lines(
                contact_distinct::Entity::find()
                    .into_json()
                    .all(db)
                    .await
                    .unwrap(),
            ),
        ),
        (
            "tag",
            lines(object_tag::Entity::find().into_json().all(db).await.unwrap()),
        ),
    ])
}

/// What must never be: something that hangs on a contact that was merged away, or names a lead of somebody else; two
/// open leads of one contact; two conversations that are the one of a contact on a channel.
async fn no_orphans(app: &TestApp) {
    let questions = [
        "SELECT COUNT(*) FROM identity x JOIN contact c ON c.id = x.contact_id WHERE c.merged_into IS NOT NULL",
        "SELECT COUNT(*) FROM conversation x JOIN contact c ON c.id = x.contact_id WHERE c.merged_into IS NOT NULL",
        "SELECT COUNT(*) FROM lead x JOIN contact c ON c.id = x.contact_id WHERE c.merged_into IS NOT NULL",
        "SELECT COUNT(*) FROM submission x JOIN contact c ON c.id = x.contact_id WHERE c.merged_into IS NOT NULL",
        "SELECT COUNT(*) FROM deal x JOIN contact c ON c.id = x.contact_id WHERE c.merged_into IS NOT NULL",
        "SELECT COUNT(*) FROM task x JOIN contact c ON c.id = x.contact_id WHERE c.merged_into IS NOT NULL",
        "SELECT COUNT(*) FROM conversation x JOIN lead l ON l.id = x.lead_id WHERE l.contact_id <> x.contact_id OR l.status = 'merged'",
        "SELECT COUNT(*) FROM submission x JOIN lead l ON l.id = x.lead_id WHERE l.contact_id <> x.contact_id OR l.status = 'merged'",
        "SELECT COUNT(*) FROM submission x JOIN conversation c ON c.id = x.conversation_id WHERE c.contact_id <> x.contact_id",
        "SELECT COUNT(*) FROM lead l JOIN conversation c ON c.id = l.conversation_id WHERE c.contact_id <> l.contact_id",
        "SELECT COUNT(*) FROM (SELECT contact_id FROM lead WHERE status IN ('new', 'in_progress') GROUP BY contact_id HAVING COUNT(*) > 1) x",
        "SELECT COUNT(*) FROM conversation WHERE thread_key LIKE 'c:%' AND thread_key <> 'c:' || contact_id \
           AND NOT EXISTS (SELECT 1 FROM conversation o WHERE o.channel_id = conversation.channel_id AND o.thread_key = 'c:' || conversation.contact_id)",
    ];
    let db = app.app.db.read();
    for sql in questions {
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(statement).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 0, "{sql}");
    }
}

struct Town<'a> {
    app: &'a TestApp,
    /// The state of a small generator: the same story each time.
    dice: u64,
    channels: Vec<Value>,
    people: Vec<String>,
    addresses: Vec<String>,
}

impl Town<'_> {
    fn pick(&mut self, below: usize) -> usize {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.dice >> 33).unwrap() % below
    }

    fn address(&mut self) -> String {
        let place = self.pick(self.addresses.len());
        self.addresses[place].clone()
    }

    fn person(&mut self) -> String {
        let place = self.pick(self.people.len());
        self.people[place].clone()
    }

    /// Something that happens to anybody.
    async fn happens(&mut self) {
        let app = self.app;
        let place = self.pick(self.channels.len());
        let channel = self.channels[place].clone();
        match self.pick(8) {
            0 | 1 => {
                let address = format!("{}!", self.address());
                let thread = writes(app, &channel, "Somebody", &[&address], "hello").await;
                let contact = contact_of(app, &thread).await;
                if !self.people.contains(&contact) {
                    self.people.push(contact);
                }
            }
            2 | 3 => {
                let (one, other) = (self.address(), self.address());
                let mut fields = json!({"name": "Somebody"});
                for address in [one, other] {
                    let name = if address.starts_with('+') {
                        "phone"
                    } else {
                        "email"
                    };
                    fields[name] = json!(address);
                }
                app.submit(&channel, fields, None).await.expect(201);
            }
            4 => {
                let path = format!("/contacts/{}", self.person());
                let (key, tag) = (self.pick(4), self.pick(4));
                let said = json!({"fields": {format!("f{key}"): tag}, "tags": [format!("t{tag}"), format!("t{key}")], "language": "en"});
                // 409 where this one was merged away.
                app.patch(&path, said).await;
            }
            5 | 6 => {
                let path = format!("/leads?contact={}", self.person());
                let leads = app.get(&path).await;
                let Some(lead) = leads["items"].as_array().unwrap().first() else {
                    return;
                };
                let status = ["in_progress", "junk", "new"][self.pick(3)];
                app.patch(
                    &format!("/leads/{}", text(&lead["id"])),
                    json!({"status": status}),
                )
                .await;
            }
            _ => {
                let (one, other) = (self.person(), self.person());
                app.post(
                    &format!("/contacts/{one}/not-the-same"),
                    json!({"other_id": other}),
                )
                .await;
            }
        }
    }

    /// Two people who stand on their own.
    async fn two(&mut self) -> (String, String) {
        let mut standing = Vec::new();
        for id in &self.people {
            if self.app.get(&format!("/contacts/{id}")).await["merged_into"].is_null() {
                standing.push(id.clone());
            }
        }
        let one = standing.swap_remove(self.pick(standing.len()));
        let other = standing.swap_remove(self.pick(standing.len()));
        (one, other)
    }

    async fn merge(&mut self) -> Value {
        let (from, into) = self.two().await;
        let path = format!("/contacts/{into}/merge");
        self.app.post(&path, json!({"from": from})).await.expect(200)
    }

    async fn undo(&self, merge: &Value) {
        let path = format!("/contacts/{}/unmerge", text(&merge["into_id"]));
        self.app
            .post(&path, json!({"merge_id": merge["merge_id"]}))
            .await
            .expect(200);
        no_orphans(self.app).await;
    }
}

both_databases! {
    async fn undoing_merges_restores_every_row_whatever_was_there(app: TestApp) {
        let mut channels = Vec::new();
        for name in ["One", "Two", "Three"] {
            channels.push(line_with_channel(&app, name, json!({})).await.1);
        }
        let addresses = ["+998901234567", "+998901234568", "+74951234567", "a@x.example", "b@x.example", "c@x.example"];
        let mut town = Town {
            app: &app,
            dice: 1,
            channels,
            people: Vec::new(),
            addresses: addresses.map(str::to_owned).to_vec(),
        };
        for name in ["A", "B", "C", "D", "E"] {
            town.people.push(by_hand(&app, json!({"name": name})).await);
        }
        for round in 0..8 {
            for _ in 0..8 {
                town.happens().await;
            }
            no_orphans(&app).await;
            let before = rows(&app).await;
            // Several on top of each other, chains among them, taken back from the last.
            let mut merges = Vec::new();
            for _ in 0..=round % 3 {
                merges.push((rows(&app).await, town.merge().await));
                no_orphans(&app).await;
            }
            for (earlier, merge) in merges.iter().rev() {
                town.undo(merge).await;
                let now = rows(&app).await;
                for (table, lines) in earlier {
                    assert_eq!(lines, &now[table], "round {round}, {table}");
                }
            }
            assert_eq!(before, rows(&app).await, "round {round}");
        }
    }

    async fn nothing_is_orphaned_whatever_came_between_a_merge_and_its_undoing(app: TestApp) {
        let mut channels = Vec::new();
        for name in ["One", "Two"] {
            channels.push(line_with_channel(&app, name, json!({})).await.1);
        }
        let addresses = ["+998901234567", "+998901234568", "a@x.example", "b@x.example"];
        let mut town = Town {
            app: &app,
            dice: 1,
            channels,
            people: Vec::new(),
            addresses: addresses.map(str::to_owned).to_vec(),
        };
        for name in ["A", "B", "C"] {
            town.people.push(by_hand(&app, json!({"name": name})).await);
        }
        for _ in 0..10 {
            for _ in 0..6 {
                town.happens().await;
            }
            let merge = town.merge().await;
            for _ in 0..6 {
                town.happens().await;
                no_orphans(&app).await;
            }
            town.undo(&merge).await;
        }
    }
}

/// A new table whose rows hang on a contact or name a lead must say what merging does to it.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_that_hangs_on_a_contact_or_names_a_lead_is_known_to_merging() {
    use switchboard::contact::merging::{HOLDERS, NAMERS};
    let database = Database::sqlite().await;
    let db = database.open().await;
    let sql = "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND c.name IN ('contact_id', 'lead_id') ORDER BY 1";
    let found = db
        .read()
        .query_all_raw(Statement::from_string(db.backend(), sql))
        .await
        .unwrap();
    let found: Vec<String> = found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let own = [
        "identity.contact_id",
        "contact_suggestion.contact_id",
        "contact_distinct.contact_id",
        // What became of a lead stays with it, and imports say what was then.
        "lead_outcome.lead_id",
        "import_row.contact_id",
        "import_row.lead_id",
        // What a CRM has of a lead stays with that lead.
        "crm_job.lead_id",
        "crm_link.lead_id",
    ]
    .map(str::to_owned);
    let mut known: Vec<String> = HOLDERS
        .iter()
        .map(|table| format!("{table}.contact_id"))
        .collect();
    known.extend(NAMERS.iter().map(|table| format!("{table}.lead_id")));
    known.extend(own);
    known.sort();
    assert_eq!(found, known);
}
