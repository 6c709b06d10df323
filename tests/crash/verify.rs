//! What must hold afterwards, asked through the public API and looked up in the customers' mailboxes.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    process::Command,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};

use crate::{
    from_environment,
    reading::{Found, all_pages, marker, settle_mails, settle_replies},
    traffic::{Item, Sent},
    world::World,
};

/// Everything that is not as it must be, a sentence each.
pub async fn faults(world: &World, sent: &Sent) -> Vec<String> {
    let mut faults = sent.wrong.clone();
    let begun = Instant::now();
    let retried = settle_replies(world, sent, &mut faults, begun).await;
    let (conversations, found) = settle_mails(world, sent, begun).await;

    for visitor in &sent.visitors {
        once(&found, &visitor.items, "chat message", &mut faults);
        together(&found, &visitor.items, "a visitor's messages", &mut faults);
    }
    for thread in &sent.threads {
        once(&found, &thread.items, "mail", &mut faults);
        together(&found, &thread.items, "a thread's mails", &mut faults);
    }
    once(&found, &sent.forms, "form", &mut faults);
    for reply in &sent.replies {
        once(&found, std::slice::from_ref(&reply.item), "reply", &mut faults);
    }
    visitors_view(world, sent, &mut faults).await;
    leads(world, sent, &conversations, &found, &mut faults).await;
    customers_mailboxes(sent, &found, &retried, &mut faults);
    support_mailbox(world, sent, &mut faults);
    event_log(world, &found, &mut faults).await;
    faults
}

/// Accepted: there once. Given up: there once or not at all.
fn once(found: &Found, items: &[Item], what: &str, faults: &mut Vec<String>) {
    for item in items {
        let messages = found.get(&item.marker).map_or(&[][..], Vec::as_slice);
        match (messages.len(), item.accepted) {
            (1, _) | (0, false) => {}
            (0, true) => faults.push(format!("{what} {} was accepted and is lost", item.marker)),
            (number, _) => faults.push(format!("{what} {} is there {number} times", item.marker)),
        }
        if let [message] = messages {
            let files = message["attachments"].as_array().map_or(0, Vec::len);
            if files != usize::from(item.file) {
                faults.push(format!(
                    "{what} {} has {files} files, not {}",
                    item.marker,
                    usize::from(item.file)
                ));
            }
        }
    }
}

/// All in one conversation.
fn together(found: &Found, items: &[Item], what: &str, faults: &mut Vec<String>) {
    let conversations: HashSet<&str> = items
        .iter()
        .filter_map(|item| found.get(&item.marker))
        .flatten()
        .filter_map(|message| message["conversation_id"].as_str())
        .collect();
    if conversations.len() > 1 {
        faults.push(format!(
            "{what} ({} …) are spread over {} conversations",
            items[0].marker,
            conversations.len()
        ));
    }
}

/// The visitors must see their own messages and the replies once, in growing order.
async fn visitors_view(world: &World, sent: &Sent, faults: &mut Vec<String>) {
    let mut replies_seen: HashMap<String, usize> = HashMap::new();
    for visitor in &sent.visitors {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut last = 0;
        loop {
            let url = world.widget(&format!("messages?after={last}"));
            let answer = world
                .http
                .get(url)
                .bearer_auth(&visitor.token)
                .send()
                .await
                .expect("an answer");
            assert!(
                answer.status().is_success(),
                "a visitor's messages: {}",
                answer.status()
            );
            let page: Value = answer.json().await.expect("JSON");
            let items = page["items"].as_array().expect("items");
            if items.is_empty() {
                break;
            }
            for message in items {
                let seq = message["seq"].as_i64().expect("a number");
                if seq <= last {
                    faults.push(format!("a visitor's messages do not grow: {seq} after {last}"));
                }
                last = last.max(seq);
                if let Some(word) = marker(message["text"].as_str().unwrap_or_default()) {
                    let seen = if word.starts_with("reply") {
                        &mut replies_seen
                    } else {
                        &mut seen
                    };
                    *seen.entry(word).or_default() += 1;
                }
            }
        }
        for item in &visitor.items {
            let number = seen.remove(&item.marker).unwrap_or_default();
            if number > 1 || (number == 0 && item.accepted) {
                faults.push(format!(
                    "the visitor sees their message {} {number} times",
                    item.marker
                ));
            }
        }
        for stranger in seen.keys() {
            faults.push(format!("a visitor sees {stranger}, which they did not write"));
        }
    }
    for reply in sent.replies.iter().filter(|reply| reply.kind == "webchat") {
        let number = replies_seen.get(&reply.item.marker).copied().unwrap_or_default();
        if number > 1 || (number == 0 && reply.item.accepted) {
            faults.push(format!(
                "visitors see the reply {} {number} times",
                reply.item.marker
            ));
        }
    }
}

/// One submission for each form, and one lead for each new person, however they came.
async fn leads(world: &World, sent: &Sent, conversations: &[Value], found: &Found, faults: &mut Vec<String>) {
    let mut submissions: HashMap<String, usize> = HashMap::new();
    for submission in all_pages(world, "submissions").await {
        if submission["lead_id"].is_null() {
            faults.push(format!("submission {} has no lead", submission["id"]));
        }
        if let Some(word) = marker(submission["values"]["comment"].as_str().unwrap_or_default()) {
            *submissions.entry(word).or_default() += 1;
        }
    }
    for form in &sent.forms {
        let number = submissions.get(&form.marker).copied().unwrap_or_default();
        if number > 1 || (number == 0 && form.accepted) {
            faults.push(format!("{number} submissions for the form {}", form.marker));
        }
    }

    let mut by_contact: BTreeMap<String, usize> = BTreeMap::new();
    for lead in all_pages(world, "leads").await {
        *by_contact
            .entry(lead["contact_id"].as_str().unwrap_or("none").to_owned())
            .or_default() += 1;
    }
    for (contact, number) in &by_contact {
        if *number != 1 {
            faults.push(format!("contact {contact} has {number} leads"));
        }
    }
    for conversation in conversations {
        let contact = conversation["contact"]["id"].as_str().unwrap_or_default();
        if !by_contact.contains_key(contact) {
            faults.push(format!(
                "conversation {} has a contact without a lead",
                conversation["id"]
            ));
        }
    }
    let wrote = |items: &[Item]| items.iter().any(|item| found.contains_key(&item.marker));
    let people = sent
        .visitors
        .iter()
        .filter(|visitor| wrote(&visitor.items))
        .count()
        + sent.threads.iter().filter(|thread| wrote(&thread.items)).count()
        + sent
            .forms
            .iter()
            .filter(|form| found.contains_key(&form.marker))
            .count();
    if people != by_contact.len() {
        faults.push(format!(
            "{people} people wrote, and {} have a lead",
            by_contact.len()
        ));
    }
}

/// What the mail servers' own tool says.
pub fn mail_admin(arguments: &[&str]) -> String {
    let tool = from_environment("SWITCHBOARD_TEST_MAIL_ADMIN");
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .expect("the tool of the mail servers");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every accepted reply by mail has come at least once; more than once only if an operator sent it again.
fn customers_mailboxes(sent: &Sent, found: &Found, retried: &HashSet<String>, faults: &mut Vec<String>) {
    // The SMTP server hands on within moments; its queue is asked to be empty first.
    let begun = Instant::now();
    while !mail_admin(&["queue"]).contains("queue is empty") && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut copies: HashMap<String, usize> = HashMap::new();
    for thread in &sent.threads {
        for mail in mail_admin(&["mails", &thread.customer])
            .split("==== UID ")
            .skip(1)
        {
            // The header may hold words of ours in References.
            let body = mail
                .split_once("\n\n")
                .or_else(|| mail.split_once("\r\n\r\n"))
                .map_or("", |(_, body)| body);
            if let Some(word) = marker(body) {
                *copies.entry(word).or_default() += 1;
            }
        }
    }
    for reply in sent.replies.iter().filter(|reply| reply.kind == "email") {
        let word = &reply.item.marker;
        let number = copies.get(word).copied().unwrap_or_default();
        if number == 0 && (reply.item.accepted || found.contains_key(word)) {
            faults.push(format!(
                "reply {word} was accepted and never reached the customer"
            ));
        }
        if number > 1 && !retried.contains(word) {
            faults.push(format!(
                "reply {word} reached the customer {number} times, and nobody had asked for that"
            ));
        }
    }
    eprintln!("{} replies were uncertain and sent again", retried.len());
}

/// The mailbox is the customer's: nothing in it may be deleted, moved or marked.
fn support_mailbox(world: &World, sent: &Sent, faults: &mut Vec<String>) {
    let flags = mail_admin(&["flags", &world.mailbox]);
    let mails: usize = sent.threads.iter().map(|thread| thread.items.len()).sum();
    let there = flags.lines().count();
    if there != mails {
        faults.push(format!(
            "{mails} mails were sent to the mailbox, and it holds {there}"
        ));
    }
    let marked = flags
        .lines()
        .filter(|line| {
            line.split_once('\t')
                .is_some_and(|(_, flags)| !flags.trim().is_empty())
        })
        .count();
    if marked > 0 {
        faults.push(format!("{marked} mails of the mailbox were marked"));
    }
}

/// A socket that asks for everything must be told of every message once, under numbers that grow.
async fn event_log(world: &World, found: &Found, faults: &mut Vec<String>) {
    let head = {
        let mut socket = socket(world, "").await;
        next_frame(&mut socket).await.expect("a greeting")["seq"]
            .as_i64()
            .expect("a number")
    };
    let mut socket = socket(world, "?since=0").await;
    let hello = next_frame(&mut socket).await.expect("a greeting");
    if hello["resumed"] != true {
        faults.push(format!(
            "the event log does not go back to its beginning: {hello}"
        ));
        return;
    }
    let mut told: HashMap<String, usize> = HashMap::new();
    let mut last = 0;
    while last < head {
        let Some(frame) = next_frame(&mut socket).await else {
            faults.push(format!("the socket stopped at {last} of {head}"));
            break;
        };
        let Some(seq) = frame["seq"].as_i64() else {
            continue;
        };
        if seq <= last {
            faults.push(format!("the event log does not grow: {seq} after {last}"));
        }
        last = seq;
        if frame["type"] == "message.created" {
            *told
                .entry(frame["data"]["id"].as_str().unwrap_or_default().to_owned())
                .or_default() += 1;
        }
    }
    for message in found.values().flatten() {
        let number = told
            .get(message["id"].as_str().expect("an id"))
            .copied()
            .unwrap_or_default();
        if number != 1 {
            faults.push(format!(
                "the event log tells {number} times of message {}",
                message["id"]
            ));
        }
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn socket(world: &World, query: &str) -> Socket {
    let url = format!("{}/api/v1/realtime{query}", world.base.replacen("http", "ws", 1));
    let mut request = url.into_client_request().expect("an address");
    request.headers_mut().insert(
        "Authorization",
        format!("Bearer {}", world.key).parse().expect("a header"),
    );
    tokio_tungstenite::connect_async(request)
        .await
        .expect("a socket")
        .0
}

/// The next frame with JSON in it; none when the socket ends or is silent for ten seconds.
async fn next_frame(socket: &mut Socket) -> Option<Value> {
    loop {
        match tokio::time::timeout(Duration::from_secs(10), socket.next())
            .await
            .ok()??
        {
            Ok(tungstenite::Message::Text(text)) => return serde_json::from_str(text.as_str()).ok(),
            Ok(tungstenite::Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
