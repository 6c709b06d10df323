//! The lead a row is about: a new one, or the one that is there. Pure.

use serde_json::{Value, json};
use switchboard_exchange::Record;
use switchboard_sdk::Attribution;

use super::{Done, Step, VIA, identities, is_open, merge, replace};
use crate::{
    db::entity::lead,
    id,
    import::{OnDuplicate, judge::Judged},
    lead::source,
};

impl Step<'_> {
    pub(super) fn lead(&mut self, contact_id: &str, record: &Record, judged: &Judged, done: &mut Done) {
        let rule = self.how.options.on_duplicate;
        if let Some(known) = self
            .world
            .leads
            .get(contact_id)
            .filter(|_| rule != OnDuplicate::Create)
            .cloned()
        {
            done.lead_id = Some(known.id.clone());
            done.changed |= self.refresh_lead(known, record, judged);
            return;
        }
        let now = self.how.now;
        let options = self.how.options;
        let attribution = source::complete(Attribution {
            last: record.marks.clone().into_iter().collect(),
            ..Attribution::default()
        });
        let named = record
            .source
            .clone()
            .or_else(|| source::of_touch(&attribution.last));
        let title = record.title.clone().or_else(|| record.name.clone());
        let title = title.or_else(|| identities(record).into_iter().next().map(|one| one.value));
        let row = lead::Model {
            id: id::new(id::Kind::Lead, now),
            title: title.unwrap_or_else(|| "—".to_owned()),
            status: record.status.unwrap_or("new").to_owned(),
            contact_id: contact_id.to_owned(),
            conversation_id: None,
            line_id: options.line_id.clone(),
            channel_id: None,
            channel_kind: None,
            operator_id: judged
                .lead_operator
                .clone()
                .or_else(|| options.operator_id.clone()),
            source: named
                .or_else(|| options.source.clone())
                .unwrap_or_else(|| VIA.to_owned()),
            attribution: json!(attribution),
            fields: Value::Object(judged.lead_fields.clone()),
            version: 1,
            created_at: record.created_at.map_or(now, |at| at.min(now)),
            updated_at: now,
        };
        done.lead_id = Some(row.id.clone());
        done.made.push("lead");
        self.changes.counts.leads += 1;
        // One that is over does not hide the open one beside it.
        let open = self.world.leads.get(contact_id).is_some_and(is_open);
        if !open {
            self.world.leads.insert(contact_id.to_owned(), row.clone());
        }
        self.changes.new_leads.push(row);
    }

    fn refresh_lead(&mut self, mut row: lead::Model, record: &Record, judged: &Judged) -> bool {
        let before = row.clone();
        let over = self.how.options.on_duplicate == OnDuplicate::Update;
        if let Some(title) = record.title.as_ref().filter(|_| over) {
            row.title.clone_from(title);
        }
        if let Some(status) = record.status.filter(|_| over) {
            status.clone_into(&mut row.status);
        }
        if let Some(source) = record.source.as_ref().filter(|_| over) {
            row.source.clone_from(source);
        }
        replace(&mut row.operator_id, judged.lead_operator.clone(), over);
        merge(&mut row.fields, &judged.lead_fields, over);
        if row == before {
            return false;
        }
        let new = self.changes.new_leads.iter_mut().find(|new| new.id == row.id);
        match new {
            Some(new) => new.clone_from(&row),
            None => {
                row.version += 1;
                row.updated_at = self.how.now;
                self.changes.changed_leads.insert(row.id.clone(), row.clone());
            }
        }
        self.world.leads.insert(row.contact_id.clone(), row);
        true
    }
}
