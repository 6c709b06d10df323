//! Erasing people: nothing is found of them afterwards, and everything of everybody else.

mod erasing;
mod exporting;
mod interrupted;
mod kept_records;
mod killed;
mod register;
mod retaining;

use std::path::Path;

use axum::{Router, http::header, routing::get};
use base64::Engine as _;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use switchboard::{db::Db, erase::needles::Needles};
use switchboard_sdk::{Batch, InboundBody, InboundEvent};
use tokio::net::TcpListener;

use crate::{
    calls::{Phone, call_that},
    imports,
    people::{by_hand, items, text},
    support::{Mailbox, TestApp},
    webhooks::{Receiver, webhook},
};

/// Her phone, as the telephone reports it.
pub const PHONE: &str = "+998901234567";
/// An older address of hers, with a contact of its own until the two were merged.
pub const OLD_MAIL: &str = "gulnora.old@client.example";
/// What nobody else says.
pub const SECRET: &str = "zebra-in-the-cupboard";

/// A person who came by every way there is.
pub struct Known {
    pub contact: String,
    pub merged: String,
    /// Her address.
    pub mail: String,
    /// Objects of hers by their paths.
    pub paths: Vec<String>,
    /// A deal with her.
    pub deal: String,
    /// A conversation of somebody else who speaks of her.
    pub friend: String,
}

async fn recordings() -> String {
    let sound = format!("RIFF....WAVEfmt {SECRET} {PHONE}");
    let router = Router::new().route(
        "/call.wav",
        get(move || async move { ([(header::CONTENT_TYPE, "audio/x-wav")], sound) }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn drops(app: &TestApp, channel: &Value, external_id: &str, reason: &str, raw: String) {
    let event = InboundEvent {
        external_id: external_id.to_owned(),
        at: app.app.clock.now(),
        body: InboundBody::Poison {
            reason: reason.to_owned(),
            raw: raw.into_bytes().into(),
        },
    };
    let id = channel["id"].as_str().unwrap();
    app.app.ingest.deliver(id, Batch::one(event)).await.unwrap();
}

/// Has her write a mail, chat with a file, fill a form with a file, call with a recording, stand in a table that is taken
/// in, in one that is not yet, in quarantine, in deliveries that wait; has her merged; has a friend speak of her.
pub async fn seed(app: &TestApp) -> Known {
    let receiver = Receiver::serve().await;
    receiver.always("crm", Some(500));
    webhook(app, &receiver, "crm", &["*"]).await;
    let line = app.line("Support", json!({})).await;

    let (shop, gulnora) = (
        Mailbox::new("shop", "example.test"),
        Mailbox::new("gulnora", "client.test"),
    );
    let mail = gulnora.address.clone();
    let mut settings = shop.settings();
    settings["authserv_id"] = json!("mx.example.test");
    let by_mail = app.channel("email", &line, settings).await;
    let body = base64::engine::general_purpose::STANDARD
        .encode(format!("{SECRET}: call me, {PHONE}, or write to {mail}\r\n"));
    let raw = format!(
        "Authentication-Results: mx.example.test; dmarc=pass header.from=client.test\nFrom: Gulnora <{mail}>\n\
         To: {}\nMessage-ID: <first-{mail}>\nSubject: {SECRET} {mail}\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: base64\n\n{body}\n--b\nContent-Type: text/vcard; name=\"{mail}.vcf\"\n\
         Content-Disposition: attachment; filename=\"{mail}.vcf\"\n\nBEGIN:VCARD\nEMAIL:{mail}\nTEL:{PHONE}\nEND:VCARD\n--b--\n",
        shop.address
    );
    gulnora.send(&shop, &raw).await;
    let channel_id = text(&by_mail["id"]).to_owned();
    let by_mail_conversation = app
        .until("the mail is here", || async {
            let page = app
                .get(&format!("/conversations?view=all&channel={channel_id}"))
                .await;
            items(&page).first().cloned()
        })
        .await;
    let contact = text(&by_mail_conversation["contact"]["id"]).to_owned();
    app.patch(&format!("/contacts/{contact}"), json!({"phones": [PHONE]}))
        .await
        .expect(200);
    app.post(
        &format!("/conversations/{}/messages", text(&by_mail_conversation["id"])),
        json!({"text": format!("Dear {mail}, {SECRET} is noted"), "kind": "reply", "client_id": "a-reply"}),
    )
    .await
    .expect(201);
    app.post(
        &format!("/conversations/{}/messages", text(&by_mail_conversation["id"])),
        json!({"text": format!("note: her phone is {PHONE}"), "kind": "note", "client_id": "a-note"}),
    )
    .await
    .expect(201);

    let chat = app.channel("webchat", &line, json!({})).await;
    let person = json!({"contact": {"name": "Gulnora", "email": mail, "phone": PHONE},
        "page": {"url": format!("https://shop.example/?email={mail}")}});
    let visitor = app.widget(&chat, "sessions", None, person).await.expect(200);
    let token = text(&visitor["visitor_token"]).to_owned();
    let part = reqwest::multipart::Part::bytes(format!("{mail} {PHONE}").into_bytes()).file_name("me.txt");
    let form = reqwest::multipart::Form::new().part("file", part);
    let url = format!("{}/widget/v1/{}/attachments", app.base, text(&chat["key"]));
    let file = app
        .ask(app.client.post(url).bearer_auth(&token).multipart(form))
        .await
        .expect(201);
    let said = json!({"client_id": "said-1", "text": format!("{SECRET}, it is me: {mail}"), "attachments": [file["id"]]});
    app.widget(&chat, "messages", Some(&token), said)
        .await
        .expect(201);

    let fields = json!({"fields": [
        {"name": "email", "label": "E-mail", "type": "email", "maps_to": "contact.email"},
        {"name": "phone", "label": "Phone", "type": "phone", "maps_to": "contact.phone"},
        {"name": "comment", "label": "Comment", "type": "textarea", "maps_to": "lead.comment"},
    ]});
    let form = app.channel("webform", &line, fields).await;
    let filled =
        json!({"email": mail, "phone": PHONE, "comment": format!("{SECRET} {PHONE}"), "utm_term": mail});
    let submission = app.submit(&form, filled, Some("once")).await.expect(201);

    let phone = Phone::on(app, json!({}), json!({})).await;
    let files = recordings().await;
    let now = app.app.clock.now() - chrono::TimeDelta::seconds(60);
    phone
        .says(app, "answered", "c1", now, json!({"caller_name": "Gulnora"}))
        .await
        .expect(200);
    let ended = json!({"recording_url": format!("{files}/call.wav?who={PHONE}"), "recording_secs": 30});
    phone
        .says(app, "ended", "c1", now + chrono::TimeDelta::seconds(30), ended)
        .await
        .expect(200);
    let call = call_that(app, "the recording comes", |call| {
        !call["recording"].is_null() && !call["contact_id"].is_null()
    })
    .await;

    let merged = by_hand(app, json!({"name": "Gulnora K.", "emails": [OLD_MAIL]})).await;
    app.post(&format!("/contacts/{contact}/merge"), json!({"from": merged}))
        .await
        .expect(200);

    let table = format!(
        "Name,E-mail,Phone,Comment\r\nGulnora,{mail},{PHONE},again {SECRET}\r\nWrong,{mail},12,x\r\n"
    );
    let import = imports::upload(app, &app.key, &format!("{mail}.csv"), table.clone().into_bytes())
        .await
        .expect(201);
    imports::act(app, &import, "start").await;
    let more = format!("{table}Another,other@example.com,+998901112233,y\r\n");
    imports::upload(app, &app.key, "later.csv", more.into_bytes())
        .await
        .expect(201);

    drops(
        app,
        &by_mail,
        &format!("broken-{mail}"),
        "no such charset",
        format!("From: {mail}\r\n\r\nx"),
    )
    .await;
    let coded =
        base64::engine::general_purpose::STANDARD.encode(format!("something of {mail} and {PHONE} here"));
    drops(
        app,
        &by_mail,
        "broken-2",
        "no such coding",
        format!("Content: y\r\n\r\n{coded}\r\n"),
    )
    .await;
    drops(
        app,
        &by_mail,
        "broken-3",
        "somebody else's",
        "From: other@example.com\r\n\r\nx".to_owned(),
    )
    .await;

    let friend_said =
        format!("Ask my friend {mail} or call +998 90 123-45-67. Her friend is other@example.com");
    let friend = app.writes(&form, "a-friend", &friend_said).await;

    let pipelines = app.get("/pipelines").await;
    let deal = json!({"title": format!("Bicycle for {mail}"), "amount": "150.00", "contact_id": contact,
        "pipeline_id": items(&pipelines)[0]["id"]});
    let deal = app.post("/deals", deal).await.expect(201);
    let task = json!({"title": format!("Call {PHONE}"), "on": {"type": "contact", "id": contact}});
    let task = app.post("/tasks", task).await.expect(201);
    let company = json!({"name": "Bakery", "emails": [mail, "bakery@example.com"], "phones": [PHONE]});
    app.post("/companies", company).await.expect(201);
    app.patch(
        &format!("/contacts/{contact}"),
        json!({"tags": ["vip", mail], "fields": {"note": SECRET}}),
    )
    .await;

    let lead = text(&submission["submission_id"]).to_owned();
    let leads = app.get(&format!("/contacts/{contact}/leads")).await;
    let mut paths = vec![
        format!("/contacts/{contact}"),
        format!("/contacts/{merged}"),
        format!("/conversations/{}", text(&by_mail_conversation["id"])),
        format!("/submissions/{lead}"),
        format!("/calls/{}", text(&call["id"])),
        format!("/tasks/{}", text(&task["id"])),
    ];
    paths.extend(
        items(&leads)
            .iter()
            .map(|lead| format!("/leads/{}", text(&lead["id"]))),
    );
    app.until("the words can be searched", || async {
        let hits = app.get(&format!("/search?q={SECRET}")).await;
        hits.to_string().contains("zebra").then_some(())
    })
    .await;
    Known {
        contact,
        merged,
        mail,
        paths,
        deal: text(&deal["id"]).to_owned(),
        friend,
    }
}

/// Her addresses.
pub fn needles(known: &Known) -> Needles {
    let mut needles = Needles::default();
    for (kind, value) in [
        ("email", known.mail.as_str()),
        ("email", OLD_MAIL),
        ("phone", PHONE),
    ] {
        needles.add(kind, value);
    }
    needles
}

/// The words a search of the disk looks for.
fn words(known: &Known) -> [String; 3] {
    [
        known.mail.clone(),
        OLD_MAIL.to_owned(),
        PHONE.trim_start_matches('+').to_owned(),
    ]
}

fn has(bytes: &[u8], word: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [word.as_bytes(), &wide]
        .iter()
        .any(|word| lower.windows(word.len()).any(|window| window == *word))
}

/// Files below a folder in which something of hers is found, as it is or in a mail's codings.
pub fn found_on_disk(folder: &Path, known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_on_disk(&path, known));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let is_database = path.to_string_lossy().contains("switchboard.db");
        for word in words(known).iter().map(String::as_str).chain([SECRET]) {
            // The addresses alone are promised to be gone from unused room of the database's pages.
            if has(&bytes, word) && !(is_database && word == SECRET) {
                found.push(format!("{}: {word}", path.display()));
            }
        }
        if !is_database && needles(known).in_bytes(&bytes) {
            found.push(format!("{}: coded", path.display()));
        }
    }
    found
}

/// Columns of the database in which something of hers is found.
pub async fn found_in_tables(db: &Db, known: &Known) -> Vec<String> {
    let sql = if db.is_postgres() {
        "SELECT table_name || '.' || column_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb')"
    } else {
        "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'search_index%'"
    };
    let columns = db
        .read()
        .query_all_raw(Statement::from_string(db.backend(), sql))
        .await
        .unwrap();
    let mut found = Vec::new();
    for row in columns {
        let name: String = row.try_get_by_index(0).unwrap();
        let (table, column) = name.split_once('.').unwrap();
        let national = "901234567".to_owned();
        for word in words(known).into_iter().chain([SECRET.to_owned(), national]) {
            let sql = format!(
                "SELECT CAST(\"{column}\" AS TEXT) FROM \"{table}\" WHERE LOWER(CAST(\"{column}\" AS TEXT)) LIKE '%{word}%'"
            );
            let rows = db
                .read()
                .query_all_raw(Statement::from_string(db.backend(), sql))
                .await
                .unwrap();
            found.extend(
                rows.iter()
                    .map(|row| format!("{name}: {}", row.try_get_by_index::<String>(0).unwrap())),
            );
        }
    }
    if db.backend() == DbBackend::Sqlite {
        // The index of words: it holds single words of the address.
        let sql = "SELECT COUNT(*) FROM search_index WHERE search_index MATCH 'zebra OR 998901234567'";
        let row = db
            .read()
            .query_one_raw(Statement::from_string(db.backend(), sql))
            .await
            .unwrap();
        if row.unwrap().try_get_by_index::<i64>(0).unwrap() > 0 {
            found.push("search_index".to_owned());
        }
    }
    found
}
