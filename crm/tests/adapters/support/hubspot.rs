//! HubSpot in memory.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Auth, Fake, Fixture, Journal, Kind, Reply, Request, digits, reply};

pub fn fixture() -> Fixture {
    Fixture {
        kind: "hubspot",
        fake: |journal| Box::new(HubSpot::new(journal)),
        settings: || json!({"auth": {"method": "oauth", "client_id": "app", "client_secret": "client-secret", "refresh_token": "refresh-0-secret"}}),
        moved: "default:presentation",
        limited: || {
            (
                reply(
                    429,
                    json!({"status": "error", "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}),
                ),
                10,
            )
        },
        foreign: None,
        makes_people: true,
    }
}

pub struct HubSpot {
    auth: Auth,
    pub deals: Vec<Value>,
    pub contacts: Vec<Value>,
    companies: Vec<Value>,
    notes: Vec<Value>,
    properties: BTreeSet<String>,
    lagging: bool,
    hidden: BTreeSet<String>,
    next: u32,
}

impl HubSpot {
    pub fn new(journal: Journal) -> Self {
        let known = [
            "dealname",
            "description",
            "pipeline",
            "dealstage",
            "amount",
            "hubspot_owner_id",
            "hs_lastmodifieddate",
        ];
        Self {
            auth: Auth::new(journal),
            deals: Vec::new(),
            contacts: Vec::new(),
            companies: Vec::new(),
            notes: Vec::new(),
            properties: known.iter().map(|name| format!("deals/{name}")).collect(),
            lagging: false,
            hidden: BTreeSet::new(),
            next: 100,
        }
    }

    fn of(&mut self, object: &str) -> &mut Vec<Value> {
        match object {
            "deals" => &mut self.deals,
            "contacts" => &mut self.contacts,
            "companies" => &mut self.companies,
            "notes" => &mut self.notes,
            other => panic!("{other}"),
        }
    }

    fn make(&mut self, object: &str, properties: &Value, now: DateTime<Utc>) -> String {
        self.next += 1;
        let id = self.next.to_string();
        let stamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut properties = properties.clone();
        properties["hs_lastmodifieddate"] = json!(stamp);
        if self.lagging {
            self.hidden.insert(id.clone());
        }
        self.of(object)
            .push(json!({"id": id, "properties": properties, "createdAt": stamp, "archived": false}));
        id
    }

    fn refused(property: &str, message: &str) -> Reply {
        reply(
            400,
            json!({"status": "error", "category": "VALIDATION_ERROR", "message": message, "errors": [{"message": message, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": [property]}}]}),
        )
    }

    fn unknown(&self, object: &str, properties: &Value) -> Option<Reply> {
        if object != "deals" {
            return None;
        }
        let fields = properties.as_object().unwrap();
        let unknown = fields
            .keys()
            .find(|name| !self.properties.contains(&format!("deals/{name}")))?;
        Some(Self::refused(
            unknown,
            &format!("Property \"{unknown}\" does not exist"),
        ))
    }

    fn search(&mut self, object: &str, body: &Value) -> Reply {
        let groups = body["filterGroups"].as_array().unwrap().clone();
        assert!(groups.len() <= 5, "{body}");
        for filter in groups
            .iter()
            .flat_map(|group| group["filters"].as_array().unwrap())
        {
            let name = filter["propertyName"].as_str().unwrap();
            if object == "deals" && !self.properties.contains(&format!("deals/{name}")) {
                return Self::refused(name, "unknown property");
            }
        }
        let hidden = self.hidden.clone();
        let mut found: Vec<Value> = self.of(object).clone();
        found.retain(|record| {
            let fits = |filter: &Value| {
                let value = record["properties"][filter["propertyName"].as_str().unwrap()].as_str();
                let wanted = filter["value"].as_str().unwrap_or_default();
                match filter["operator"].as_str().unwrap() {
                    "HAS_PROPERTY" => value.is_some(),
                    "GTE" => {
                        let at = DateTime::parse_from_rfc3339(value.unwrap_or_default()).unwrap();
                        at.timestamp_millis() >= wanted.parse().unwrap()
                    }
                    "CONTAINS_TOKEN" => value.is_some_and(|value| value.contains(wanted)),
                    // Numbers are compared as numbers.
                    _ => value.is_some_and(|value| {
                        value == wanted || (wanted.starts_with('+') && digits(value) == digits(wanted))
                    }),
                }
            };
            let seen = !hidden.contains(record["id"].as_str().unwrap()) || object == "deals";
            seen && groups
                .iter()
                .any(|group| group["filters"].as_array().unwrap().iter().all(fits))
        });
        found.sort_by_key(|record| {
            record["properties"]["hs_lastmodifieddate"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        });
        let start: usize = body["after"].as_str().unwrap_or("0").parse().unwrap();
        let limit = usize::try_from(body["limit"].as_u64().unwrap()).unwrap();
        let found: Vec<Value> = found.into_iter().skip(start).take(limit).collect();
        reply(200, json!({"total": found.len(), "results": found}))
    }

    fn one(&mut self, request: &Request, object: &str, id: &str) -> Reply {
        let property = request.q("idProperty").to_owned();
        if object == "deals"
            && !property.is_empty()
            && !self.properties.contains(&format!("deals/{property}"))
        {
            return Self::refused(&property, &format!("{property} is not a unique property"));
        }
        let stamp = request.now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let unknown = match request.method.as_str() {
            "PATCH" => self.unknown(object, &request.body["properties"]),
            _ => None,
        };
        let found = self.of(object).iter_mut().find(|record| {
            record["archived"] == false
                && match property.as_str() {
                    "" => record["id"] == id,
                    property => record["properties"][property] == id,
                }
        });
        let Some(found) = found else {
            return reply(
                404,
                json!({"status": "error", "category": "OBJECT_NOT_FOUND", "message": "resource not found"}),
            );
        };
        if let Some(unknown) = unknown {
            return unknown;
        }
        if request.method == "PATCH" {
            for (name, value) in request.body["properties"].as_object().unwrap() {
                found["properties"][name] = value.clone();
            }
            found["properties"]["hs_lastmodifieddate"] = json!(stamp);
        }
        reply(200, found.clone())
    }
}

impl Fake for HubSpot {
    fn kind(&self, request: &Request) -> Kind {
        match (request.method.as_str(), request.path.as_str()) {
            (_, "/oauth/v1/token") => Kind::Token,
            ("POST", "/crm/v3/objects/deals") => Kind::Create,
            ("PATCH", _) => Kind::Change,
            ("POST", "/crm/v3/objects/contacts/batch/upsert") => Kind::Person,
            ("POST", "/crm/v3/objects/notes") => Kind::Note,
            _ => Kind::Other,
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        assert_eq!(request.host, "api.hubapi.com");
        if request.path == "/oauth/v1/token" {
            return match self.auth.token(&request.body) {
                Ok(token) => reply(200, token),
                Err(error) => reply(
                    400,
                    json!({"status": "BAD_REFRESH_TOKEN", "message": error["error_description"]}),
                ),
            };
        }
        if !self.auth.knows(&request.bearer()) && request.bearer() != "pat-fixed" {
            return reply(
                401,
                json!({"status": "error", "category": "EXPIRED_AUTHENTICATION", "message": "The OAuth token used to make this call expired"}),
            );
        }
        let now = request.now;
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["account-info", ..]) => reply(
                200,
                json!({"portalId": 4242, "uiDomain": "app-eu1.hubspot.com", "timeZone": "Europe/Berlin"}),
            ),
            ("GET", ["crm", "v3", "owners"]) if request.query.contains_key("after") => reply(
                200,
                json!({"results": [{"id": "77", "firstName": "Anna", "lastName": "K", "email": "Anna@shop.example"}]}),
            ),
            ("GET", ["crm", "v3", "owners"]) if !request.query.contains_key("email") => reply(
                200,
                json!({"results": [{"id": "78", "firstName": "", "lastName": "", "email": "b@shop.example"}], "paging": {"next": {"after": "x"}}}),
            ),
            ("GET", ["crm", "v3", "owners"]) => reply(200, json!({"results": []})),
            ("GET", ["crm", "v3", "pipelines", "deals"]) => {
                let stage = |id: &str, order: i64, closed: &str, probability: &str| json!({"id": id, "label": format!("{id} there"), "displayOrder": order, "metadata": {"isClosed": closed, "probability": probability}});
                reply(
                    200,
                    json!({"results": [{"id": "default", "label": "Sales", "displayOrder": 0, "archived": false, "stages": [
                        stage("won", 3, "true", "1.0"), stage("new", 0, "false", "0.2"), stage("presentation", 1, "false", "0.5"), stage("lost", 4, "true", "0.0"),
                    ]}]}),
                )
            }
            ("GET", ["crm", "v3", "properties", "deals"]) => {
                let all: Vec<Value> = self.properties.iter().filter_map(|name| name.strip_prefix("deals/")).map(|name| json!({"name": name, "label": name, "type": "string", "fieldType": "text", "options": []})).collect();
                reply(200, json!({"results": all}))
            }
            ("GET", ["crm", "v3", "properties", object, name]) => {
                if self.properties.contains(&format!("{object}/{name}")) {
                    reply(200, json!({"name": name}))
                } else {
                    reply(404, json!({"status": "error", "message": "no such property"}))
                }
            }
            ("POST", ["crm", "v3", "properties", object]) => {
                assert_eq!(request.body["hasUniqueValue"], true);
                self.properties
                    .insert(format!("{object}/{}", request.body["name"].as_str().unwrap()));
                reply(201, request.body.clone())
            }
            ("POST", ["crm", "v3", "objects", object, "search"]) => self.search(object, &request.body),
            ("POST", ["crm", "v3", "objects", "notes", "batch", "read"]) => {
                let wanted: Vec<&Value> = request.body["inputs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| &one["id"])
                    .collect();
                let found: Vec<&Value> = self
                    .notes
                    .iter()
                    .filter(|note| wanted.contains(&&note["id"]))
                    .collect();
                reply(200, json!({"results": found}))
            }
            ("POST", ["crm", "v3", "objects", object, "batch", "upsert"]) => {
                let input = &request.body["inputs"][0];
                let (property, id) = (
                    input["idProperty"].as_str().unwrap().to_owned(),
                    input["id"].clone(),
                );
                let email = input["properties"]["email"].clone();
                let taken = self.of(object).iter().find(|one| {
                    email.is_string()
                        && one["properties"][&property] != id
                        && (one["properties"]["email"] == email
                            || one["properties"]["hs_additional_emails"] == email)
                });
                if let Some(taken) = taken {
                    return reply(
                        207,
                        json!({"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{"status": "error", "category": "CONFLICT", "message": format!("Contact already exists. Existing ID: {}", taken["id"].as_str().unwrap())}]}),
                    );
                }
                let known = self
                    .of(object)
                    .iter()
                    .find(|one| one["properties"][&property] == id)
                    .map(|one| one["id"].clone());
                let id = known.unwrap_or_else(|| json!(self.make(object, &input["properties"], now)));
                reply(
                    200,
                    json!({"status": "COMPLETE", "results": [{"id": id, "new": true}]}),
                )
            }
            ("POST", ["crm", "v3", "objects", "deals"]) => {
                let properties = &request.body["properties"];
                if let Some(refusal) = self.unknown("deals", properties) {
                    return refusal;
                }
                let ours = &properties["switchboard_lead_id"];
                if self.deals.iter().any(|deal| {
                    deal["archived"] == false && deal["properties"]["switchboard_lead_id"] == *ours
                }) {
                    return Self::refused("switchboard_lead_id", "another deal already has that value");
                }
                let id = self.make("deals", properties, now);
                let deal = self.deals.last_mut().unwrap();
                deal["associations"] = json!({"contacts": {"results": [{"id": request.body["associations"][0]["to"]["id"], "type": "deal_to_contact"}]}});
                reply(201, json!({"id": id, "properties": properties}))
            }
            ("POST", ["crm", "v3", "objects", "notes"]) => {
                let id = self.make("notes", &request.body["properties"], now);
                let to = request.body["associations"][0]["to"]["id"].clone();
                for deal in self.deals.iter_mut().filter(|deal| deal["id"] == to) {
                    let mut notes = deal
                        .pointer("/associations/notes/results")
                        .and_then(Value::as_array)
                        .cloned()
                        .unwrap_or_default();
                    notes.push(json!({"id": id}));
                    deal["associations"]["notes"] = json!({"results": notes});
                }
                reply(201, json!({"id": id}))
            }
            ("GET", ["crm", "v3", "objects", _]) => reply(200, json!({"results": []})),
            ("GET" | "PATCH", ["crm", "v3", "objects", object, id]) => {
                let id = url::form_urlencoded::parse(format!("x={id}").as_bytes())
                    .next()
                    .unwrap()
                    .1
                    .into_owned();
                self.one(request, object, &id)
            }
            other => panic!("{other:?}"),
        }
    }

    fn auth(&mut self) -> &mut Auth {
        &mut self.auth
    }

    fn leads(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let living = self.deals.iter().filter(|deal| deal["archived"] == false);
        living
            .map(|deal| {
                (
                    text(&deal["id"]),
                    text(&deal["properties"]["switchboard_lead_id"]),
                )
            })
            .collect()
    }

    fn people(&self) -> usize {
        self.contacts.len()
    }

    fn plant_person(&mut self, phone: &str) -> String {
        self.contacts.push(json!({"id": "9", "archived": false, "properties": {"phone": phone, "email": "first@client.example", "hs_additional_emails": "ivan@client.example"}}));
        "9".to_owned()
    }

    fn notes(&self) -> usize {
        self.notes.len()
    }

    fn move_lead(&mut self, id: &str, status: &str, now: DateTime<Utc>) {
        let (pipeline, stage) = status.split_once(':').unwrap();
        for deal in self.deals.iter_mut().filter(|deal| deal["id"] == id) {
            deal["properties"]["pipeline"] = json!(pipeline);
            deal["properties"]["dealstage"] = json!(stage);
            deal["properties"]["hs_lastmodifieddate"] =
                json!(now.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
    }

    fn delete_lead(&mut self, id: &str, _: DateTime<Utc>) {
        for deal in self.deals.iter_mut().filter(|deal| deal["id"] == id) {
            deal["archived"] = json!(true);
        }
    }

    fn lag(&mut self) {
        self.lagging = true;
    }
}
