//! What a mail holds, on its way from the connector to the operator.

use serde_json::{Value, json};

use crate::support::{
    TestApp,
    reads::{comes, mailbox},
};

const ANSWER: &str = "Received: from somewhere\r\n\
    From: Anna Petrova <anna@client.example>\r\nTo: support@shop.example\r\nMessage-ID: <1@client.example>\r\n\
    Subject: Blue kettle\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
    --r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
    --a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
    Да, беру 🫖!\r\n\r\nOn Mon, Nov 16, 2026 at 10:00, Shop <support@shop.example> wrote:\r\n> Hello\r\n\
    --a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <p>Да, беру 🫖! <img src=\"cid:logo%40client.example\"><img src=\"https://t.example/x.gif\"></p>\
    <div class=\"gmail_quote\">On Mon wrote:<blockquote>Hello</blockquote></div>\r\n--a--\r\n\
    --r\r\nContent-Type: image/png; name=logo.png\r\nContent-ID: <logo@client.example>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
    --r\r\nContent-Type: image/png; name=other.png\r\nContent-ID: <other@client.example>\r\nContent-Disposition: inline\r\n\r\nx\r\n--r--\r\n";

fn plain(from: &str, id: &str, more: &str) -> String {
    format!(
        "{more}From: {from}\r\nTo: support@shop.example\r\nMessage-ID: <{id}@client.example>\r\nSubject: s\r\n\r\nHello\r\n"
    )
}

fn with_card(from: &str, id: &str, more: &str, card: &str) -> String {
    format!(
        "{more}From: {from}\r\nMessage-ID: <{id}@client.example>\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
         --m\r\n\r\nHello\r\n--m\r\nContent-Type: text/vcard; name=me.vcf\r\n\r\nBEGIN:VCARD\r\n{card}END:VCARD\r\n--m--\r\n"
    )
}

fn characters(text: &Value, to: &Value) -> String {
    let count = usize::try_from(to.as_u64().unwrap()).unwrap();
    text.as_str().unwrap().chars().take(count).collect()
}

async fn contact_of(app: &TestApp, message: &Value) -> Value {
    app.get(&format!(
        "/contacts/{}",
        message["author"]["id"].as_str().unwrap()
    ))
    .await
}

fn identities(contact: &Value) -> Vec<(String, bool)> {
    let mut all: Vec<(String, bool)> = contact["identities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["value"].as_str().unwrap().to_owned(),
                row["verified"] == json!(true),
            )
        })
        .collect();
    all.sort();
    all
}

both_databases! {
    async fn an_answer_shows_what_is_new_in_it_its_pictures_and_nothing_that_acts(app: TestApp) {
        let channel = mailbox(&app).await;
        let message = comes(&app, &channel, ANSWER).await;
        let mail = &message["mail"];
        assert_eq!(characters(&message["text"], &mail["quoted_text_at"]).trim(), "Да, беру 🫖!");
        let new = characters(&message["html"], &mail["quoted_html_at"]);
        assert!(new.contains("беру 🫖") && new.ends_with("</p>") && !new.contains("Hello"), "{new}");
        assert!(message["html"].as_str().unwrap().contains("Hello"), "the rest is there too");
        let files = message["attachments"].as_array().unwrap();
        assert!(new.contains(&format!("src=\"{}\"", files[0]["url"].as_str().unwrap())), "{new}");
        assert_eq!((&files[0]["content_id"], &files[1]["name"]), (&json!("logo@client.example"), &json!("other.png")));
        assert!(files[1].get("content_id").is_none(), "nobody refers to it: a file");
        assert_eq!(mail["authentication"]["verdict"], "none", "our server said nothing");
        let seen = app.get("/conversations").await;
        assert!(seen["items"][0]["last_message"]["text"].as_str().unwrap().starts_with("Да, беру"));
    }

    async fn the_original_is_given_byte_for_byte_to_those_who_see_the_conversation_and_as_a_file(app: TestApp) {
        let channel = mailbox(&app).await;
        let message = comes(&app, &channel, ANSWER).await;
        assert_eq!(message["mail"]["original"], json!({"size": ANSWER.len(), "complete": true}));
        let path = format!("/messages/{}/original", message["id"].as_str().unwrap());
        let url = format!("{}/api/v1{path}", app.base);
        let answer = app.client.get(&url).bearer_auth(&app.key).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "message/rfc822");
        assert!(header("content-disposition").starts_with("attachment; filename="));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").contains("sandbox"));
        assert_eq!(answer.bytes().await.unwrap().as_ref(), ANSWER.as_bytes());
        let first = app.client.get(format!("{url}?first=9")).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(first.text().await.unwrap(), "Received:");
        app.call("GET", &format!("{path}?first=0"), None).await.expect(400);
        app.call("GET", "/messages/msg_nothing/original", None).await.expect(404);
        // An operator who is in no line sees neither the conversation nor its mails.
        let (_, stranger) = app.operator("Olim", "operator").await;
        let conversation = message["conversation_id"].as_str().unwrap();
        let sees = app.call_as(&stranger, "GET", &format!("/conversations/{conversation}"), None).await.status;
        let gets = app.call_as(&stranger, "GET", &path, None).await.status;
        assert_eq!((sees, gets), (404, 404));
        // A chat has no original.
        let chat = app.channel("webchat", &app.line("Chat", json!({})).await, json!({})).await;
        let id = app.writes(&chat, "u1", "hi").await;
        let said = app.get(&format!("/conversations/{id}/messages")).await["items"][0].clone();
        assert_eq!(said["mail"], Value::Null);
        app.call("GET", &format!("/messages/{}/original", said["id"].as_str().unwrap()), None).await.expect(404);
    }

    async fn an_address_is_proven_only_when_our_own_server_says_so(app: TestApp) {
        let channel = mailbox(&app).await;
        let by = |server: &str, result: &str| {
            format!("Authentication-Results: {server}; dmarc={result} header.from=client.example\r\n")
        };
        let claimed = comes(&app, &channel, plain("ann@client.example", "1", &by("mx.evil.example", "pass"))).await;
        assert_eq!(identities(&contact_of(&app, &claimed).await), [("ann@client.example".to_owned(), false)]);
        let forged = comes(&app, &channel, plain("Bank <ann@client.example>", "2", &by("mx.shop.example", "fail"))).await;
        assert_eq!(forged["mail"]["authentication"], json!({"verdict": "fail", "spf": null, "dkim": null, "dmarc": "fail"}));
        let contact = contact_of(&app, &forged).await;
        assert_eq!((&contact["name"], identities(&contact)), (&Value::Null, vec![("ann@client.example".to_owned(), false)]));
        let proven = comes(&app, &channel, plain("Ann <ann@client.example>", "3", &by("mx.shop.example", "pass"))).await;
        let contact = contact_of(&app, &proven).await;
        assert_eq!((&contact["name"], identities(&contact)), (&json!("Ann"), vec![("ann@client.example".to_owned(), true)]));
    }

    async fn a_senders_own_card_fills_what_is_empty_and_nothing_else(app: TestApp) {
        let channel = mailbox(&app).await;
        let card = "FN:Ann Doe\r\nORG:Client Ltd\r\nEMAIL:ann@client.example\r\nTEL:+49 30 1234567\r\nTEL:+49 30 7654321\r\n";
        // Somebody else has the second number already.
        let other = comes(&app, &channel, with_card("bob@client.example", "1", "", &card.replace("ann@", "bob@").replace("+49 30 1234567", "030"))).await;
        let forged = "Authentication-Results: mx.shop.example; dmarc=fail\r\n";
        let first = comes(&app, &channel, with_card("ann@client.example", "2", forged, card)).await;
        assert_eq!(identities(&contact_of(&app, &first).await), [("ann@client.example".to_owned(), false)], "forged");
        let own = comes(&app, &channel, with_card("ann@client.example", "3", "", card)).await;
        assert_eq!(own["author"]["id"], first["author"]["id"]);
        assert_ne!(own["author"]["id"], other["author"]["id"], "a number on a card recognises nobody");
        let contact = contact_of(&app, &own).await;
        let company = contact["company_id"].clone();
        assert_eq!((&contact["name"], company.is_string()), (&json!("Ann Doe"), true));
        assert_eq!(
            identities(&contact),
            [("+49301234567".to_owned(), false), ("ann@client.example".to_owned(), false)]
        );
        let again = card.replace("Ann Doe", "Mallory").replace("Client Ltd", "Evil Ltd");
        let again = comes(&app, &channel, with_card("ann@client.example", "4", "", &again)).await;
        let contact = contact_of(&app, &again).await;
        assert_eq!((&contact["name"], &contact["company_id"]), (&json!("Ann Doe"), &company));
        // Somebody else's card is a file.
        let passed_on = comes(&app, &channel, with_card("cy@client.example", "5", "", card)).await;
        assert_eq!(identities(&contact_of(&app, &passed_on).await), [("cy@client.example".to_owned(), false)]);
        assert_eq!(passed_on["attachments"][0]["name"], "me.vcf");
    }
}
