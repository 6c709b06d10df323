//! Send and save, with real mail servers: what colleagues write to customers from their own programs, and what they pass
//! on, is filed with the customer.

use serde_json::{Value, json};

use crate::support::{Mailbox, TestApp};

/// What our own mail server says of a mail whose sender it could prove.
const PROVEN: &str = "Authentication-Results: mx.example.test; dmarc=pass header.from=example.test\n";

/// A server with a mailbox, its capture address, and a colleague who is a user.
struct Office {
    app: TestApp,
    channel: Value,
    shop: Mailbox,
    anna: Mailbox,
    capture: Mailbox,
}

impl Office {
    async fn new(app: TestApp) -> Self {
        let (shop, anna) = (
            Mailbox::new("shop", "example.test"),
            Mailbox::new("anna", "example.test"),
        );
        let capture = Mailbox::new("archive", "example.test");
        let line = app.line("Support", json!({})).await;
        let mut settings = shop.settings();
        settings["authserv_id"] = json!("mx.example.test");
        settings["backfill_days"] = json!(1);
        settings["capture"] = json!({"enabled": true, "address": capture.address});
        let channel = app.channel("email", &line, settings).await;
        let user = json!({"name": "Anna", "email": anna.address, "password": "a long password 1", "role": "operator"});
        app.post("/users", user).await.expect(201);
        Self {
            app,
            channel,
            shop,
            anna,
            capture,
        }
    }

    /// The closed conversation with this address, once it has so many messages.
    async fn filed(&self, with: &str, messages: usize) -> (Value, Vec<Value>) {
        let channel = self.channel["id"].as_str().unwrap();
        self.app
            .until(&format!("{messages} messages with {with}"), || async {
                let page = self
                    .app
                    .get(&format!("/conversations?view=closed&channel={channel}"))
                    .await;
                let talk = with_address(&self.app, &page, with).await?;
                let path = format!("/conversations/{}/messages", talk["id"].as_str()?);
                let thread = self.app.get(&path).await["items"].as_array()?.clone();
                (thread.len() == messages).then_some((talk, thread))
            })
            .await
    }
}

/// The conversation of a list whose contact has this address.
async fn with_address(app: &TestApp, page: &Value, address: &str) -> Option<Value> {
    for talk in page["items"].as_array()? {
        let contact = app
            .get(&format!("/contacts/{}", talk["contact"]["id"].as_str()?))
            .await;
        let known = contact["identities"].as_array()?;
        if known.iter().any(|identity| identity["value"] == address) {
            return Some(talk.clone());
        }
    }
    None
}

both_databases! {
    async fn a_colleagues_mail_to_a_customer_is_filed_with_them_and_so_is_the_answer(app: TestApp) {
        let office = Office::new(app).await;
        let ivan = Mailbox::new("ivan", "client.test");
        let mail = format!(
            "{PROVEN}From: Anna <{}>\nTo: Ivan Petrov <{}>\nCc: {}\nMessage-ID: <offer-{}>\nSubject: The offer\n\nHere it is.\n",
            office.anna.address, ivan.address, office.capture.address, office.anna.address
        );
        office.anna.send(&ivan, &mail).await;
        office.anna.send(&office.shop, &mail).await;
        assert!(ivan.mails(1).await[0].contains("Here it is."));
        let (talk, thread) = office.filed(&ivan.address, 1).await;
        assert_eq!((&talk["contact"]["name"], &talk["subject"]), (&json!("Ivan Petrov"), &json!("The offer")));
        assert_eq!((&thread[0]["kind"], &thread[0]["author"]["name"]), (&json!("reply"), &json!("Anna")));

        let answer = format!(
            "From: Ivan Petrov <{}>\nTo: {}\nCc: {}\nMessage-ID: <yes-{}>\nIn-Reply-To: <offer-{}>\nSubject: Re: The offer\n\nI take it.\n",
            ivan.address, office.anna.address, office.capture.address, ivan.address, office.anna.address
        );
        ivan.send(&office.anna, &answer).await;
        ivan.send(&office.shop, &answer).await;
        let (again, thread) = office.filed(&ivan.address, 2).await;
        assert_eq!(again["id"], talk["id"]);
        assert_eq!((&thread[1]["kind"], &thread[1]["text"]), (&json!("inbound"), &json!("I take it.")));
        assert!(office.app.get("/leads").await["items"].as_array().unwrap().is_empty(), "nobody is asked anything");
    }

    async fn a_customers_mail_that_a_colleague_passes_on_is_filed_with_the_customer(app: TestApp) {
        let office = Office::new(app).await;
        let (ivan, kate) = (Mailbox::new("ivan", "client.test"), Mailbox::new("kate", "client.test"));
        let quoted = format!(
            "{PROVEN}From: Anna <{}>\nTo: {}\nMessage-ID: <fwd1-{}>\nSubject: Fwd: Order 5\n\nHe called me about it.\n\n---------- Forwarded message ---------\nFrom: Ivan Petrov <{}>\nDate: Thu, 19 Nov 2026 at 10:15\nSubject: Order 5\nTo: <{}>\n\n\nWhere is my order?\n",
            office.anna.address, office.capture.address, office.anna.address, ivan.address, office.anna.address
        );
        office.anna.send(&office.shop, &quoted).await;
        let (talk, thread) = office.filed(&ivan.address, 2).await;
        assert_eq!((&talk["contact"]["name"], &talk["subject"]), (&json!("Ivan Petrov"), &json!("Order 5")));
        assert_eq!((&thread[0]["kind"], &thread[0]["text"]), (&json!("inbound"), &json!("Where is my order?")));
        assert_eq!(thread[0]["author"]["type"], "contact");
        assert_eq!((&thread[1]["kind"], &thread[1]["text"]), (&json!("note"), &json!("He called me about it.")));
        assert_eq!(thread[1]["author"]["name"], "Anna");
        assert_eq!(thread[0]["mail"]["authentication"], Value::Null, "what proves Anna proves nothing of Ivan");

        let attached = format!(
            "{PROVEN}From: Anna <{}>\nTo: {}\nMessage-ID: <fwd2-{}>\nSubject: Fwd: Invoice\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: message/rfc822\n\nFrom: Kate <{}>\nMessage-ID: <invoice-{}>\nSubject: Invoice\n\nPlease send it again.\n--b--\n",
            office.anna.address, office.capture.address, office.anna.address, kate.address, kate.address
        );
        office.anna.send(&office.shop, &attached).await;
        let (_, thread) = office.filed(&kate.address, 1).await;
        assert_eq!((&thread[0]["kind"], &thread[0]["text"]), (&json!("inbound"), &json!("Please send it again.")));
        assert_eq!(thread[0]["attachments"][0]["name"], "Invoice.eml");

        // Kate's next mail answers her own: it joins what was filed, and opens it.
        let next = format!(
            "From: Kate <{}>\nTo: {}\nMessage-ID: <next-{}>\nIn-Reply-To: <invoice-{}>\nSubject: Re: Invoice\n\nHello?\n",
            kate.address, office.shop.address, kate.address, kate.address
        );
        kate.send(&office.shop, &next).await;
        let open = office.app.until("the conversation to be open", || async {
            let page = office.app.get("/conversations?view=queue").await;
            with_address(&office.app, &page, &kate.address).await
        }).await;
        let path = format!("/conversations/{}/messages", open["id"].as_str().unwrap());
        assert_eq!(office.app.get(&path).await["items"].as_array().unwrap().len(), 2);
    }

    async fn whoever_is_no_proven_colleague_cannot_speak_for_a_customer(app: TestApp) {
        let office = Office::new(app).await;
        let (ivan, eve) = (Mailbox::new("ivan", "client.test"), Mailbox::new("eve", "client.test"));
        let words = |n: u32, proof: &str, from: &str| format!(
            "{proof}From: {from}\nTo: {}\nMessage-ID: <{n}-{from}>\nSubject: Fwd: Order 5\n\n---------- Forwarded message ---------\nFrom: Ivan Petrov <{}>\nDate: Thu, 19 Nov 2026 at 10:15\nSubject: Order 5\nTo: <x@y.test>\n\nI cancel everything.\n",
            office.capture.address, ivan.address
        );
        // In Anna's name and unproven; and proven, of somebody who is no user.
        let eve_proven = PROVEN.replace("header.from=example.test", "header.from=client.test");
        eve.send(&office.shop, &words(1, "", &office.anna.address)).await;
        eve.send(&office.shop, &words(2, &eve_proven, &eve.address)).await;
        let (_, thread) = office.filed(&eve.address, 1).await;
        assert!(thread[0]["text"].as_str().unwrap().contains("Forwarded message"));
        let (_, thread) = office.filed(&office.anna.address, 1).await;
        assert_eq!(thread[0]["kind"], "inbound");
        let closed = office.app.get("/conversations?view=closed").await;
        assert_eq!(with_address(&office.app, &closed, &ivan.address).await, None);
    }
}
