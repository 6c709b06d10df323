//! What updates become: recorded shapes from the public documentation of the Bot API, one for each kind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_sdk::{IdentityKind, InboundBody, InboundEvent, InboundMessage, Thread};
use switchboard_telegram::{
    Settings,
    map::{Bot, Draft, Taken, map},
};

use support::offline;

const BOT: i64 = 110_201_543;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_607_200, 0).unwrap()
}

fn taken_by(settings: &Settings, update: &Value) -> Taken {
    let bot = Bot {
        id: BOT,
        username: "shop_bot".to_owned(),
    };
    map(update, &bot, settings, now())
}

fn taken(update: &Value) -> Taken {
    taken_by(&offline(json!({"groups": "addressed"})), update)
}

/// A message of Ann's with these fields.
fn wrote(fields: Value) -> Value {
    let mut message = json!({
        "message_id": 7, "date": 1_767_600_000,
        "chat": {"id": 42, "type": "private", "first_name": "Ann", "last_name": "Lee"},
        "from": {"id": 42, "is_bot": false, "first_name": "Ann", "last_name": "Lee", "language_code": "ru"},
    });
    message
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().cloned().unwrap());
    message
}

fn one(taken: Taken) -> Draft {
    assert_eq!(taken.drafts.len(), 1, "{:?}", taken.passed_over);
    taken.drafts.into_iter().next().unwrap()
}

fn said(fields: Value) -> (InboundEvent, InboundMessage, Vec<String>) {
    let draft = one(taken(&json!({"update_id": 1, "message": wrote(fields)})));
    let message = support::message(&draft.event).clone();
    let files = draft
        .files
        .iter()
        .map(|file| format!("{} {} {}", file.file_id, file.name, file.content_type))
        .collect();
    (draft.event, message, files)
}

#[test]
fn a_text_says_who_when_and_in_which_language() {
    let (event, message, _) =
        said(json!({"text": "Hello 😀", "entities": [{"type": "bold", "offset": 6, "length": 2}]}));
    assert_eq!(event.external_id, format!("{BOT}:42:7"));
    assert_eq!(event.at.timestamp(), 1_767_600_000);
    assert_eq!(message.html.as_deref(), Some("Hello <b>😀</b>"));
    assert_eq!(message.from.name.as_deref(), Some("Ann Lee"));
    assert_eq!(message.from.language.as_deref(), Some("ru"));
    let identity = &message.from.identities[0];
    assert_eq!(
        (identity.kind, identity.value.as_str(), identity.verified),
        (IdentityKind::Telegram, "42", true)
    );
    assert_eq!(message.thread, Thread::Sender);
}

#[test]
fn every_kind_of_content_is_words_or_a_file() {
    let file = |more: Value| {
        let mut file = json!({"file_id": "F", "file_unique_id": "U", "file_size": 9});
        file.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        file
    };
    for (fields, text, files) in [
        (
            json!({"photo": [file(json!({"width": 1, "height": 1})), {"file_id": "L", "width": 9, "height": 9}], "caption": "c"}),
            "c",
            vec!["L photo.jpg image/jpeg"],
        ),
        (
            json!({"document": file(json!({"file_name": "a.pdf", "mime_type": "application/pdf"}))}),
            "",
            vec!["F a.pdf application/pdf"],
        ),
        (
            json!({"voice": file(json!({"duration": 2, "mime_type": "audio/ogg"}))}),
            "",
            vec!["F voice_message.ogg audio/ogg"],
        ),
        (
            json!({"audio": file(json!({"performer": "P", "title": "T", "mime_type": "audio/mpeg"}))}),
            "",
            vec!["F P - T.mp3 audio/mpeg"],
        ),
        (
            json!({"video": file(json!({}))}),
            "",
            vec!["F video.mp4 video/mp4"],
        ),
        (
            json!({"video_note": file(json!({"length": 3}))}),
            "",
            vec!["F video_message.mp4 video/mp4"],
        ),
        (
            json!({"animation": file(json!({"file_name": "x.mp4"})), "document": file(json!({"file_name": "x.mp4"}))}),
            "",
            vec!["F x.mp4 video/mp4"],
        ),
        (
            json!({"sticker": file(json!({"emoji": "👍", "is_animated": false, "is_video": false, "type": "of a new kind"}))}),
            "👍",
            vec!["F sticker.webp image/webp"],
        ),
        (
            json!({"sticker": file(json!({"is_animated": true}))}),
            "",
            vec!["F sticker.tgs application/x-tgsticker"],
        ),
        (
            json!({"sticker": file(json!({"is_video": true}))}),
            "",
            vec!["F sticker.webm video/webm"],
        ),
        (json!({"dice": {"emoji": "🎯", "value": 6}}), "🎯 6", vec![]),
        (
            json!({"poll": {"id": "1", "question": "Tea?", "options": [{"text": "Yes", "voter_count": 0}, {"text": "No", "voter_count": 0}], "type": "regular"}}),
            "Poll: Tea?\n• Yes\n• No",
            vec![],
        ),
        (
            json!({"location": {"latitude": 41.3, "longitude": 69.2}}),
            "Location: 41.3, 69.2",
            vec![],
        ),
        (
            json!({"venue": {"location": {"latitude": 1.5, "longitude": 2.5}, "title": "Shop", "address": "Main 1"}, "location": {"latitude": 1.5, "longitude": 2.5}}),
            "Shop, Main 1, 1.5, 2.5",
            vec![],
        ),
        (
            json!({"contact": {"phone_number": "998901234567", "first_name": "Bob", "user_id": 77}}),
            "Contact: Bob, +998901234567",
            vec![],
        ),
        (
            json!({"checklist": {"title": "x"}}),
            "(a message that can be read in Telegram alone: checklist)",
            vec![],
        ),
        (
            json!({"story": {"id": 1}}),
            "(a message that can be read in Telegram alone: story)",
            vec![],
        ),
    ] {
        let (_, message, found) = said(fields.clone());
        assert_eq!(
            (message.text.as_str(), found),
            (text, files.into_iter().map(str::to_owned).collect()),
            "{fields}"
        );
    }
    let (_, message, _) = said(
        json!({"venue": {"location": {"latitude": 1.5, "longitude": 2.5}, "title": "Shop", "address": "Main 1"}}),
    );
    let place = message.location.unwrap();
    assert_eq!(
        (place.lat, place.lon, place.title.as_deref()),
        (1.5, 2.5, Some("Shop"))
    );
}

#[test]
fn an_own_number_is_proven_and_somebody_elses_is_a_card() {
    let phones = |fields: Value| {
        let (_, message, _) = said(fields);
        let phones: Vec<(String, bool)> = message
            .from
            .identities
            .iter()
            .filter(|identity| identity.kind == IdentityKind::Phone)
            .map(|identity| (identity.value.clone(), identity.verified))
            .collect();
        phones
    };
    let own = json!({"phone_number": "+998901234567", "first_name": "Ann", "user_id": 42});
    assert_eq!(
        phones(json!({"contact": own.clone()})),
        [("+998901234567".to_owned(), true)]
    );
    assert_eq!(
        phones(json!({"contact": {"phone_number": "+998901234567", "first_name": "Bob", "user_id": 43}})),
        []
    );
    assert_eq!(
        phones(json!({"contact": {"phone_number": "+998901234567", "first_name": "Bob"}})),
        []
    );
    // Forwarded: who shared it there is not who sends it here.
    let origin =
        json!({"type": "user", "date": 1, "sender_user": {"id": 43, "is_bot": false, "first_name": "Bob"}});
    assert_eq!(phones(json!({"contact": own, "forward_origin": origin})), []);
}

#[test]
fn forwards_replies_quotes_and_albums_say_what_they_are() {
    for (origin, from) in [
        (
            json!({"type": "user", "date": 9, "sender_user": {"id": 5, "is_bot": false, "first_name": "Bob"}}),
            "Bob",
        ),
        (
            json!({"type": "hidden_user", "date": 9, "sender_user_name": "Hidden H."}),
            "Hidden H.",
        ),
        (
            json!({"type": "chat", "date": 9, "sender_chat": {"id": -1, "type": "supergroup", "title": "G"}}),
            "G",
        ),
        (
            json!({"type": "channel", "date": 9, "chat": {"id": -2, "type": "channel", "title": "News"}, "message_id": 3}),
            "News",
        ),
    ] {
        let (_, message, _) = said(json!({"text": "x", "forward_origin": origin, "forward_date": 9}));
        let found = message.origin.unwrap();
        assert_eq!(
            (found.from.as_deref(), found.at.unwrap().timestamp()),
            (Some(from), 9)
        );
        assert_eq!(
            message.from.name.as_deref(),
            Some("Ann Lee"),
            "a forward's author is not the customer"
        );
    }
    let (_, message, _) = said(
        json!({"text": "x", "reply_to_message": wrote(json!({"message_id": 3, "text": "earlier words"})), "quote": {"text": "words", "position": 8}}),
    );
    assert_eq!(
        (message.reply_to, message.quote),
        (Some(format!("{BOT}:42:3")), Some("words".to_owned()))
    );
    let (_, message, _) =
        said(json!({"photo": [{"file_id": "F", "width": 1, "height": 1}], "media_group_id": "g1"}));
    assert_eq!(message.album, Some(format!("{BOT}:42:album g1")));
}

#[test]
fn a_start_brings_its_attribution_and_line() {
    let (_, message, _) = said(
        json!({"text": "/start yandex__autumn__sales", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}),
    );
    let last = message.attribution.last;
    assert_eq!(
        (last["utm_source"].as_str(), last["utm_campaign"].as_str()),
        ("yandex", "autumn")
    );
    assert_eq!(last["start_payload"], "yandex__autumn__sales");
    assert_eq!(message.line.as_deref(), Some("sales"));
}

#[test]
fn a_word_of_the_menu_is_the_way_to_its_line() {
    let settings = offline(json!({"menu": [{"label": "Sales", "line": "sales"}, {"label": "Other"}]}));
    let under = json!({"message_id": 3, "date": 1, "chat": {"id": 42, "type": "private"}, "reply_markup": {"inline_keyboard": [[{"text": "Sales", "callback_data": "menu 0"}]]}});
    let press = json!({"update_id": 8, "callback_query": {"id": "q", "from": {"id": 42, "first_name": "Ann"}, "data": "menu 0", "message": under}});
    let draft = one(taken_by(&settings, &press));
    let message = support::message(&draft.event);
    assert_eq!(
        (message.text.as_str(), message.line.as_deref()),
        ("Sales", Some("sales"))
    );
    let typed = json!({"update_id": 9, "message": wrote(json!({"text": "Other"}))});
    assert_eq!(
        support::message(&one(taken_by(&settings, &typed)).event).line,
        None
    );
}

#[test]
fn changes_are_told_of_the_message_they_change() {
    let edited = wrote(json!({"text": "better", "edit_date": 1_767_600_100}));
    let draft = one(taken(&json!({"update_id": 2, "edited_message": edited})));
    let InboundBody::Edit(edit) = &draft.event.body else {
        panic!()
    };
    assert_eq!(
        (edit.message.as_str(), edit.text.as_str()),
        (&*format!("{BOT}:42:7"), "better")
    );
    assert_eq!(
        (draft.event.external_id.as_str(), draft.event.at.timestamp()),
        (&*format!("{BOT}:update 2"), 1_767_600_100)
    );
    assert!(edit.attachments.is_none());
    let reaction = json!({"chat": {"id": 42, "type": "private"}, "message_id": 9, "user": {"id": 42, "first_name": "Ann"}, "date": 5, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji", "custom_emoji_id": "1"}]});
    let draft = one(taken(&json!({"update_id": 3, "message_reaction": reaction})));
    let InboundBody::Reaction(reaction) = &draft.event.body else {
        panic!()
    };
    assert_eq!(
        (reaction.message.as_str(), reaction.emoji.join("")),
        (&*format!("{BOT}:42:9"), "👍❓".to_owned())
    );
    for (status, reachable) in [("kicked", false), ("member", true)] {
        let change = json!({"chat": {"id": 42, "type": "private"}, "from": {"id": 42, "first_name": "Ann"}, "date": 5, "old_chat_member": {"status": "member"}, "new_chat_member": {"status": status}});
        let draft = one(taken(&json!({"update_id": 4, "my_chat_member": change})));
        let InboundBody::Reachability(found) = &draft.event.body else {
            panic!()
        };
        assert_eq!(
            (found.identity.value.as_str(), found.reachable),
            ("42", reachable)
        );
    }
}

#[test]
fn in_groups_the_bot_takes_what_the_admin_chose() {
    let group = |more: Value| {
        let mut message = wrote(json!({"chat": {"id": -5, "type": "supergroup", "title": "Team"}}));
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        json!({"update_id": 1, "message": message})
    };
    let plain = group(json!({"text": "just talking"}));
    let named = group(
        json!({"text": "😀 @Shop_bot help", "entities": [{"type": "mention", "offset": 3, "length": 9}]}),
    );
    let other = group(
        json!({"text": "@shop_bot2 help", "entities": [{"type": "mention", "offset": 0, "length": 10}]}),
    );
    let command = group(
        json!({"text": "/start@shop_bot", "entities": [{"type": "bot_command", "offset": 0, "length": 15}]}),
    );
    let reply = group(
        json!({"text": "yes", "reply_to_message": {"message_id": 2, "date": 1, "chat": {"id": -5, "type": "supergroup"}, "from": {"id": BOT, "is_bot": true, "first_name": "Shop"}}}),
    );
    let count =
        |groups: &str, update: &Value| taken_by(&offline(json!({"groups": groups})), update).drafts.len();
    for (update, ignored, addressed, all) in [
        (&plain, 0, 0, 1),
        (&named, 0, 1, 1),
        (&other, 0, 0, 1),
        (&command, 0, 1, 1),
        (&reply, 0, 1, 1),
    ] {
        assert_eq!(
            (
                count("ignore", update),
                count("addressed", update),
                count("all", update)
            ),
            (ignored, addressed, all),
            "{update}"
        );
    }
    let topic = group(
        json!({"text": "@shop_bot hi", "entities": [{"type": "mention", "offset": 0, "length": 9}], "message_thread_id": 12, "is_topic_message": true}),
    );
    let draft = one(taken(&topic));
    let message = support::message(&draft.event);
    assert_eq!(
        (
            message.from.name.as_deref(),
            message.from.identities[0].value.as_str()
        ),
        (Some("Team"), "-5/12")
    );
    assert_eq!(message.text, "Ann Lee: @shop_bot hi");
    assert!(
        message
            .html
            .as_ref()
            .unwrap()
            .starts_with("<b>Ann Lee:</b> <a href")
    );
}

#[test]
fn in_business_chats_the_owners_words_are_no_customers() {
    let message = |more: Value| {
        let mut message = wrote(json!({"business_connection_id": "bc", "text": "hi"}));
        message
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        json!({"update_id": 1, "business_message": message})
    };
    let draft = one(taken(&message(json!({}))));
    let customer = support::message(&draft.event);
    let ids: Vec<&str> = customer
        .from
        .identities
        .iter()
        .map(|identity| identity.value.as_str())
        .collect();
    assert_eq!((customer.own.as_ref(), ids), (None, vec!["bc@42", "42"]));
    assert_eq!(draft.event.external_id, format!("{BOT}:bc@42:7"));
    let draft = one(taken(&message(
        json!({"from": {"id": 1000, "is_bot": false, "first_name": "Owner"}}),
    )));
    let own = support::message(&draft.event);
    assert_eq!(
        (own.own.as_deref(), own.from.identities[0].value.as_str()),
        (Some("Owner"), "bc@42")
    );
    let echo = taken(&message(
        json!({"sender_business_bot": {"id": BOT, "is_bot": true, "first_name": "Shop"}}),
    ));
    assert!(echo.drafts.is_empty());
    let deleted = json!({"update_id": 5, "deleted_business_messages": {"business_connection_id": "bc", "chat": {"id": 42, "type": "private"}, "message_ids": [7, 8]}});
    let ids: Vec<String> = taken(&deleted)
        .drafts
        .iter()
        .map(|draft| match &draft.event.body {
            InboundBody::Deletion(deletion) => deletion.message.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [format!("{BOT}:bc@42:7"), format!("{BOT}:bc@42:8")]);
}

#[test]
fn what_nobody_reads_is_passed_over_and_what_nobody_knows_is_kept() {
    for update in [
        json!({"update_id": 1, "channel_post": {"message_id": 1}}),
        json!({"update_id": 1, "poll": {"id": "1"}}),
        json!({"update_id": 1, "message": wrote(json!({"new_chat_members": []}))}),
        json!({"update_id": 1, "message": wrote(json!({"pinned_message": {}}))}),
        json!({"update_id": 1, "business_connection": {"id": "bc"}}),
    ] {
        let taken = taken(&update);
        assert!(taken.drafts.is_empty() && taken.passed_over.is_some(), "{update}");
    }
    for update in [
        json!({"update_id": 1, "brand_new": {}}),
        json!({"update_id": 1}),
        json!({"update_id": 1, "message": {"chat": 1}}),
    ] {
        let draft = one(taken(&update));
        let InboundBody::Poison { raw, .. } = &draft.event.body else {
            panic!("{update}")
        };
        assert_eq!(
            serde_json::from_slice::<Value>(&raw.read_all().unwrap()).unwrap(),
            update
        );
    }
}

/// Any JSON.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z_😀]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let keys = prop_oneof![
            "(message_id|chat|id|type|text|entities|offset|length|from|photo|file_id|date|data|message|media_group_id|contact|location|reply_to_message|new_chat_member|status)",
            "[a-z]{1,5}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_update_is_too_strange(kind in "(message|edited_message|callback_query|message_reaction|my_chat_member|deleted_business_messages|business_message|x)", body in anything()) {
        let mut update = json!({"update_id": 1});
        update[kind] = body;
        let taken = taken(&update);
        prop_assert!(!taken.drafts.is_empty() || taken.passed_over.is_some() || update["deleted_business_messages"].is_object());
    }
}
