//! A client asks to be called back: their open lead says so, or a new one.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::{Map, Value, json};
use switchboard_sdk::Attribution;

use super::{
    source,
    store::{self, Change, ChangeError},
};
use crate::{
    conversation::message::{self, MessageKind, NewMessage},
    db::{
        WriteTx,
        entity::{channel, contact, conversation, identity, lead},
    },
    id::{self, Kind},
};

/// The field of a lead that says since when somebody waits for a call.
pub const FIELD: &str = "callback_requested_at";

/// Makes the contact's open lead, or a new one, ask for a call back, and leaves a note with the numbers in
/// the conversation, which is locked. Answers the lead.
pub async fn ask(
    write: &mut WriteTx,
    conversation: &mut conversation::Model,
    now: DateTime<Utc>,
) -> Result<String, DbErr> {
    let open = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(&conversation.contact_id))
        .filter(lead::Column::Status.is_in(["new", "in_progress"]))
        .one(write.tx())
        .await?;
    let fields = Map::from_iter([(FIELD.to_owned(), json!(now))]);
    let lead_id = match open {
        Some(row) => {
            let change = Change {
                fields: Some(fields),
                ..Change::default()
            };
            store::change(write, &row.id, change, now).await.map_err(failed)?;
            row.id
        }
        None => {
            let row = new(write, conversation, fields, now).await?;
            let lead_id = row.id.clone();
            store::create(write, row).await.map_err(failed)?;
            lead_id
        }
    };
    if conversation.lead_id.as_ref() != Some(&lead_id) {
        conversation.lead_id = Some(lead_id.clone());
        conversation::Entity::update_many()
            .col_expr(conversation::Column::LeadId, Expr::value(lead_id.clone()))
            .filter(conversation::Column::Id.eq(&conversation.id))
            .exec(write.tx())
            .await?;
    }
    let note = NewMessage {
        kind: MessageKind::Note,
        hidden: true,
        ..NewMessage::system(wish(&numbers(write, &conversation.contact_id).await?))
    };
    message::append(write, conversation, note, now).await?;
    Ok(lead_id)
}

/// Another lead of this contact may be opened in this very moment: then all of it is tried again.
fn failed(error: ChangeError) -> DbErr {
    match error {
        ChangeError::Db(error) => error,
        other => DbErr::Custom(other.to_string()),
    }
}

async fn new(
    write: &WriteTx,
    conversation: &conversation::Model,
    fields: Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<lead::Model, DbErr> {
    let contact = contact::Entity::find_by_id(&conversation.contact_id)
        .one(write.tx())
        .await?;
    let channel = channel::Entity::find_by_id(&conversation.channel_id)
        .one(write.tx())
        .await?;
    let who = contact
        .and_then(|contact| contact.name)
        .unwrap_or_else(|| "New visitor".to_owned());
    let by = channel.map_or_else(String::new, |channel| format!(" · {}", channel.name));
    let attribution = Attribution::default();
    Ok(lead::Model {
        id: id::new(Kind::Lead, now),
        title: format!("{who}{by}"),
        status: "new".to_owned(),
        contact_id: conversation.contact_id.clone(),
        conversation_id: Some(conversation.id.clone()),
        line_id: Some(conversation.line_id.clone()),
        channel_id: Some(conversation.channel_id.clone()),
        channel_kind: Some(conversation.channel_kind.clone()),
        operator_id: None,
        source: source::of(&attribution, &conversation.channel_kind),
        attribution: json!(attribution),
        fields: Value::Object(fields),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

async fn numbers(write: &WriteTx, contact_id: &str) -> Result<Vec<String>, DbErr> {
    let rows = identity::Entity::find()
        .filter(identity::Column::ContactId.eq(contact_id))
        .filter(identity::Column::Kind.eq("phone"))
        .order_by_asc(identity::Column::CreatedAt)
        .all(write.tx())
        .await?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

fn wish(numbers: &[String]) -> String {
    match numbers {
        [] => "Nobody answered in time: please call back. No phone number is known yet.".to_owned(),
        numbers => format!(
            "Nobody answered in time: please call back, {}",
            numbers.join(", ")
        ),
    }
}
