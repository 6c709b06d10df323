//! Bitrix24 in memory.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Auth, Fake, Fixture, Journal, Kind, Reply, Request, digits, number_is, reply};

pub fn fixture() -> Fixture {
    Fixture {
        kind: "bitrix24",
        fake: |journal| Box::new(Bitrix::new(journal)),
        settings: || {
            json!({
                "portal": "shop.bitrix24.com",
                "auth": {"method": "oauth", "client_id": "local.1", "client_secret": "client-secret", "refresh_token": "refresh-0-secret"},
            })
        },
        moved: "IN_PROCESS",
        limited: || {
            (
                reply(
                    503,
                    json!({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}),
                ),
                1,
            )
        },
        // A portal may be on anybody's server.
        foreign: Some(("portal", "http://shop.bitrix24.com")),
        makes_people: false,
    }
}

pub struct Bitrix {
    auth: Auth,
    pub items: Vec<Value>,
    contacts: Vec<(String, String)>,
    pub comments: Vec<Value>,
    pub fail_in_batch: Option<Value>,
    next: i64,
}

const FIELDS: [(&str, &str, &str); 9] = [
    ("title", "string", "Title"),
    ("name", "string", "Name"),
    ("lastName", "string", "Last name"),
    ("sourceId", "crm_status", "Source"),
    ("sourceDescription", "text", "Source description"),
    ("utmSource", "string", "UTM Source"),
    ("assignedById", "user", "Responsible"),
    ("opportunity", "double", "Amount"),
    ("ufCrm_1720019876534", "enumeration", "Product"),
];

impl Bitrix {
    pub fn new(journal: Journal) -> Self {
        Self {
            auth: Auth::new(journal),
            items: Vec::new(),
            contacts: Vec::new(),
            comments: Vec::new(),
            fail_in_batch: None,
            next: 10,
        }
    }

    fn method(&mut self, method: &str, body: &Value, now: DateTime<Utc>) -> Result<Value, (u16, Value)> {
        let stamp = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let refuse = |code: &str, words: &str| Err((400, json!({"error": code, "error_description": words})));
        let number = |value: &Value| {
            value
                .as_i64()
                .or_else(|| value.as_str()?.parse().ok())
                .unwrap_or_default()
        };
        match method {
            "profile" => Ok(json!({"ID": "1", "NAME": "Anna", "LAST_NAME": "K", "ADMIN": true})),
            "user.get" if body["FILTER"].get("EMAIL").is_none() => Ok(match number(&body["start"]) {
                0 => Value::Array(
                    (1..=50)
                        .map(|id| json!({"ID": id.to_string(), "NAME": format!("User {id:02}"), "LAST_NAME": "", "EMAIL": ""}))
                        .collect(),
                ),
                _ => json!([{"ID": "77", "NAME": "Anna", "LAST_NAME": "K", "EMAIL": "Anna@shop.example"}]),
            }),
            "user.get" => Ok(json!([])),
            "crm.item.fields" => {
                let mut fields = json!({});
                for (id, kind, title) in FIELDS {
                    fields[id] = json!({"type": kind, "isRequired": false, "isReadOnly": false, "isMultiple": false, "title": title, "statusType": "SOURCE", "items": [{"ID": "44", "VALUE": "Door"}]});
                }
                fields["id"] = json!({"type": "integer", "isReadOnly": true, "title": "ID"});
                Ok(json!({"fields": fields}))
            }
            "crm.status.list" => {
                let status = |entity: &str, id: &str, meaning: &str| json!({"ENTITY_ID": entity, "STATUS_ID": id, "NAME": format!("{id} there"), "SEMANTICS": meaning});
                let all = [
                    status("SOURCE", "WEB", ""),
                    status("STATUS", "NEW", ""),
                    status("STATUS", "IN_PROCESS", ""),
                    status("STATUS", "CONVERTED", "S"),
                    status("STATUS", "JUNK", "F"),
                ];
                let start = usize::try_from(number(&body["start"])).unwrap();
                Ok(json!(all.into_iter().skip(start).take(50).collect::<Vec<_>>()))
            }
            "crm.item.add" => {
                self.next += 1;
                let mut item = json!({"id": self.next, "stageId": "NEW", "stageSemanticId": "P", "contactId": 0, "companyId": null, "createdTime": stamp, "updatedTime": stamp, "fm": [], "originId": null, "originatorId": null});
                for (name, value) in body["fields"].as_object().unwrap() {
                    if name == "opportunity" && value.is_string() {
                        return refuse(
                            "CRM_FIELD_ERROR_VALUE_NOT_VALID",
                            "Неверное значение поля \"Amount\"",
                        );
                    }
                    // What is no field is dropped without a word.
                    let known = item.get(name).is_some() || FIELDS.iter().any(|(id, ..)| id == name);
                    if name == "contactIds" {
                        item["contactId"] = value[0].clone();
                    } else if known {
                        item[name] = value.clone();
                    }
                }
                self.items.push(item.clone());
                Ok(json!({"item": item}))
            }
            "crm.item.update" => {
                let id = number(&body["id"]);
                let Some(item) = self.items.iter_mut().find(|item| item["id"] == id) else {
                    return refuse("NOT_FOUND", "Элемент не найден");
                };
                for (name, value) in body["fields"].as_object().unwrap() {
                    item[name] = value.clone();
                }
                item["updatedTime"] = json!(stamp);
                Ok(json!({"item": item}))
            }
            "crm.item.get" => {
                let id = number(&body["id"]);
                match self.items.iter().find(|item| item["id"] == id) {
                    Some(item) => Ok(json!({"item": item})),
                    None => refuse("NOT_FOUND", "Элемент не найден"),
                }
            }
            "crm.item.list" => {
                let filter = &body["filter"];
                let start = usize::try_from(number(&body["start"]).max(0)).unwrap();
                let mut found: Vec<&Value> = self
                    .items
                    .iter()
                    .filter(|item| filter["=originId"].is_null() || item["originId"] == filter["=originId"])
                    .filter(|item| {
                        filter["=originatorId"].is_null() || item["originatorId"] == filter["=originatorId"]
                    })
                    .filter(|item| {
                        filter[">=updatedTime"]
                            .as_str()
                            .is_none_or(|from| item["updatedTime"].as_str().unwrap() >= from)
                    })
                    .collect();
                found.sort_by_key(|item| item["updatedTime"].as_str().unwrap().to_owned());
                let found: Vec<&Value> = found.into_iter().skip(start).take(50).collect();
                Ok(json!({"items": found}))
            }
            "crm.duplicate.findbycomm" => {
                let values: Vec<&str> = super::values(&body["values"]);
                assert!(!values.is_empty() && values.len() <= 20, "{body}");
                assert!(body["entity_type"].is_string(), "kinds hide each other: {body}");
                let found: Vec<i64> = self
                    .contacts
                    .iter()
                    .filter(|_| body["entity_type"] == "CONTACT" && body["type"] == "PHONE")
                    .filter(|(_, phone)| values.iter().any(|value| digits(value) == digits(phone)))
                    .map(|(id, _)| id.parse().unwrap())
                    .collect();
                // Nothing found is a list, something found an object.
                Ok(if found.is_empty() {
                    json!([])
                } else {
                    json!({"CONTACT": found})
                })
            }
            "crm.timeline.comment.list" => {
                let id = number(&body["filter"]["ENTITY_ID"]);
                Ok(json!(
                    self.comments
                        .iter()
                        .rev()
                        .filter(|comment| number(&comment["ENTITY_ID"]) == id)
                        .take(50)
                        .collect::<Vec<_>>()
                ))
            }
            "crm.timeline.comment.add" => {
                self.next += 1;
                let mut comment = body["fields"].clone();
                comment["ID"] = json!(self.next.to_string());
                self.comments.push(comment);
                Ok(json!(self.next))
            }
            other => panic!("Bitrix24 has no method {other} here"),
        }
    }

    fn batch(&mut self, body: &Value, now: DateTime<Utc>) -> Value {
        let (mut results, mut errors) = (json!({}), json!({}));
        let commands = body["cmd"].as_object().unwrap().clone();
        assert!(commands.len() <= 50);
        for (key, command) in commands {
            let (method, query) = command.as_str().unwrap().split_once('?').unwrap();
            let mut arguments = json!({});
            for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
                let mut place = &mut arguments;
                for part in name.split(['[', ']']).filter(|part| !part.is_empty()) {
                    if place.is_null() {
                        *place = json!({});
                    }
                    place = &mut place[part];
                }
                *place = json!(value);
            }
            if let Some(error) = self.fail_in_batch.take() {
                errors[&key] = error;
                continue;
            }
            match self.method(method, &arguments, now) {
                Ok(result) => results[&key] = result,
                Err((_, error)) => errors[&key] = error,
            }
        }
        let list = |object: Value| if object == json!({}) { json!([]) } else { object };
        json!({"result": list(results), "result_error": list(errors), "result_total": [], "result_next": [], "result_time": {}})
    }
}

impl Fake for Bitrix {
    fn kind(&self, request: &Request) -> Kind {
        match request.path.rsplit('/').next().unwrap() {
            _ if request.host == "oauth.bitrix24.tech" => Kind::Token,
            "crm.item.add.json" => Kind::Create,
            "crm.item.update.json" => Kind::Change,
            "crm.timeline.comment.add.json" => Kind::Note,
            _ => Kind::Other,
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        if request.host == "oauth.bitrix24.tech" {
            return match self.auth.token(&json!(request.query)) {
                Ok(mut token) => {
                    token["client_endpoint"] = json!("https://evil.example/rest/");
                    reply(200, token)
                }
                Err(error) => reply(400, error),
            };
        }
        assert_eq!(request.host, "shop.bitrix24.com");
        let method = request
            .path
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".json")
            .to_owned();
        if request.path.starts_with("/rest/1/") {
            if !request.path.starts_with("/rest/1/abcdefgh12345678/") {
                return reply(
                    401,
                    json!({"error": "INVALID_CREDENTIALS", "error_description": format!("Invalid request credentials {}", request.path)}),
                );
            }
        } else if !self.auth.knows(request.body["auth"].as_str().unwrap_or_default()) {
            return reply(
                401,
                json!({"error": "expired_token", "error_description": "The access token provided has expired."}),
            );
        }
        let result = match method.as_str() {
            "batch" => Ok(self.batch(&request.body, request.now)),
            method => self.method(method, &request.body, request.now),
        };
        let time = json!({"operating": 1.5, "operating_reset_at": request.now.timestamp() + 400});
        match result {
            Ok(result) => reply(200, json!({"result": result, "time": time})),
            Err((status, error)) => reply(status, error),
        }
    }

    fn auth(&mut self) -> &mut Auth {
        &mut self.auth
    }

    fn leads(&self) -> Vec<(String, String)> {
        self.items
            .iter()
            .map(|item| {
                (
                    item["id"].to_string(),
                    item["originId"].as_str().unwrap_or_default().to_owned(),
                )
            })
            .collect()
    }

    fn people(&self) -> usize {
        self.contacts.len()
    }

    fn plant_person(&mut self, phone: &str) -> String {
        self.contacts.push(("7".to_owned(), phone.to_owned()));
        "7".to_owned()
    }

    fn notes(&self) -> usize {
        self.comments.len()
    }

    fn move_lead(&mut self, id: &str, status: &str, now: DateTime<Utc>) {
        for item in self.items.iter_mut().filter(|item| number_is(&item["id"], id)) {
            item["stageId"] = json!(status);
            item["updatedTime"] = json!(now.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
    }

    fn delete_lead(&mut self, id: &str, _: DateTime<Utc>) {
        self.items.retain(|item| !number_is(&item["id"], id));
    }

    fn lag(&mut self) {}
}
