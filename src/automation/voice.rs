//! Saying a line's text: the one of the client's language, with its variables filled in.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

use super::store;
use crate::{
    conversation::{session::Held, view::Views},
    db::{
        WriteTx,
        entity::{contact, operator},
    },
    line::{
        hours,
        language::Said,
        text::{self, Values, Variable},
    },
    operator::counting::CountingNow,
    outbound::automatic,
    routing::{place::Queue, timers::Timed},
};

/// What saying needs beside the session. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Voice {
    views: Views,
    counting: CountingNow,
    /// Without a slash at the end.
    public_url: Arc<str>,
}

/// How a text is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// With the address of the line's form, at the end unless the text puts it elsewhere. A line without
    /// a form says the text alone.
    WithForm,
}

impl Voice {
    /// For channels with these views, on a server of this address.
    pub fn new(views: Views, counting: CountingNow, public_url: &str) -> Self {
        Self {
            views,
            counting,
            public_url: public_url.into(),
        }
    }

    /// Whether this kind of channel is a chat: something is sent back, and at once. A mail is none.
    pub fn is_chat(&self, channel_kind: &str) -> bool {
        self.views
            .capabilities(channel_kind)
            .is_some_and(|capabilities| capabilities.outbound && !capabilities.threads)
    }

    /// Whether clients of this kind of channel are asked for a rating by a message rather than in a panel.
    pub fn rates_by_message(&self, channel_kind: &str) -> bool {
        self.views
            .capabilities(channel_kind)
            .is_some_and(|capabilities| capabilities.outbound && !capabilities.hosted)
    }

    /// Says a text of the line to the client of a held session, in the same write. Answers whether anything
    /// was said: not where the line has no such text and not where the channel carries none.
    pub async fn say(
        &self,
        write: &mut WriteTx,
        held: &mut Held,
        line: &Timed,
        said: Said,
        form: Form,
        now: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let words = self.words(write.tx(), held, line, said, form, now).await?;
        match words {
            Some(words) => automatic::say(write, &self.views, &mut held.conversation, &words, now).await,
            None => Ok(false),
        }
    }

    /// The words of a text for the client of a session.
    pub async fn words(
        &self,
        db: &impl ConnectionTrait,
        held: &Held,
        line: &Timed,
        said: Said,
        form: Form,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, DbErr> {
        if form == Form::Plain && !line.rules.says(said) {
            return Ok(None);
        }
        let contact = contact::Entity::find_by_id(&held.conversation.contact_id)
            .one(db)
            .await?;
        let client = contact.as_ref().and_then(|contact| contact.language.as_deref());
        let chosen = line.rules.text(said, client);
        let (mut template, language) = match chosen {
            Some((template, language)) => (template.to_owned(), language),
            None if form == Form::WithForm => (String::new(), None),
            None => return Ok(None),
        };
        if form == Form::WithForm && !text::uses(&template, Variable::FormUrl) {
            template.push_str("\n{{form_url}}");
        }
        let mut values = Values::default();
        if let Some(name) = contact.and_then(|contact| contact.name) {
            values.set(Variable::ContactName, &name);
        }
        if let Some(hours) = &line.rules.hours {
            values.set(Variable::TimeZone, &text::offset(now, &hours.time_zone));
            if let Some(at) = hours::opening(Some(hours), now).opens_at {
                let moment = text::moment(at, now, &hours.time_zone, language);
                values.set(Variable::OpensAt, &moment);
            }
        }
        self.look_up(db, held, line, &template, &mut values, now).await?;
        let words = text::render(&template, &values);
        Ok((!words.is_empty()).then_some(words))
    }

    /// The values that must be looked up, where the template names them.
    async fn look_up(
        &self,
        db: &impl ConnectionTrait,
        held: &Held,
        line: &Timed,
        template: &str,
        values: &mut Values,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        values.set(Variable::LineName, &line.name);
        values.set(
            Variable::ConversationNumber,
            &held.conversation.number.to_string(),
        );
        if text::uses(template, Variable::OperatorName)
            && let Some(id) = &held.session.operator_id
            && let Some(owner) = operator::Entity::find_by_id(id).one(db).await?
        {
            values.set(Variable::OperatorName, &owner.name);
        }
        if text::uses(template, Variable::FormUrl)
            && let Some(key) = store::form_key(db, &line.id).await?
        {
            values.set(Variable::FormUrl, &format!("{}/f/{key}", self.public_url));
        }
        let place =
            text::uses(template, Variable::QueuePosition) || text::uses(template, Variable::WaitMinutes);
        if place
            && let Some(place) = Queue::count(db, &line.id, &self.counting.get(), now)
                .await?
                .place(&held.session.id)
        {
            values.set(Variable::QueuePosition, &place.position.to_string());
            if let Some(secs) = place.estimated_wait_secs {
                values.set(Variable::WaitMinutes, &secs.div_ceil(60).to_string());
            }
        }
        Ok(())
    }
}
