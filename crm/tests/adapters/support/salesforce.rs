//! Salesforce in memory.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Auth, Fake, Fixture, Journal, Kind, Reply, Request, digits, empty, reply};

pub fn fixture() -> Fixture {
    Fixture {
        kind: "salesforce",
        fake: |journal| Box::new(Salesforce::new(journal)),
        settings: || {
            json!({
                "domain": "shop.my.salesforce.com",
                "auth": {"method": "oauth", "client_id": "3MVG9", "client_secret": "client-secret", "refresh_token": "refresh-0-secret"},
            })
        },
        moved: "Working",
        limited: || {
            (
                reply(
                    403,
                    json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]),
                ),
                600,
            )
        },
        foreign: Some(("domain", "salesforce.com.evil.example")),
        makes_people: false,
    }
}

pub struct Salesforce {
    auth: Auth,
    pub leads: Vec<Value>,
    tasks: Vec<Value>,
    pub instance: String,
    /// Duplicate rules block instead of report.
    pub blocks: bool,
    next: u32,
}

fn stamp(now: DateTime<Utc>) -> Value {
    json!(now.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string())
}

fn refused(status: u16, code: &str, message: &str, fields: &[&str]) -> Reply {
    reply(
        status,
        json!([{"errorCode": code, "message": message, "fields": fields}]),
    )
}

impl Salesforce {
    pub fn new(journal: Journal) -> Self {
        Self {
            auth: Auth::new(journal),
            leads: Vec::new(),
            tasks: Vec::new(),
            instance: "https://shop-2.my.salesforce.com".to_owned(),
            blocks: false,
            next: 0,
        }
    }

    fn write(&mut self, at: Option<usize>, external: Option<&str>, request: &Request) -> Reply {
        const KNOWN: [&str; 11] = [
            "FirstName",
            "LastName",
            "Company",
            "Email",
            "Phone",
            "MobilePhone",
            "Description",
            "Status",
            "OwnerId",
            "AnnualRevenue",
            "Switchboard_Id__c",
        ];
        let fields = request.body.as_object().unwrap();
        if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return refused(
                400,
                "INVALID_FIELD",
                &format!("No such column '{unknown}' on sobject of type Lead"),
                &[],
            );
        }
        if at.is_none() {
            let missing: Vec<&str> = ["LastName", "Company"]
                .into_iter()
                .filter(|name| {
                    fields
                        .get(*name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .is_empty()
                })
                .collect();
            if !missing.is_empty() {
                return refused(
                    400,
                    "REQUIRED_FIELD_MISSING",
                    "Required fields are missing",
                    &missing,
                );
            }
            let allowed = request
                .headers
                .get("sforce-duplicate-rule-header")
                .map(String::as_str)
                == Some("allowSave=true");
            let phone = digits(fields.get("Phone").and_then(Value::as_str).unwrap_or_default());
            let twin = self.leads.iter().find(|lead| {
                !phone.is_empty()
                    && lead["IsDeleted"] == false
                    && digits(lead["Phone"].as_str().unwrap_or_default()) == phone
            });
            if let Some(twin) = twin.filter(|_| !allowed || self.blocks) {
                return reply(
                    400,
                    json!([{
                        "errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
                        "duplicateResult": {"allowSave": !self.blocks, "matchResults": [{"entityType": "Lead", "matchRecords": [{"record": {"attributes": {"type": "Lead"}, "Id": twin["Id"]}}]}]},
                    }]),
                );
            }
        }
        let created = at.is_none();
        let at = at.unwrap_or_else(|| {
            self.next += 1;
            self.leads.push(json!({"Id": format!("00Q0000000000{:02}AAA", self.next), "Status": "Open - Not Contacted", "IsConverted": false, "IsDeleted": false, "ConvertedContactId": null, "Switchboard_Id__c": external, "CreatedDate": stamp(request.now)}));
            self.leads.len() - 1
        });
        let lead = &mut self.leads[at];
        if lead["IsConverted"] == true {
            return refused(
                400,
                "CANNOT_UPDATE_CONVERTED_LEAD",
                "cannot reference converted lead",
                &[],
            );
        }
        for (name, value) in fields {
            lead[name] = value.clone();
        }
        lead["LastModifiedDate"] = stamp(request.now);
        lead["SystemModstamp"] = stamp(request.now);
        if external.is_some() {
            return reply(
                if created { 201 } else { 200 },
                json!({"id": lead["Id"], "success": true, "errors": [], "created": created}),
            );
        }
        empty(204)
    }

    fn query(&self, soql: &str, all: bool) -> Reply {
        let quoted: Vec<String> = soql
            .split('\'')
            .skip(1)
            .step_by(2)
            .map(|text| text.replace('\\', ""))
            .collect();
        let found: Vec<Value> = if soql.contains("FROM LeadStatus") {
            let status = |name: &str, converted: bool| json!({"ApiName": name, "MasterLabel": name, "IsConverted": converted});
            vec![
                status("Open - Not Contacted", false),
                status("Working", false),
                status("Closed - Converted", true),
            ]
        } else if soql.contains("FROM User") && !soql.contains("Email =") {
            vec![json!({"Id": "77", "Name": "Anna K", "Email": "Anna@shop.example"})]
        } else if soql.contains("FROM User") {
            Vec::new()
        } else if soql.contains("FROM Task") {
            let mark = quoted[1].trim_matches('%');
            self.tasks
                .iter()
                .filter(|task| task["WhoId"] == quoted[0] && task["Subject"].as_str().unwrap().contains(mark))
                .cloned()
                .collect()
        } else if soql.contains("WHERE Id = ") {
            let open = soql.contains("IsConverted = false");
            self.leads
                .iter()
                .filter(|lead| {
                    lead["Id"] == quoted[0]
                        && lead["IsDeleted"] == false
                        && !(open && lead["IsConverted"] == true)
                })
                .cloned()
                .collect()
        } else {
            let from = soql
                .split("SystemModstamp >= ")
                .nth(1)
                .unwrap()
                .split(' ')
                .next()
                .unwrap();
            let from = DateTime::parse_from_rfc3339(from).unwrap();
            let time = |lead: &Value| {
                DateTime::parse_from_str(lead["SystemModstamp"].as_str().unwrap(), "%Y-%m-%dT%H:%M:%S%.f%z")
                    .unwrap()
            };
            let mut found: Vec<Value> = self
                .leads
                .iter()
                .filter(|lead| all || lead["IsDeleted"] == false)
                .filter(|lead| lead["Switchboard_Id__c"].is_string() && time(lead) >= from)
                .cloned()
                .collect();
            found.sort_by_key(time);
            found
        };
        reply(
            200,
            json!({"totalSize": found.len(), "done": true, "records": found}),
        )
    }
}

impl Fake for Salesforce {
    fn kind(&self, request: &Request) -> Kind {
        match (request.method.as_str(), request.path.as_str()) {
            (_, "/services/oauth2/token") => Kind::Token,
            ("PATCH", path) if path.contains("/Lead/Switchboard_Id__c/") => Kind::Create,
            ("PATCH", _) => Kind::Change,
            ("POST", path) if path.ends_with("/Task") => Kind::Note,
            _ => Kind::Other,
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        if request.path == "/services/oauth2/token" {
            assert_eq!(request.host, "shop.my.salesforce.com");
            return match self.auth.token(&request.body) {
                Ok(mut token) => {
                    // It does not say how long a token lasts.
                    token.as_object_mut().unwrap().remove("expires_in");
                    token["instance_url"] = json!(self.instance);
                    reply(200, token)
                }
                Err(error) => reply(400, error),
            };
        }
        assert_eq!(format!("https://{}", request.host), self.instance);
        if !self.auth.knows(&request.bearer()) {
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid", &[]);
        }
        let path = request.path.strip_prefix("/services/data/v61.0/").unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["limits"]) => reply(
                200,
                json!({"DailyApiRequests": {"Max": 15000, "Remaining": 14000}}),
            ),
            ("GET", ["query"]) => self.query(request.q("q"), false),
            ("GET", ["queryAll"]) => self.query(request.q("q"), true),
            ("GET", ["sobjects", "Lead", "describe"]) => {
                let field = |name: &str, kind: &str| json!({"name": name, "label": format!("{name} there"), "type": kind, "createable": true, "updateable": true, "nillable": true, "defaultedOnCreate": false, "picklistValues": []});
                let mut external = field("Switchboard_Id__c", "string");
                external["externalId"] = json!(true);
                external["unique"] = json!(true);
                reply(
                    200,
                    json!({"fields": [field("LastName", "string"), field("Company", "string"), field("AnnualRevenue", "currency"), external]}),
                )
            }
            ("GET", ["sobjects", "Lead", "Switchboard_Id__c", ours]) => {
                match self
                    .leads
                    .iter()
                    .find(|lead| lead["Switchboard_Id__c"] == *ours && lead["IsDeleted"] == false)
                {
                    Some(lead) => reply(200, lead.clone()),
                    None => refused(404, "NOT_FOUND", "The requested resource does not exist", &[]),
                }
            }
            ("PATCH", ["sobjects", "Lead", "Switchboard_Id__c", ours]) => {
                assert!(
                    request.body.get("Switchboard_Id__c").is_none(),
                    "the external id stands in the address"
                );
                let at = self
                    .leads
                    .iter()
                    .position(|lead| lead["Switchboard_Id__c"] == *ours && lead["IsDeleted"] == false);
                self.write(at, Some(ours), request)
            }
            ("PATCH", ["sobjects", "Lead", id]) => match self.leads.iter().position(|lead| lead["Id"] == *id)
            {
                Some(at) if self.leads[at]["IsDeleted"] == false => self.write(Some(at), None, request),
                _ => refused(404, "ENTITY_IS_DELETED", "entity is deleted", &[]),
            },
            ("POST", ["sobjects", "Task"]) => {
                let mut task = request.body.clone();
                assert!(task["Subject"].as_str().unwrap().chars().count() <= 255);
                task["Id"] = json!(format!("00T{}", self.tasks.len()));
                self.tasks.push(task.clone());
                reply(201, json!({"id": task["Id"], "success": true, "errors": []}))
            }
            other => panic!("{other:?}"),
        }
    }

    fn auth(&mut self) -> &mut Auth {
        &mut self.auth
    }

    fn leads(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let living = self.leads.iter().filter(|lead| lead["IsDeleted"] == false);
        living
            .map(|lead| (text(&lead["Id"]), text(&lead["Switchboard_Id__c"])))
            .collect()
    }

    fn people(&self) -> usize {
        self.leads.len()
    }

    fn plant_person(&mut self, phone: &str) -> String {
        self.next += 1;
        let id = format!("00Q0000000000{:02}AAA", self.next);
        let at = stamp(DateTime::UNIX_EPOCH);
        self.leads.push(json!({"Id": id, "Phone": phone, "Status": "Working", "IsConverted": false, "IsDeleted": false, "CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}));
        id
    }

    fn notes(&self) -> usize {
        self.tasks.len()
    }

    fn move_lead(&mut self, id: &str, status: &str, now: DateTime<Utc>) {
        for lead in self.leads.iter_mut().filter(|lead| lead["Id"] == id) {
            lead["Status"] = json!(status);
            lead["LastModifiedDate"] = stamp(now);
            lead["SystemModstamp"] = stamp(now);
        }
    }

    fn delete_lead(&mut self, id: &str, now: DateTime<Utc>) {
        for lead in self.leads.iter_mut().filter(|lead| lead["Id"] == id) {
            lead["IsDeleted"] = json!(true);
            lead["SystemModstamp"] = stamp(now);
        }
    }

    fn set(&mut self, id: &str, fields: &Value) {
        for lead in self.leads.iter_mut().filter(|lead| lead["Id"] == id) {
            for (name, value) in fields.as_object().unwrap() {
                lead[name] = value.clone();
            }
        }
    }

    fn lag(&mut self) {}
}
