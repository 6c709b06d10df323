//! From events to rows: exactly once, in order, whatever comes.

use bytes::Bytes;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use switchboard::db::entity::{contact, conversation, inbound_event, lead, message, quarantine};
use switchboard_sdk::{
    Batch, Clock, Cursor, Identity, IdentityKind, InboundBody, InboundEvent, InboundMessage, Outcome, Person,
    SystemClock, Thread,
};

use crate::support::TestApp;

fn person(kind: IdentityKind, value: &str) -> Person {
    Person {
        identities: vec![Identity {
            kind,
            value: value.to_owned(),
            verified: true,
        }],
        ..Person::default()
    }
}

fn said(external_id: &str, from: Person, text: &str) -> InboundEvent {
    InboundEvent {
        external_id: external_id.to_owned(),
        at: SystemClock.now(),
        body: InboundBody::Message(InboundMessage {
            from,
            text: text.to_owned(),
            ..InboundMessage::default()
        }),
    }
}

async fn channel(app: &TestApp) -> String {
    let line = app.line("Support", json!({})).await;
    app.channel("webchat", &line, json!({})).await["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

both_databases! {
    async fn the_same_event_delivered_again_and_again_is_stored_once(app: TestApp) {
        let channel = channel(&app).await;
        let event = said("one", person(IdentityKind::External, "u1"), "Salom");
        // In one batch, in the next, and by many at the same time.
        let batch = Batch { events: vec![event.clone(), event.clone()], cursor: None };
        let first = app.app.ingest.deliver(&channel, batch).await.unwrap();
        assert!(matches!(first.outcomes[0], Outcome::Stored { .. }));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (ingest, channel, event) = (app.app.ingest.clone(), channel.clone(), event.clone());
            tasks.spawn(async move { ingest.deliver(&channel, Batch::one(event)).await.unwrap() });
        }
        while let Some(receipt) = tasks.join_next().await {
            let receipt = receipt.unwrap();
            assert!(receipt.outcomes[0].is_duplicate());
            assert_eq!(receipt.outcomes[0].message(), first.outcomes[0].message());
        }
        assert_eq!(message::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }

    async fn many_first_messages_of_one_person_open_one_conversation_and_one_lead(app: TestApp) {
        let channel = channel(&app).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let (ingest, channel) = (app.app.ingest.clone(), channel.clone());
            let event = said(&format!("e{n}"), person(IdentityKind::External, "u1"), &format!("message {n}"));
            tasks.spawn(async move { ingest.deliver(&channel, Batch::one(event)).await.unwrap() });
        }
        while let Some(receipt) = tasks.join_next().await {
            assert!(matches!(receipt.unwrap().outcomes[0], Outcome::Stored { .. }));
        }
        let db = app.app.db.read();
        assert_eq!(contact::Entity::find().count(db).await.unwrap(), 1);
        assert_eq!(conversation::Entity::find().count(db).await.unwrap(), 1);
        assert_eq!(lead::Entity::find().count(db).await.unwrap(), 1);
        let mut seqs: Vec<i64> = message::Entity::find().all(db).await.unwrap().iter().map(|row| row.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=40).collect::<Vec<i64>>());
    }

    async fn the_cursor_moves_with_the_messages_it_covers(app: TestApp) {
        let channel = channel(&app).await;
        let cursor = |uid: i64| Some(Cursor { name: "INBOX".into(), value: json!({"last_uid": uid}) });
        let batch = Batch { events: vec![said("m1", person(IdentityKind::Email, "a@b.c"), "Hi")], cursor: cursor(7) };
        app.app.ingest.deliver(&channel, batch).await.unwrap();
        app.app.ingest.deliver(&channel, Batch { events: Vec::new(), cursor: cursor(9) }).await.unwrap();
        use switchboard::db::entity::channel_cursor;
        let row = channel_cursor::Entity::find_by_id((channel, "INBOX".to_owned())).one(app.app.db.read()).await;
        assert_eq!(row.unwrap().unwrap().value, json!({"last_uid": 9}));
    }

    async fn mail_finds_its_thread_by_references_and_only_by_them(app: TestApp) {
        let channel = channel(&app).await;
        let mail = |own: &str, earlier: &[&str], from: &str, subject: &str| InboundEvent {
            external_id: own.to_owned(),
            at: SystemClock.now(),
            body: InboundBody::Message(InboundMessage {
                from: person(IdentityKind::Email, from),
                thread: Thread::Messages {
                    own: own.to_owned(),
                    earlier: earlier.iter().map(|id| (*id).to_owned()).collect(),
                },
                subject: Some(subject.to_owned()),
                text: "text".to_owned(),
                ..InboundMessage::default()
            }),
        };
        let events = vec![
            mail("a@x", &[], "anna@x.example", "Order"),
            mail("b@x", &["a@x"], "anna@x.example", "Re: Order"),
            mail("c@x", &["unknown@x", "b@x"], "anna@x.example", "something else"),
            // The same subject without a reference is another matter.
            mail("d@x", &[], "anna@x.example", "Re: Order"),
            // Strangers answering the same newsletter do not meet.
            mail("e@x", &["news@shop"], "boris@x.example", "Re: News"),
            mail("f@x", &["news@shop"], "clara@x.example", "Re: News"),
        ];
        let receipt = app.app.ingest.deliver(&channel, Batch { events, cursor: None }).await.unwrap();
        let conversations: Vec<String> = receipt
            .outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Stored { conversation_id, .. } => conversation_id.clone().unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(conversations[0], conversations[1]);
        assert_eq!(conversations[0], conversations[2]);
        assert_ne!(conversations[0], conversations[3]);
        assert_ne!(conversations[4], conversations[5]);
        // One lead of Anna's, though she has two threads.
        let leads = lead::Entity::find().count(app.app.db.read()).await.unwrap();
        assert_eq!(leads, 3);
    }

    async fn what_cannot_be_understood_is_kept_and_stops_nothing(app: TestApp) {
        let channel = channel(&app).await;
        let poison = InboundEvent {
            external_id: "bad".to_owned(),
            at: SystemClock.now(),
            body: InboundBody::Poison { reason: "no headers".to_owned(), raw: Bytes::from_static(b"\x00\xff").into() },
        };
        let nul = said("nul", person(IdentityKind::External, "u\0"), "before\0after");
        let good = said("good", person(IdentityKind::External, "u2"), "Hello");
        let batch = Batch { events: vec![poison.clone(), nul, good], cursor: None };
        let receipt = app.app.ingest.deliver(&channel, batch).await.unwrap();
        assert!(matches!(receipt.outcomes[0], Outcome::Quarantined { .. }));
        assert!(matches!(receipt.outcomes[1], Outcome::Stored { .. }));
        assert!(matches!(receipt.outcomes[2], Outcome::Stored { .. }));
        // The same poison once more does not fill the tray.
        app.app.ingest.deliver(&channel, Batch::one(poison)).await.unwrap();
        assert_eq!(quarantine::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
    }

    async fn a_machines_mail_is_kept_but_wakes_nobody(app: TestApp) {
        let channel = channel(&app).await;
        let mut event = said("auto", person(IdentityKind::Email, "robot@x.example"), "I am away");
        if let InboundBody::Message(message) = &mut event.body {
            message.automatic = true;
        }
        app.app.ingest.deliver(&channel, Batch::one(event)).await.unwrap();
        assert_eq!(lead::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        let listed = app.get("/conversations?view=all").await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 0);
        let closed = app.get("/conversations?view=closed").await;
        assert_eq!(closed["items"][0]["session"]["close_reason"], "automatic");
    }

    async fn a_typed_address_joins_on_our_side_and_merges_nobody(app: TestApp) {
        let channel = channel(&app).await;
        let claim = |value: &str| Identity { kind: IdentityKind::Email, value: value.to_owned(), verified: false };
        let visitor = |name: &str, email: &str| Person {
            identities: vec![
                Identity { kind: IdentityKind::Webchat, value: name.to_owned(), verified: true },
                claim(email),
            ],
            ..Person::default()
        };
        let talk = |id: &str, from: Person| {
            let mut event = said(id, from, "Hello");
            if let InboundBody::Message(message) = &mut event.body {
                message.thread = Thread::Sender;
            }
            event
        };
        let first = Batch::one(said("m", person(IdentityKind::Email, "anna@x.example"), "Hi"));
        app.app.ingest.deliver(&channel, first).await.unwrap();
        let receipt = app.app.ingest.deliver(&channel, Batch::one(talk("v1", visitor("vis_1", "anna@x.example")))).await;
        let Outcome::Stored { conversation_id: Some(conversation_id), .. } = &receipt.unwrap().outcomes[0] else {
            panic!("stored");
        };
        let view = app.get(&format!("/conversations/{conversation_id}")).await;
        assert_eq!(view["contact_claimed"], true);
        let db = app.app.db.read();
        assert_eq!(contact::Entity::find().count(db).await.unwrap(), 1);
        // The visitor's words are a thread of their own: Anna's history is not in it.
        assert_eq!(conversation::Entity::find().count(db).await.unwrap(), 2);
        // The visitor now says to be somebody else who exists: suggested, not merged.
        app.app.ingest.deliver(&channel, Batch::one(said("b", person(IdentityKind::Email, "boris@x.example"), "Hi"))).await.unwrap();
        app.app.ingest.deliver(&channel, Batch::one(talk("v2", visitor("vis_1", "boris@x.example")))).await.unwrap();
        assert_eq!(contact::Entity::find().count(db).await.unwrap(), 2);
        let anna = app.get(&format!("/contacts/{}", view["contact"]["id"].as_str().unwrap())).await;
        assert_eq!(anna["suggestions"].as_array().unwrap().len(), 1);
    }

    async fn what_is_taken_in_before_the_stop_is_stored_after_it(app: TestApp) {
        let channel = channel(&app).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..200 {
            let (ingest, channel) = (app.app.ingest.clone(), channel.clone());
            let event = said(&format!("e{n}"), person(IdentityKind::External, &format!("u{n}")), "Hi");
            tasks.spawn(async move { ingest.deliver(&channel, Batch::one(event)).await.is_ok() });
        }
        let database = app.stop().await;
        let mut acknowledged = 0;
        while let Some(stored) = tasks.join_next().await {
            acknowledged += u64::from(stored.unwrap());
        }
        let db = database.open().await;
        let stored = inbound_event::Entity::find()
            .filter(inbound_event::Column::ChannelId.eq(channel))
            .count(db.read())
            .await
            .unwrap();
        assert_eq!(stored, acknowledged);
    }
}
