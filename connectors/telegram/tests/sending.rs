//! Sending, against the Bot API server of the testkit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use switchboard_sdk::{
    Addressee, Button, ButtonAction, OutboundAttachment, OutboundDeletion, OutboundEdit, OutboundMessage,
    SendError, Sent,
};
use switchboard_testkit::telegram::{BOT, BotApi, Trick};

use support::{answer, connector};

async fn send(api: &BotApi, message: &OutboundMessage) -> Result<Sent, SendError> {
    connector(api, json!({})).sender().unwrap().send(message).await
}

fn file(name: &str, content_type: &str) -> OutboundAttachment {
    OutboundAttachment {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        data: Bytes::from(format!("bytes of {name}")),
        ..OutboundAttachment::default()
    }
}

#[tokio::test]
async fn what_the_composer_writes_arrives_with_its_formatting() {
    let api = BotApi::start().await;
    let mut message = answer(42, "Hello bold");
    message.html = Some(
        "<p>😀 <b>bold <i>both</i></b> <a href=\"https://x.example/?a=1&amp;b=2\">here</a></p>".to_owned(),
    );
    message.reply_to = Some(format!("{BOT}:42:9"));
    let sent = send(&api, &message).await.unwrap();
    assert_eq!(sent.external_id, Some(format!("{BOT}:42:1")));
    let there = &api.sent(42)[0];
    assert_eq!(there["text"], "😀 bold both here");
    assert_eq!(
        there["entities"],
        json!([
            {"type": "bold", "offset": 3, "length": 9},
            {"type": "italic", "offset": 8, "length": 4},
            {"type": "text_link", "offset": 13, "length": 4, "url": "https://x.example/?a=1&b=2"},
        ])
    );
    assert_eq!(there["reply_to_message"]["message_id"], 9);
}

#[tokio::test]
async fn a_long_text_is_several_messages_in_order() {
    let api = BotApi::start().await;
    let text = format!("{}\n\n{}", "слово 😀 ".repeat(480), "second ".repeat(300));
    let sent = send(&api, &answer(42, &text)).await.unwrap();
    let there = api.sent(42);
    assert_eq!((there.len(), sent.parts.len()), (2, 1));
    assert!(there[1]["text"].as_str().unwrap().ends_with("second"));
}

#[tokio::test]
async fn files_go_by_their_kind_and_albums_together() {
    let api = BotApi::start().await;
    let mut message = answer(42, "look");
    message.attachments = vec![
        file("a.png", "image/png"),
        file("b.mp4", "video/mp4"),
        file("c.pdf", "application/pdf"),
    ];
    let sent = send(&api, &message).await.unwrap();
    let there = api.sent(42);
    assert_eq!(there.len(), 3);
    assert_eq!(sent.parts.len(), 2);
    assert!(
        there[0]["photo"].is_array()
            && there[0]["caption"] == "look"
            && there[0]["media_group_id"] == there[1]["media_group_id"]
    );
    assert!(there[1]["video"].is_object() && there[1].get("caption").is_none());
    assert_eq!(there[2]["document"]["file_name"], "c.pdf");
}

#[tokio::test]
async fn a_picture_telegram_does_not_take_for_one_goes_as_a_file() {
    let api = BotApi::start().await;
    api.fail_next(
        "sendPhoto",
        Trick::Refuse(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"),
    );
    let mut message = answer(42, "");
    message.attachments = vec![file("long.png", "image/png")];
    send(&api, &message).await.unwrap();
    assert_eq!(api.sent(42)[0]["document"]["file_name"], "long.png");
}

#[tokio::test]
async fn refused_formatting_goes_out_as_plain_words() {
    let api = BotApi::start().await;
    api.fail_next(
        "sendMessage",
        Trick::Refuse(400, "Bad Request: can't parse entities: something new"),
    );
    let mut message = answer(42, "x");
    message.html = Some("<b>strong</b> words".to_owned());
    send(&api, &message).await.unwrap();
    let there = api.sent(42);
    assert_eq!((there.len(), &there[0]["text"]), (1, &json!("strong words")));
    assert!(there[0].get("entities").is_none());
}

#[tokio::test]
async fn failures_say_whether_it_went_out() {
    let api = BotApi::start().await;
    api.block(7);
    let blocked = send(&api, &answer(7, "x")).await.unwrap_err();
    assert!(
        matches!(&blocked, SendError::Unreachable { reason } if reason == "they blocked the bot"),
        "{blocked:?}"
    );
    for (trick, right) in [
        (Trick::TooMany(9), "wait 9"),
        (Trick::Refuse(400, "Bad Request: chat not found"), "unreachable"),
        (
            Trick::Refuse(403, "Forbidden: user is deactivated"),
            "unreachable",
        ),
        (Trick::Refuse(400, "Bad Request: TOPIC_CLOSED"), "refused"),
        (Trick::Cut, "unknown"),
        (Trick::LoseAnswer, "unknown"),
    ] {
        api.fail_next("sendMessage", trick.clone());
        let found = match send(&api, &answer(42, "x")).await {
            Err(SendError::Wait { after, .. }) => format!("wait {}", after.as_secs()),
            Err(SendError::Unreachable { .. }) => "unreachable".to_owned(),
            Err(SendError::Refused { .. }) => "refused".to_owned(),
            Err(SendError::Unknown { .. }) => "unknown".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, right, "{trick:?}");
    }
    let nowhere = send(&api, &answer("ann@shop.example", "x")).await.unwrap_err();
    assert!(matches!(nowhere, SendError::Refused { .. }));
    api.close();
    tokio::task::yield_now().await;
    assert!(matches!(
        send(&api, &answer(42, "x")).await,
        Err(SendError::Retry { .. })
    ));
}

#[tokio::test]
async fn a_bot_that_was_told_to_be_silent_is_silent_everywhere_and_a_busy_chat_alone() {
    let api = BotApi::start().await;
    let connector = connector(&api, json!({}));
    let sender = connector.sender().unwrap();
    sender.send(&answer(1, "one")).await.unwrap();
    let busy = sender.send(&answer(1, "two")).await.unwrap_err();
    assert!(matches!(busy, SendError::Hold { .. }), "{busy:?}");
    sender.send(&answer(2, "other")).await.unwrap();
    api.fail_next("sendMessage", Trick::TooMany(30));
    assert!(matches!(
        sender.send(&answer(3, "x")).await,
        Err(SendError::Wait { .. })
    ));
    let calls = api.calls("sendMessage").len();
    let frozen = sender.send(&answer(4, "x")).await.unwrap_err();
    assert!(
        matches!(frozen, SendError::Wait { after, .. } if after > Duration::from_secs(25)),
        "{frozen:?}"
    );
    assert_eq!(api.calls("sendMessage").len(), calls);
}

#[tokio::test]
async fn an_answer_of_several_messages_is_finished_or_said_to_be_half() {
    let api = BotApi::start().await;
    let text = "word ".repeat(1500);
    let began = Instant::now();
    // The second message meets a 429 and goes on after it.
    let connector_ = connector(&api, json!({}));
    let task = tokio::spawn({
        let text = text.clone();
        async move { connector_.sender().unwrap().send(&answer(5, &text)).await }
    });
    api.wait_until("the first is there", |api| !api.sent(5).is_empty())
        .await;
    api.fail_next("sendMessage", Trick::TooMany(1));
    let sent = task.await.unwrap().unwrap();
    assert_eq!((api.sent(5).len(), sent.parts.len()), (2, 1));
    assert!(began.elapsed() >= Duration::from_secs(2));
    // And one whose second message is lost on the way.
    let connector_ = connector(&api, json!({}));
    let task = tokio::spawn(async move { connector_.sender().unwrap().send(&answer(6, &text)).await });
    api.wait_until("the first is there", |api| !api.sent(6).is_empty())
        .await;
    api.fail_next("sendMessage", Trick::Cut);
    let half = task.await.unwrap().unwrap_err();
    assert!(
        matches!(&half, SendError::Unknown { reason } if reason.starts_with("1 of 2 messages")),
        "{half:?}"
    );
}

#[tokio::test]
async fn buttons_and_the_own_number() {
    let api = BotApi::start().await;
    let mut message = answer(42, "Which?");
    message.buttons = vec![vec![
        Button {
            label: "Site".to_owned(),
            action: ButtonAction::Url("https://shop.example/".to_owned()),
        },
        Button {
            label: "Yes".to_owned(),
            action: ButtonAction::Data("ж".repeat(50)),
        },
    ]];
    send(&api, &message).await.unwrap();
    let row = &api.sent(42)[0]["reply_markup"]["inline_keyboard"][0];
    assert_eq!(row[0]["url"], "https://shop.example/");
    assert_eq!(row[1]["callback_data"], "ж".repeat(32));
    let mut message = answer(43, "Your number, please");
    message.request_phone = true;
    send(&api, &message).await.unwrap();
    assert_eq!(
        api.sent(43)[0]["reply_markup"]["keyboard"][0][0]["request_contact"],
        true
    );
}

#[tokio::test]
async fn what_was_sent_is_changed_and_taken_back() {
    let api = BotApi::start().await;
    let connector = connector(&api, json!({}));
    let sender = connector.sender().unwrap();
    let sent = sender.send(&answer(42, "first")).await.unwrap();
    let ids: Vec<String> = sent.external_id.clone().into_iter().collect();
    let edit = |text: &str| OutboundEdit {
        external_ids: ids.clone(),
        message: answer(42, text),
        revision: 1,
    };
    tokio::time::sleep(Duration::from_millis(1050)).await; // a change counts as a message
    sender.edit(&edit("second")).await.unwrap();
    assert_eq!(api.sent(42)[0]["text"], "second");
    tokio::time::sleep(Duration::from_millis(1050)).await;
    sender.edit(&edit("second")).await.unwrap();
    let longer = sender.edit(&edit(&"x".repeat(5000))).await.unwrap_err();
    assert!(matches!(longer, SendError::Refused { .. }), "{longer:?}");
    tokio::time::sleep(Duration::from_millis(1050)).await;
    let deletion = OutboundDeletion {
        to: Addressee {
            to: "42".to_owned(),
            ..Addressee::default()
        },
        external_ids: ids,
        ..OutboundDeletion::default()
    };
    sender.delete(&deletion).await.unwrap();
    assert!(api.sent(42).is_empty());
    sender.typing(&deletion.to).await.unwrap();
    assert_eq!(api.calls("sendChatAction")[0].fields["action"], "typing");
}

#[tokio::test]
async fn answers_go_to_topics_and_to_business_chats() {
    let api = BotApi::start().await;
    send(&api, &answer("-100/7", "to the topic")).await.unwrap();
    assert_eq!(api.sent(-100)[0]["message_thread_id"], 7);
    let sent = send(&api, &answer("bc1@42", "in the owner's name"))
        .await
        .unwrap();
    assert_eq!(api.sent(42)[0]["business_connection_id"], "bc1");
    assert_eq!(sent.external_id, Some(format!("{BOT}:bc1@42:1")));
}

#[tokio::test]
async fn what_the_line_says_by_itself_offers_the_menu() {
    let api = BotApi::start().await;
    let menu = json!({"menu": [{"label": "Where is my order?"}, {"label": "Sales", "line": "sales"}]});
    let connector = connector(&api, menu);
    let sender = connector.sender().unwrap();
    let mut welcome = answer(42, "Welcome");
    welcome.automatic = true;
    sender.send(&welcome).await.unwrap();
    let rows = &api.sent(42)[0]["reply_markup"]["inline_keyboard"];
    assert_eq!(
        (&rows[0][0]["text"], &rows[1][0]["text"]),
        (&json!("Where is my order?"), &json!("Sales"))
    );
    sender.send(&answer(43, "by hand")).await.unwrap();
    assert!(api.sent(43)[0].get("reply_markup").is_none());
}
