//! People outside who are on a mail thread beside its client: what they answer joins it.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, sea_query::OnConflict};
use switchboard_sdk::{Recipient, RecipientRole};

use crate::db::{WriteTx, entity::conversation_member};

/// Remembers those an operator wrote to: they are no strangers when they answer.
pub async fn written_to(
    write: &WriteTx,
    conversation_id: &str,
    recipients: &[Recipient],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let outside = recipients.iter().filter(|one| {
        matches!(
            one.role,
            RecipientRole::To | RecipientRole::Cc | RecipientRole::Bcc
        )
    });
    let rows: Vec<_> = outside
        .map(|one| conversation_member::ActiveModel {
            conversation_id: Set(conversation_id.to_owned()),
            address: Set(one.address.clone()),
            created_at: Set(now),
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    conversation_member::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}
