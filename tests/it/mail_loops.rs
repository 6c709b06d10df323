//! Machines that write to machines: two servers with automatic answers, and what real mail servers report.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::support::{Database, Mailbox, TestApp};

/// A relay before the SMTP server that takes away all by which a machine says that it is one. Its port.
async fn forgetful_relay() -> u16 {
    let upstream = std::env::var("SWITCHBOARD_TEST_SMTP").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&upstream).await.unwrap();
            let (from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { drop(tokio::io::copy(&mut from_server, &mut to_client).await) });
            tokio::spawn(async move {
                let mut lines = BufReader::new(from_client);
                let mut line = Vec::new();
                while lines
                    .read_until(b'\n', &mut line)
                    .await
                    .is_ok_and(|read| read > 0)
                {
                    let marks = [
                        b"Auto-Submitted:".as_slice(),
                        b"X-Auto-Response-Suppress:",
                        b"X-Loop:",
                    ];
                    if !marks.iter().any(|mark| line.starts_with(mark))
                        && to_server.write_all(&line).await.is_err()
                    {
                        return;
                    }
                    line.clear();
                }
            });
        }
    });
    port
}

/// A server with a mailbox whose line answers by itself when nobody does, and ends the session: each further
/// mail begins a new one, so nothing but the limits ends an exchange.
async fn answering(app: &TestApp, mailbox: &Mailbox, relay: Option<u16>, text: &str) -> Value {
    let rules = json!({"no_answer": {"after_secs": 1, "action": "close", "text": text}});
    let line = app.line("Support", rules).await;
    let mut settings = mailbox.settings();
    if let Some(port) = relay {
        settings["smtp"]["host"] = json!("127.0.0.1");
        settings["smtp"]["port"] = json!(port);
    }
    app.channel("email", &line, settings).await
}

async fn spark(from: &Mailbox, to: &Mailbox) {
    let raw = format!(
        "From: <{}>\nTo: <{}>\nMessage-ID: <spark-{}>\nSubject: Hello\n\nIs anybody there?\n",
        from.address, to.address, to.address
    );
    from.send(to, &raw).await;
}

/// All messages of the only conversation.
async fn thread(app: &TestApp) -> Vec<Value> {
    let mut all = Vec::new();
    for view in ["all", "closed"] {
        for conversation in app.get(&format!("/conversations?view={view}")).await["items"]
            .as_array()
            .unwrap()
        {
            let path = format!("/conversations/{}/messages", conversation["id"].as_str().unwrap());
            all.extend(app.get(&path).await["items"].as_array().unwrap().clone());
        }
    }
    all
}

async fn told_by_itself(app: &TestApp) -> usize {
    let thread = thread(app).await;
    thread
        .iter()
        .filter(|m| m["kind"] == "reply" && m["author"]["type"] == "system")
        .count()
}

async fn says_it_stops(app: &TestApp) -> bool {
    let thread = thread(app).await;
    thread.iter().any(|m| {
        m["kind"] == "system"
            && m["text"]
                .as_str()
                .unwrap()
                .starts_with("No more automatic messages")
    })
}

async fn two() -> ((TestApp, Mailbox), (TestApp, Mailbox)) {
    let one = TestApp::start(Database::sqlite().await).await;
    let other = TestApp::start(Database::postgres().await).await;
    (
        (one, Mailbox::new("one", "one.test")),
        (other, Mailbox::new("other", "other.test")),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_answer_by_themselves_stop_at_the_first_answer_that_says_so() {
    let ((one, a), (other, b)) = two().await;
    let text = "Sorry, nobody is free just now.";
    answering(&one, &a, None, text).await;
    answering(&other, &b, None, text).await;
    spark(&b, &a).await;
    let arrived = || async { thread(&other).await.into_iter().find(|m| m["kind"] == "inbound") };
    let mail = other
        .until("the answer of the first reaches the second", arrived)
        .await;
    assert_eq!(mail["automatic"], true);
    assert!(mail["text"].as_str().unwrap().starts_with(text));
    let open = other.get("/conversations?view=all").await;
    assert!(
        open["items"].as_array().unwrap().is_empty(),
        "it opens no session"
    );
    assert!(other.get("/leads").await["items"].as_array().unwrap().is_empty());
    assert_eq!((told_by_itself(&one).await, told_by_itself(&other).await), (1, 0));
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_cannot_tell_a_machine_stop_at_the_end_of_the_budget_and_say_so() {
    let ((one, a), (other, b)) = two().await;
    let relay = forgetful_relay().await;
    // Too short to be compared: only the budget ends it.
    answering(&one, &a, Some(relay), "Sorry, nobody is free.").await;
    answering(&other, &b, Some(relay), "Please wait.").await;
    spark(&b, &a).await;
    for count in 1..=5 {
        let sent = || async { (told_by_itself(&one).await >= count).then_some(()) };
        one.until("the next automatic answer", sent).await;
    }
    let stops = || async { (says_it_stops(&one).await || says_it_stops(&other).await).then_some(()) };
    one.until("the note that it stops", stops).await;
    assert!(says_it_stops(&one).await, "the first is at its end first");
    assert_eq!((told_by_itself(&one).await, told_by_itself(&other).await), (5, 5));
    // The last answer is in the mailbox, and nobody answers it.
    assert_eq!(a.mails(6).await.len(), 6);
    assert_eq!(b.mails(5).await.len(), 5);
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_text_again_and_again_is_held_in_quarantine_with_its_reason() {
    let ((one, a), (other, b)) = two().await;
    let relay = forgetful_relay().await;
    let text = "Thank you for your message, all our operators are busy at the moment, we will write as soon as we can.";
    answering(&one, &a, Some(relay), text).await;
    answering(&other, &b, Some(relay), text).await;
    spark(&b, &a).await;
    let held = || async {
        let mut all = Vec::new();
        for app in [&one, &other] {
            all.extend(app.get("/quarantine").await["items"].as_array().unwrap().clone());
        }
        all.pop()
    };
    let held = one.until("a mail is held", held).await;
    assert!(held["reason"].as_str().unwrap().contains("same text"), "{held}");
    assert!(told_by_itself(&one).await <= 4 && told_by_itself(&other).await <= 4);
    one.stop().await;
    other.stop().await;
}

/// A customer at this domain writes, and an operator answers: the conversation and the answer.
async fn answered(app: &TestApp, domain: &str) -> (String, String, Mailbox) {
    let shop = Mailbox::new("shop", "shop.test");
    let customer = Mailbox::new("ivan", domain);
    let line = app.line("Support", json!({})).await;
    app.channel("email", &line, shop.settings()).await;
    spark(&customer, &shop).await;
    let here = || async {
        app.get("/conversations").await["items"]
            .as_array()
            .unwrap()
            .first()
            .cloned()
    };
    let talk = app.until("the mail is here", here).await;
    let path = format!("/conversations/{}/messages", talk["id"].as_str().unwrap());
    let sent = app.post(&path, json!({"text": "Yes."})).await.expect(201);
    (
        talk["id"].as_str().unwrap().to_owned(),
        sent["id"].as_str().unwrap().to_owned(),
        customer,
    )
}

async fn until_delivery(app: &TestApp, id: &str, message: &str, state: &str) -> Value {
    let look = || async {
        let page = app.get(&format!("/conversations/{id}/messages")).await;
        let found = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|m| m["id"] == message)?
            .clone();
        (found["delivery"]["state"] == state).then(|| found["delivery"].clone())
    };
    app.until(state, look).await
}

both_databases! {
    async fn a_mailbox_that_does_not_exist_is_told_in_words_and_warned_of(app: TestApp) {
        let (id, message, customer) = answered(&app, "bounce.test").await;
        let delivery = until_delivery(&app, &id, &message, "failed").await;
        let why = delivery["error"].as_str().unwrap();
        assert!(why.contains("the address does not exist") && why.contains(&customer.address), "{why}");
        let talk = app.get(&format!("/conversations/{id}")).await;
        assert_eq!(talk["address_problem"], why);
        assert_eq!(app.get(&format!("/conversations/{id}/messages")).await["items"].as_array().unwrap().len(), 2, "the report is no message");
        app.stop().await;
    }

    async fn a_server_that_does_not_answer_is_a_delay_and_no_failure(app: TestApp) {
        let (id, message, _) = answered(&app, "closed.test").await;
        let delivery = until_delivery(&app, &id, &message, "delayed").await;
        assert!(delivery["error"].as_str().unwrap().contains("the receiving server does not answer"), "{delivery}");
        assert_eq!(app.get(&format!("/conversations/{id}")).await["address_problem"], Value::Null);
        app.stop().await;
    }

    async fn a_delayed_mail_that_went_on_after_all_is_no_longer_delayed(app: TestApp) {
        let (id, message, customer) = answered(&app, "slow.test").await;
        until_delivery(&app, &id, &message, "delayed").await;
        let state = std::env::var("SWITCHBOARD_TEST_STATE").unwrap();
        std::fs::write(format!("{state}/open/{}", customer.address), "").unwrap();
        // Postfix says "relayed": it left its hands, and nobody says more.
        let delivery = until_delivery(&app, &id, &message, "sent").await;
        assert_eq!(delivery["error"], Value::Null);
        app.stop().await;
    }
}
