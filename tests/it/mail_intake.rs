//! What a mailbox brings beside new mail: tags that name lines, earlier mail, and how far behind it is.

use serde_json::{Value, json};

use crate::support::{Mailbox, TestApp};

fn path(channel: &Value) -> String {
    format!("/channels/{}", channel["id"].as_str().unwrap())
}

async fn talks(app: &TestApp, view: &str, count: usize) -> Vec<Value> {
    app.until("the mails are here", || async {
        let listed = app.get(&format!("/conversations?view={view}&limit=100")).await["items"]
            .as_array()
            .unwrap()
            .clone();
        (listed.len() == count).then_some(listed)
    })
    .await
}

fn raw(from: &Mailbox, to: &str, word: &str) -> String {
    format!(
        "From: <{}>\nTo: {to}\nMessage-ID: <{word}-{}>\nSubject: {word}\n\n{word}\n",
        from.address, from.address
    )
}

both_databases! {
    async fn a_tag_in_the_address_opens_the_conversation_in_its_line(app: TestApp) {
        let (shop, ann) = (Mailbox::new("shop", "example.test"), Mailbox::new("ann", "client.test"));
        let line = app.line("Support", json!({})).await;
        let money = app.line("Money", json!({"key": "money", "crm": {"create_lead": "never"}})).await;
        let mut settings = shop.settings();
        settings["tags"] = json!({"billing": "money", "press": money["id"], "lost": "no-such-line"});
        app.channel("email", &line, settings).await;
        let (local, domain) = shop.address.split_once('@').unwrap();
        for tag in ["billing", "press", "lost", "unknown"] {
            ann.send(&shop, &raw(&ann, &format!("{local}+{tag}@{domain}"), tag)).await;
        }
        for talk in talks(&app, "all", 4).await {
            let named = matches!(talk["subject"].as_str().unwrap(), "billing" | "press");
            let expected = if named { &money } else { &line };
            assert_eq!(talk["line_id"], expected["id"], "{}", talk["subject"]);
        }
        // One lead of the channel's line; the other line makes none.
        assert_eq!(app.get("/leads").await["items"].as_array().unwrap().len(), 1);
        app.stop().await;
    }

    async fn earlier_mail_is_taken_in_on_order_as_history_and_shown_with_its_progress(app: TestApp) {
        let (shop, ann) = (Mailbox::new("shop", "example.test"), Mailbox::new("ann", "client.test"));
        for number in 0..30 {
            ann.send(&shop, &raw(&ann, &shop.address, &format!("old-{number}"))).await;
        }
        shop.mails(30).await;
        let line = app.line("Support", json!({})).await;
        let mut settings = shop.settings();
        settings["backfill_days"] = json!(0);
        let channel = app.channel("email", &line, settings).await;
        app.until("it looked", || async {
            (app.get(&path(&channel)).await["health"]["lag_secs"] == 0).then_some(())
        }).await;
        let order = format!("{}/backfill", path(&channel));
        assert_eq!(app.get(&order).await["state"], "none");
        for (since, status) in [("2999-01-01", 422), ("1970-01-01", 422), ("2020-01-01", 200)] {
            app.post(&order, json!({"since": since})).await.expect(status);
        }
        let done = app.until("it is done", || async {
            let progress = app.get(&order).await;
            (progress["state"] == "done").then_some(progress)
        }).await;
        assert_eq!((&done["done"], &done["total"], &done["since"]), (&json!(30), &json!(30), &json!("2020-01-01")));
        for talk in talks(&app, "closed", 30).await {
            assert_eq!((&talk["session"]["state"], &talk["session"]["close_reason"], &talk["unread"]), (&json!("closed"), &json!("history"), &json!(0)));
        }
        assert_eq!(app.get("/leads").await["items"].as_array().unwrap().len(), 0);
        // The same again, as new mail this time: known is known. And an answer to an old mail is new.
        app.post(&order, json!({"since": "2020-01-01", "history": false})).await.expect(200);
        app.until("it is done again", || async {
            (app.get(&order).await["state"] == "done").then_some(())
        }).await;
        let answer = raw(&ann, &shop.address, "new").replace("Subject: new", &format!("In-Reply-To: <old-3-{}>\nSubject: new", ann.address));
        ann.send(&shop, &answer).await;
        app.until("the old conversation is open", || async {
            let open = app.get("/conversations?view=queue").await["items"].as_array().unwrap().clone();
            (open.len() == 1 && open[0]["subject"] == "old-3").then_some(())
        }).await;
        talks(&app, "closed", 29).await;
        let cancelled = app.call("DELETE", &order, None).await.expect(200);
        assert_eq!(cancelled["state"], "none");
        let chat = app.channel("webchat", &line, json!({})).await;
        app.post(&format!("{}/backfill", path(&chat)), json!({"since": "2020-01-01"})).await.expect(409);
        app.stop().await;
    }
}
