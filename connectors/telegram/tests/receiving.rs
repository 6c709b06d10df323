//! Taking in: what is asked for and what is brought, against the Bot API server of the testkit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_sdk::{Fault, InboundBody, Rejection, WebhookRequest};
use switchboard_testkit::{
    ManualClock, MemoryIntake, context, context_at,
    telegram::{BOT, BotApi, TOKEN, Trick},
};

use support::{Run, connector, message, settings};

#[tokio::test]
async fn a_thousand_updates_are_stored_once_each_however_often_the_receiver_is_killed() {
    let api = Arc::new(BotApi::start().await);
    for index in 0..1000 {
        // Numbers have gaps, chats are mixed.
        if index % 7 == 0 {
            api.skip_numbers(3);
        }
        api.write(100 + index % 13, &format!("message {index}"));
    }
    let intake = MemoryIntake::new();
    let start = || {
        let api = Arc::clone(&api);
        Run::supervised(move || connector(&api, json!({})), &intake)
    };
    for turn in 1..=4 {
        let run = start();
        intake.wait_stored(turn * 100 + 37).await;
        if turn % 2 == 0 {
            intake.lose_next_answer();
        }
        run.kill().await;
    }
    let run = start();
    intake.wait_stored(1000).await;
    api.wait_until("all are confirmed", |api| api.pending() == 0)
        .await;
    run.stop().await;
    let mut texts: Vec<String> = intake
        .events()
        .iter()
        .map(|event| message(event).text.clone())
        .collect();
    assert_eq!(texts.len(), 1000);
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 1000);
}

#[tokio::test]
async fn an_update_of_a_kind_nobody_knows_is_kept_and_stops_nothing() {
    let api = BotApi::start().await;
    api.write(1, "before");
    api.push(json!({"hologram": {"from": {"id": 1}, "shape": "cube"}}));
    api.push(json!({"message": {"message_id": "seven", "chat": 5}}));
    api.write(1, "after");
    let intake = MemoryIntake::new();
    let run = Run::start(connector(&api, json!({})), &intake);
    intake.wait_stored(4).await;
    run.stop().await;
    let events = intake.events();
    let kept: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.body {
            InboundBody::Poison { reason, raw } => {
                assert!(raw.read_all().unwrap().starts_with(b"{"));
                Some(reason.as_str())
            }
            _ => None,
        })
        .collect();
    assert!(
        kept[0].contains("hologram") && kept[1].contains("message"),
        "{kept:?}"
    );
    assert_eq!(message(&events[3]).text, "after");
}

#[tokio::test]
async fn files_come_with_their_message_and_what_is_too_large_says_so() {
    let api = BotApi::start().await;
    let small = api.file("photo.jpg", b"small");
    let large = api.file("photo.jpg", b"larger");
    let gone = "FILE99";
    api.write_more(
        1,
        json!({"photo": [
        {"file_id": small, "width": 90, "height": 60, "file_size": 5},
        {"file_id": large, "width": 900, "height": 600, "file_size": 6},
    ], "caption": "look"}),
    );
    api.write_more(
        1,
        json!({"document": {"file_id": "FILE1", "file_name": "film.mkv", "file_size": 900_000_000}}),
    );
    api.write_more(1, json!({"voice": {"file_id": gone, "duration": 3}}));
    let intake = MemoryIntake::new();
    let run = Run::start(connector(&api, json!({})), &intake);
    intake.wait_stored(3).await;
    run.stop().await;
    let events = intake.events();
    let photo = message(&events[0]);
    assert_eq!(
        (
            photo.text.as_str(),
            &photo.attachments[0].data.read_all().unwrap()[..]
        ),
        ("look", &b"larger"[..])
    );
    let film = &message(&events[1]).attachments[0];
    assert_eq!((film.name.as_str(), film.data.len()), ("film.mkv", 0));
    assert!(
        film.missing.as_ref().is_some_and(|why| why.contains("900 MB")),
        "{film:?}"
    );
    let voice = &message(&events[2]).attachments[0];
    assert!(
        voice.missing.is_some() && voice.content_type == "audio/ogg",
        "{voice:?}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_had_now_is_waited_for_and_holds_up_nothing_before_it() {
    let api = BotApi::start().await;
    let file = api.file("a.pdf", b"pdf");
    let clock = ManualClock::default(); // the messages are a few seconds old
    api.write(1, "first");
    api.write_more(1, json!({"document": {"file_id": file, "file_name": "a.pdf"}}));
    api.fail_always("getFile", Trick::Cut);
    let intake = MemoryIntake::new();
    let build = |clock: &ManualClock| {
        (switchboard_telegram::DESCRIPTOR.build)(
            settings(&api, json!({})),
            context_at(Arc::new(clock.clone())),
        )
        .unwrap()
    };
    let run = Run::start(build(&clock), &intake);
    intake.wait_stored(1).await;
    assert!(matches!(run.fault().await, Fault::Temporary(_)));
    api.heal();
    let run = Run::start(build(&clock), &intake);
    intake.wait_stored(2).await;
    run.stop().await;
    assert_eq!(
        message(&intake.events()[1]).attachments[0]
            .data
            .read_all()
            .unwrap(),
        "pdf"
    );
}

#[tokio::test]
async fn another_poller_explains_itself_in_plain_words() {
    let api = BotApi::start().await;
    let intake = MemoryIntake::new();
    let run = Run::start(connector(&api, json!({})), &intake);
    api.wait_until("it asks", |api| api.calls("getUpdates").len() >= 2)
        .await;
    // Somebody else's program.
    api.fail_next("getUpdates", Trick::Refuse(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"));
    api.write(1, "hello");
    let fault = run.fault().await;
    assert!(
        matches!(&fault, Fault::Temporary(why) if why.contains("another program") && why.contains("409")),
        "{fault}"
    );
}

#[tokio::test]
async fn two_channels_of_one_bot_are_told_apart() {
    let api = BotApi::start().await;
    let intake = MemoryIntake::new();
    let first = Run::start(connector(&api, json!({})), &intake);
    api.wait_until("it asks", |api| !api.calls("getUpdates").is_empty())
        .await;
    let fault = Run::start(connector(&api, json!({})), &MemoryIntake::new())
        .fault()
        .await;
    assert!(
        fault
            .to_string()
            .contains("\"Test channel\" receives for this bot already"),
        "{fault}"
    );
    first.stop().await;
    let second = Run::start(connector(&api, json!({})), &intake);
    api.write(1, "hello");
    intake.wait_stored(1).await;
    second.stop().await;
}

#[tokio::test]
async fn a_wrong_token_parks_the_channel_and_is_not_shown() {
    let api = BotApi::start().await;
    let wrong = "110201543:wrong_wrong_wrong_wrong";
    let fault = Run::start(connector(&api, json!({"token": wrong})), &MemoryIntake::new())
        .fault()
        .await;
    assert!(
        matches!(&fault, Fault::Permanent(why) if why.contains("@BotFather") && !why.contains("wrong_")),
        "{fault}"
    );
}

#[tokio::test]
async fn changing_the_mode_sets_and_removes_the_webhook() {
    let api = BotApi::start().await;
    let intake = MemoryIntake::new();
    let run = Run::start(connector(&api, json!({"mode": "webhook"})), &intake);
    api.wait_until("the webhook is set", |api| {
        api.webhook_url() == "https://desk.example/hooks/telegram/test-channel"
    })
    .await;
    let set = &api.calls("setWebhook")[0].fields;
    assert_eq!(set["secret_token"], "a-word-that-nobody-guesses");
    assert!(
        set["allowed_updates"]
            .as_array()
            .unwrap()
            .contains(&json!("message_reaction"))
    );
    run.stop().await;
    api.write(1, "in between");
    let run = Run::start(connector(&api, json!({})), &intake);
    intake.wait_stored(1).await;
    assert_eq!(api.webhook_url(), "");
    run.stop().await;
}

fn push(update: &Value, secret: &str) -> WebhookRequest {
    http::Request::post("/hooks/telegram/test-channel")
        .header("x-telegram-bot-api-secret-token", secret)
        .body(Bytes::from(update.to_string()))
        .unwrap()
}

#[tokio::test]
async fn what_is_brought_is_proven_and_completed_before_it_is_stored() {
    let api = BotApi::start().await;
    let file = api.file("a.pdf", b"pdf");
    let connector = connector(&api, json!({"mode": "webhook", "groups": "addressed"}));
    let webhook = connector.webhook().unwrap();
    let now = context().clock.now();
    let mut message = api.message(7, json!({"document": {"file_id": file, "file_name": "a.pdf"}}));
    let update = json!({"update_id": 1, "message": message.clone()});
    for wrong in [
        "",
        "a-word-that-nobody-guesse",
        "a-word-that-nobody-guesses-",
        "b-word-that-nobody-guesses",
    ] {
        let answer = webhook.accept(&push(&update, wrong), now);
        assert!(matches!(answer, Err(Rejection::Unauthenticated(_))), "{wrong:?}");
    }
    let request = push(&update, "a-word-that-nobody-guesses");
    let accepted = webhook.accept(&request, now).unwrap();
    assert_eq!(accepted.events.len(), 1);
    let whole = webhook.complete(&request, accepted).await.unwrap();
    assert_eq!(
        support::message(&whole.events[0]).attachments[0]
            .data
            .read_all()
            .unwrap(),
        "pdf"
    );
    // In a group the bot's name has to be known; it is asked for.
    message["chat"] = json!({"id": -5, "type": "group", "title": "G"});
    message["text"] = json!("hello @shop_bot");
    message["entities"] = json!([{"type": "mention", "offset": 6, "length": 9}]);
    let request = push(
        &json!({"update_id": 2, "message": message}),
        "a-word-that-nobody-guesses",
    );
    let accepted = webhook.accept(&request, now).unwrap();
    let whole = webhook.complete(&request, accepted).await.unwrap();
    assert_eq!(whole.events.len(), 1);
    // Our outage is told as one.
    api.fail_always("getFile", Trick::Cut);
    let mut late = api.message(7, json!({"document": {"file_id": file}}));
    late["date"] = json!(now.timestamp());
    let request = push(
        &json!({"update_id": 3, "message": late}),
        "a-word-that-nobody-guesses",
    );
    let accepted = webhook.accept(&request, now).unwrap();
    assert!(webhook.complete(&request, accepted).await.is_err());
}

#[tokio::test]
async fn a_pressed_button_is_answered() {
    let api = BotApi::start().await;
    let mut under = api.message(7, json!({"text": "Choose"}));
    under["reply_markup"] = json!({"inline_keyboard": [[{"text": "Yes, please", "callback_data": "y"}]]});
    under["from"] = json!({"id": BOT, "is_bot": true, "first_name": "Shop"});
    let press = json!({"id": "q1", "from": {"id": 7, "first_name": "Ann"}, "chat_instance": "x", "data": "y", "message": under});
    api.push(json!({"callback_query": press.clone()}));
    let intake = MemoryIntake::new();
    let connector = connector(&api, json!({}));
    let run = Run::start(Arc::clone(&connector), &intake);
    intake.wait_stored(1).await;
    assert_eq!(message(&intake.events()[0]).text, "Yes, please");
    api.wait_until("it is answered", |api| {
        api.calls("answerCallbackQuery")
            .first()
            .is_some_and(|call| call.fields["callback_query_id"] == "q1")
    })
    .await;
    run.stop().await;
    let request = push(
        &json!({"update_id": 9, "callback_query": press}),
        "a-word-that-nobody-guesses",
    );
    let reply = connector
        .webhook()
        .unwrap()
        .reply(&request, &switchboard_sdk::Receipt::default());
    let call: Value = serde_json::from_slice(reply.body()).unwrap();
    assert_eq!(
        (call["method"].as_str(), call["callback_query_id"].as_str()),
        (Some("answerCallbackQuery"), Some("q1"))
    );
}

#[tokio::test]
async fn a_connection_that_breaks_now_and_then_is_nobodys_business() {
    let api = BotApi::start().await;
    let intake = MemoryIntake::new();
    let run = Run::start(connector(&api, json!({})), &intake);
    api.wait_until("it asks", |api| api.calls("getUpdates").len() >= 2)
        .await;
    api.fail_next("getUpdates", Trick::Cut);
    api.fail_next("getUpdates", Trick::LoseAnswer);
    api.write(1, "one");
    intake.wait_stored(1).await;
    api.write(1, "two");
    intake.wait_stored(2).await;
    run.stop().await;
    assert!(intake.warnings().is_empty());
}

#[tokio::test]
async fn the_check_says_what_it_found() {
    let api = BotApi::start().await;
    let said = connector(&api, json!({"groups": "all"})).check().await.unwrap();
    assert!(
        said.contains("@shop_bot") && said.contains("No webhook is set") && said.contains("/setprivacy"),
        "{said}"
    );
    let steps = connector(&api, json!({"mode": "webhook"})).check_steps().await;
    let names: Vec<&str> = steps.iter().map(|step| step.step).collect();
    assert_eq!(names, ["telegram_bot", "telegram_address", "telegram_updates"]);
    assert!(api.calls("setWebhook").is_empty() && api.calls("deleteWebhook").is_empty());
    api.close();
    tokio::time::sleep(Duration::ZERO).await;
    let fault = connector(&api, json!({})).check().await.unwrap_err();
    assert!(
        fault.to_string().contains("cannot be reached") && !fault.to_string().contains(TOKEN),
        "{fault}"
    );
}
