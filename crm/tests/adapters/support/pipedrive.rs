//! Pipedrive in memory.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Auth, Fake, Fixture, Journal, Kind, Reply, Request, digits, reply};

/// The key of a custom field.
pub const BUDGET: &str = "dcf558aac1ae4e8c4f849ba5e668430d8df9be12";
const ORIGIN: &str = "aaaabbbbccccddddeeeeffff0000111122223333";

fn settings(record: &str) -> Value {
    json!({
        "company": "shop.pipedrive.com",
        "auth": {"method": "oauth", "client_id": "app", "client_secret": "client-secret", "refresh_token": "refresh-0-secret"},
        "record": record,
        "labels": ["Hot"],
    })
}

fn limited() -> (Reply, u64) {
    let mut answer = reply(
        429,
        json!({"success": false, "error": "request over limit", "errorCode": 429}),
    );
    answer.headers = vec![
        ("x-ratelimit-reset", "2".to_owned()),
        ("x-ratelimit-remaining", "0".to_owned()),
    ];
    (answer, 2)
}

/// Our leads become leads.
pub fn leads() -> Fixture {
    Fixture {
        kind: "pipedrive",
        fake: |journal| Box::new(Pipedrive::new(journal)),
        settings: || settings("lead"),
        moved: "archived",
        limited,
        foreign: Some(("company", "https://pipedrive.evil.example")),
        makes_people: true,
    }
}

/// Our leads become deals.
pub fn deals() -> Fixture {
    Fixture {
        settings: || settings("deal"),
        moved: "2",
        ..leads()
    }
}

pub struct Pipedrive {
    auth: Auth,
    pub records: Vec<Value>,
    pub persons: Vec<Value>,
    fields: Vec<Value>,
    notes: Vec<Value>,
    lagging: bool,
    hidden: BTreeSet<String>,
    next: i64,
}

fn key(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

impl Pipedrive {
    pub fn new(journal: Journal) -> Self {
        Self {
            auth: Auth::new(journal),
            records: Vec::new(),
            persons: Vec::new(),
            fields: vec![
                json!({"field_code": "title", "field_name": "Title", "field_type": "varchar"}),
                json!({"field_code": BUDGET, "field_name": "Budget", "field_type": "double"}),
                json!({"field_code": "label", "field_name": "Label", "field_type": "set", "options": [{"id": 5, "label": "Hot"}]}),
            ],
            notes: Vec::new(),
            lagging: false,
            hidden: BTreeSet::new(),
            next: 100,
        }
    }

    fn good(data: impl Into<Value>) -> Reply {
        reply(
            200,
            json!({"success": true, "data": data.into(), "additional_data": {"next_cursor": null}}),
        )
    }

    fn stamp(lead: bool, now: DateTime<Utc>) -> Value {
        // Leads are of v1 with RFC 3339, deals of v2 to the second.
        json!(now.to_rfc3339_opts(
            if lead {
                SecondsFormat::Millis
            } else {
                SecondsFormat::Secs
            },
            true
        ))
    }

    fn refused(words: &str) -> Reply {
        reply(
            400,
            json!({"success": false, "error": words, "code": "ERR_SCHEMA_VALIDATION_FAILED"}),
        )
    }

    fn make(&mut self, lead: bool, request: &Request) -> Reply {
        let body = &request.body;
        if body["person_id"].as_i64().is_none() && body["organization_id"].as_i64().is_none() {
            return Self::refused("A lead needs a person_id or an organization_id");
        }
        let custom = if lead {
            body.clone()
        } else {
            body["custom_fields"].clone()
        };
        if custom[BUDGET].is_string() {
            return Self::refused(&format!("Validation failed: {BUDGET}: expected a number"));
        }
        if lead {
            assert_eq!(body["label_ids"], json!(["f08b42a0-hot"]));
        } else {
            assert_eq!(body["label_ids"], json!([5]));
        }
        self.next += 1;
        let mut record = body.clone();
        record["id"] = if lead {
            json!(format!("adf21080-0e10-11eb-879b-{}", self.next))
        } else {
            json!(self.next)
        };
        record["add_time"] = Self::stamp(lead, request.now);
        record["update_time"] = Self::stamp(lead, request.now);
        record["is_archived"] = json!(false);
        if !lead {
            record["status"] = json!("open");
            if record["stage_id"].is_null() {
                record["stage_id"] = json!(1);
            }
        }
        if self.lagging {
            self.hidden.insert(key(&record["id"]));
        }
        self.records.push(record.clone());
        Self::good(record)
    }

    fn list(&self, request: &Request) -> Reply {
        let mut found: Vec<Value> = self.records.clone();
        let (sort, descending) = match request.q("sort") {
            "" => (request.q("sort_by"), request.q("sort_direction") == "desc"),
            sort => (sort.split(' ').next().unwrap(), sort.ends_with("DESC")),
        };
        if !request.q("status").contains("deleted") {
            found.retain(|record| record["status"] != "deleted");
        }
        if !sort.is_empty() {
            found.sort_by_key(|record| record[sort].as_str().unwrap().to_owned());
        }
        if descending {
            found.reverse();
        }
        let since = request.q("updated_since");
        found.retain(|record| since.is_empty() || record["update_time"].as_str().unwrap() >= since);
        let start: usize = request.q("start").parse().unwrap_or(0);
        let limit: usize = request.q("limit").parse().unwrap();
        Self::good(found.into_iter().skip(start).take(limit).collect::<Vec<_>>())
    }

    fn search(found: Vec<Value>) -> Reply {
        let items: Vec<Value> = found
            .into_iter()
            .map(|item| json!({"result_score": 1.0, "item": item}))
            .collect();
        Self::good(json!({"items": items}))
    }
}

impl Fake for Pipedrive {
    fn kind(&self, request: &Request) -> Kind {
        match (request.method.as_str(), request.path.as_str()) {
            (_, "/oauth/token") => Kind::Token,
            ("POST", "/api/v1/leads" | "/api/v2/deals") => Kind::Create,
            ("POST", "/api/v2/persons") => Kind::Person,
            ("PATCH", _) => Kind::Change,
            ("POST", "/api/v1/notes") => Kind::Note,
            _ => Kind::Other,
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        if request.host == "oauth.pipedrive.com" {
            // app:client-secret
            assert_eq!(request.headers["authorization"], "Basic YXBwOmNsaWVudC1zZWNyZXQ=");
            assert!(request.body.get("client_secret").is_none());
            return match self.auth.token(&request.body) {
                Ok(token) => reply(200, token),
                Err(error) => reply(400, error),
            };
        }
        assert_eq!(request.host, "shop.pipedrive.com");
        let fixed = request.headers.get("x-api-token").map(String::as_str) == Some("fixed-token");
        if !fixed && !self.auth.knows(&request.bearer()) {
            return reply(
                401,
                json!({"success": false, "error": "unauthorized access", "errorCode": 401}),
            );
        }
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let lead = request.path.starts_with("/api/v1/leads") || request.path.starts_with("/api/v2/leads");
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["api", "v1", "users", "me"]) => {
                Self::good(json!({"id": 1, "name": "Anna", "company_name": "Shop"}))
            }
            ("GET", ["api", "v1", "users"]) => Self::good(json!([
                {"id": 77, "name": "Anna K", "email": "Anna@shop.example", "active_flag": true},
                {"id": 78, "name": "Gone", "email": "gone@shop.example", "active_flag": false},
            ])),
            ("GET", ["api", "v1", "users", "find"]) => Self::good(json!([])),
            ("GET", ["api", "v2", "dealFields"]) => Self::good(self.fields.clone()),
            ("POST", ["api", "v2", "dealFields"]) => {
                let mut field = request.body.clone();
                field["field_code"] = json!(ORIGIN);
                self.fields.push(field.clone());
                Self::good(field)
            }
            ("GET", ["api", "v1", "leadLabels"]) => {
                Self::good(json!([{"id": "f08b42a0-hot", "name": "Hot", "color": "red"}]))
            }
            ("GET", ["api", "v2", "pipelines"]) => Self::good(json!([{"id": 1, "name": "Pipeline"}])),
            ("GET", ["api", "v2", "stages"]) => Self::good(
                json!([{"id": 1, "name": "New", "pipeline_id": 1}, {"id": 2, "name": "Demo", "pipeline_id": 1}]),
            ),
            ("GET", ["api", "v2", "persons", "search"]) => {
                let term = request.q("term");
                let found = self
                    .persons
                    .iter()
                    .filter(|person| !self.hidden.contains(&key(&person["id"])));
                let found = found.filter(|person| {
                    let text = person[format!("{}s", request.q("fields"))].to_string();
                    text.contains(term)
                        || (request.q("fields") == "phone" && digits(&text).contains(&digits(term)))
                });
                // Plain values in searches.
                let plain = |person: &Value| {
                    let of = |name: &str| {
                        json!(
                            person[name]
                                .as_array()
                                .into_iter()
                                .flatten()
                                .map(|one| one["value"].clone())
                                .collect::<Vec<_>>()
                        )
                    };
                    json!({"id": person["id"], "name": person["name"], "phones": of("phones"), "emails": of("emails")})
                };
                Self::search(found.map(plain).collect())
            }
            ("GET", ["api", "v2", "persons"]) => {
                Self::good(self.persons.iter().rev().cloned().collect::<Vec<_>>())
            }
            ("POST", ["api", "v2", "persons"]) => {
                self.next += 1;
                let mut person = request.body.clone();
                person["id"] = json!(self.next);
                if self.lagging {
                    self.hidden.insert(self.next.to_string());
                }
                self.persons.push(person.clone());
                Self::good(person)
            }
            ("GET", ["api", "v2", "leads" | "deals", "search"]) => {
                let term = request.q("term");
                let found = self
                    .records
                    .iter()
                    .filter(|record| record.to_string().contains(term));
                let found = found.filter(|record| !self.hidden.contains(&key(&record["id"])));
                Self::search(
                    found
                        .map(|record| json!({"id": record["id"], "title": record["title"]}))
                        .collect(),
                )
            }
            ("GET", ["api", _, "leads" | "deals"]) => self.list(request),
            ("POST", ["api", _, "leads" | "deals"]) => self.make(lead, request),
            ("GET" | "PATCH", ["api", _, "leads" | "deals", id]) => {
                let stamp = Self::stamp(lead, request.now);
                let found = self
                    .records
                    .iter_mut()
                    .find(|record| key(&record["id"]) == *id && record["status"] != "deleted");
                let Some(found) = found else {
                    return reply(
                        404,
                        json!({"success": false, "error": "Entity was not found", "code": "ERR_NOT_FOUND"}),
                    );
                };
                if request.method == "PATCH" {
                    for (name, value) in request.body.as_object().unwrap() {
                        found[name] = value.clone();
                    }
                    found["update_time"] = stamp;
                }
                Self::good(found.clone())
            }
            ("GET", ["api", "v1", "notes"]) => {
                let of = |note: &&Value| {
                    key(&note["lead_id"]) == request.q("lead_id")
                        || key(&note["deal_id"]) == request.q("deal_id")
                };
                Self::good(self.notes.iter().rev().filter(of).cloned().collect::<Vec<_>>())
            }
            ("POST", ["api", "v1", "notes"]) => {
                self.next += 1;
                let mut note = request.body.clone();
                note["id"] = json!(self.next);
                self.notes.push(note.clone());
                Self::good(note)
            }
            other => panic!("{other:?}"),
        }
    }

    fn auth(&mut self) -> &mut Auth {
        &mut self.auth
    }

    fn leads(&self) -> Vec<(String, String)> {
        let living = self.records.iter().filter(|record| record["status"] != "deleted");
        living
            .map(|record| {
                let ours = record[ORIGIN]
                    .as_str()
                    .or_else(|| record["custom_fields"][ORIGIN].as_str());
                (key(&record["id"]), ours.unwrap_or_default().to_owned())
            })
            .collect()
    }

    fn people(&self) -> usize {
        self.persons.len()
    }

    fn plant_person(&mut self, phone: &str) -> String {
        self.persons.push(
            json!({"id": 9, "name": "Ivan", "phones": [{"value": phone, "primary": true}], "emails": []}),
        );
        "9".to_owned()
    }

    fn notes(&self) -> usize {
        self.notes.len()
    }

    fn move_lead(&mut self, id: &str, status: &str, now: DateTime<Utc>) {
        for record in self.records.iter_mut().filter(|record| key(&record["id"]) == id) {
            let lead = record["id"].is_string();
            match status {
                "archived" => record["is_archived"] = json!(true),
                "won" | "lost" => record["status"] = json!(status),
                stage => record["stage_id"] = json!(stage.parse::<i64>().unwrap()),
            }
            record["update_time"] = Self::stamp(lead, now);
        }
    }

    fn delete_lead(&mut self, id: &str, now: DateTime<Utc>) {
        for record in self.records.iter_mut().filter(|record| key(&record["id"]) == id) {
            record["status"] = json!("deleted");
            record["update_time"] = Self::stamp(record["id"].is_string(), now);
        }
    }

    fn lag(&mut self) {
        self.lagging = true;
    }
}
