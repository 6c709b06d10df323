//! Operators who join somebody else's conversation.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};

use super::session::{Error, hold};
use crate::{
    db::{
        WriteTx,
        entity::{operator, participant},
    },
    event::{NewEvent, Was},
};

/// Participants of one conversation.
const PARTICIPANT_LIMIT: u64 = 50;

/// An operator joins; `hidden`: the client sees neither them nor what they write.
pub async fn join(
    write: &mut WriteTx,
    id: &str,
    operator_id: &str,
    hidden: bool,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    let Some(who) = operator::Entity::find_by_id(operator_id)
        .one(write.tx())
        .await?
        .filter(|who| who.enabled)
    else {
        return Err(Error::invalid(
            "operator_id",
            "there is no such operator, or they are disabled",
        ));
    };
    let key = (id.to_owned(), operator_id.to_owned());
    match participant::Entity::find_by_id(key).one(write.tx()).await? {
        Some(row) if row.hidden == hidden => return Ok(()),
        Some(row) => {
            let mut change = row.into_active_model();
            change.hidden = Set(hidden);
            change.update_without_returning(write.tx()).await?;
        }
        None => {
            let present = participant::Entity::find()
                .filter(participant::Column::ConversationId.eq(id))
                .count(write.tx())
                .await?;
            if present >= PARTICIPANT_LIMIT {
                return Err(Error::invalid(
                    "operator_id",
                    format!("at most {PARTICIPANT_LIMIT} participants"),
                ));
            }
            let row = participant::ActiveModel {
                conversation_id: Set(id.to_owned()),
                operator_id: Set(operator_id.to_owned()),
                hidden: Set(hidden),
                joined_at: Set(now),
            };
            participant::Entity::insert(row)
                .exec_without_returning(write.tx())
                .await?;
        }
    }
    held.changed(write, now).await?;
    held.say(
        write,
        format!("{} joined the conversation", who.name),
        hidden,
        now,
    )
    .await?;
    Ok(())
}

/// A participant leaves; who is none changes nothing.
pub async fn leave(
    write: &mut WriteTx,
    id: &str,
    operator_id: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut held = hold(write, id).await?;
    let gone = participant::Entity::delete_by_id((id.to_owned(), operator_id.to_owned()))
        .exec(write.tx())
        .await?;
    if gone.rows_affected > 0 {
        held.write_conversation(write, now).await?;
        // Whoever left may have lost sight of it: as an owner of before, they are told.
        let was = Was {
            line_id: held.conversation.line_id.clone(),
            operator_id: Some(operator_id.to_owned()),
        };
        write.record(NewEvent::conversation(id, now).moved_from(was));
    }
    Ok(())
}
