//! Whose call it is, and where it is shown: contact, conversation, lead.
//!
//! A client is known by their number alone. Whoever shows none is nobody in particular: such calls are in the list of
//! calls, and make neither a contact nor a conversation that strangers would share.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set, sea_query::Expr,
};
use serde_json::json;
use switchboard_sdk::{Attribution, Touch};

use super::Setup;
use crate::{
    conversation::{
        message::{self, MessageKind, NewMessage},
        session::opened,
    },
    db::{
        WriteTx,
        entity::{call, contact, conversation, deal, identity, lead, line, session},
        next_numbers,
    },
    event::{EventType, NewEvent},
    id::{self, Kind},
    lead::{
        rule::{self, Effect, History, OpenDeal},
        source, store as leads,
    },
    line::Rules,
};

/// The reason of a session in which nothing but calls happened, and none that waits for anybody.
pub(super) const CALL: &str = "call";

/// Finds or makes contact, conversation and lead of a call with this number, and notes them in its row.
pub(super) async fn place(
    write: &mut WriteTx,
    setup: &Setup,
    row: &mut call::Model,
    number: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let inbound = row.direction.as_deref() == Some("inbound");
    let contact = contact_of(write, number, row.caller_name.as_deref(), inbound, now).await?;
    let mut conversation = conversation_of(write, row, &contact.id, number, now).await?;
    if inbound {
        join_lead(write, setup, row, &contact, &mut conversation, now).await?;
    }
    row.lead_id.clone_from(&conversation.lead_id);
    row.contact_id = Some(contact.id);
    row.conversation_id = Some(conversation.id);
    Ok(())
}

/// The telephone network vouches for who rings; a number that we rang is only what somebody dialled.
async fn contact_of(
    write: &mut WriteTx,
    number: &str,
    name: Option<&str>,
    proven: bool,
    now: DateTime<Utc>,
) -> Result<contact::Model, DbErr> {
    let known = identity::Entity::find_by_id(("phone".to_owned(), number.to_owned()))
        .one(write.tx())
        .await?;
    if let Some(known) = known {
        let found = contact::Entity::find_by_id(&known.contact_id)
            .lock_exclusive()
            .one(write.tx())
            .await?;
        let mut row = found.ok_or_else(|| DbErr::RecordNotFound(known.contact_id.clone()))?;
        let proves = proven && !known.verified;
        if proves {
            identity::Entity::update_many()
                .col_expr(identity::Column::Verified, Expr::value(true))
                .filter(identity::Column::Kind.eq("phone"))
                .filter(identity::Column::Value.eq(number))
                .exec(write.tx())
                .await?;
        }
        let names = row.name.is_none() && name.is_some();
        if names || proves {
            row.name = row.name.or_else(|| name.map(str::to_owned));
            row.version += 1;
            row.updated_at = now;
            contact::ActiveModel {
                id: Set(row.id.clone()),
                name: Set(row.name.clone()),
                version: Set(row.version),
                updated_at: Set(now),
                ..Default::default()
            }
            .update_without_returning(write.tx())
            .await?;
            write.record(NewEvent::new(EventType::ContactUpdated, &row.id, now));
        }
        return Ok(row);
    }
    let row = contact::Model {
        id: id::new(Kind::Contact, now),
        name: name.map(str::to_owned),
        language: None,
        company_id: None,
        operator_id: None,
        fields: json!({}),
        merged_into: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    contact::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    let phone = identity::ActiveModel {
        kind: Set("phone".to_owned()),
        value: Set(number.to_owned()),
        contact_id: Set(row.id.clone()),
        verified: Set(proven),
        created_at: Set(now),
        via: Set(Some("voip".to_owned())),
        ..Default::default()
    };
    identity::Entity::insert(phone)
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::new(EventType::ContactUpdated, &row.id, now));
    Ok(row)
}

/// The contact's one conversation on the channel of the call. A new one waits for nobody: what became of the call
/// decides whether it does.
async fn conversation_of(
    write: &mut WriteTx,
    row: &call::Model,
    contact_id: &str,
    number: &str,
    now: DateTime<Utc>,
) -> Result<conversation::Model, DbErr> {
    let key = format!("c:{contact_id}");
    let known = conversation::Entity::find()
        .filter(conversation::Column::ChannelId.eq(&row.channel_id))
        .filter(conversation::Column::ThreadKey.eq(&key))
        .one(write.tx())
        .await?;
    if let Some(known) = known {
        let locked = message::lock(write, &known.id).await?;
        return Ok(locked.unwrap_or(known));
    }
    let id = id::new(Kind::Conversation, now);
    let session = session::Model {
        state: "closed".to_owned(),
        closed_at: Some(now),
        close_reason: Some(CALL.to_owned()),
        queued_at: None,
        ..opened(&id, &row.line_id, "voip", now)
    };
    let conversation = conversation::Model {
        number: next_numbers(write.tx(), "conversation", 1).await?,
        channel_id: row.channel_id.clone(),
        channel_kind: "voip".to_owned(),
        line_id: row.line_id.clone(),
        contact_id: contact_id.to_owned(),
        address: number.to_owned(),
        session_id: session.id.clone(),
        thread_key: key,
        tags: json!([]),
        version: 1,
        created_at: now,
        updated_at: now,
        id: id.clone(),
        ..conversation::Model::default()
    };
    conversation::Entity::insert(conversation.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    session::Entity::insert(session.into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    write.record(NewEvent::conversation(id, now));
    Ok(conversation)
}

/// Who rings is interested: the line's rule makes a lead, or the open one is joined, with the number that was
/// dialled as its touch.
async fn join_lead(
    write: &mut WriteTx,
    setup: &Setup,
    row: &call::Model,
    contact: &contact::Model,
    conversation: &mut conversation::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let line = line::Entity::find_by_id(&row.line_id).one(write.tx()).await?;
    let Some(line) = line else { return Ok(()) };
    let crm = Rules::from_stored(&line.rules)?.crm;
    let known = lead::Entity::find()
        .filter(lead::Column::ContactId.eq(&contact.id))
        .all(write.tx())
        .await?;
    let open = known
        .iter()
        .find(|lead| lead.status == "new" || lead.status == "in_progress");
    let deals = open_and_past_deals(write, &contact.id).await?;
    let history = History {
        open: open.map(|lead| lead.id.clone()),
        any: !known.is_empty() || !deals.is_empty(),
        deal: deals
            .into_iter()
            .rev()
            .find(|deal| deal.state == "open")
            .map(|deal| OpenDeal {
                title: deal.title,
                lead_id: deal.lead_id,
            }),
    };
    let touch = setup.touch(row.own_number.as_deref());
    let lead_id = match rule::at_session_start(&crm, &history) {
        Effect::Leave => return Ok(()),
        Effect::Join(lead_id) => {
            touch_lead(write, &lead_id, &touch, now).await?;
            lead_id
        }
        Effect::JoinDeal(deal) => {
            let Some(lead_id) = deal.lead_id.clone() else {
                return Ok(());
            };
            // Once a deal, not once a call.
            if conversation.lead_id.as_ref() != Some(&lead_id) {
                let note = NewMessage {
                    kind: MessageKind::Note,
                    hidden: true,
                    ..NewMessage::system(rule::deal_note(&deal))
                };
                message::append(write, conversation, note, now).await?;
            }
            lead_id
        }
        Effect::Create => {
            let lead = new_lead(setup, row, contact, conversation, touch, now);
            let id = lead.id.clone();
            leads::create(write, lead)
                .await
                .map_err(|error| DbErr::Custom(error.to_string()))?;
            id
        }
    };
    if conversation.lead_id.as_ref() != Some(&lead_id) {
        conversation.lead_id = Some(lead_id.clone());
        conversation::Entity::update_many()
            .col_expr(conversation::Column::LeadId, Expr::value(lead_id))
            .filter(conversation::Column::Id.eq(&conversation.id))
            .exec(write.tx())
            .await?;
        write.record(NewEvent::conversation(&conversation.id, now));
    }
    Ok(())
}

async fn open_and_past_deals(write: &WriteTx, contact_id: &str) -> Result<Vec<deal::Model>, DbErr> {
    deal::Entity::find()
        .filter(deal::Column::ContactId.eq(contact_id))
        .order_by_asc(deal::Column::CreatedAt)
        .order_by_asc(deal::Column::Id)
        .all(write.tx())
        .await
}

fn new_lead(
    setup: &Setup,
    row: &call::Model,
    contact: &contact::Model,
    conversation: &conversation::Model,
    touch: Touch,
    now: DateTime<Utc>,
) -> lead::Model {
    let attribution = source::complete(Attribution {
        first: Touch::new(),
        last: touch,
    });
    let who = contact
        .name
        .clone()
        .unwrap_or_else(|| conversation.address.clone());
    lead::Model {
        id: id::new(Kind::Lead, now),
        title: format!("{who} · {}", setup.channel_name),
        status: "new".to_owned(),
        contact_id: contact.id.clone(),
        conversation_id: Some(conversation.id.clone()),
        line_id: Some(row.line_id.clone()),
        channel_id: Some(row.channel_id.clone()),
        channel_kind: Some("voip".to_owned()),
        operator_id: None,
        source: source::of(&attribution, "voip"),
        attribution: json!(attribution),
        fields: json!({}),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

async fn touch_lead(
    write: &mut WriteTx,
    lead_id: &str,
    touch: &Touch,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let found = lead::Entity::find_by_id(lead_id)
        .lock_exclusive()
        .one(write.tx())
        .await?;
    let Some(row) = found.filter(|_| !touch.is_empty()) else {
        return Ok(());
    };
    let mut attribution = row.attribution.clone();
    if let Some(known) = attribution.as_object_mut() {
        known.insert("last".to_owned(), json!(touch));
    }
    if attribution == row.attribution {
        return Ok(());
    }
    lead::ActiveModel {
        id: Set(row.id),
        attribution: Set(attribution),
        version: Set(row.version + 1),
        updated_at: Set(now),
        ..Default::default()
    }
    .update_without_returning(write.tx())
    .await?;
    write.record(NewEvent::new(EventType::LeadUpdated, lead_id, now));
    Ok(())
}
