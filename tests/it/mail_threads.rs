//! Which conversation a mail belongs to, who may answer in it, what reports say of what was sent, and what
//! colleagues file.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use switchboard::db::entity::{conversation, identity};
use switchboard_sdk::{
    Batch, Capture, Clock, DeliveryReceipt, Identity, IdentityKind, InboundBody, InboundEvent,
    InboundMessage, Outcome, Person, ReceiptState, SystemClock, Thread, ThreadFacts, ThreadRules,
};

use crate::support::TestApp;

pub fn person(address: &str) -> Person {
    Person {
        name: Some(address.split('@').next().unwrap().to_owned()),
        identities: vec![Identity {
            kind: IdentityKind::Email,
            value: address.to_owned(),
            verified: false,
        }],
        ..Person::default()
    }
}

/// A mail as the connector hands it over.
pub struct Mail {
    pub own: &'static str,
    pub from: &'static str,
    pub earlier: Vec<String>,
    pub subject: &'static str,
    pub facts: ThreadFacts,
    pub automatic: bool,
}

impl Mail {
    pub fn new(own: &'static str, from: &'static str) -> Self {
        Self {
            own,
            from,
            earlier: Vec::new(),
            subject: "Order 5",
            facts: ThreadFacts::default(),
            automatic: false,
        }
    }

    pub fn answers(mut self, id: &str) -> Self {
        self.earlier.push(id.to_owned());
        self
    }

    pub fn to(mut self, others: &[&str]) -> Self {
        self.facts.others = others.iter().map(|other| (*other).to_owned()).collect();
        self
    }

    /// Takes it in; answers its conversation and its message.
    pub async fn arrives(self, app: &TestApp, channel: &Value) -> (String, String) {
        let event = InboundEvent {
            external_id: self.own.to_owned(),
            at: SystemClock.now(),
            body: InboundBody::Message(InboundMessage {
                from: person(self.from),
                thread: Thread::Messages {
                    own: self.own.to_owned(),
                    earlier: self.earlier,
                },
                subject: Some(self.subject.to_owned()),
                text: format!("words of {}", self.own),
                threading: Some(Box::new(self.facts)),
                automatic: self.automatic,
                ..InboundMessage::default()
            }),
        };
        match deliver(app, channel, event).await {
            Outcome::Stored {
                conversation_id: Some(id),
                message_id: Some(message),
                ..
            } => (id, message),
            other => panic!("{other:?}"),
        }
    }
}

async fn deliver(app: &TestApp, channel: &Value, event: InboundEvent) -> Outcome {
    let id = channel["id"].as_str().unwrap();
    let mut receipt = app.app.ingest.deliver(id, Batch::one(event)).await.unwrap();
    receipt.outcomes.remove(0)
}

/// A mail channel that is switched off: nothing comes or goes by itself.
pub async fn mailbox(app: &TestApp) -> Value {
    let line = app.line("Support", json!({})).await;
    let settings = json!({"address": "support@shop.example", "imap": {"host": "127.0.0.1", "port": 1, "tls": "none", "password": "x"},
        "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none"}});
    let body = json!({"kind": "email", "line_id": line["id"], "name": "Mail", "settings": settings, "enabled": false});
    app.post("/channels", body).await.expect(201)
}

pub async fn messages(app: &TestApp, id: &str) -> Vec<Value> {
    let page = app.get(&format!("/conversations/{id}/messages")).await;
    page["items"].as_array().unwrap().clone()
}

async fn talk(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/conversations/{id}")).await
}

/// What an operator answers, as it would be sent.
async fn reply(app: &TestApp, id: &str, text: &str) -> String {
    let body = json!({"text": text});
    let sent = app
        .post(&format!("/conversations/{id}/messages"), body)
        .await
        .expect(201);
    sent["id"].as_str().unwrap().to_owned()
}

both_databases! {
    async fn whom_an_operator_puts_on_copy_is_no_stranger_when_they_answer(app: TestApp) {
        let channel = mailbox(&app).await;
        let (id, _) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let body = json!({"text": "Kate knows", "mode": "reply", "to": ["ivan@x.example"], "cc": ["Kate@x.example"]});
        app.post(&format!("/conversations/{id}/messages"), body).await.expect(201);
        let (joined, _) = Mail::new("b@x", "kate@x.example").answers("a@x").arrives(&app, &channel).await;
        assert_eq!(joined, id);
        assert_eq!(messages(&app, &id).await.last().unwrap()["new_participant"], false);
        let (other, _) = Mail::new("c@x", "eve@x.example").answers("a@x").arrives(&app, &channel).await;
        assert_ne!(other, id, "somebody else who knows an id");
    }

    async fn who_is_on_copy_joins_and_does_not_become_the_client(app: TestApp) {
        let channel = mailbox(&app).await;
        let (id, _) = Mail::new("a@x", "ivan@x.example").to(&["kate@x.example"]).arrives(&app, &channel).await;
        let (joined, _) = Mail::new("b@x", "kate@x.example").answers("a@x").to(&["ivan@x.example"]).arrives(&app, &channel).await;
        assert_eq!(joined, id);
        let (talk, thread) = (talk(&app, &id).await, messages(&app, &id).await);
        assert_eq!(talk["contact"]["name"], "ivan");
        assert_eq!((&thread[1]["author"]["name"], &thread[1]["new_participant"]), (&json!("kate"), &json!(false)));
        let row = conversation::Entity::find_by_id(&id).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(row.address, "ivan@x.example", "answers go to the client");
    }

    async fn a_stranger_who_knows_an_id_begins_their_own_with_a_link(app: TestApp) {
        let channel = mailbox(&app).await;
        let (id, _) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let (own, _) = Mail::new("b@y", "eve@y.example").answers("a@x").arrives(&app, &channel).await;
        assert_ne!(own, id);
        let link = &talk(&app, &own).await["links"][0];
        assert_eq!((&link["kind"], &link["conversation_id"], &link["reason"]), (&json!("continues"), &json!(id), &json!("stranger")));
        assert_eq!(talk(&app, &id).await["links"][0]["kind"], "continued_by");
        assert_eq!(messages(&app, &id).await.len(), 1);
        // Their next mail stays with them.
        let (again, _) = Mail::new("c@y", "eve@y.example").answers("b@y").arrives(&app, &channel).await;
        assert_eq!(again, own);
        // A bounce belongs to what it answers and opens nothing.
        let bounce = Mail { automatic: true, ..Mail::new("d@z", "mailer-daemon@z.example").answers("a@x") };
        assert_eq!(bounce.arrives(&app, &channel).await.0, id);
        let thread = messages(&app, &id).await;
        assert_eq!((&thread[1]["automatic"], &thread[0]["automatic"]), (&json!(true), &json!(false)));
    }

    async fn who_holds_a_reply_address_joins_marked_for_review(app: TestApp) {
        let channel = mailbox(&app).await;
        let (id, _) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let sent = reply(&app, &id, "hello").await;
        let mut mail = Mail::new("b@y", "boss@x.example");
        mail.facts.token = Some(sent.clone());
        let (joined, _) = mail.arrives(&app, &channel).await;
        assert_eq!(joined, id);
        let thread = messages(&app, &id).await;
        assert_eq!((&thread[2]["new_participant"], &thread[0]["new_participant"]), (&json!(true), &json!(false)));
        // The client's token leads there without any ids, and the token of another channel does not.
        let mut mail = Mail::new("c@x", "ivan@x.example");
        mail.facts.token = Some(sent.clone());
        assert_eq!(mail.arrives(&app, &channel).await.0, id);
        let other = mailbox(&app).await;
        let mut mail = Mail::new("d@x", "ivan@x.example");
        mail.facts.token = Some(sent);
        assert_ne!(mail.arrives(&app, &other).await.0, id);
    }

    async fn by_rule_an_old_conversation_or_another_subject_begins_a_new_one(app: TestApp) {
        let channel = mailbox(&app).await;
        let rules = ThreadRules { new_after_days: 30, new_on_changed_subject: true };
        let (id, _) = Mail::new("a@x", "ivan@x.example").arrives(&app, &channel).await;
        let mut mail = Mail { subject: "Invoice", ..Mail::new("b@x", "ivan@x.example").answers("a@x") };
        mail.facts.rules = rules;
        let (other, _) = mail.arrives(&app, &channel).await;
        assert_ne!(other, id);
        assert_eq!(talk(&app, &other).await["links"][0]["reason"], "subject");
        app.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200);
        let mut mail = Mail::new("c@x", "ivan@x.example").answers("a@x");
        mail.facts.rules = rules;
        assert_eq!(mail.arrives(&app, &channel).await.0, id, "closed a moment ago");
        assert_eq!(talk(&app, &id).await["session"]["state"], "waiting");
    }

    async fn a_delay_is_shown_and_is_no_failure_and_a_delivery_ends_it(app: TestApp) {
        let channel = mailbox(&app).await;
        let (id, _) = Mail::new("a@x", "gone@x.example").arrives(&app, &channel).await;
        let sent = reply(&app, &id, "hello").await;
        let own = format!("{sent}@shop.example");
        // As the dispatcher remembers it before it sends.
        let known = switchboard::db::entity::thread_ref::Model {
            channel_id: channel["id"].as_str().unwrap().to_owned(),
            external_id: own.clone(),
            conversation_id: id.clone(),
            message_id: Some(sent.clone()),
            created_at: app.app.clock.now(),
        };
        let write = app.app.db.write().await.unwrap();
        use sea_orm::IntoActiveModel;
        switchboard::db::entity::thread_ref::Entity::insert(known.into_active_model()).exec_without_returning(write.tx()).await.unwrap();
        write.commit().await.unwrap();
        let report = |n: u32, state, error: Option<&str>, dead: Option<&str>| InboundEvent {
            external_id: format!("r{n}"),
            at: SystemClock.now(),
            body: InboundBody::Receipt(DeliveryReceipt {
                external_id: own.clone(),
                state,
                error: error.map(str::to_owned),
                dead_address: dead.map(str::to_owned),
                known_as: None,
            }),
        };
        let delivery = || async { messages(&app, &id).await[1]["delivery"].clone() };
        deliver(&app, &channel, report(1, ReceiptState::Delayed, Some("busy"), None)).await;
        assert_eq!((&delivery().await["state"], &delivery().await["error"]), (&json!("delayed"), &json!("busy")));
        app.post(&format!("/messages/{sent}/retry"), json!({})).await.expect(409);
        deliver(&app, &channel, report(2, ReceiptState::Delivered, None, None)).await;
        assert_eq!((&delivery().await["state"], &delivery().await["error"]), (&json!("delivered"), &Value::Null));
        assert_eq!(talk(&app, &id).await["address_problem"], Value::Null);

        let why = "gone@x.example: the address does not exist (550 5.1.1)";
        deliver(&app, &channel, report(3, ReceiptState::Failed, Some(why), Some("gone@x.example"))).await;
        assert_eq!(delivery().await["state"], "failed");
        assert_eq!(talk(&app, &id).await["address_problem"], why);
        let contact = talk(&app, &id).await["contact"]["id"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&format!("/contacts/{contact}")).await["identities"][0]["unreachable_reason"], why);
        // A late "delayed" does not hide the failure; a mail from there says that somebody is.
        deliver(&app, &channel, report(4, ReceiptState::Delayed, Some("busy"), None)).await;
        assert_eq!(delivery().await["state"], "failed");
        Mail::new("z@x", "gone@x.example").answers("a@x").arrives(&app, &channel).await;
        assert_eq!(talk(&app, &id).await["address_problem"], Value::Null);
        let row = identity::Entity::find_by_id(("email".to_owned(), "gone@x.example".to_owned())).one(app.app.db.read()).await;
        assert_eq!(row.unwrap().unwrap().unreachable_since, None);
    }

    async fn a_colleagues_mail_is_filed_as_their_answer_and_the_customers_answer_joins_it(app: TestApp) {
        let channel = mailbox(&app).await;
        let user = json!({"name": "Anna", "email": "anna@shop.example", "password": "a long password 1", "role": "operator"});
        let anna = app.post("/users", user).await.expect(201);
        let filed = |trusted| Capture::Filed { to: vec![person("ivan@x.example")], trusted, only: true };
        let mut mail = Mail::new("o@shop", "anna@shop.example").to(&["ivan@x.example"]);
        mail.facts.capture = filed(true);
        let (id, _) = mail.arrives(&app, &channel).await;
        let (talk1, thread) = (talk(&app, &id).await, messages(&app, &id).await);
        assert_eq!((&talk1["contact"]["name"], &talk1["session"]["state"]), (&json!("ivan"), &json!("closed")));
        assert_eq!((&thread[0]["kind"], &thread[0]["author"]["id"]), (&json!("reply"), &anna["id"]));
        assert_eq!(thread[0]["delivery"], Value::Null);
        // Ivan answers Anna with the capture address in copy: filed, and nobody is asked.
        let mut back = Mail::new("p@x", "ivan@x.example").answers("o@shop").to(&["anna@shop.example"]);
        back.facts.capture = Capture::Filed { to: vec![person("anna@shop.example")], trusted: false, only: true };
        assert_eq!(back.arrives(&app, &channel).await.0, id);
        assert_eq!(talk(&app, &id).await["session"]["state"], "closed");
        assert!(app.get("/leads").await["items"].as_array().unwrap().is_empty());
        // Whose address is not to be believed is a sender like any other.
        let mut forged = Mail::new("q@shop", "anna@shop.example");
        forged.facts.capture = filed(false);
        let (other, _) = forged.arrives(&app, &channel).await;
        assert_eq!(messages(&app, &other).await[0]["kind"], "inbound");
    }
}
