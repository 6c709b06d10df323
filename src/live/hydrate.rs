//! Loading the objects of events, many at a time.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::json;

use super::{Audience, LiveEvent, Object, frame};
use crate::{
    call::{self, CallView},
    channel::{self, view::Channel},
    clock::SharedClock,
    contact::sight,
    conversation::{
        offer::{self, OfferView},
        view::{ConversationView, MessageView, Views},
    },
    db::{
        Db, bulk,
        entity::{contact, line, operator},
    },
    deal::{self, view::DealView},
    event::{Event, EventType},
    form::store::{self as forms, SubmissionView},
    lead::store as leads,
    line::view as lines,
    operator::{counting::CountingNow, rights, view as operators},
    sync::{self, view::ConnectionNotice},
    task::{self, Task},
    webhook::{self, view::WebhookNotice},
};

/// Knows how every object of the log looks.
#[derive(Clone)]
pub struct Hydrator {
    views: Views,
    counting: CountingNow,
    clock: SharedClock,
}

impl std::fmt::Debug for Hydrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hydrator")
    }
}

impl Hydrator {
    /// With the views of conversations and what the views of operators need.
    pub fn new(views: Views, counting: CountingNow, clock: SharedClock) -> Self {
        Self {
            views,
            counting,
            clock,
        }
    }

    /// Events with their objects, in order. Objects that are gone are left out: whoever had them is
    /// told by another event.
    pub async fn load(&self, db: &Db, events: Vec<Event>) -> Result<Vec<Arc<LiveEvent>>, DbErr> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let ids = |kinds: &[EventType]| -> Vec<String> {
            let ids: BTreeSet<&String> = events
                .iter()
                .filter(|event| event.kind.is_some_and(|kind| kinds.contains(&kind)))
                .map(|event| &event.object_id)
                .collect();
            ids.into_iter().cloned().collect()
        };
        let conversation_ids: BTreeSet<&String> = events
            .iter()
            .filter_map(|event| event.conversation_id.as_ref())
            .collect();
        let conversation_ids: Vec<String> = conversation_ids.into_iter().cloned().collect();
        let message_ids = ids(&[EventType::MessageCreated, EventType::MessageUpdated]);
        let (conversations, messages) = tokio::try_join!(
            self.views.conversations(db.read(), &conversation_ids),
            self.views.messages_by_id(db.read(), &message_ids),
        )?;
        let conversations: HashMap<String, Arc<ConversationView>> = conversations
            .into_iter()
            .map(|view| (view.id.clone(), Arc::new(view)))
            .collect();
        let messages: HashMap<String, MessageView> =
            messages.into_iter().map(|view| (view.id.clone(), view)).collect();
        let lead_ids = ids(&[EventType::LeadCreated, EventType::LeadUpdated]);
        let leads: HashMap<String, leads::LeadView> = leads::views_by_id(db.read(), &lead_ids)
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();
        let operator_ids = ids(&[EventType::OperatorUpdated]);
        let now = self.clock.now();
        let operators: HashMap<String, operators::User> = if operator_ids.is_empty() {
            HashMap::new()
        } else {
            let rows = operator::Entity::find()
                .filter(operator::Column::Id.is_in(bulk::padded(operator_ids)))
                .all(db.read())
                .await?;
            operators::views(db.read(), rows, &self.counting.get(), now)
                .await?
                .into_iter()
                .map(|view| (view.id.clone(), view))
                .collect()
        };
        let contact_ids = ids(&[EventType::ContactUpdated]);
        let contacts: HashMap<String, crate::contact::store::ContactView> = if contact_ids.is_empty() {
            HashMap::new()
        } else {
            let rows = contact::Entity::find()
                .filter(contact::Column::Id.is_in(bulk::padded(contact_ids)))
                .all(db.read())
                .await?;
            crate::contact::store::views(db.read(), rows)
                .await?
                .into_iter()
                .map(|mut view| {
                    // Not everybody who sees this contact sees whom they may be too: who asks is told.
                    view.suggestions.clear();
                    (view.id.clone(), view)
                })
                .collect()
        };
        // Who was merged away is seen by those who see the contact they are now.
        let ends: BTreeSet<String> = contacts
            .values()
            .map(|view| view.merged_into.clone().unwrap_or_else(|| view.id.clone()))
            .collect();
        let sights = sight::of(db.read(), &ends.into_iter().collect::<Vec<_>>()).await?;

        let offer_ids = ids(&[EventType::OfferCreated, EventType::OfferEnded]);
        let offers: HashMap<String, OfferView> = offer::by_id(db.read(), &offer_ids)
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), OfferView::from(row)))
            .collect();

        let call_ids = ids(&[EventType::CallUpdated]);
        let calls: HashMap<String, CallView> = call::view::by_id(db.read(), &call_ids)
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();

        let submission_ids = ids(&[EventType::SubmissionCreated, EventType::SubmissionUpdated]);
        let submissions: HashMap<String, SubmissionView> = forms::by_id(db.read(), &submission_ids)
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), SubmissionView::from(row)))
            .collect();
        let deal_ids = ids(&[EventType::DealCreated, EventType::DealUpdated]);
        let deals: HashMap<String, DealView> = deal::view::by_id(db.read(), &deal_ids)
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();
        let task_ids = ids(&[EventType::TaskUpdated, EventType::TaskDue]);
        let tasks: HashMap<String, Task> = task::store::by_id(db.read(), &task_ids)
            .await?
            .into_iter()
            .map(|view| (view.id.clone(), view))
            .collect();

        let mut loaded = Vec::with_capacity(events.len());
        for event in events {
            let Some(kind) = event.kind else { continue };
            let built = match kind {
                EventType::MessageCreated | EventType::MessageUpdated => {
                    let conversation = event
                        .conversation_id
                        .as_ref()
                        .and_then(|id| conversations.get(id));
                    match (messages.get(&event.object_id), conversation) {
                        (Some(message), Some(conversation)) => Some((
                            of(&event, kind, message),
                            Audience::Conversation(Arc::clone(conversation)),
                            Object::Message(Box::new(message.clone())),
                        )),
                        _ => None,
                    }
                }
                EventType::ConversationUpdated => conversations.get(&event.object_id).map(|conversation| {
                    (
                        of(&event, kind, conversation.as_ref()),
                        Audience::Conversation(Arc::clone(conversation)),
                        Object::Conversation(Arc::clone(conversation)),
                    )
                }),
                EventType::LeadCreated | EventType::LeadUpdated => leads.get(&event.object_id).map(|lead| {
                    let audience = Audience::Lead {
                        object: rights::Object::Lead,
                        line_id: lead.line_id.clone(),
                        operator_id: lead.operator_id.clone(),
                    };
                    (
                        of(&event, kind, lead),
                        audience,
                        Object::Other(event.object_id.clone()),
                    )
                }),
                EventType::OperatorUpdated => operators.get(&event.object_id).map(|operator| {
                    (
                        of(&event, kind, operator),
                        Audience::Staff,
                        Object::Other(event.object_id.clone()),
                    )
                }),
                EventType::ContactUpdated => contacts.get(&event.object_id).map(|contact| {
                    let end = contact.merged_into.as_ref().unwrap_or(&contact.id);
                    (
                        of(&event, kind, contact),
                        Audience::Contact(sights.get(end).cloned().unwrap_or_default()),
                        Object::Other(event.object_id.clone()),
                    )
                }),
                EventType::ChannelHealth | EventType::ChannelUpdated => {
                    channel::store::load(db.read(), &event.object_id)
                        .await?
                        .map(|row| {
                            let view = Channel::at(row, now);
                            (
                                of(&event, kind, &view),
                                Audience::Staff,
                                Object::Other(event.object_id.clone()),
                            )
                        })
                }
                EventType::LineUpdated => {
                    match line::Entity::find_by_id(&event.object_id).one(db.read()).await? {
                        Some(row) => {
                            let view = lines::view(db.read(), row, now).await?;
                            Some((
                                of(&event, kind, &view),
                                Audience::Staff,
                                Object::Other(event.object_id.clone()),
                            ))
                        }
                        None => None,
                    }
                }
                EventType::OfferCreated | EventType::OfferEnded => {
                    offers.get(&event.object_id).map(|offer| {
                        (
                            of(&event, kind, offer),
                            Audience::Operator(offer.operator_id.clone()),
                            Object::Other(event.object_id.clone()),
                        )
                    })
                }
                EventType::CallReported | EventType::CompanyUpdated => None,
                EventType::CallUpdated => calls.get(&event.object_id).map(|call| {
                    let operators = call.ringing_for.iter().chain(&call.operator_id);
                    let audience = Audience::Call {
                        line_id: call.line_id.clone(),
                        operators: operators.cloned().collect(),
                    };
                    (
                        of(&event, kind, call),
                        audience,
                        Object::Other(event.object_id.clone()),
                    )
                }),
                EventType::DealCreated | EventType::DealUpdated => deals.get(&event.object_id).map(|deal| {
                    let audience = Audience::Lead {
                        object: rights::Object::Deal,
                        line_id: deal.line_id.clone(),
                        operator_id: deal.operator_id.clone(),
                    };
                    (
                        of(&event, kind, deal),
                        audience,
                        Object::Other(event.object_id.clone()),
                    )
                }),
                EventType::TaskUpdated | EventType::TaskDue => tasks.get(&event.object_id).map(|task| {
                    let people = task.operator_id.iter().chain(&task.created_by);
                    (
                        of(&event, kind, task),
                        Audience::Operators(people.cloned().collect()),
                        Object::Other(event.object_id.clone()),
                    )
                }),
                // Ids alone: what they were is gone.
                EventType::DealRemoved
                | EventType::TaskRemoved
                | EventType::PipelineUpdated
                | EventType::ContactErased
                | EventType::ConversationRemoved => {
                    let data = json!({"id": event.object_id});
                    Some((
                        of(&event, kind, &data),
                        Audience::Staff,
                        Object::Other(event.object_id.clone()),
                    ))
                }
                EventType::RoutingUpdated => Some((
                    of(&event, kind, &self.counting.get()),
                    Audience::Supervisors,
                    Object::Other(event.object_id.clone()),
                )),
                EventType::SubmissionCreated | EventType::SubmissionUpdated => {
                    submissions.get(&event.object_id).map(|submission| {
                        (
                            of(&event, kind, submission),
                            Audience::All(rights::Object::Submission),
                            Object::Other(event.object_id.clone()),
                        )
                    })
                }
                EventType::WebhookUpdated => {
                    let row = webhook::store::find(db.read(), &event.object_id).await?;
                    row.map(|row| {
                        (
                            of(&event, kind, &WebhookNotice::from(row)),
                            Audience::Supervisors,
                            Object::Other(event.object_id.clone()),
                        )
                    })
                }
                EventType::CrmUpdated => {
                    let row = sync::store::find(db.read(), &event.object_id).await?;
                    row.map(|row| {
                        (
                            of(&event, kind, &ConnectionNotice::from(row)),
                            Audience::Supervisors,
                            Object::Other(event.object_id.clone()),
                        )
                    })
                }
                EventType::QuarantineUpdated | EventType::CommerceUpdated => {
                    let data = json!({"id": event.object_id});
                    Some((
                        of(&event, kind, &data),
                        Audience::Supervisors,
                        Object::Other(event.object_id.clone()),
                    ))
                }
            };
            if let Some((frame, audience, object)) = built {
                loaded.push(Arc::new(LiveEvent {
                    seq: event.seq,
                    kind,
                    audience,
                    was: event.was,
                    frame,
                    object,
                }));
            }
        }
        Ok(loaded)
    }
}

fn of<T: Serialize>(event: &Event, kind: EventType, data: &T) -> Arc<str> {
    frame(event.seq, kind.as_str(), event.at, event.hush.operators, data)
}
