//! Tasks about a person: about the contact, or about a conversation, a lead or a deal of theirs.

use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait, Query},
};

use crate::{
    db::entity::{conversation, deal, lead, session, task},
    deal::store as deals,
    lead::store as leads,
    operator::rights::Scope,
};

/// Tasks about a contact whom this scope sees, and about what it sees of theirs.
pub fn person(scope: &Scope, contact_id: &str) -> Condition {
    let leads = Query::select()
        .column((lead::Entity, lead::Column::Id))
        .from(lead::Entity)
        .and_where(lead::Column::ContactId.eq(contact_id))
        .cond_where(leads::visible_to(scope))
        .to_owned();
    let deals = Query::select()
        .column((deal::Entity, deal::Column::Id))
        .from(deal::Entity)
        .and_where(deal::Column::ContactId.eq(contact_id))
        .cond_where(deals::visible_to(scope))
        .to_owned();
    let threads = Query::select()
        .column((conversation::Entity, conversation::Column::Id))
        .from(conversation::Entity)
        .inner_join(
            session::Entity,
            Expr::col((session::Entity, session::Column::Id))
                .equals((conversation::Entity, conversation::Column::SessionId)),
        )
        .and_where(conversation::Column::ContactId.eq(contact_id))
        .cond_where(scope.condition())
        .to_owned();
    Condition::any()
        .add(task::Column::ContactId.eq(contact_id))
        .add(task::Column::LeadId.in_subquery(leads))
        .add(task::Column::DealId.in_subquery(deals))
        .add(task::Column::ConversationId.in_subquery(threads))
}
