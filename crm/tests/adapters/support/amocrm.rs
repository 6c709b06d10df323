//! amoCRM in memory.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Auth, Fake, Fixture, Journal, Kind, Reply, Request, digits, empty, number_is, reply};

pub fn fixture() -> Fixture {
    Fixture {
        kind: "amocrm",
        fake: |journal| Box::new(Amo::new(journal)),
        settings: || {
            json!({
                "account": "shop.amocrm.ru",
                "auth": {"method": "oauth", "client_id": "4b1c", "client_secret": "client-secret", "redirect_uri": "https://desk.example/", "refresh_token": "refresh-0-secret"},
                "tags": ["Switchboard"],
            })
        },
        moved: "1:12",
        limited: || {
            (
                reply(429, json!({"title": "Too Many Requests", "status": 429})),
                1,
            )
        },
        foreign: Some(("account", "shop.amocrm.ru.evil.example")),
        makes_people: false,
    }
}

pub struct Amo {
    auth: Auth,
    pub leads: Vec<Value>,
    pub contacts: Vec<Value>,
    fields: Vec<Value>,
    notes: Vec<Value>,
    lagging: bool,
    hidden: Vec<Value>,
    /// The duplicate control joins to this lead.
    pub duplicate_of: Option<i64>,
    next: i64,
}

impl Amo {
    pub fn new(journal: Journal) -> Self {
        Self {
            auth: Auth::new(journal),
            leads: Vec::new(),
            contacts: Vec::new(),
            fields: vec![
                json!({"id": 77, "name": "Budget", "type": "numeric", "code": null, "enums": null}),
                json!({"id": 78, "name": "Product", "type": "select", "code": null, "enums": [{"id": 501, "value": "Door"}]}),
                json!({"id": 79, "name": "utm_source", "type": "tracking_data", "code": "UTM_SOURCE"}),
                json!({"id": 80, "name": "Visit", "type": "date", "code": null}),
            ],
            notes: Vec::new(),
            lagging: false,
            hidden: Vec::new(),
            duplicate_of: None,
            next: 100,
        }
    }

    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn add_lead(&mut self, body: &Value, now: DateTime<Utc>) -> Result<i64, Reply> {
        for (at, field) in body["custom_fields_values"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let known = self.fields.iter().find(|known| known["id"] == field["field_id"]);
            let numeric = known.is_some_and(|known| known["type"] == "numeric");
            let value = &field["values"][0]["value"];
            if known.is_none() || (numeric && value.as_str().is_some_and(|text| text.parse::<f64>().is_err()))
            {
                return Err(reply(
                    400,
                    json!({
                        "title": "Bad Request", "status": 400, "detail": "Request validation failed",
                        "validation-errors": [{"request_id": "0", "errors": [{"code": "InvalidType", "path": format!("custom_fields_values.{at}.values.0.value"), "detail": "This value should be of type numeric."}]}],
                    }),
                ));
            }
        }
        let id = self.id();
        let mut lead = body.clone();
        lead["id"] = json!(id);
        lead["created_at"] = json!(now.timestamp());
        lead["updated_at"] = json!(now.timestamp());
        lead["is_deleted"] = json!(false);
        for (name, usual) in [("status_id", 11), ("pipeline_id", 1)] {
            if lead[name].is_null() {
                lead[name] = json!(usual);
            }
        }
        if self.lagging {
            self.hidden.push(json!(id));
        }
        self.leads.push(lead);
        Ok(id)
    }

    fn list(kind: &str, found: Vec<Value>) -> Reply {
        if found.is_empty() {
            return empty(204);
        }
        reply(200, json!({"_page": 1, "_embedded": {kind: found}}))
    }

    fn find_leads(&self, request: &Request) -> Reply {
        let deleted = request.q("with") == "only_deleted";
        let mut found: Vec<Value> = self
            .leads
            .iter()
            .filter(|lead| lead["is_deleted"] == deleted)
            .cloned()
            .collect();
        let query = request.q("query");
        if !query.is_empty() {
            found.retain(|lead| lead.to_string().contains(query) && !self.hidden.contains(&lead["id"]));
        }
        if let Ok(from) = request.q("filter[updated_at][from]").parse::<i64>() {
            found.retain(|lead| lead["updated_at"].as_i64().unwrap() >= from);
        }
        found.sort_by_key(|lead| lead["updated_at"].as_i64().unwrap());
        if request.q("order[created_at]") == "desc" {
            found.reverse();
        }
        let limit: usize = request.q("limit").parse().unwrap_or(50);
        let page: usize = request.q("page").parse().unwrap_or(1);
        Self::list(
            "leads",
            found.into_iter().skip((page - 1) * limit).take(limit).collect(),
        )
    }
}

impl Fake for Amo {
    fn kind(&self, request: &Request) -> Kind {
        match (request.method.as_str(), request.path.as_str()) {
            (_, "/oauth2/access_token") => Kind::Token,
            ("POST", "/api/v4/leads" | "/api/v4/leads/complex") => Kind::Create,
            ("POST", "/api/v4/contacts") => Kind::Person,
            ("PATCH", _) => Kind::Change,
            ("POST", path) if path.ends_with("/notes") => Kind::Note,
            _ => Kind::Other,
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        assert_eq!(request.host, "shop.amocrm.ru");
        if request.path == "/oauth2/access_token" {
            assert_eq!(request.body["redirect_uri"], "https://desk.example/");
            return match self.auth.token(&request.body) {
                Ok(token) => reply(200, token),
                Err(error) => reply(
                    400,
                    json!({"hint": error["error_description"], "title": "Cannot decrypt the refresh token", "status": 400, "detail": error["error_description"]}),
                ),
            };
        }
        if !self.auth.knows(&request.bearer()) {
            return reply(
                401,
                json!({"title": "Unauthorized", "status": 401, "detail": "Token has expired"}),
            );
        }
        let now = request.now;
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/api/v4/account") => reply(200, json!({"id": 1, "name": "Shop"})),
            ("GET", "/api/v4/users") if request.query.contains_key("page") => Self::list(
                "users",
                vec![json!({"id": 77, "name": "Anna K", "email": "Anna@shop.example"})],
            ),
            ("GET", "/api/v4/users") => empty(204),
            ("GET", "/api/v4/leads/custom_fields") => Self::list("custom_fields", self.fields.clone()),
            ("POST", "/api/v4/leads/custom_fields") => {
                let mut field = request.body[0].clone();
                if self.fields.iter().any(|known| known["code"] == field["code"]) {
                    return reply(
                        400,
                        json!({"title": "Bad Request", "detail": "the code is taken"}),
                    );
                }
                field["id"] = json!(self.id());
                self.fields.push(field.clone());
                Self::list("custom_fields", vec![field])
            }
            ("GET", "/api/v4/leads/pipelines") => {
                let status =
                    |id: i64, kind: i64| json!({"id": id, "name": format!("Stage {id}"), "type": kind});
                let pipeline = |id: i64| json!({"id": id, "name": "Sales", "is_archive": false, "_embedded": {"statuses": [status(id * 10, 1), status(id * 10 + 1, 0), status(id * 10 + 2, 0), status(142, 0), status(143, 0)]}});
                Self::list("pipelines", vec![pipeline(1), pipeline(2)])
            }
            ("GET", "/api/v4/leads") => self.find_leads(request),
            ("POST", "/api/v4/leads/complex") => {
                let body = &request.body[0];
                if let Some(id) = self.duplicate_of {
                    return reply(
                        200,
                        json!([{"id": id, "contact_id": 9, "company_id": null, "request_id": ["0"], "merged": true}]),
                    );
                }
                match self.add_lead(body, now) {
                    Ok(id) => {
                        let contact_id = self.id();
                        let mut contact = body["_embedded"]["contacts"][0].clone();
                        contact["id"] = json!(contact_id);
                        self.contacts.push(contact);
                        reply(
                            200,
                            json!([{"id": id, "contact_id": contact_id, "company_id": null, "request_id": ["0"], "merged": false}]),
                        )
                    }
                    Err(refusal) => refusal,
                }
            }
            ("POST", "/api/v4/leads") => match self.add_lead(&request.body[0], now) {
                Ok(id) => Self::list("leads", vec![json!({"id": id, "request_id": "0"})]),
                Err(refusal) => refusal,
            },
            ("GET", "/api/v4/contacts") => {
                let query = request.q("query");
                // Words anywhere in a contact.
                let found = self.contacts.iter().filter(|contact| {
                    let text = contact.to_string();
                    text.contains(query) || (query.len() > 6 && digits(&text).contains(query))
                });
                Self::list("contacts", found.cloned().collect())
            }
            ("GET", "/api/v4/companies") => empty(204),
            (method, path) => {
                let rest = path
                    .strip_prefix("/api/v4/leads/")
                    .unwrap_or_else(|| panic!("{method} {path}"));
                let (id, notes) = rest.strip_suffix("/notes").map_or((rest, false), |id| (id, true));
                let id: i64 = id.parse().unwrap();
                let found = self.leads.iter_mut().find(|lead| lead["id"] == id);
                match (method, notes) {
                    ("GET", false) => match found {
                        Some(lead) => reply(200, lead.clone()),
                        None => empty(204),
                    },
                    ("PATCH", false) => match found {
                        // A lead in the bin takes changes.
                        Some(lead) => {
                            for (name, value) in request.body.as_object().unwrap() {
                                lead[name] = value.clone();
                            }
                            lead["updated_at"] = json!(now.timestamp());
                            reply(200, json!({"id": id, "updated_at": now.timestamp()}))
                        }
                        None => reply(404, json!({"title": "Not Found", "status": 404})),
                    },
                    ("GET", true) => {
                        let found = self.notes.iter().rev().filter(|note| note["entity_id"] == id);
                        Self::list("notes", found.cloned().collect())
                    }
                    _ => {
                        let mut note = request.body[0].clone();
                        note["id"] = json!(self.id());
                        note["entity_id"] = json!(id);
                        self.notes.push(note.clone());
                        Self::list("notes", vec![json!({"id": note["id"], "entity_id": id})])
                    }
                }
            }
        }
    }

    fn auth(&mut self) -> &mut Auth {
        &mut self.auth
    }

    fn leads(&self) -> Vec<(String, String)> {
        let origin = self
            .fields
            .iter()
            .find(|field| field["code"] == "SWITCHBOARD_LEAD_ID");
        let origin = origin.map(|field| field["id"].clone()).unwrap_or_default();
        self.leads
            .iter()
            .filter(|lead| lead["is_deleted"] == false)
            .map(|lead| {
                let fields = lead["custom_fields_values"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let ours = fields.iter().find(|field| field["field_id"] == origin);
                let ours = ours
                    .and_then(|field| field["values"][0]["value"].as_str())
                    .unwrap_or_default();
                (lead["id"].to_string(), ours.to_owned())
            })
            .collect()
    }

    fn people(&self) -> usize {
        self.contacts.len()
    }

    fn plant_person(&mut self, phone: &str) -> String {
        self.contacts.push(json!({"id": 9, "name": "Ivan", "custom_fields_values": [{"field_id": 3, "field_code": "PHONE", "values": [{"value": phone}]}]}));
        "9".to_owned()
    }

    fn notes(&self) -> usize {
        self.notes.len()
    }

    fn move_lead(&mut self, id: &str, status: &str, now: DateTime<Utc>) {
        let (pipeline, status) = status.split_once(':').unwrap();
        for lead in self.leads.iter_mut().filter(|lead| number_is(&lead["id"], id)) {
            lead["pipeline_id"] = json!(pipeline.parse::<i64>().unwrap());
            lead["status_id"] = json!(status.parse::<i64>().unwrap());
            lead["updated_at"] = json!(now.timestamp());
        }
    }

    fn delete_lead(&mut self, id: &str, now: DateTime<Utc>) {
        for lead in self.leads.iter_mut().filter(|lead| number_is(&lead["id"], id)) {
            lead["is_deleted"] = json!(true);
            lead["updated_at"] = json!(now.timestamp());
        }
    }

    fn lag(&mut self) {
        self.lagging = true;
    }
}
