//! Bringing updates: those of one chat one after the other, those of different chats at once, each again until the
//! webhook answers 2xx.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use super::{
    Inner, http,
    http::Asked,
    method,
    state::{Hook, State},
};

/// The pause after the first failure; it doubles. Telegram's own grows to a minute or two.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// Requests at once.
const CONNECTIONS: usize = 40;

pub async fn run(inner: Arc<Inner>) {
    let mut changes = inner.changed.subscribe();
    let mut flying = JoinSet::new();
    loop {
        while flying.len() < CONNECTIONS {
            let next = next(&mut inner.lock());
            let Some((number, update, hook)) = next else { break };
            flying.spawn(bring(Arc::clone(&inner), number, update, hook));
        }
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            Some(_) = flying.join_next() => {}
        }
    }
}

/// The oldest update whose chat has none on its way.
fn next(state: &mut State) -> Option<(i64, Value, Hook)> {
    let hook = state.webhook.clone()?;
    let busy: HashSet<String> = state
        .brought
        .iter()
        .filter_map(|number| state.updates.get(number))
        .map(queue)
        .collect();
    let (number, update) = state
        .updates
        .iter()
        .find(|(number, update)| !state.brought.contains(number) && !busy.contains(&queue(update)))?;
    let found = (*number, update.clone(), hook);
    state.brought.insert(found.0);
    Some(found)
}

/// Chats wait for themselves alone, and pressed buttons for no messages.
fn queue(update: &Value) -> String {
    let Some((kind, body)) = update
        .as_object()
        .and_then(|fields| fields.iter().find(|(key, _)| *key != "update_id"))
    else {
        return String::new();
    };
    let chat = body
        .pointer("/chat/id")
        .or_else(|| body.pointer("/message/chat/id"))
        .or_else(|| body.pointer("/from/id"));
    let class = if kind.ends_with("message") {
        "message"
    } else {
        kind
    };
    format!("{class} {}", chat.cloned().unwrap_or_default())
}

async fn bring(inner: Arc<Inner>, number: i64, update: Value, mut hook: Hook) {
    let mut pause = PAUSE;
    loop {
        let answer = http::bring(&hook.url, hook.secret.as_deref(), &update).await;
        match answer {
            Some((status, body)) if (200..300).contains(&status) => {
                let call = {
                    let mut state = inner.lock();
                    state.brought.remove(&number);
                    if state.updates.remove(&number).is_some() {
                        state.confirmed += 1;
                    }
                    body.get("method").and_then(Value::as_str).map(str::to_owned)
                };
                inner.tell();
                if let (Some(call), Value::Object(fields)) = (call, body) {
                    let asked = Asked {
                        path: format!("/bot{}/{call}", super::TOKEN),
                        fields,
                        ..Asked::default()
                    };
                    method::run(&inner, asked).await;
                }
                return;
            }
            answer => {
                let words = answer.map_or_else(
                    || "Connection refused".to_owned(),
                    |(status, _)| format!("Wrong response from the webhook: {status}"),
                );
                let mut state = inner.lock();
                if let Some(set) = &mut state.webhook {
                    set.error = Some(words);
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
        let now = inner.lock().webhook.clone();
        match now {
            Some(set) => hook = set,
            None => {
                // It waits for who asks.
                inner.lock().brought.remove(&number);
                inner.tell();
                return;
            }
        }
    }
}
