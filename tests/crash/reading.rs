//! Reads through the public API what the server has in the end, after waiting for what is still on its way.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::Value;

use crate::{traffic::Sent, world::World};

/// How long the server may take, once it is left in peace, to fetch and send what is still to be fetched and sent.
const SETTLING: Duration = Duration::from_secs(120);

/// Every message of every conversation, by the word in it.
pub type Found = HashMap<String, Vec<Value>>;

/// One answer of the operators' API; anything but 200 stops the test.
async fn get(world: &World, path: &str) -> Value {
    let answer = world.api(Method::GET, path).send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    assert!(status.is_success(), "GET {path}: {status} {text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Every page of a list.
pub async fn all_pages(world: &World, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = None::<String>;
    let sign = if path.contains('?') { '&' } else { '?' };
    loop {
        let more = cursor
            .as_ref()
            .map(|cursor| format!("&cursor={cursor}"))
            .unwrap_or_default();
        let page = get(world, &format!("{path}{sign}limit=200{more}")).await;
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) if cursor.as_deref() != Some(next) => cursor = Some(next.to_owned()),
            Some(next) => panic!("{path}: the cursor {next} leads to itself"),
            None => return items,
        }
    }
}

/// Every message of a conversation.
async fn messages(world: &World, conversation: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all
            .last()
            .map_or(0, |message| message["seq"].as_i64().expect("a number"));
        let page = get(
            world,
            &format!("conversations/{conversation}/messages?after_seq={after}&limit=200"),
        )
        .await;
        let items = page["items"].as_array().expect("items");
        if items.is_empty() {
            return all;
        }
        all.extend(items.iter().cloned());
    }
}

/// The first of our words in a text: what follows it may be a quotation.
pub fn marker(text: &str) -> Option<String> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .find(|word| {
            ["chat", "form", "mail", "reply"].iter().any(|kind| {
                word.strip_prefix(kind).is_some_and(|rest| {
                    rest.len() == 16
                        && rest
                            .bytes()
                            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
                })
            })
        })
        .map(str::to_owned)
}

/// Waits until every accepted reply by mail has gone out; the uncertain ones are sent again, as an operator would. Gives the
/// words of those.
pub async fn settle_replies(
    world: &World,
    sent: &Sent,
    faults: &mut Vec<String>,
    begun: Instant,
) -> HashSet<String> {
    let mut retried = HashSet::new();
    let mut open: HashSet<&str> = sent
        .replies
        .iter()
        .map(|reply| reply.conversation.as_str())
        .collect();
    while !open.is_empty() {
        let mut waiting = HashSet::new();
        for conversation in open {
            for message in messages(world, conversation).await {
                if message["kind"] != "reply" {
                    continue;
                }
                let word = marker(message["text"].as_str().unwrap_or_default()).unwrap_or_default();
                match message["delivery"]["state"].as_str() {
                    Some("sent" | "delivered" | "read") => {}
                    Some("uncertain") => {
                        let path = format!("messages/{}/retry", message["id"].as_str().expect("an id"));
                        let answer = world.api(Method::POST, &path).send().await.expect("an answer");
                        if !answer.status().is_success() {
                            faults.push(format!("retrying an uncertain reply: {}", answer.status()));
                        }
                        retried.insert(word);
                        waiting.insert(conversation);
                    }
                    Some("queued" | "sending") => {
                        waiting.insert(conversation);
                    }
                    other => faults.push(format!(
                        "reply {word} ended as {other:?}: {}",
                        message["delivery"]
                    )),
                }
            }
        }
        if begun.elapsed() > SETTLING && !waiting.is_empty() {
            faults.push(format!(
                "{} conversations still have replies on their way after {SETTLING:?}",
                waiting.len()
            ));
            break;
        }
        if !waiting.is_empty() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        open = waiting;
    }
    retried
}

/// Reads everything, again and again until no mail is missing or the time is up.
pub async fn settle_mails(world: &World, sent: &Sent, begun: Instant) -> (Vec<Value>, Found) {
    loop {
        let mut conversations = all_pages(world, "conversations?view=all").await;
        conversations.extend(all_pages(world, "conversations?view=closed").await);
        let mut found = Found::new();
        for conversation in &conversations {
            for message in messages(world, conversation["id"].as_str().expect("an id")).await {
                if let Some(word) = marker(message["text"].as_str().unwrap_or_default()) {
                    found.entry(word).or_default().push(message);
                }
            }
        }
        let missing = sent
            .threads
            .iter()
            .flat_map(|thread| &thread.items)
            .any(|item| !found.contains_key(&item.marker));
        if !missing || begun.elapsed() > SETTLING {
            return (conversations, found);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
