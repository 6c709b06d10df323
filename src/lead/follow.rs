//! What conversations mean for leads: who answers first becomes responsible, and the lead is in progress.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::ExprTrait};

use super::store::{self, Change, Status};
use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{conversation, lead, message},
    },
    event::{Event, EventType, consumer::Consumer},
};

/// Follows the log for replies.
#[derive(Debug, Clone, Copy)]
pub struct FirstReply;

type Replies = Vec<message::Model>;

#[async_trait]
impl Consumer for FirstReply {
    type Work = Replies;

    fn name(&self) -> &'static str {
        "lead.first_reply"
    }

    fn wants(&self, event: &Event) -> bool {
        event.kind == Some(EventType::MessageCreated)
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Replies>, DbErr> {
        let ids: Vec<&String> = events.iter().map(|event| &event.object_id).collect();
        let replies = message::Entity::find()
            .filter(message::Column::Id.is_in(bulk::padded(ids)))
            .filter(message::Column::Kind.eq("reply"))
            .filter(message::Column::Hidden.eq(false))
            // Passing something on is no answer to the customer.
            .filter(
                message::Column::Mode
                    .is_null()
                    .or(message::Column::Mode.ne("forward")),
            )
            .all(db.read())
            .await?;
        Ok((!replies.is_empty()).then_some(replies))
    }

    async fn handle(&self, write: &mut WriteTx, replies: Replies) -> Result<(), DbErr> {
        for reply in replies {
            let Some(operator_id) = reply.author_id else {
                continue;
            };
            let Some(conversation) = conversation::Entity::find_by_id(&reply.conversation_id)
                .one(write.tx())
                .await?
            else {
                continue;
            };
            let Some(lead_id) = conversation.lead_id else {
                continue;
            };
            let Some(row) = lead::Entity::find_by_id(&lead_id).one(write.tx()).await? else {
                continue;
            };
            let change = Change {
                status: (row.status == "new").then_some(Status::InProgress),
                operator_id: row.operator_id.is_none().then_some(Some(operator_id)),
                ..Change::default()
            };
            if change.status.is_none() && change.operator_id.is_none() {
                continue;
            }
            match store::change(write, &lead_id, change, reply.created_at).await {
                Ok(()) | Err(store::ChangeError::Missing) => {}
                Err(store::ChangeError::Db(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(lead.id = lead_id, %error, "a lead could not follow its first reply")
                }
            }
        }
        Ok(())
    }
}
