//! Whose timeline it is: which people, leads, deals and tasks belong to it, each as far as the reader sees them.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use crate::{
    contact::sight,
    db::entity::{contact, conversation, deal, lead, session, task},
    deal::store as deals,
    lead::store as leads,
    operator::rights::{Object, Reach, Scope},
};

/// What the timeline is of. The caller has looked whether the reader sees it.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// A contact.
    Contact(&'a str),
    /// A company, with all who work there and what is sold to them.
    Company(&'a str),
    /// A lead, with whose it is.
    Lead(&'a lead::Model),
    /// A deal, with whom it is made with and the lead it came of.
    Deal(&'a deal::Model),
}

/// The people in it.
#[derive(Debug, Clone, Copy)]
enum People<'a> {
    One(&'a str),
    Staff(&'a str),
    Nobody,
}

/// What belongs to a timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circle<'a> {
    of: Of<'a>,
    scope: &'a Scope,
    people: People<'a>,
    /// Whether the reader sees the contact of a lead or a deal, who may have changes and tasks of their own.
    knows_contact: bool,
}

impl<'a> Circle<'a> {
    /// Looks what the reader knows.
    pub async fn new(db: &impl ConnectionTrait, scope: &'a Scope, of: Of<'a>) -> Result<Self, DbErr> {
        let people = match of {
            Of::Contact(id) => People::One(id),
            Of::Company(id) => People::Staff(id),
            Of::Lead(row) => People::One(&row.contact_id),
            Of::Deal(row) => match (&row.contact_id, &row.company_id) {
                (Some(id), _) => People::One(id),
                (None, Some(id)) => People::Staff(id),
                (None, None) => People::Nobody,
            },
        };
        let knows_contact = match (of, people) {
            (Of::Contact(_), _) => true,
            (_, People::One(id)) => sight::find(db, scope, id).await?.is_some(),
            (_, People::Staff(_)) => true,
            (_, People::Nobody) => false,
        };
        Ok(Self {
            of,
            scope,
            people,
            knows_contact,
        })
    }

    /// Rows whose column names one of the people. What hangs on a person has a rule of its own for who sees it.
    pub fn of_people<C: ColumnTrait>(&self, column: C) -> Condition {
        match self.people {
            People::One(id) => Condition::all().add(column.eq(id)),
            People::Staff(company) => {
                let staff = Query::select()
                    .column((contact::Entity, contact::Column::Id))
                    .from(contact::Entity)
                    .and_where(contact::Column::CompanyId.eq(company))
                    .cond_where(sight::contacts(self.scope))
                    .to_owned();
                Condition::all().add(column.in_subquery(staff))
            }
            People::Nobody => nothing(),
        }
    }

    /// Rows whose column names one of the people, for what is seen by who sees the person.
    pub fn of_known_people<C: ColumnTrait>(&self, column: C) -> Condition {
        if self.knows_contact {
            self.of_people(column)
        } else {
            nothing()
        }
    }

    /// Rows whose column names the company.
    pub fn of_company<C: ColumnTrait>(&self, column: C) -> Option<Condition> {
        match self.of {
            Of::Company(id) => Some(Condition::all().add(column.eq(id))),
            Of::Contact(_) | Of::Lead(_) | Of::Deal(_) => None,
        }
    }

    /// Merges belong to people; a lead's and a deal's card show them with the contact.
    pub fn has_merges(&self) -> bool {
        matches!(self.of, Of::Contact(_) | Of::Company(_))
    }

    /// Its leads, as a condition on a query of leads.
    pub fn leads(&self) -> Condition {
        let of = match self.of {
            Of::Contact(_) | Of::Company(_) => self.of_people(lead::Column::ContactId),
            Of::Lead(row) => Condition::all().add(lead::Column::Id.eq(&row.id)),
            Of::Deal(row) => match &row.lead_id {
                Some(id) => Condition::all().add(lead::Column::Id.eq(id)),
                None => nothing(),
            },
        };
        Condition::all().add(of).add(leads::visible_to(self.scope))
    }

    /// Its deals, as a condition on a query of deals.
    pub fn deals(&self) -> Condition {
        let of = match self.of {
            Of::Contact(id) => Condition::all().add(deal::Column::ContactId.eq(id)),
            Of::Company(id) => Condition::any()
                .add(deal::Column::CompanyId.eq(id))
                .add(self.of_people(deal::Column::ContactId)),
            Of::Lead(row) => Condition::all().add(deal::Column::LeadId.eq(&row.id)),
            Of::Deal(row) => Condition::all().add(deal::Column::Id.eq(&row.id)),
        };
        Condition::all().add(of).add(deals::visible_to(self.scope))
    }

    /// The ids of its leads.
    pub fn lead_ids(&self) -> SelectStatement {
        Query::select()
            .column((lead::Entity, lead::Column::Id))
            .from(lead::Entity)
            .cond_where(self.leads())
            .to_owned()
    }

    /// The ids of its deals.
    pub fn deal_ids(&self) -> SelectStatement {
        Query::select()
            .column((deal::Entity, deal::Column::Id))
            .from(deal::Entity)
            .cond_where(self.deals())
            .to_owned()
    }

    /// The ids of its people's conversations that the reader sees.
    pub fn conversation_ids(&self) -> SelectStatement {
        Query::select()
            .column((conversation::Entity, conversation::Column::Id))
            .from(conversation::Entity)
            .inner_join(
                session::Entity,
                Expr::col((session::Entity, session::Column::Id))
                    .equals((conversation::Entity, conversation::Column::SessionId)),
            )
            .cond_where(self.of_people(conversation::Column::ContactId))
            .cond_where(self.scope.condition())
            .to_owned()
    }

    /// Its tasks, as conditions on a query of tasks that each have an index. As everywhere, who sees an object sees what
    /// is to be done about it, if their role goes beyond themselves.
    pub fn tasks(&self) -> Vec<Condition> {
        let extent = self.scope.view(Object::Task);
        let seen = if extent.is_all() || extent.reach >= Reach::Lines {
            Condition::all()
        } else {
            Condition::any()
                .add(task::Column::OperatorId.is_in(extent.owners()))
                .add(task::Column::CreatedBy.is_in(extent.owners()))
        };
        [
            Some(self.of_known_people(task::Column::ContactId)),
            self.of_company(task::Column::CompanyId),
            Some(Condition::all().add(task::Column::LeadId.in_subquery(self.lead_ids()))),
            Some(Condition::all().add(task::Column::DealId.in_subquery(self.deal_ids()))),
            Some(Condition::all().add(task::Column::ConversationId.in_subquery(self.conversation_ids()))),
        ]
        .into_iter()
        .flatten()
        .map(|about| Condition::all().add(about).add(seen.clone()))
        .collect()
    }
}

fn nothing() -> Condition {
    Condition::all().add(Expr::cust("1 = 0"))
}
