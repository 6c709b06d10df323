//! Four objects of each kind, each reached by one more step: Eve's own, one on her line, one of a member of her team,
//! and one of a stranger elsewhere.

use serde_json::{Value, json};

use crate::{
    calls::{Phone, call_that, is},
    people::{by_hand, contact_of, items, text},
    support::{Answer, TestApp},
};

/// The reaches in their order.
pub const REACHES: [&str; 5] = ["none", "own", "lines", "team", "all"];

/// The objects that are four of a kind.
pub const OBJECTS: [&str; 8] = [
    "conversation",
    "contact",
    "company",
    "lead",
    "deal",
    "task",
    "call",
    "submission",
];

/// Where the objects of a kind are.
pub fn list(object: &str) -> &'static str {
    match object {
        "conversation" => "/conversations",
        "contact" => "/contacts",
        "company" => "/companies",
        "lead" => "/leads",
        "deal" => "/deals",
        "task" => "/tasks",
        "call" => "/calls",
        "submission" => "/submissions",
        other => panic!("{other}"),
    }
}

/// Eve, whose role the tests change, and what there is to see.
pub struct World {
    pub eve: Value,
    pub key: String,
    pub mate: Value,
    pub stranger: Value,
    pub role: Value,
    /// The line she stands in, and one she does not.
    pub near: Value,
    pub far: Value,
    pub chat: [Value; 2],
    ids: Vec<(&'static str, [String; 4])>,
}

fn id(value: &Value) -> String {
    text(&value["id"]).to_owned()
}

/// Rights that give every object the same reach for each of these actions, where it has them.
pub fn rights(given: &[(&str, &str)]) -> Value {
    let mut grid = json!({});
    for object in OBJECTS.iter().chain(&["report"]) {
        for (action, reach) in given {
            if actions(object).contains(action) {
                grid[object][action] = json!(reach);
            }
        }
    }
    grid
}

/// What can be done with an object.
pub fn actions(object: &str) -> &'static [&'static str] {
    match object {
        "contact" | "company" => &["view", "edit", "delete", "export"],
        "deal" | "task" => &["view", "edit", "delete"],
        "report" => &["view", "export"],
        _ => &["view", "edit", "export"],
    }
}

impl World {
    pub async fn make(app: &TestApp) -> Self {
        let role = app
            .post("/roles", json!({"name": "Watcher", "rights": {}}))
            .await
            .expect(201);
        let (eve, key) = app.operator("Eve", "operator").await;
        let (mate, _) = app.operator("Mate", "operator").await;
        let (stranger, _) = app.operator("Stranger", "operator").await;
        let team = json!({"name": "Team", "member_ids": [eve["id"], mate["id"]]});
        app.post("/teams", team).await.expect(201);
        let quiet = json!({"create_lead": "never"});
        let near = app
            .line(
                "Near",
                json!({"queue": [{"operator_id": eve["id"]}], "crm": quiet}),
            )
            .await;
        let far = app.line("Far", json!({"crm": quiet})).await;
        let settings = || json!({"allowed_origins": ["*"]});
        let chat = [
            app.channel("webchat", &near, settings()).await,
            app.channel("webchat", &far, settings()).await,
        ];
        let mut world = Self {
            eve,
            key,
            mate,
            stranger,
            role,
            near,
            far,
            chat,
            ids: Vec::new(),
        };
        let made = [
            ("conversation", world.conversations(app).await),
            ("contact", world.contacts(app).await),
            ("company", world.companies(app).await),
            ("lead", world.leads(app).await),
            ("deal", world.deals(app).await),
            ("task", world.tasks(app).await),
            ("call", world.calls(app).await),
            ("submission", world.submissions(app).await),
        ];
        world.ids.extend(made);
        // Only now: who may not answer is given nothing.
        let given = json!({"role_id": world.role["id"], "languages": []});
        app.patch(&format!("/users/{}", id(&world.eve)), given)
            .await
            .expect(200);
        world
    }

    /// The four objects of a kind, the nearest first.
    pub fn of(&self, object: &str) -> &[String; 4] {
        &self.ids.iter().find(|(kind, _)| *kind == object).unwrap().1
    }

    /// Those that a reach takes in.
    pub fn within(&self, object: &str, reach: usize) -> &[String] {
        &self.of(object)[..reach]
    }

    /// Gives the role other rights.
    pub async fn may(&self, app: &TestApp, rights: Value) {
        app.patch(&format!("/roles/{}", id(&self.role)), json!({"rights": rights}))
            .await
            .expect(200);
    }

    pub async fn asks(&self, app: &TestApp, method: &str, path: &str, body: Option<Value>) -> Answer {
        app.call_as(&self.key, method, path, body).await
    }

    /// Of the four objects of a kind, those that a list shows, the nearest first.
    pub async fn listed(&self, app: &TestApp, object: &str, path: &str) -> Vec<String> {
        let found = self.asks(app, "GET", path, None).await.expect(200);
        let found: Vec<&str> = items(&found).iter().map(|one| text(&one["id"])).collect();
        let all = self.of(object).iter();
        all.filter(|id| found.contains(&id.as_str())).cloned().collect()
    }

    async fn give(&self, app: &TestApp, conversation: &str, to: &Value) {
        app.post(
            &format!("/conversations/{conversation}/transfer"),
            json!({"to_operator": to["id"], "silent": true}),
        )
        .await
        .expect(200);
    }

    async fn join(&self, app: &TestApp, conversation: &str) {
        app.post(
            &format!("/conversations/{conversation}/participants"),
            json!({"operator_id": self.eve["id"]}),
        )
        .await
        .expect(200);
    }

    /// Eve takes part rather than owns: what somebody owns goes back to the queue when they may not answer.
    async fn conversations(&self, app: &TestApp) -> [String; 4] {
        let words = "a needle in the hay";
        let own = app.writes(&self.chat[1], "client own", words).await;
        self.join(app, &own).await;
        let lines = app.writes(&self.chat[0], "client lines", words).await;
        let team = app.writes(&self.chat[1], "client team", words).await;
        self.give(app, &team, &self.mate).await;
        let all = app.writes(&self.chat[1], "client all", words).await;
        self.give(app, &all, &self.stranger).await;
        [own, lines, team, all]
    }

    async fn contacts(&self, app: &TestApp) -> [String; 4] {
        let of = async |name: &str, owner: &Value| {
            by_hand(
                app,
                json!({"name": format!("Haystack {name}"), "operator_id": owner["id"]}),
            )
            .await
        };
        let own = of("own", &self.eve).await;
        let met = app.writes(&self.chat[0], "Haystack lines", "hello").await;
        let lines = contact_of(app, &met).await;
        [
            own,
            lines,
            of("team", &self.mate).await,
            of("all", &self.stranger).await,
        ]
    }

    async fn companies(&self, app: &TestApp) -> [String; 4] {
        let of = async |name: &str, owner: &Value| {
            let said = json!({"name": name, "operator_id": owner["id"]});
            id(&app.post("/companies", said).await.expect(201))
        };
        let lines = of("Company lines", &self.stranger).await;
        let met = app.writes(&self.chat[0], "Their man", "hello").await;
        let man = contact_of(app, &met).await;
        app.patch(&format!("/contacts/{man}"), json!({"company_id": lines}))
            .await
            .expect(200);
        [
            of("Company own", &self.eve).await,
            lines,
            of("Company team", &self.mate).await,
            of("Company all", &self.stranger).await,
        ]
    }

    /// A lead that came by the line she stands in.
    async fn lead_of_line(&self, app: &TestApp, name: &str) -> Value {
        let open = json!({"queue": [{"operator_id": self.eve["id"]}], "crm": {"create_lead": "always"}});
        let line = app.line(name, open).await;
        let chat = app
            .channel("webchat", &line, json!({"allowed_origins": ["*"]}))
            .await;
        app.writes(&chat, name, "hello").await;
        let found = app.get(&format!("/leads?line={}", id(&line))).await;
        items(&found)[0].clone()
    }

    async fn lead(&self, app: &TestApp, name: &str, owner: &Value) -> String {
        let whose = by_hand(app, json!({"name": name, "operator_id": self.stranger["id"]})).await;
        let said = json!({"contact_id": whose, "title": format!("Lead {name}"), "operator_id": owner["id"]});
        id(&app.post("/leads", said).await.expect(201))
    }

    async fn leads(&self, app: &TestApp) -> [String; 4] {
        let lines = self.lead_of_line(app, "lead lines").await;
        let path = format!("/leads/{}", id(&lines));
        app.patch(&path, json!({"operator_id": self.stranger["id"]}))
            .await
            .expect(200);
        [
            self.lead(app, "own", &self.eve).await,
            id(&lines),
            self.lead(app, "team", &self.mate).await,
            self.lead(app, "all", &self.stranger).await,
        ]
    }

    async fn deals(&self, app: &TestApp) -> [String; 4] {
        let of = async |amount: &str, owner: &Value, lead: Option<&Value>| {
            let said = json!({
                "title": "Chairs", "amount": amount, "currency": "USD", "operator_id": owner["id"], "lead_id": lead,
            });
            id(&app.post("/deals", said).await.expect(201))
        };
        let lead = self.lead_of_line(app, "deal lines").await;
        let path = format!("/leads/{}", id(&lead));
        app.patch(&path, json!({"operator_id": self.stranger["id"]}))
            .await
            .expect(200);
        [
            of("1", &self.eve, None).await,
            of("10", &self.stranger, Some(&lead["id"])).await,
            of("100", &self.mate, None).await,
            of("1000", &self.stranger, None).await,
        ]
    }

    async fn tasks(&self, app: &TestApp) -> [String; 4] {
        let of = async |owner: &Value, on: Value| {
            let said = json!({"title": "Call back", "operator_id": owner["id"], "on": on});
            id(&app.post("/tasks", said).await.expect(201))
        };
        let lead = self.lead_of_line(app, "task lines").await;
        [
            of(&self.eve, Value::Null).await,
            of(&self.stranger, json!({"type": "lead", "id": lead["id"]})).await,
            of(&self.mate, Value::Null).await,
            of(&self.stranger, Value::Null).await,
        ]
    }

    async fn calls(&self, app: &TestApp) -> [String; 4] {
        let operators = json!({"101": self.eve["id"], "102": self.mate["id"], "103": self.stranger["id"]});
        let quiet = json!({"create_lead": "never"});
        let line = json!({"queue": [{"operator_id": self.eve["id"]}], "crm": quiet});
        let near = Phone::on(app, operators.clone(), line).await;
        let far = Phone::on(app, operators, json!({"crm": quiet})).await;
        let begin = app.app.clock.now() - chrono::TimeDelta::seconds(80);
        let mut made = Vec::new();
        for (phone, name, extension, from) in [
            (&far, "own", "101", "+998901110001"),
            (&near, "lines", "103", "+998901110002"),
            (&far, "team", "102", "+998901110003"),
            (&far, "all", "103", "+998901110004"),
        ] {
            for (event, secs) in [("ringing", 0), ("answered", 4), ("ended", 34)] {
                let at = begin + chrono::TimeDelta::seconds(secs);
                let said = json!({"operator": extension, "from": from});
                phone.says(app, event, name, at, said).await.expect(200);
            }
            let ended = |call: &Value| is(call, "from", from) && is(call, "state", "ended");
            made.push(id(&call_that(app, "the call ends", ended).await));
        }
        made.try_into().unwrap()
    }

    async fn submissions(&self, app: &TestApp) -> [String; 4] {
        let fields =
            json!([{"name": "phone", "label": "Phone", "type": "phone", "maps_to": "contact.phone"}]);
        let near = app
            .channel("webform", &self.near, json!({"fields": fields}))
            .await;
        let far = app.channel("webform", &self.far, json!({"fields": fields})).await;
        let mut made = Vec::new();
        for (form, phone, owner) in [
            (&far, "+998902220001", Some(&self.eve)),
            (&near, "+998902220002", None),
            (&far, "+998902220003", Some(&self.mate)),
            (&far, "+998902220004", None),
        ] {
            let sent = app.submit(form, json!({"phone": phone}), None).await.expect(201);
            let sent = text(&sent["submission_id"]).to_owned();
            let found = app.get(&format!("/submissions/{sent}")).await;
            let thread = text(&found["conversation_id"]);
            match owner {
                Some(owner) if owner["id"] == self.eve["id"] => self.join(app, thread).await,
                Some(owner) => self.give(app, thread, owner).await,
                None => {}
            }
            made.push(sent);
        }
        made.try_into().unwrap()
    }
}
