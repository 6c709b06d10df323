//! Where entries stand: asked of each source, the newest of all of them are then loaded.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoSimpleExpr, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    Entry, Found, Kind, Place,
    circle::{Circle, Of},
    done_id, load, newest, task_of,
};
use crate::{
    call,
    conversation::view::Views,
    db::entity::{
        call as call_row, contact_merge, conversation, deal_move, field_change, lead, message, submission,
        task,
    },
    form::store as forms,
    lead::store as leads,
    operator::rights::Scope,
};

/// Whose timeline it is, and through whose eyes.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// How messages look.
    pub views: &'a Views,
    /// Who reads.
    pub scope: &'a Scope,
    /// What the timeline is of.
    pub of: Of<'a>,
    /// Only these kinds; all when empty.
    pub kinds: &'a [Kind],
}

/// One page, newest first, and the place after which the next begins.
pub async fn page(
    db: &impl ConnectionTrait,
    reader: Reader<'_>,
    after: Option<&Place>,
    limit: u64,
) -> Result<(Vec<Entry>, Option<Place>), DbErr> {
    let sources = Sources {
        circle: Circle::new(db, reader.scope, reader.of).await?,
        scope: reader.scope,
        after,
        limit: limit + 1,
    };
    let mut found = Vec::new();
    for kind in Kind::ALL {
        if reader.kinds.is_empty() || reader.kinds.contains(&kind) {
            found.extend(sources.find(db, kind).await?);
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = newest(found, limit.saturating_add(1));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| Place {
        at: last.at,
        id: last.id.clone(),
    });
    Ok((load::entries(db, reader.views, reader.scope, found).await?, next))
}

/// The places entries come from, and how much is asked of each.
struct Sources<'a> {
    circle: Circle<'a>,
    scope: &'a Scope,
    after: Option<&'a Place>,
    limit: u64,
}

impl Sources<'_> {
    async fn find(&self, db: &impl ConnectionTrait, kind: Kind) -> Result<Vec<Found>, DbErr> {
        let circle = &self.circle;
        match kind {
            Kind::Message => {
                let kinds = message::Column::Kind.is_in(["inbound", "reply"]);
                self.messages(db, kind, kinds).await
            }
            Kind::Note => self.messages(db, kind, message::Column::Kind.eq("note")).await,
            Kind::System => {
                let kinds = message::Column::Kind.eq("system");
                self.messages(db, kind, kinds).await
            }
            Kind::Call => {
                let rows = call_row::Entity::find()
                    .filter(circle.of_people(call_row::Column::ContactId))
                    .filter(call_row::Column::Shown.eq(true))
                    .filter(call_row::Column::MergedInto.is_null())
                    .filter(call::store::visible_to(self.scope));
                let columns = (call_row::Column::Id, call_row::Column::StartedAt);
                self.places(db, kind, rows, columns).await
            }
            Kind::Form => {
                let rows = submission::Entity::find()
                    .filter(circle.of_people(submission::Column::ContactId))
                    .filter(forms::visible_to(self.scope));
                let columns = (submission::Column::Id, submission::Column::CreatedAt);
                self.places(db, kind, rows, columns).await
            }
            Kind::Change => self.changes(db).await,
            Kind::Lead => {
                let rows = lead::Entity::find()
                    .filter(lead::Column::Status.ne(leads::MERGED))
                    .filter(circle.leads());
                let columns = (lead::Column::Id, lead::Column::CreatedAt);
                self.places(db, kind, rows, columns).await
            }
            Kind::Deal => {
                let rows = deal_move::Entity::find()
                    .filter(deal_move::Column::DealId.in_subquery(circle.deal_ids()));
                let columns = (deal_move::Column::Id, deal_move::Column::At);
                self.places(db, kind, rows, columns).await
            }
            Kind::Task => {
                let mut found = Vec::new();
                for about in circle.tasks() {
                    let rows = task::Entity::find().filter(about);
                    let columns = (task::Column::Id, task::Column::CreatedAt);
                    found.extend(self.places(db, kind, rows, columns).await?);
                }
                Ok(found)
            }
            Kind::TaskDone => self.done(db).await,
            Kind::Merge if circle.has_merges() => {
                let rows = contact_merge::Entity::find().filter(
                    Condition::any()
                        .add(circle.of_people(contact_merge::Column::IntoId))
                        .add(circle.of_people(contact_merge::Column::FromId)),
                );
                let columns = (contact_merge::Column::Id, contact_merge::Column::CreatedAt);
                self.places(db, kind, rows, columns).await
            }
            Kind::Merge => Ok(Vec::new()),
        }
    }

    /// Tasks that are done, at the time they were. Each stands where it was made as well, so here it has another id.
    async fn done(&self, db: &impl ConnectionTrait) -> Result<Vec<Found>, DbErr> {
        let place = self.after.map(|place| Place {
            at: place.at,
            id: task_of(&place.id).to_owned(),
        });
        let sources = Sources {
            circle: self.circle,
            after: place.as_ref(),
            ..*self
        };
        let mut found = Vec::new();
        for about in self.circle.tasks() {
            let rows = task::Entity::find()
                .filter(about)
                .filter(task::Column::DoneAt.is_not_null());
            let columns = (task::Column::Id, task::Column::DoneAt);
            found.extend(sources.places(db, Kind::TaskDone, rows, columns).await?);
        }
        for one in &mut found {
            one.id = done_id(&one.id);
        }
        Ok(found)
    }

    /// What was changed of its objects, of one kind after another: an index serves each.
    async fn changes(&self, db: &impl ConnectionTrait) -> Result<Vec<Found>, DbErr> {
        let object = field_change::Column::ObjectId;
        let objects = [
            Some(self.circle.of_known_people(object)),
            self.circle.of_company(object),
            Some(Condition::all().add(object.in_subquery(self.circle.lead_ids()))),
            Some(Condition::all().add(object.in_subquery(self.circle.deal_ids()))),
        ];
        let mut found = Vec::new();
        for of in objects.into_iter().flatten() {
            let rows = field_change::Entity::find().filter(of);
            let columns = (field_change::Column::Id, field_change::Column::At);
            found.extend(self.places(db, Kind::Change, rows, columns).await?);
        }
        Ok(found)
    }

    /// What was said, without what stands elsewhere in the timeline: a form's text, a call's entry.
    async fn messages(
        &self,
        db: &impl ConnectionTrait,
        kind: Kind,
        kinds: sea_orm::sea_query::SimpleExpr,
    ) -> Result<Vec<Found>, DbErr> {
        let rows = message::Entity::find()
            .filter(message::Column::ConversationId.in_subquery(self.circle.conversation_ids()))
            .filter(kinds)
            .filter(
                Condition::any()
                    .add(message::Column::Kind.ne("inbound"))
                    .add(message::Column::ConversationId.not_in_subquery(self.form_threads())),
            )
            .filter(Expr::exists(call_of_message()).not());
        let columns = (message::Column::Id, message::Column::CreatedAt);
        self.places(db, kind, rows, columns).await
    }

    fn form_threads(&self) -> SelectStatement {
        Query::select()
            .column(conversation::Column::Id)
            .from(conversation::Entity)
            .cond_where(self.circle.of_people(conversation::Column::ContactId))
            .and_where(conversation::Column::ChannelKind.eq("webform"))
            .to_owned()
    }

    async fn places<E: EntityTrait, C: ColumnTrait + IntoSimpleExpr>(
        &self,
        db: &impl ConnectionTrait,
        kind: Kind,
        rows: Select<E>,
        (id, at): (C, C),
    ) -> Result<Vec<Found>, DbErr> {
        let mut query = rows.select_only().column(id).column(at);
        if let Some(place) = self.after {
            query = query.filter(
                Condition::any()
                    .add(at.lt(place.at))
                    .add(Condition::all().add(at.eq(place.at)).add(id.lt(&place.id))),
            );
        }
        let rows: Vec<(String, DateTime<Utc>)> = query
            .order_by_desc(at)
            .order_by_desc(id)
            .limit(self.limit)
            .into_tuple()
            .all(db)
            .await?;
        Ok(rows.into_iter().map(|(id, at)| Found { kind, id, at }).collect())
    }
}

fn call_of_message() -> SelectStatement {
    Query::select()
        .column((call_row::Entity, call_row::Column::Id))
        .from(call_row::Entity)
        .and_where(
            Expr::col((call_row::Entity, call_row::Column::MessageId))
                .equals((message::Entity, message::Column::Id)),
        )
        .to_owned()
}
