//! What writing in a conversation needs to know: the values of variables, the signature, whom an answer
//! goes to. Queries; the rules are in [`super::address`] and [`crate::line::text`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use switchboard_sdk::{Recipient, RecipientRole};

use super::address::is_own;
use crate::{
    conversation::{message::recipients, view::Views},
    db::{
        WriteTx,
        entity::{channel, contact, conversation, line, message, operator, operator_signature},
    },
    line::{
        Rules,
        text::{self, Values, Variable},
    },
};

/// How many messages of a conversation are looked through for people, the newest.
const PEOPLE_OF: u64 = 200;

/// The variables that have a value when an operator writes.
pub const WRITTEN: [Variable; 4] = [
    Variable::ContactName,
    Variable::OperatorName,
    Variable::LineName,
    Variable::ConversationNumber,
];

/// What is wrong with a text that operators use, in words for whoever wrote it.
pub fn error(template: &str) -> Option<String> {
    text::error(template).or_else(|| {
        let (_, name) = Variable::ALL
            .iter()
            .find(|(variable, _)| !WRITTEN.contains(variable) && text::uses(template, *variable))?;
        Some(format!("{{{{{name}}}}} has no value where operators write"))
    })
}

/// The values of [`WRITTEN`] in a conversation, by the names they are written by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(pub BTreeMap<&'static str, String>);

impl Words {
    /// For `author`, in `conversation`.
    pub async fn load(
        db: &impl ConnectionTrait,
        conversation: &conversation::Model,
        author: &operator::Model,
    ) -> Result<Self, DbErr> {
        let contact = contact::Entity::find_by_id(&conversation.contact_id)
            .one(db)
            .await?;
        let line = line::Entity::find_by_id(&conversation.line_id).one(db).await?;
        let values = [
            ("contact.name", contact.and_then(|contact| contact.name)),
            ("operator.name", Some(author.name.clone())),
            ("line.name", line.map(|line| line.name)),
            ("conversation.number", Some(conversation.number.to_string())),
        ];
        Ok(Self(
            values
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
        ))
    }

    /// A template with these values.
    pub fn render(&self, template: &str) -> String {
        let mut values = Values::default();
        for (variable, name) in Variable::ALL {
            if let Some(value) = self.0.get(name) {
                values.set(variable, value);
            }
        }
        text::render(template, &values)
    }
}

/// What stands under an operator's mails in a conversation: their own signature, then the line's.
pub async fn signature(
    db: &impl ConnectionTrait,
    conversation: &conversation::Model,
    author: &operator::Model,
    words: &Words,
) -> Result<Option<String>, DbErr> {
    let own = own_signature(db, &author.id).await?;
    let line = line::Entity::find_by_id(&conversation.line_id).one(db).await?;
    let of_line = match line {
        Some(line) => Rules::from_stored(&line.rules)?.signature,
        None => None,
    };
    let parts: Vec<String> = [own, of_line]
        .into_iter()
        .flatten()
        .map(|template| words.render(&template))
        .filter(|part| !part.is_empty())
        .collect();
    Ok((!parts.is_empty()).then(|| parts.join("\n")))
}

/// An operator's own signature, as it was written.
pub async fn own_signature(db: &impl ConnectionTrait, operator_id: &str) -> Result<Option<String>, DbErr> {
    let row = operator_signature::Entity::find_by_id(operator_id)
        .one(db)
        .await?;
    Ok(row.map(|row| row.body))
}

/// Keeps an operator's signature; none takes it away. It was checked by [`error`].
pub async fn keep_signature(
    write: &WriteTx,
    operator_id: &str,
    body: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(body) = body else {
        operator_signature::Entity::delete_by_id(operator_id)
            .exec(write.tx())
            .await?;
        return Ok(());
    };
    let row = operator_signature::Model {
        operator_id: operator_id.to_owned(),
        body: body.to_owned(),
        updated_at: now,
    };
    let known = OnConflict::column(operator_signature::Column::OperatorId)
        .update_columns([
            operator_signature::Column::Body,
            operator_signature::Column::UpdatedAt,
        ])
        .to_owned();
    operator_signature::Entity::insert(row.into_active_model())
        .on_conflict(known)
        .exec_without_returning(write.tx())
        .await?;
    Ok(())
}

/// The addresses of all our channels that have any.
pub async fn own_addresses(db: &impl ConnectionTrait, views: &Views) -> Result<BTreeSet<String>, DbErr> {
    let rows = channel::Entity::find().all(db).await?;
    Ok(rows
        .iter()
        .filter(|row| views.capabilities(&row.kind).is_some_and(|can| can.recipients))
        .filter_map(|row| row.settings.get("address")?.as_str().map(str::to_lowercase))
        .collect())
}

/// The address fields of the newest message that came in.
pub async fn last_recipients(
    db: &impl ConnectionTrait,
    conversation_id: &str,
) -> Result<Vec<Recipient>, DbErr> {
    let last = message::Entity::find()
        .filter(message::Column::ConversationId.eq(conversation_id))
        .filter(message::Column::Kind.eq("inbound"))
        .order_by_desc(message::Column::Seq)
        .one(db)
        .await?;
    Ok(last.map_or_else(Vec::new, |last| recipients(last.recipients.as_ref())))
}

/// Everybody else who stands in the address fields of a conversation, the first met first: not the customer,
/// not ourselves.
pub async fn people(
    db: &impl ConnectionTrait,
    conversation: &conversation::Model,
    own: &BTreeSet<String>,
) -> Result<Vec<Recipient>, DbErr> {
    let rows = message::Entity::find()
        .filter(message::Column::ConversationId.eq(&conversation.id))
        .filter(message::Column::Recipients.is_not_null())
        .order_by_desc(message::Column::Seq)
        .limit(PEOPLE_OF)
        .all(db)
        .await?;
    let mut found: Vec<Recipient> = Vec::new();
    let all = rows
        .iter()
        .rev()
        .flat_map(|row| recipients(row.recipients.as_ref()));
    for one in all.filter(|one| one.address != conversation.address && !is_own(&one.address, own)) {
        match found.iter_mut().find(|known| known.address == one.address) {
            Some(known) => known.name = known.name.take().or(one.name),
            None => found.push(one),
        }
    }
    Ok(found)
}

/// The customer as an address field.
pub fn customer(conversation: &conversation::Model, words: &Words) -> Recipient {
    Recipient {
        role: RecipientRole::To,
        name: words.0.get("contact.name").cloned(),
        address: conversation.address.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_operators_names_only_what_has_a_value_then() {
        assert_eq!(error("Dear {{contact.name|customer}}, {{operator.name}}"), None);
        assert!(
            error("Wait {{wait_minutes}} minutes").is_some_and(|error| error.contains("{{wait_minutes}}"))
        );
        assert!(error("{{who}}").is_some());
    }

    #[test]
    fn words_fill_a_template_and_close_the_gaps() {
        let words = Words(BTreeMap::from([("operator.name", "Anna".to_owned())]));
        assert_eq!(
            words.render("Hello, {{contact.name}}!\n{{operator.name}}"),
            "Hello!\nAnna"
        );
    }
}
