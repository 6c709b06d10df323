//! What is known of a person: read concept by concept, written as it is read.

use std::{collections::BTreeSet, fmt::Write as _};

use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::{Value, json};
use switchboard_sdk::Content;

use super::{Tools, pack::Pack, run::Error};
use crate::{
    call, contact,
    conversation::view::{ConversationView, MessageView},
    db::{
        bulk,
        entity::{self, attachment, conversation, field_change, message},
    },
    deal, form, lead, storage, task,
};

/// Messages read at once.
const PAGE: u64 = 500;
/// Longest name of a file in the archive, in characters.
const NAME: usize = 80;

const READ_ME: &str = "This archive holds everything that is known of one person.\n\n\
contact.json        who they are, with all their addresses\n\
changes.json        what was changed of that, and when\n\
consents.json       what they agreed to and took back\n\
conversations/      what was said: a page to read (HTML) and the same as data (JSON)\n\
files/              what was sent along, the originals of mails, and recordings of calls\n\
calls.json, submissions.json, leads.json, deals.json, tasks.json\n";

/// The archive.
pub(super) async fn archive(tools: &Tools, contact_id: &str) -> Result<Content, Error> {
    let db = tools.db.read();
    let mut pack = Pack::new(tools.storage.folder());
    pack.text("README.txt", READ_ME.to_owned()).await;
    let contacts = with_merged(tools, contact_id).await?;
    let ids = || bulk::padded(contacts.iter().cloned());
    let rows = entity::contact::Entity::find()
        .filter(entity::contact::Column::Id.is_in(ids()))
        .all(db)
        .await?;
    let views = contact::store::views(db, rows).await?;
    let views: Vec<Value> = views.iter().map(|view| known(&json!(view))).collect();
    json_file(&mut pack, "contact.json", &views).await;
    let changes = field_change::Entity::find()
        .filter(field_change::Column::ObjectId.is_in(ids()))
        .order_by_asc(field_change::Column::At)
        .all(db)
        .await?;
    let changes: Vec<Value> = changes
        .into_iter()
        .map(|row| json!({"at": row.at, "field": row.field, "old": row.old, "new": row.new}))
        .collect();
    json_file(&mut pack, "changes.json", &changes).await;

    json_file(
        &mut pack,
        "consents.json",
        &contact::consent::of_contacts(db, &contacts).await?,
    )
    .await;

    macro_rules! all_of {
        ($table:ident) => {
            entity::$table::Entity::find()
                .select_only()
                .column(entity::$table::Column::Id)
                .filter(entity::$table::Column::ContactId.is_in(ids()))
                .into_tuple::<String>()
                .all(db)
                .await?
        };
    }
    let calls = all_of!(call);
    json_file(&mut pack, "calls.json", &call::view::by_id(db, &calls).await?).await;
    let submissions = all_of!(submission);
    let filled: Vec<form::store::SubmissionView> = form::store::by_id(db, &submissions)
        .await?
        .into_iter()
        .map(Into::into)
        .collect();
    json_file(&mut pack, "submissions.json", &filled).await;
    json_file(
        &mut pack,
        "leads.json",
        &lead::store::views_by_id(db, &all_of!(lead)).await?,
    )
    .await;
    json_file(
        &mut pack,
        "deals.json",
        &deal::view::by_id(db, &all_of!(deal)).await?,
    )
    .await;
    json_file(
        &mut pack,
        "tasks.json",
        &task::store::by_id(db, &all_of!(task)).await?,
    )
    .await;

    let conversations = conversation::Entity::find()
        .select_only()
        .column(conversation::Column::Id)
        .filter(conversation::Column::ContactId.is_in(ids()))
        .order_by_asc(conversation::Column::Number)
        .into_tuple::<String>()
        .all(db)
        .await?;
    for id in conversations {
        let view = tools
            .views
            .conversations(db, std::slice::from_ref(&id))
            .await?
            .pop();
        if let Some(view) = view {
            talk(tools, &mut pack, &view).await?;
        }
    }
    // Recordings and files of forms hang on no message, or on one as well.
    let owners: BTreeSet<String> = calls
        .iter()
        .map(|id| format!("call:{id}"))
        .chain(submissions.iter().map(|id| format!("submission:{id}")))
        .collect();
    for part in owners.into_iter().collect::<Vec<_>>().chunks(128) {
        let loose = attachment::Entity::find()
            .filter(attachment::Column::Owner.is_in(bulk::padded(part.iter().cloned())))
            .filter(attachment::Column::MessageId.is_null())
            .all(db)
            .await?;
        for row in loose {
            file(tools, &mut pack, &row.id, &row.name, &row.storage_key).await?;
        }
    }
    Ok(pack.finish().await?)
}

/// The contact and all that were merged into it.
async fn with_merged(tools: &Tools, contact_id: &str) -> Result<Vec<String>, Error> {
    let mut all = vec![contact_id.to_owned()];
    let mut fresh = all.clone();
    while !fresh.is_empty() {
        let found: Vec<String> = entity::contact::Entity::find()
            .select_only()
            .column(entity::contact::Column::Id)
            .filter(entity::contact::Column::MergedInto.is_in(bulk::padded(fresh)))
            .into_tuple()
            .all(tools.db.read())
            .await?;
        fresh = found.into_iter().filter(|id| !all.contains(id)).collect();
        all.extend(fresh.iter().cloned());
    }
    Ok(all)
}

/// A contact without those it may be too: they are other people.
fn known(view: &Value) -> Value {
    let mut view = view.clone();
    if let Some(members) = view.as_object_mut() {
        members.remove("suggestions");
    }
    view
}

async fn json_file(pack: &mut Pack, name: &str, value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    pack.text(name, text).await;
}

/// One conversation: a page, the same as data, its files.
async fn talk(tools: &Tools, pack: &mut Pack, view: &ConversationView) -> Result<(), Error> {
    let db = tools.db.read();
    let mut page = head(view);
    let mut data: Vec<Value> = Vec::new();
    let mut files = Vec::new();
    let mut after = 0;
    loop {
        let rows = message::Entity::find()
            .filter(message::Column::ConversationId.eq(&view.id))
            .filter(message::Column::Seq.gt(after))
            .order_by_asc(message::Column::Seq)
            .limit(PAGE)
            .all(db)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        files.extend(
            rows.iter()
                .filter_map(|row| Some((row.id.clone(), "mail.eml".to_owned(), row.original_key.clone()?))),
        );
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let attached = attachment::Entity::find()
            .filter(attachment::Column::MessageId.is_in(bulk::padded(ids)))
            .all(db)
            .await?;
        files.extend(
            attached
                .into_iter()
                .map(|row| (row.id, row.name, row.storage_key)),
        );
        for message in tools.views.messages(db, rows).await? {
            say(&mut page, &message);
            data.push(json!(message));
        }
    }
    page.push_str("</body></html>\n");
    pack.text(&format!("conversations/{}.html", view.number), page)
        .await;
    json_file(
        pack,
        &format!("conversations/{}.json", view.number),
        &json!({"conversation": view, "messages": data}),
    )
    .await;
    for (id, name, key) in files {
        file(tools, pack, &id, &name, &key).await?;
    }
    Ok(())
}

fn head(view: &ConversationView) -> String {
    let title = escaped(view.subject.as_deref().unwrap_or_default());
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>{number} {title}</title><style>\
         body{{font:15px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}}\
         article{{border-top:1px solid #ccc;padding:.5em 0}}header{{color:#555;font-size:13px}}\
         p{{white-space:pre-wrap;overflow-wrap:anywhere}}</style></head><body><h1 dir=\"auto\">{number} {title}</h1>\n",
        number = view.number,
    )
}

fn say(page: &mut String, message: &MessageView) {
    let author = message.author.name.as_deref().unwrap_or(&message.kind);
    let _infallible = write!(
        page,
        "<article><header><b dir=\"auto\">{}</b> · {} · {}</header><p dir=\"auto\">{}</p>",
        escaped(author),
        escaped(&message.kind),
        message.created_at.format("%Y-%m-%d %H:%M UTC"),
        escaped(&message.text),
    );
    for attached in &message.attachments {
        let name = archived(&attached.id, &attached.name);
        let _infallible = write!(
            page,
            "<a href=\"../{}\" dir=\"auto\">{}</a> ",
            escaped(&name),
            escaped(&attached.name)
        );
    }
    page.push_str("</article>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The name of a file in the archive: nothing in it leads anywhere.
fn archived(id: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|char| {
            if char.is_control() || "/\\:*?\"<>|#%".contains(char) {
                '_'
            } else {
                char
            }
        })
        .collect();
    let start = plain.chars().count().saturating_sub(NAME);
    let plain: String = plain.chars().skip(start).collect();
    format!("files/{id}-{plain}")
}

async fn file(tools: &Tools, pack: &mut Pack, id: &str, name: &str, key: &str) -> Result<(), Error> {
    let mut pieces = match tools.storage.stream(key).await {
        Ok((_, pieces)) => Box::pin(pieces),
        // A file may be gone before its row; the rest is worth having.
        Err(storage::Error::Missing) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    pack.file(archived(id, name), false).await;
    while let Some(piece) = pieces.try_next().await? {
        pack.bytes(piece).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::archived;

    #[test]
    fn a_name_in_the_archive_leads_nowhere() {
        assert_eq!(
            archived("att_1", "../../etc/passwd"),
            "files/att_1-.._.._etc_passwd"
        );
        let long = format!("{}.pdf", "x".repeat(300));
        assert!(archived("att_1", &long).ends_with("xx.pdf") && archived("att_1", &long).len() < 100);
    }
}
