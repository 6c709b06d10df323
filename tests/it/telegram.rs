//! Telegram through the whole server, against the Bot API server of the testkit.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use reqwest::multipart::{Form, Part};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::db::entity::{message, quarantine};
use switchboard_testkit::telegram::{BOT, BotApi, TOKEN, Trick};

use crate::{
    cli::{Server, out, program, run},
    support::TestApp,
};

/// A bot with its channel.
struct Bot {
    api: BotApi,
    channel: Value,
}

impl Bot {
    async fn on(app: &TestApp, settings: Value) -> Self {
        let api = BotApi::start().await;
        let line = app.line("Telegram", json!({})).await;
        let channel = app.channel("telegram", &line, of(&api, settings)).await;
        Self { api, channel }
    }

    /// The conversation of whoever wrote, when there are as many messages in it.
    async fn conversation(&self, app: &TestApp, name: &str, count: usize) -> (String, Vec<Value>) {
        let path = format!(
            "/conversations?view=all&channel={}&limit=200",
            self.channel["id"].as_str().unwrap()
        );
        app.until("the conversation has all its messages", || async {
            let all = app.get(&path).await;
            let found = all["items"]
                .as_array()?
                .iter()
                .find(|row| row["contact"]["name"] == name)?
                .clone();
            let id = found["id"].as_str()?.to_owned();
            let messages = messages(app, &id).await;
            (messages.len() == count).then_some((id, messages))
        })
        .await
    }
}

fn of(api: &BotApi, more: Value) -> Value {
    let mut settings = json!({"token": TOKEN, "api_url": api.url()});
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap());
    settings
}

async fn messages(app: &TestApp, id: &str) -> Vec<Value> {
    let all = app.get(&format!("/conversations/{id}/messages?limit=200")).await;
    all["items"].as_array().unwrap().clone()
}

async fn reply(app: &TestApp, id: &str, body: Value) -> Value {
    app.post(&format!("/conversations/{id}/messages"), body)
        .await
        .expect(201)
}

async fn until_state(app: &TestApp, id: &str, of: &Value, state: &str) -> Value {
    app.until(state, || async {
        let all = messages(app, id).await;
        all.into_iter()
            .find(|row| row["id"] == of["id"] && row["delivery"]["state"] == state)
    })
    .await
}

async fn upload(app: &TestApp, name: &str, kind: &str, data: &[u8]) -> Value {
    let part = Part::bytes(data.to_vec())
        .file_name(name.to_owned())
        .mime_str(kind)
        .unwrap();
    let request = app
        .client
        .post(format!("{}/api/v1/attachments", app.base))
        .bearer_auth(&app.key)
        .multipart(Form::new().part("file", part));
    app.ask(request).await.expect(201)
}

both_databases! {
    async fn an_album_is_one_message_with_its_pictures_however_its_parts_come(app: TestApp) {
        let bot = Bot::on(&app, json!({})).await;
        let photo = |name: &str, more: Value| {
            let file = bot.api.file(name, name.as_bytes());
            let mut fields = json!({"photo": [{"file_id": file, "width": 9, "height": 9}], "media_group_id": "g1"});
            fields.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            bot.api.write_more(42, fields);
        };
        photo("one", json!({}));
        let (id, first) = bot.conversation(&app, "Ann No. 42", 1).await;
        assert_eq!(first[0]["attachments"].as_array().unwrap().len(), 1);
        // Two more together, a text between, and one that comes late.
        photo("two", json!({"caption": "all three", "caption_entities": [{"type": "bold", "offset": 0, "length": 3}]}));
        photo("three", json!({}));
        bot.api.write(42, "and a text");
        photo("four", json!({}));
        let album = app
            .until("the album is whole", || async {
                let all = messages(&app, &id).await;
                all.first().cloned().filter(|row| row["attachments"].as_array().is_some_and(|files| files.len() == 4))
            })
            .await;
        assert_eq!((&album["id"], &album["text"]), (&first[0]["id"], &json!("all three")));
        assert!(album["html"].as_str().unwrap().contains("<b>all</b>"));
        assert!(album["edited_at"].is_null(), "a further part is no change");
        let mut contents = Vec::new();
        for file in album["attachments"].as_array().unwrap() {
            let url = format!("{}{}", app.base, file["url"].as_str().unwrap());
            contents.push(app.client.get(url).bearer_auth(&app.key).send().await.unwrap().text().await.unwrap());
        }
        assert_eq!(contents, ["one", "two", "three", "four"]);
        assert_eq!(messages(&app, &id).await.len(), 2);
        // Its parts are known by their own numbers: a reaction to the third is one to the album.
        bot.api.push(json!({"message_reaction": {"chat": {"id": 42, "type": "private"}, "message_id": 3, "user": {"id": 42, "first_name": "Ann"}, "date": 1_767_700_000, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}}));
        app.until("the reaction is there", || async {
            messages(&app, &id).await.first().filter(|row| row["reactions"][0]["emoji"][0] == "👍").cloned()
        })
        .await;
    }

    async fn a_customer_and_an_operator_talk(app: TestApp) {
        let bot = Bot::on(&app, json!({})).await;
        let question = bot.api.write_more(42, json!({"text": "/start yandex__autumn", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}));
        let (id, _) = bot.conversation(&app, "Ann No. 42", 1).await;
        let conversation = app.get(&format!("/conversations/{id}")).await;
        let lead = app.get(&format!("/leads/{}", conversation["lead_id"].as_str().unwrap())).await;
        assert_eq!((&lead["source"], &lead["attribution"]["first"]["utm_campaign"]), (&json!("yandex"), &json!("autumn")));
        let contact = app.get(&format!("/contacts/{}", conversation["contact"]["id"].as_str().unwrap())).await;
        assert_eq!(contact["identities"][0]["kind"], "telegram");
        // Formatting and a file arrive, as an answer to the question.
        let file = upload(&app, "price.pdf", "application/pdf", b"%PDF").await;
        let asked = messages(&app, &id).await;
        let sent = reply(&app, &id, json!({"text": "Here it is", "html": "<p>Here <b>it</b> is</p>", "kind": "reply", "reply_to": asked[0]["id"], "attachments": [file["id"]]})).await;
        let sent = until_state(&app, &id, &sent, "sent").await;
        let there = &bot.api.sent(42)[0];
        assert_eq!((&there["caption"], &there["document"]["file_name"]), (&json!("Here it is"), &json!("price.pdf")));
        assert_eq!(there["caption_entities"][0]["type"], "bold");
        assert_eq!(there["reply_to_message"]["message_id"], question);
        assert_eq!(sent["external_id"], format!("{BOT}:42:{}", there["message_id"]));
        // The customer changes what they wrote, answers ours, shares their number.
        let mut edited = bot.api.message(42, json!({"text": "better", "edit_date": 1_767_700_000}));
        edited["message_id"] = json!(question);
        bot.api.push(json!({"edited_message": edited}));
        bot.api.write_more(42, json!({"contact": {"phone_number": "998901234567", "first_name": "Ann", "user_id": 42}, "reply_to_message": {"message_id": there["message_id"], "date": 1, "chat": {"id": 42, "type": "private"}}}));
        let all = app.until("it is all there", || async {
            let all = messages(&app, &id).await;
            (all.len() == 3 && all[0]["text"] == "better").then_some(all)
        }).await;
        assert_eq!(all[2]["reply_to"]["id"], sent["id"]);
        let contact = app.get(&format!("/contacts/{}", conversation["contact"]["id"].as_str().unwrap())).await;
        let phone = contact["identities"].as_array().unwrap().iter().find(|identity| identity["kind"] == "phone").unwrap().clone();
        assert_eq!((&phone["value"], &phone["verified"]), (&json!("+998901234567"), &json!(true)));
    }

    async fn who_blocks_the_bot_is_unreachable_until_they_write_again(app: TestApp) {
        let bot = Bot::on(&app, json!({})).await;
        bot.api.write(42, "hello");
        let (id, _) = bot.conversation(&app, "Ann No. 42", 1).await;
        bot.api.block(42);
        let lost = reply(&app, &id, json!({"text": "are you there?", "kind": "reply"})).await;
        let lost = until_state(&app, &id, &lost, "failed").await;
        assert!(lost["delivery"]["error"].as_str().unwrap().contains("blocked the bot"), "{lost}");
        let shown = app.get(&format!("/conversations/{id}")).await;
        assert!(shown["address_problem"].to_string().contains("blocked the bot"), "{shown}");
        bot.api.write(42, "here I am");
        app.until("they can be reached", || async {
            let shown = app.get(&format!("/conversations/{id}")).await;
            shown["address_problem"].is_null().then_some(())
        }).await;
    }

    async fn a_strange_update_is_quarantined_and_can_be_tried_again(app: TestApp) {
        let bot = Bot::on(&app, json!({})).await;
        bot.api.push(json!({"hologram": {"shape": "cube"}}));
        bot.api.write(42, "after it");
        bot.conversation(&app, "Ann No. 42", 1).await;
        let kept = quarantine::Entity::find().all(app.app.db.read()).await.unwrap();
        assert!(kept.len() == 1 && kept[0].reason.contains("hologram"));
        let again = app.post(&format!("/quarantine/{}/replay", kept[0].id), json!({})).await;
        assert!(again.status == 409 || again.status == 422, "{again:?}");
    }

    async fn a_webhook_is_proven_and_answered_after_the_commit(app: TestApp) {
        let bot = Bot::on(&app, json!({"mode": "webhook"})).await;
        let url = format!("{}/hooks/telegram/{}", app.base, bot.channel["key"].as_str().unwrap());
        bot.api.wait_until("the webhook is set", |api| api.webhook_url() == url).await;
        let forged = app.client.post(&url).json(&json!({"update_id": 1, "message": bot.api.message(7, json!({"text": "forged"}))}));
        assert_eq!(app.ask(forged).await.status, 401);
        bot.api.write(42, "brought");
        bot.conversation(&app, "Ann No. 42", 1).await;
        bot.api.wait_until("it is confirmed", |api| api.pending() == 0).await;
        assert_eq!(message::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        // Polling removes it, and goes on with what waits.
        let path = format!("/channels/{}", bot.channel["id"].as_str().unwrap());
        app.patch(&path, json!({"settings": of(&bot.api, json!({"mode": "polling"}))})).await.expect(200);
        bot.api.wait_until("it is removed", |api| api.webhook_url().is_empty()).await;
        bot.api.write(42, "asked for");
        bot.conversation(&app, "Ann No. 42", 2).await;
    }

    async fn a_busy_chat_holds_up_no_other(app: TestApp) {
        let bot = Bot::on(&app, json!({})).await;
        bot.api.enforce_limits();
        let mut ids = Vec::new();
        for chat in [1, 2] {
            bot.api.write(chat, "hello");
            ids.push(bot.conversation(&app, &format!("Ann No. {chat}"), 1).await.0);
        }
        for number in 1..=4 {
            reply(&app, &ids[0], json!({"text": format!("{number}"), "kind": "reply"})).await;
        }
        let other = reply(&app, &ids[1], json!({"text": "at once", "kind": "reply"})).await;
        until_state(&app, &ids[1], &other, "sent").await;
        assert!(bot.api.sent(1).len() < 4, "the other chat waited for the busy one");
        bot.api.wait_until("all are there", |api| api.sent(1).len() == 4).await;
        let texts: Vec<Value> = bot.api.sent(1).iter().map(|sent| sent["text"].clone()).collect();
        assert_eq!(texts, ["1", "2", "3", "4"]);
        assert_eq!(bot.api.refused_for_pace(), 0);
    }
}

/// The program with a bot at this server, its port and key.
struct Installed {
    folder: tempfile::TempDir,
    port: u16,
    key: String,
}

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = run(
            folder.path(),
            &["apikey", "create", "--name", "test", "--role", "admin"],
        );
        let key = out(&made).trim().to_owned();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        Self { folder, port, key }
    }

    fn command(&self) -> Command {
        let mut command = program(Path::new(self.folder.path()));
        command
            .env("SWITCHBOARD__SERVER__LISTEN", format!("127.0.0.1:{}", self.port))
            .env(
                "SWITCHBOARD__SERVER__PUBLIC_URL",
                format!("http://127.0.0.1:{}", self.port),
            )
            .env("SWITCHBOARD__LIMITS__ENABLED", "false");
        command
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        drop(rustls::crypto::ring::default_provider().install_default());
        let url = format!("http://127.0.0.1:{}/api/v1{path}", self.port);
        let request = reqwest::Client::builder()
            .build()
            .unwrap()
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.key);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        request.send().await.unwrap().json().await.unwrap()
    }
}

/// A thousand updates, the program killed in the midst of them again and again: each is stored once.
async fn killed(mode: &str) {
    let (api, installed) = (BotApi::start().await, Installed::new());
    let mut server = Server::of(&mut installed.command());
    let line = installed
        .call("POST", "/lines", json!({"name": "Telegram"}))
        .await;
    let settings = of(&api, json!({"mode": mode}));
    let body = json!({"kind": "telegram", "line_id": line["id"], "name": "Bot", "settings": settings});
    let channel = installed.call("POST", "/channels", body).await;
    assert!(channel["id"].is_string(), "{channel}");
    // Chats out of order, numbers with gaps, every tenth with a file.
    let file = api.file("a.txt", b"file");
    let mut texts = BTreeSet::new();
    for index in 0..1000_i64 {
        if index % 11 == 0 {
            api.skip_numbers(index % 5 + 1);
        }
        let text = format!("text {index}");
        let chat = 1 + (index * 7) % 20;
        match index % 10 {
            0 => api.write_more(
                chat,
                json!({"caption": text, "document": {"file_id": file, "file_name": "a.txt"}}),
            ),
            _ => api.write(chat, &text),
        };
        texts.insert(text);
    }
    for kill in 1..=4 {
        api.wait_until("some more are confirmed", |api| api.confirmed() >= kill * 130)
            .await;
        drop(server); // SIGKILL
        server = Server::of(&mut installed.command());
    }
    api.wait_until("all are confirmed", |api| api.pending() == 0)
        .await;
    // The same once more: a repeat is no message.
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut files = 0;
    let path = format!(
        "/conversations?view=all&channel={}&limit=200",
        channel["id"].as_str().unwrap()
    );
    let conversations = installed.call("GET", &path, Value::Null).await;
    assert_eq!(conversations["items"].as_array().unwrap().len(), 20);
    for conversation in conversations["items"].as_array().unwrap() {
        let path = format!(
            "/conversations/{}/messages?limit=200",
            conversation["id"].as_str().unwrap()
        );
        let all = installed.call("GET", &path, Value::Null).await;
        let mut last = -1;
        for row in all["items"].as_array().unwrap() {
            let text = row["text"].as_str().unwrap().to_owned();
            let number: i64 = text.trim_start_matches("text ").parse().unwrap();
            assert!(number > last, "{text} stands before what was written earlier");
            last = number;
            files += row["attachments"].as_array().unwrap().len();
            *found.entry(text).or_default() += 1;
        }
    }
    let twice: Vec<&String> = found
        .iter()
        .filter(|(_, count)| **count != 1)
        .map(|(text, _)| text)
        .collect();
    assert!(twice.is_empty(), "stored twice: {twice:?}");
    assert_eq!((found.into_keys().collect::<BTreeSet<_>>(), files), (texts, 100));
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_updates_asked_for_by_a_program_that_is_killed_are_stored_once() {
    killed("polling").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_updates_brought_to_a_program_that_is_killed_are_stored_once() {
    killed("webhook").await;
}

both_databases! {
    async fn two_channels_of_one_bot_say_so_in_their_health(app: TestApp) {
        let bot = Bot::on(&app, json!({})).await;
        bot.api.wait_until("it asks", |api| !api.calls("getUpdates").is_empty()).await;
        let line = app.line("Other", json!({})).await;
        let second = app.channel("telegram", &line, of(&bot.api, json!({}))).await;
        let path = format!("/channels/{}", second["id"].as_str().unwrap());
        let error = app.until("its health says so", || async {
            app.get(&path).await["health"]["last_error"].as_str().map(str::to_owned)
        }).await;
        assert!(error.contains("\"Our telegram\" receives for this bot already"), "{error}");
        // The first one goes on, and somebody else's poller is explained.
        bot.api.write(42, "hello");
        bot.conversation(&app, "Ann No. 42", 1).await;
        bot.api.fail_next("getUpdates", Trick::Refuse(409, "Conflict: terminated by other getUpdates request"));
        bot.api.write(42, "again");
        let path = format!("/channels/{}", bot.channel["id"].as_str().unwrap());
        let error = app.until("its health explains it", || async {
            app.get(&path).await["health"]["last_error"].as_str().map(str::to_owned)
        }).await;
        assert!(error.contains("another program takes this bot's messages"), "{error}");
    }
}

both_databases! {
    /// How long 2,000 of them take beside what the limits allow, the bench says (`throughput -- telegram`).
    async fn at_a_server_that_holds_the_bot_to_its_limits_each_answer_arrives_once_and_in_order(app: TestApp) {
        const CHATS: i64 = 40;
        let bot = Bot::on(&app, json!({})).await;
        let mut ids = Vec::new();
        for chat in 1..=CHATS {
            bot.api.write(chat, "hello");
        }
        for chat in 1..=CHATS {
            ids.push(bot.conversation(&app, &format!("Ann No. {chat}"), 1).await.0);
        }
        // Written while the channel is off: all of them wait when it comes on.
        let path = format!("/channels/{}", bot.channel["id"].as_str().unwrap());
        app.patch(&path, json!({"enabled": false})).await.expect(200);
        let wanted: Vec<String> = (0..4).map(|number| format!("answer {number}")).collect();
        for text in &wanted {
            for id in &ids {
                reply(&app, id, json!({"text": text, "kind": "reply"})).await;
            }
        }
        bot.api.enforce_limits();
        app.patch(&path, json!({"enabled": true})).await.expect(200);
        let open = message::Entity::find()
            .filter(message::Column::Kind.eq("reply"))
            .filter(message::Column::DeliveryState.ne("sent"));
        app.until("all are sent and recorded", || async {
            (open.clone().count(app.app.db.read()).await.unwrap() == 0).then_some(())
        })
        .await;
        for chat in 1..=CHATS {
            let sent = bot.api.sent(chat);
            let texts: Vec<&str> = sent.iter().map(|sent| sent["text"].as_str().unwrap()).collect();
            assert_eq!(texts, wanted, "chat {chat}");
        }
    }
}
