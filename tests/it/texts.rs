//! What clients are told by a line itself. Where time must pass, the shells are told a later `now`; where
//! something must happen once, it is tried several times at once beside the server's own followers.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use switchboard::{
    automation::{closed, greet, unanswered},
    db::entity::{conversation, message},
    routing::timers,
    visitor,
};
use switchboard_sdk::{Batch, Clock, InboundBody, SystemClock};

use crate::{
    fake::{self, FAKE, LETTERS, Script},
    support::{Database, Socket, TestApp},
};

fn in_two_hours() -> DateTime<Utc> {
    SystemClock.now() + TimeDelta::hours(2)
}

/// Closed from now until nine o'clock in Berlin in three days.
fn closed_hours() -> Value {
    let day = (SystemClock.now() + TimeDelta::days(3)).date_naive();
    json!({"time_zone": "Europe/Berlin", "weekly": {}, "exceptions": [{"date": day, "intervals": [["09:00", "17:00"]]}]})
}

async fn chat(app: &TestApp, rules: Value) -> (Value, Value) {
    let line = app.line("Support", rules).await;
    let channel = app.channel("webchat", &line, json!({})).await;
    (line, channel)
}

async fn visitor_of(app: &TestApp, channel: &Value, language: &str) -> String {
    let contact = json!({"page": {"language": language}, "contact": {"name": "Ann {{line.name}}"}});
    let opened = app.widget(channel, "sessions", None, contact).await.expect(200);
    opened["visitor_token"].as_str().unwrap().to_owned()
}

/// What the visitor reads.
async fn read(app: &TestApp, channel: &Value, token: &str) -> Value {
    let url = format!(
        "{}/widget/v1/{}/messages",
        app.base,
        channel["key"].as_str().unwrap()
    );
    app.ask(app.client.get(url).bearer_auth(token)).await.expect(200)
}

/// What the line itself said to the visitor.
async fn told(app: &TestApp, channel: &Value, token: &str) -> Vec<String> {
    let read = read(app, channel, token).await;
    let texts = read["items"].as_array().unwrap().iter();
    texts
        .filter(|row| row["kind"] == "reply" && row["author"]["type"] == "system")
        .map(|row| row["text"].as_str().unwrap().to_owned())
        .collect()
}

async fn until_told(app: &TestApp, channel: &Value, token: &str, count: usize) -> Vec<String> {
    let look = || async {
        let told = told(app, channel, token).await;
        (told.len() >= count).then_some(told)
    };
    app.until("a text of the line", look).await
}

async fn conversation_of(app: &TestApp) -> Value {
    app.get("/conversations").await["items"][0].clone()
}

async fn lines(app: &TestApp) -> Vec<timers::Timed> {
    timers::lines(&app.app.db).await.unwrap()
}

/// The follower's work on all messages there are, twice at once, as if the log had been read twice.
async fn again(app: &TestApp) {
    let (db, voice, now) = (&app.app.db, &app.app.voice, SystemClock.now());
    let lines = lines(app).await;
    let messages = message::Entity::find().all(db.read()).await.unwrap();
    let ids: Vec<&String> = messages.iter().map(|row| &row.id).collect();
    let twice = tokio::join!(
        greet::written(db, voice, &lines, &ids, now),
        greet::written(db, voice, &lines, &ids, now),
    );
    // Whoever is second on PostgreSQL may be refused by the unique key, and would try again.
    drop(twice);
}

async fn no_answer(app: &TestApp, now: DateTime<Utc>) -> usize {
    let (db, voice) = (&app.app.db, &app.app.voice);
    let lines = lines(app).await;
    let (one, other) = tokio::join!(
        unanswered::act(db, voice, &lines, now),
        unanswered::act(db, voice, &lines, now),
    );
    one.unwrap_or_default() + other.unwrap_or_default()
}

async fn outcomes(app: &TestApp) -> Vec<String> {
    let id = conversation_of(app).await["id"].as_str().unwrap().to_owned();
    let why = app.get(&format!("/conversations/{id}/routing")).await;
    let items = why["items"].as_array().unwrap().iter();
    items
        .map(|one| one["outcome"].as_str().unwrap().to_owned())
        .collect()
}

both_databases! {
    async fn a_client_is_greeted_once_in_their_language_however_often_it_is_tried(app: TestApp) {
        let (_, channel) = chat(&app, json!({
            "welcome_text": "Hello, {{contact.name}}!", "texts": {"de": {"welcome_text": "Guten Tag, {{contact.name}}! Hier ist {{line.name}}."}}
        })).await;
        let ann = visitor_of(&app, &channel, "de-AT").await;
        app.says(&channel, &ann, "Servus").await;
        assert_eq!(until_told(&app, &channel, &ann, 1).await, ["Guten Tag, Ann {line.name}! Hier ist Support."]);
        app.says(&channel, &ann, "Noch etwas").await;
        let nobody = app.visitor(&channel).await;
        app.says(&channel, &nobody, "Hi").await;
        assert_eq!(until_told(&app, &channel, &nobody, 1).await, ["Hello!"]);
        again(&app).await;
        again(&app).await;
        assert_eq!(told(&app, &channel, &ann).await.len(), 1);
        assert_eq!(told(&app, &channel, &nobody).await.len(), 1);
        app.stop().await;
    }

    async fn who_comes_back_soon_is_not_greeted_again_and_forms_are_never(app: TestApp) {
        let (line, channel) = chat(&app, json!({"welcome_text": "Hello"})).await;
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "Hi").await;
        until_told(&app, &channel, &token, 1).await;
        let id = conversation_of(&app).await["id"].as_str().unwrap().to_owned();
        app.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200);
        app.says(&channel, &token, "One more thing").await;
        let form = app.channel("webform", &line, json!({"fields": [{"name": "note", "type": "text"}]})).await;
        app.submit(&form, json!({"note": "hello"}), None).await.expect(201);
        again(&app).await;
        assert_eq!(told(&app, &channel, &token).await.len(), 1);
        let said = message::Entity::find().all(app.app.db.read()).await.unwrap();
        assert_eq!(said.iter().filter(|row| row.kind == "reply").count(), 1);
        app.stop().await;
    }

    async fn on_a_closed_line_each_time_of_being_closed_is_told_once_with_the_next_opening(app: TestApp) {
        let rules = json!({"hours": closed_hours(), "language": "en",
            "off_hours": {"action": "text", "text": "We are closed and open {{opens_at}} ({{time_zone}})."}});
        let (line, channel) = chat(&app, rules).await;
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "Hello?").await;
        let told_first = until_told(&app, &channel, &token, 1).await;
        assert!(told_first[0].starts_with("We are closed and open on ") && told_first[0].contains(" at 09:00 (UTC+"), "{told_first:?}");
        app.says(&channel, &token, "Anybody?").await;
        again(&app).await;
        closed::sweep(&app.app.db, &app.app.voice, &lines(&app).await, SystemClock.now()).await.unwrap();
        assert_eq!(told(&app, &channel, &token).await.len(), 1);
        assert_eq!(conversation_of(&app).await["session"]["state"], "waiting");
        app.until("the decision", || async { outcomes(&app).await.contains(&"off_hours".to_owned()).then_some(()) }).await;
        // The next time it is closed it is told again, without a word of the client: they still wait.
        let day = (SystemClock.now() + TimeDelta::days(9)).date_naive();
        let hours = json!({"time_zone": "Europe/Berlin", "weekly": {}, "exceptions": [{"date": day, "intervals": [["09:00", "17:00"]]}]});
        app.patch(&format!("/lines/{}", line["id"].as_str().unwrap()), json!({"hours": hours})).await.expect(200);
        let now = SystemClock.now();
        let lines = lines(&app).await;
        let (one, other) = tokio::join!(
            closed::sweep(&app.app.db, &app.app.voice, &lines, now),
            closed::sweep(&app.app.db, &app.app.voice, &lines, now),
        );
        drop((one, other));
        assert_eq!(until_told(&app, &channel, &token, 2).await.len(), 2);
        app.stop().await;
    }

    async fn outside_the_hours_a_form_is_offered_or_the_overflow_line_takes_over(app: TestApp) {
        let night = app.line("Night", json!({})).await;
        let rules = json!({"hours": closed_hours(), "off_hours": {"action": "form", "text": "Closed. Leave us a word:"}});
        let (line, channel) = chat(&app, rules).await;
        let form = app.channel("webform", &line, json!({"fields": [{"name": "note", "type": "text"}]})).await;
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "Hello?").await;
        let link = format!("{}/f/{}", app.base, form["key"].as_str().unwrap());
        assert_eq!(until_told(&app, &channel, &token, 1).await, [format!("Closed. Leave us a word:\n{link}")]);
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        app.patch(&path, json!({"off_hours": {"action": "overflow"}, "overflow": {"line_id": night["id"]}})).await.expect(200);
        let other = app.visitor(&channel).await;
        app.says(&channel, &other, "Is it night?").await;
        let moved = app.until("the move", || async {
            let listed = app.get("/conversations").await;
            listed["items"].as_array().unwrap().iter().find(|row| row["line_id"] == night["id"] && row["last_message"]["text"] == "Is it night?").cloned()
        }).await;
        assert_eq!(moved["session"]["state"], "waiting");
        assert!(told(&app, &channel, &other).await.is_empty());
        app.stop().await;
    }

    async fn who_is_not_answered_is_told_once_for_each_wait(app: TestApp) {
        let rules = json!({"no_answer": {"after_secs": 3600, "action": "text", "text": "Nobody is free yet, sorry."}});
        let (_, channel) = chat(&app, rules).await;
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "Hello?").await;
        assert_eq!(no_answer(&app, SystemClock.now()).await, 0);
        assert_eq!(no_answer(&app, in_two_hours()).await, 1);
        assert_eq!(no_answer(&app, in_two_hours()).await, 0);
        app.says(&channel, &token, "Still there?").await;
        assert_eq!(no_answer(&app, in_two_hours() + TimeDelta::hours(5)).await, 0);
        assert_eq!(told(&app, &channel, &token).await, ["Nobody is free yet, sorry."]);
        assert_eq!(outcomes(&app).await.iter().filter(|one| *one == "no_answer").count(), 1);
        app.stop().await;
    }

    async fn who_is_not_answered_gets_a_lead_that_asks_for_a_call_or_a_closed_session(app: TestApp) {
        let rules = json!({"crm": {"create_lead": "never"}, "no_answer": {"after_secs": 3600, "action": "callback_lead", "text": "We call you."}});
        let (line, channel) = chat(&app, rules).await;
        let contact = json!({"contact": {"name": "Ann", "phone": "+998 90 123 45 67"}});
        let opened = app.widget(&channel, "sessions", None, contact).await.expect(200);
        let token = opened["visitor_token"].as_str().unwrap();
        app.says(&channel, token, "Call me").await;
        assert_eq!(no_answer(&app, in_two_hours()).await, 1);
        assert_eq!(told(&app, &channel, token).await, ["We call you."]);
        let found = conversation_of(&app).await;
        let leads = app.get("/leads").await;
        assert_eq!(leads["items"].as_array().unwrap().len(), 1);
        let lead = &leads["items"][0];
        assert_eq!((&lead["status"], &lead["id"]), (&json!("new"), &found["lead_id"]));
        assert!(lead["fields"]["callback_requested_at"].is_string());
        let messages = app.get(&format!("/conversations/{}/messages", found["id"].as_str().unwrap())).await;
        let note = messages["items"].as_array().unwrap().iter().find(|row| row["kind"] == "note").unwrap();
        assert!(note["text"].as_str().unwrap().contains("+998901234567"));
        assert_eq!(found["session"]["state"], "waiting");
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        app.patch(&path, json!({"no_answer": {"action": "close", "text": "Sorry, write again tomorrow."}})).await.expect(200);
        let other = app.visitor(&channel).await;
        app.says(&channel, &other, "Hello?").await;
        assert_eq!(no_answer(&app, in_two_hours()).await, 1);
        let ended = app.get("/conversations?view=closed").await["items"][0].clone();
        assert_eq!((&ended["session"]["state"], &ended["session"]["close_reason"]), (&json!("closed"), &json!("no_answer")));
        assert_eq!(told(&app, &channel, &other).await, ["Sorry, write again tomorrow."]);
        app.stop().await;
    }

    async fn visitors_who_wait_know_their_place_until_somebody_takes_them(app: TestApp) {
        let (line, channel) = chat(&app, json!({})).await;
        let (first, second) = (app.visitor(&channel).await, app.visitor(&channel).await);
        app.says(&channel, &first, "Me first").await;
        app.says(&channel, &second, "Me second").await;
        let place = json!({"position": 2, "estimated_wait_secs": null});
        app.until("the place", || async { (read(&app, &channel, &second).await["queue"] == place).then_some(()) }).await;
        let url = format!("{}/widget/v1/{}/socket?token={second}&after=0", app.base, channel["key"].as_str().unwrap());
        let mut socket = Socket::at(&url.replacen("http", "ws", 1)).await;
        let frame = socket.until(|frame| frame["type"] == "queue").await;
        assert_eq!(frame, json!({"type": "queue", "queue": place}));
        let again = app.widget(&channel, "sessions", None, json!({"visitor_token": second})).await.expect(200);
        assert_eq!(again["queue"], place);
        let (me, key) = app.operator("Anna", "operator").await;
        let queue = json!({"queue": [{"operator_id": me["id"]}], "limit_per_operator": 1});
        app.patch(&format!("/lines/{}", line["id"].as_str().unwrap()), queue).await.expect(200);
        app.go_online(&key).await;
        let frame = socket.until(|frame| frame["type"] == "queue").await;
        assert_eq!(frame["queue"]["position"], 1, "{frame}");
        app.patch(&format!("/lines/{}", line["id"].as_str().unwrap()), json!({"limit_per_operator": null})).await.expect(200);
        let frame = socket.until(|frame| frame["type"] == "queue").await;
        assert_eq!(frame["queue"], Value::Null);
        app.stop().await;
    }

    async fn who_was_answered_is_asked_for_a_rating_when_the_session_ends(app: TestApp) {
        let (me, key) = app.operator("Anna", "operator").await;
        app.go_online(&key).await;
        let rules = json!({"queue": [{"operator_id": me["id"]}], "rating": {"enabled": true, "text": "How was {{operator.name}}?"}});
        let (_, channel) = chat(&app, rules).await;
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "Hello").await;
        app.until("the owner", || async { (conversation_of(&app).await["session"]["state"] == "assigned").then_some(()) }).await;
        let id = conversation_of(&app).await["id"].as_str().unwrap().to_owned();
        app.call_as(&key, "POST", &format!("/conversations/{id}/messages"), Some(json!({"kind": "reply", "text": "Hi"}))).await.expect(201);
        assert_eq!(read(&app, &channel, &token).await["rating"], Value::Null);
        let url = format!("{}/widget/v1/{}/socket?token={token}&after=0", app.base, channel["key"].as_str().unwrap());
        let mut socket = Socket::at(&url.replacen("http", "ws", 1)).await;
        app.call_as(&key, "POST", &format!("/conversations/{id}/close"), Some(json!({}))).await.expect(200);
        let session = app.get(&format!("/conversations/{id}")).await["session"]["id"].clone();
        let asked = json!({"session_id": session, "score": null, "text": "How was Anna?"});
        assert_eq!(socket.until(|frame| frame["type"] == "rating").await["rating"], asked);
        assert_eq!(read(&app, &channel, &token).await["rating"], asked);
        app.widget(&channel, "rating", Some(&token), json!({"score": 6})).await.expect(422);
        for _ in 0..2 {
            app.widget(&channel, "rating", Some(&token), json!({"score": 4, "comment": "quick"})).await.expect(204);
        }
        assert_eq!(socket.until(|frame| frame["type"] == "rating").await["rating"]["score"], 4);
        app.widget(&channel, "rating", Some(&token), json!({"score": 5, "comment": "and kind"})).await.expect(204);
        let rated = app.get(&format!("/conversations/{id}")).await;
        assert_eq!((&rated["session"]["rating"], &rated["session"]["state"]), (&json!(5), &json!("closed")));
        let messages = app.get(&format!("/conversations/{id}/messages")).await;
        let lines: Vec<&str> = messages["items"].as_array().unwrap().iter().filter_map(|row| row["text"].as_str()).filter(|text| text.contains("of 5")).collect();
        assert_eq!(lines, ["The visitor rated this conversation 4 of 5: quick", "The visitor rated this conversation 5 of 5: and kind"]);
        // After a while it stands.
        let row = conversation::Entity::find_by_id(&id).one(app.app.db.read()).await.unwrap().unwrap();
        let later = visitor::rate(&app.app.db, &row, 1, None, in_two_hours()).await;
        assert!(matches!(later, Err(visitor::Error::Rated)), "{later:?}");
        app.stop().await;
    }

    async fn a_text_that_names_what_there_is_not_is_not_saved(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let path = format!("/lines/{}", line["id"].as_str().unwrap());
        let wrong = json!({"welcome_text": "Hi {{contact.nam}}", "texts": {"ru": {"off_hours": "{{opens_at"}}});
        let refused = app.patch(&path, wrong).await.expect(422);
        let fields: Vec<&str> = refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["welcome_text", "texts.ru.off_hours"]);
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("{{contact.nam}}"));
        let right = json!({"texts": {"ru": {"off_hours": "Откроемся {{opens_at}}"}, "de": {"welcome_text": "Hallo"}}});
        app.patch(&path, right).await.expect(200);
        let line = app.patch(&path, json!({"texts": {"de": null}})).await.expect(200);
        assert_eq!(line["texts"], json!({"ru": {"welcome_text": null, "off_hours": "Откроемся {{opens_at}}", "no_answer": null, "auto_close": null, "rating": null}}));
        app.stop().await;
    }
}

/// Runs a scenario on both databases with connectors that are not hosted.
macro_rules! with_fakes {
    ($($name:ident => $scenario:ident),+ $(,)?) => {
        $(
            mod $name {
                use super::*;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    $scenario(TestApp::start_with(Database::sqlite().await, vec![&FAKE, &LETTERS]).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    $scenario(TestApp::start_with(Database::postgres().await, vec![&FAKE, &LETTERS]).await).await;
                }
            }
        )+
    };
}

with_fakes! {
    on_other_chats_the_welcome_and_the_question_are_messages_and_machines_get_none => messenger,
    letters_get_no_welcome_and_a_few_texts_a_day_at_most => letters,
}

async fn write(app: &TestApp, channel: &Value, id: &str, automatic: bool) {
    let mut event = fake::message(id, "ann@shop.example", "Hello");
    if let InboundBody::Message(message) = &mut event.body {
        message.automatic = automatic;
    }
    let channel = channel["id"].as_str().unwrap();
    app.app.ingest.deliver(channel, Batch::one(event)).await.unwrap();
}

async fn messenger(app: TestApp) {
    let script = Script::new();
    let rules =
        json!({"welcome_text": "Hello!", "rating": {"enabled": true, "text": "How was {{operator.name}}?"}});
    let line = app.line("Support", rules).await;
    let channel = app.channel("fake", &line, script.settings()).await;
    write(&app, &channel, "out of office", true).await;
    write(&app, &channel, "one", false).await;
    script
        .until("the welcome", |it| it.sent_texts() == ["Hello!"])
        .await;
    assert!(script.sent()[0].automatic);
    let id = conversation_of(&app).await["id"].as_str().unwrap().to_owned();
    let (_, key) = app.operator("Anna", "supervisor").await;
    let reply = json!({"kind": "reply", "text": "Hi"});
    app.call_as(
        &key,
        "POST",
        &format!("/conversations/{id}/messages"),
        Some(reply),
    )
    .await
    .expect(201);
    app.call_as(
        &key,
        "POST",
        &format!("/conversations/{id}/close"),
        Some(json!({})),
    )
    .await
    .expect(200);
    script
        .until("the question", |it| {
            it.sent_texts() == ["Hello!", "Hi", "How was Anna?"]
        })
        .await;
    app.post(&format!("/conversations/{id}/tags"), json!({"add": ["lamp"]}))
        .await
        .expect(200);
    // The end of the server is the end of what was to be sent.
    app.stop().await;
    assert_eq!(script.sent_texts().len(), 3);
}

async fn letters(app: TestApp) {
    let script = Script::new();
    let rules = json!({"welcome_text": "Hello!", "no_answer": {"after_secs": 3600, "action": "close", "text": "Sorry."}});
    let line = app.line("Support", rules).await;
    let channel = app.channel("letters", &line, script.settings()).await;
    for number in 0..7 {
        write(&app, &channel, &format!("letter {number}"), false).await;
        assert_eq!(
            no_answer(&app, in_two_hours()).await,
            1,
            "it is closed all the same"
        );
    }
    let all = message::Entity::find().all(app.app.db.read()).await.unwrap();
    let said: Vec<&str> = all
        .iter()
        .filter(|row| row.kind == "reply")
        .map(|row| row.body.as_str())
        .collect();
    assert_eq!(said, ["Sorry."; 5]);
    app.stop().await;
}
