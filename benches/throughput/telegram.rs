//! 2,000 answers to 50 chats at a Bot API server that holds the bot to Telegram's limits: how long they take beside
//! what the limits allow at best, and that each arrives once and in the order of its chat.

use std::time::{Duration, Instant};

use serde_json::json;
use switchboard_testkit::telegram::{BotApi, TOKEN};

use super::load::Server;

const CHATS: i64 = 50;
const EACH: usize = 40;
/// Messages a second to all chats together, and how many may come at once: what Telegram allows a bot
/// (<https://core.telegram.org/bots/faq#broadcasting-to-users>).
const A_SECOND: f64 = 30.0;

pub async fn measure() {
    let api = BotApi::start().await;
    let mut server = Server::start().await;
    let line = server.post("/lines", json!({"name": "Telegram"})).await;
    let channel = json!({
        "kind": "telegram", "line_id": line["id"], "name": "bot", "settings": {"token": TOKEN, "api_url": api.url()},
    });
    let channel = server.post("/channels", channel).await;
    for chat in 1..=CHATS {
        api.write(chat, "hello");
    }
    let ids = conversations(&server).await;
    // Written while the channel is off: all of them wait when it comes on.
    let path = format!("/channels/{}", channel["id"].as_str().unwrap());
    server.patch(&path, json!({"enabled": false})).await;
    let wanted: Vec<String> = (0..EACH).map(|number| format!("answer {number}")).collect();
    for text in &wanted {
        for id in &ids {
            let answer = json!({"text": text, "kind": "reply"});
            server
                .post(&format!("/conversations/{id}/messages"), answer)
                .await;
        }
    }
    api.enforce_limits();
    let all = ids.len() * EACH;
    let begun = Instant::now();
    server.patch(&path, json!({"enabled": true})).await;
    while api.all_sent().len() < all {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let sent = api.all_sent().len();
        assert!(begun.elapsed() < Duration::from_secs(300), "{sent} were sent");
    }
    let took = begun.elapsed().as_secs_f64();
    for chat in 1..=CHATS {
        let sent = api.sent(chat);
        let texts: Vec<&str> = sent.iter().map(|sent| sent["text"].as_str().unwrap()).collect();
        assert_eq!(texts, wanted, "chat {chat}");
    }
    server.stop();
    let least = (all as f64 - A_SECOND) / A_SECOND;
    println!(
        "telegram: {all} answers to {CHATS} chats in {took:.1} s; the limits allow {least:.1} s ({:+.1} %); \
         {} times 429; each once, in order",
        100.0 * (took / least - 1.0),
        api.refused_for_pace()
    );
}

async fn conversations(server: &Server) -> Vec<String> {
    loop {
        let all = server.get("/conversations?view=all&limit=200").await;
        let ids: Vec<String> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|row| row["id"].as_str().map(str::to_owned))
            .collect();
        if ids.len() == usize::try_from(CHATS).unwrap() {
            return ids;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
