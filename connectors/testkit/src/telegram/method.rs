//! The methods.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::{
    Answer, BOT, Call, Inner, Trick,
    http::Asked,
    state::{Hook, State},
};

/// The longest text and caption, in UTF-16 units.
const TEXT: usize = 4096;
const CAPTION: usize = 1024;
/// What bots may get and send.
const DOWNLOAD: usize = 20 * 1024 * 1024;
const UPLOAD: usize = 50 * 1024 * 1024;
const PHOTO: usize = 10 * 1024 * 1024;

/// A method's end: what it gives, or a code and words.
type Done = Result<Value, (u16, String)>;

pub async fn run(inner: &Arc<Inner>, asked: Asked) -> Answer {
    let path = asked.path.trim_start_matches('/').to_owned();
    if let Some(rest) = path.strip_prefix("file/bot") {
        return file(inner, rest);
    }
    let Some((token, method)) = path.strip_prefix("bot").and_then(|rest| rest.split_once('/')) else {
        return refuse(404, "Not Found");
    };
    let method = method.to_lowercase();
    let trick = {
        let mut state = inner.lock();
        if token != state.token {
            return refuse(401, "Unauthorized");
        }
        state.calls.push(Call {
            method: method.clone(),
            fields: Value::Object(asked.fields.clone()),
            files: asked.files.clone(),
        });
        let once = state
            .tricks
            .get_mut(&method)
            .and_then(std::collections::VecDeque::pop_front);
        once.or_else(|| state.always.get(&method).cloned())
    };
    inner.tell();
    match trick {
        Some(Trick::Refuse(code, words)) => return refuse(code, words),
        Some(Trick::TooMany(secs)) => return too_many(secs),
        Some(Trick::Page(status)) => return Answer::Page(status),
        Some(Trick::Hang) => std::future::pending().await,
        Some(Trick::Cut) => return Answer::Cut,
        Some(Trick::LoseAnswer) | None => {}
    }
    let done = if method == "getupdates" {
        updates(inner, &asked.fields).await
    } else {
        let done = call(&mut inner.lock(), &method, asked);
        inner.tell();
        done
    };
    if trick == Some(Trick::LoseAnswer) {
        return Answer::Cut;
    }
    match done {
        Ok(result) => Answer::Json(200, json!({"ok": true, "result": result})),
        Err((429, secs)) => too_many(secs.parse().unwrap_or(1)),
        Err((code, words)) => refuse(code, &words),
    }
}

fn refuse(code: u16, words: &str) -> Answer {
    Answer::Json(
        code,
        json!({"ok": false, "error_code": code, "description": words}),
    )
}

fn too_many(secs: u64) -> Answer {
    let words = format!("Too Many Requests: retry after {secs}");
    Answer::Json(
        429,
        json!({"ok": false, "error_code": 429, "description": words, "parameters": {"retry_after": secs}}),
    )
}

fn bad<T>(words: &str) -> Result<T, (u16, String)> {
    Err((400, format!("Bad Request: {words}")))
}

fn file(inner: &Arc<Inner>, rest: &str) -> Answer {
    let state = inner.lock();
    let found = rest
        .split_once('/')
        .filter(|(token, _)| *token == state.token)
        .and_then(|(_, path)| path.rsplit('/').next())
        .and_then(|id| state.files.get(id));
    match found {
        Some((_, data)) => Answer::File(data.clone()),
        None => refuse(404, "Not Found"),
    }
}

/// Ends a question when it is over or was given up.
struct Asking<'a> {
    inner: &'a Arc<Inner>,
    number: u64,
}

async fn updates(inner: &Arc<Inner>, fields: &Map<String, Value>) -> Done {
    let wait =
        Duration::from_secs(u64::try_from(number(fields, "timeout").unwrap_or(0).clamp(0, 50)).unwrap_or(0));
    let limit = usize::try_from(number(fields, "limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let offset = number(fields, "offset").unwrap_or(0);
    let asking = {
        let mut state = inner.lock();
        if state.webhook.is_some() {
            return Err((
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
                    .to_owned(),
            ));
        }
        if let Some(kinds) = fields.get("allowed_updates").and_then(Value::as_array) {
            let kinds = kinds.iter().filter_map(Value::as_str).map(str::to_owned);
            state.allowed = Some(kinds.collect());
        }
        confirm(&mut state, offset);
        state.poller += 1;
        Asking {
            inner,
            number: state.poller,
        }
    };
    inner.tell();
    let until = Instant::now() + wait;
    let mut changes = inner.changed.subscribe();
    loop {
        {
            let state = asking.inner.lock();
            if state.poller != asking.number {
                return Err((
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
                        .to_owned(),
                ));
            }
            if state.webhook.is_some() {
                return Err((409, "Conflict: terminated by setWebhook request".to_owned()));
            }
            let found: Vec<Value> = state
                .updates
                .range(offset.max(0)..)
                .take(limit)
                .map(|(_, update)| update.clone())
                .collect();
            if !found.is_empty() {
                return Ok(Value::Array(found));
            }
        }
        if timeout_at(until, changes.changed()).await.is_err() {
            return Ok(json!([]));
        }
    }
}

/// What lies before the offset is taken; a negative one keeps so many of the newest; one from the future is none.
fn confirm(state: &mut State, offset: i64) {
    let before = state.updates.len();
    if offset > 0 && offset <= state.next_update {
        state.updates = state.updates.split_off(&offset);
    } else if offset < 0 {
        let keep = usize::try_from(-offset).unwrap_or(usize::MAX);
        while state.updates.len() > keep {
            state.updates.pop_first();
        }
    }
    state.confirmed += before - state.updates.len();
}

fn call(state: &mut State, method: &str, asked: Asked) -> Done {
    let fields = &asked.fields;
    match method {
        "getme" => Ok(json!({
            "id": BOT, "is_bot": true, "first_name": "Shop", "username": "shop_bot", "can_join_groups": true,
            "can_read_all_group_messages": false, "supports_inline_queries": false,
            "can_connect_to_business": true, "has_main_web_app": false,
        })),
        "setwebhook" => {
            let url = word(fields, "url").unwrap_or_default();
            if let Some(kinds) = fields.get("allowed_updates").and_then(Value::as_array) {
                let kinds = kinds.iter().filter_map(Value::as_str).map(str::to_owned);
                state.allowed = Some(kinds.collect());
            }
            state.webhook = (!url.is_empty()).then(|| Hook {
                url,
                secret: word(fields, "secret_token"),
                error: None,
            });
            Ok(json!(true))
        }
        "deletewebhook" => {
            state.webhook = None;
            if flag(fields, "drop_pending_updates") {
                state.updates.clear();
            }
            Ok(json!(true))
        }
        "getwebhookinfo" => {
            let hook = state.webhook.as_ref();
            let mut info = json!({
                "url": hook.map(|hook| hook.url.clone()).unwrap_or_default(),
                "has_custom_certificate": false,
                "pending_update_count": state.updates.len(),
            });
            if let Some(error) = hook.and_then(|hook| hook.error.as_ref()) {
                info["last_error_date"] = json!(1_767_607_200);
                info["last_error_message"] = json!(error);
            }
            Ok(info)
        }
        "getfile" => get_file(state, fields),
        "answercallbackquery" | "setmycommands" | "sendchataction" | "logout" | "close" => Ok(json!(true)),
        "getmycommands" => Ok(json!([])),
        "sendmessage" => {
            let text = text(fields, "text", "entities", TEXT)?;
            if text.trim().is_empty() {
                return bad("message text is empty");
            }
            send(state, fields, 1, |_| {
                Ok(Map::from_iter([("text".to_owned(), json!(text))]))
            })
        }
        "sendmediagroup" => album(state, &asked),
        "editmessagetext" | "editmessagecaption" => edit(state, method, fields),
        "deletemessage" | "deletemessages" | "deletebusinessmessages" => delete(state, fields),
        _ => match method.strip_prefix("send") {
            Some(kind) => send_file(state, kind, &asked),
            None => Err((404, "Not Found: method not found".to_owned())),
        },
    }
}

fn get_file(state: &State, fields: &Map<String, Value>) -> Done {
    let id = word(fields, "file_id").unwrap_or_default();
    let Some((name, data)) = state.files.get(&id) else {
        return bad("wrong file_id or the file is temporarily unavailable");
    };
    if data.len() > DOWNLOAD {
        return bad("file is too big");
    }
    let folder = name.rsplit('.').next().unwrap_or("documents");
    Ok(
        json!({"file_id": id, "file_unique_id": id, "file_size": data.len(), "file_path": format!("{folder}/{id}")}),
    )
}

/// What all sending has alike: the chat is there, did not block the bot, and it is not too fast.
fn send(
    state: &mut State,
    fields: &Map<String, Value>,
    count: usize,
    body: impl FnOnce(&mut State) -> Result<Map<String, Value>, (u16, String)>,
) -> Done {
    let chat = open_chat(state, fields, count)?;
    let mut message = body(state)?;
    for key in [
        "entities",
        "caption_entities",
        "reply_markup",
        "message_thread_id",
        "business_connection_id",
    ] {
        if let Some(value) = fields.get(key) {
            message.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(target) = fields
        .get("reply_parameters")
        .and_then(|reply| reply.get("message_id"))
    {
        message.insert(
            "reply_to_message".to_owned(),
            json!({"message_id": target, "date": 0, "chat": {"id": chat, "type": "private", "first_name": "Ann"}}),
        );
    }
    Ok(state.outgoing(chat, message))
}

fn open_chat(state: &mut State, fields: &Map<String, Value>, count: usize) -> Result<i64, (u16, String)> {
    let Some(chat) = number(fields, "chat_id") else {
        return bad("chat_id is empty");
    };
    if state.blocked.contains(&chat) {
        return Err((403, "Forbidden: bot was blocked by the user".to_owned()));
    }
    let now = state.since.elapsed();
    if let Some(pace) = &mut state.pace
        && let Err(secs) = pace.take(chat, count, now)
    {
        state.too_many += 1;
        return Err((429, secs.to_string()));
    }
    Ok(chat)
}

fn send_file(state: &mut State, kind: &str, asked: &Asked) -> Done {
    let caption = text(&asked.fields, "caption", "caption_entities", CAPTION)?;
    let (name, data) = upload(asked, asked.fields.get(kind), kind)?;
    if kind == "photo" && data.len() > PHOTO {
        return bad("PHOTO_INVALID_DIMENSIONS");
    }
    send(state, &asked.fields, 1, |state| {
        Ok(of_file(state, kind, name, data, &caption))
    })
}

/// The bytes of a file, which stand in a field of its name or where `attach://` leads.
fn upload(asked: &Asked, value: Option<&Value>, kind: &str) -> Result<(String, Bytes), (u16, String)> {
    let field = value
        .and_then(Value::as_str)
        .and_then(|value| value.strip_prefix("attach://"))
        .unwrap_or(kind);
    let Some((_, name, data)) = asked.files.iter().find(|(name, ..)| name == field) else {
        return bad("there is no file in the request");
    };
    if data.len() > UPLOAD {
        return Err((413, "Request Entity Too Large".to_owned()));
    }
    if data.is_empty() {
        return bad("file must be non-empty");
    }
    Ok((name.clone(), data.clone()))
}

fn of_file(state: &mut State, kind: &str, name: String, data: Bytes, caption: &str) -> Map<String, Value> {
    let size = data.len();
    let id = state.add_file(&name, data);
    let file = json!({
        "file_id": id, "file_unique_id": id, "file_size": size, "file_name": name, "width": 640, "height": 480,
        "duration": 1, "length": 1
    });
    let value = if kind == "photo" { json!([file]) } else { file };
    let mut message = Map::from_iter([(kind.to_owned(), value.clone())]);
    if kind == "animation" {
        message.insert("document".to_owned(), value);
    }
    if !caption.is_empty() {
        message.insert("caption".to_owned(), json!(caption));
    }
    message
}

fn album(state: &mut State, asked: &Asked) -> Done {
    let media = asked
        .fields
        .get("media")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if !(2..=10).contains(&media.len()) {
        return bad("there must be from 2 to 10 media");
    }
    let mut items = Vec::new();
    for item in &media {
        let item = item.as_object().cloned().unwrap_or_default();
        let kind = word(&item, "type").unwrap_or_default();
        let caption = text(&item, "caption", "caption_entities", CAPTION)?;
        let (name, data) = upload(asked, item.get("media"), &kind)?;
        items.push((kind, name, data, caption, item.get("caption_entities").cloned()));
    }
    let kinds: Vec<&str> = items.iter().map(|item| item.0.as_str()).collect();
    let mixed = |kind: &str| kinds.contains(&kind) && kinds.iter().any(|other| *other != kind);
    if mixed("document") || mixed("audio") {
        return bad("document and audio can't be mixed with other media types");
    }
    let chat = open_chat(state, &asked.fields, items.len())?;
    let group = format!("{}", state.sent.len() + 1);
    let mut sent = Vec::new();
    for (kind, name, data, caption, entities) in items {
        let mut message = of_file(state, &kind, name, data, &caption);
        message.insert("media_group_id".to_owned(), json!(group));
        message.extend(entities.map(|entities| ("caption_entities".to_owned(), entities)));
        sent.push(state.outgoing(chat, message));
    }
    Ok(Value::Array(sent))
}

fn edit(state: &mut State, method: &str, fields: &Map<String, Value>) -> Done {
    let (key, entities, limit) = match method {
        "editmessagetext" => ("text", "entities", TEXT),
        _ => ("caption", "caption_entities", CAPTION),
    };
    let words = text(fields, key, entities, limit)?;
    let (chat, message) = (number(fields, "chat_id"), number(fields, "message_id"));
    let found = state
        .sent
        .iter_mut()
        .find(|sent| sent["chat"]["id"].as_i64() == chat && sent["message_id"].as_i64() == message);
    let Some(found) = found else {
        return bad("message to edit not found");
    };
    let same = found[key] == json!(words) && found.get(entities) == fields.get(entities);
    if same && found.get("reply_markup") == fields.get("reply_markup") {
        return bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        );
    }
    found[key] = json!(words);
    found["edit_date"] = json!(1_767_700_000);
    // What is not said again is gone.
    if let Some(found) = found.as_object_mut() {
        for key in [entities, "reply_markup"] {
            match fields.get(key) {
                Some(value) => found.insert(key.to_owned(), value.clone()),
                None => found.remove(key),
            };
        }
    }
    Ok(found.clone())
}

fn delete(state: &mut State, fields: &Map<String, Value>) -> Done {
    let many = fields.get("message_ids").and_then(Value::as_array).cloned();
    let numbers: Vec<i64> = many
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_i64)
        .chain(number(fields, "message_id"))
        .collect();
    let chat = number(fields, "chat_id");
    let before = state.sent.len();
    state.sent.retain(|sent| {
        let here = chat.is_none() || sent["chat"]["id"].as_i64() == chat;
        !(here
            && sent["message_id"]
                .as_i64()
                .is_some_and(|number| numbers.contains(&number)))
    });
    if before == state.sent.len() && fields.contains_key("message_id") {
        return bad("message to delete not found");
    }
    Ok(json!(true))
}

/// A text within its limit, whose special parts lie within it and split no character.
fn text(fields: &Map<String, Value>, key: &str, parts: &str, limit: usize) -> Result<String, (u16, String)> {
    let text = word(fields, key).unwrap_or_default();
    let units: Vec<u16> = text.encode_utf16().collect();
    if units.len() > limit {
        return bad(if limit == TEXT {
            "message is too long"
        } else {
            "message caption is too long"
        });
    }
    for part in fields.get(parts).and_then(Value::as_array).into_iter().flatten() {
        let at = |key: &str| {
            part.get(key)
                .and_then(Value::as_u64)
                .and_then(|at| usize::try_from(at).ok())
        };
        let (Some(from), Some(length)) = (at("offset"), at("length")) else {
            return bad("can't parse entities: a part without its place");
        };
        let end = from + length;
        let splits = |at: usize| units.get(at).is_some_and(|unit| (0xDC00..0xE000).contains(unit));
        if length == 0 || end > units.len() || splits(from) || splits(end) {
            return bad("can't parse entities: a part that lies outside of the text or splits a character");
        }
    }
    if fields.get("parse_mode").is_some() && (text.contains("<b>") && !text.contains("</b>")) {
        return bad("can't parse entities: Can't find end tag corresponding to start tag \"b\"");
    }
    Ok(text)
}

fn number(fields: &Map<String, Value>, key: &str) -> Option<i64> {
    let value = fields.get(key)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn word(fields: &Map<String, Value>, key: &str) -> Option<String> {
    match fields.get(key)? {
        Value::String(word) => Some(word.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn flag(fields: &Map<String, Value>, key: &str) -> bool {
    fields
        .get(key)
        .is_some_and(|value| value == true || value == "true")
}
