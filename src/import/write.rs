//! Writing what a batch of rows made and changed, table by table.

use std::mem::take;

use sea_orm::{DbErr, Statement, Value};

use super::plan::{Changes, How, World};
use crate::{
    db::{
        BatchTx, bulk,
        entity::{company, contact, contact_suggestion, deal, deal_move, identity, import_row, lead},
    },
    event::{EventType, NewEvent},
};

/// Ids in one statement.
const AT_ONCE: usize = 512;

macro_rules! rows {
    ($columns:ident, $function:ident, $entity:ident, [$($column:literal => $field:ident),+ $(,)?]) => {
        const $columns: &[&str] = &[$($column),+];

        fn $function(row: $entity::Model) -> Vec<Value> {
            vec![$(row.$field.into()),+]
        }
    };
}

rows!(CONTACT, contact_row, contact, [
    "id" => id, "name" => name, "language" => language, "company_id" => company_id, "operator_id" => operator_id,
    "fields" => fields, "version" => version, "created_at" => created_at, "updated_at" => updated_at,
]);

rows!(COMPANY, company_row, company, [
    "id" => id, "name" => name, "name_key" => name_key, "fields" => fields, "version" => version,
    "created_at" => created_at, "updated_at" => updated_at,
]);

rows!(IDENTITY, identity_row, identity, [
    "kind" => kind, "value" => value, "contact_id" => contact_id, "verified" => verified, "created_at" => created_at,
    "via" => via,
]);

rows!(LEAD, lead_row, lead, [
    "id" => id, "title" => title, "status" => status, "contact_id" => contact_id, "line_id" => line_id,
    "operator_id" => operator_id, "source" => source, "attribution" => attribution, "fields" => fields,
    "version" => version, "created_at" => created_at, "updated_at" => updated_at,
]);

rows!(DEAL, deal_row, deal, [
    "id" => id, "title" => title, "amount" => amount, "currency" => currency, "pipeline_id" => pipeline_id,
    "stage_id" => stage_id, "state" => state, "stage_since" => stage_since, "contact_id" => contact_id,
    "company_id" => company_id, "line_id" => line_id, "operator_id" => operator_id, "loss_reason" => loss_reason,
    "fields" => fields, "version" => version, "created_at" => created_at, "updated_at" => updated_at,
    "closed_at" => closed_at, "external_id" => external_id,
]);

rows!(MOVE, move_row, deal_move, [
    "id" => id, "deal_id" => deal_id, "pipeline_id" => pipeline_id, "from_stage_id" => from_stage_id,
    "stage_id" => stage_id, "at" => at,
]);

rows!(SUGGESTION, suggestion_row, contact_suggestion, [
    "contact_id" => contact_id, "other_id" => other_id, "reason" => reason, "created_at" => created_at,
]);

rows!(ROW, import_row_row, import_row, [
    "import_id" => import_id, "row_no" => row_no, "line" => line, "outcome" => outcome, "contact_id" => contact_id,
    "lead_id" => lead_id, "company_id" => company_id, "deal_id" => deal_id, "made" => made, "errors" => errors,
]);

impl World {
    /// Writes everything. Tables in the order their references ask for.
    pub async fn flush(&self, write: &mut BatchTx, mut changes: Changes, how: &How<'_>) -> Result<(), DbErr> {
        let now = how.now;
        let hush = how.options.hush();
        let told = |kind, id: &str| NewEvent::new(kind, id, now).hushed(hush);
        let new = changes
            .new_companies
            .iter()
            .filter_map(|key| self.companies.get(key).cloned());
        let rows: Vec<_> = new.map(company_row).collect();
        for key in changes.new_companies.iter().chain(&changes.changed_companies) {
            if let Some(row) = self.companies.get(key) {
                write.record(NewEvent::new(EventType::CompanyUpdated, &row.id, now));
            }
        }
        write.insert("company", COMPANY, rows.into_iter(), "").await?;
        let changed = changes
            .changed_companies
            .iter()
            .filter_map(|key| self.companies.get(key).cloned());
        let rows: Vec<_> = changed.map(company_row).collect();
        write
            .insert("company", COMPANY, rows.into_iter(), &bulk::or_update(COMPANY))
            .await?;

        let rows: Vec<_> = self.of(&changes.new_contacts).map(contact_row).collect();
        write.insert("contact", CONTACT, rows.into_iter(), "").await?;
        changes.changed_contacts.sort_unstable();
        let rows: Vec<_> = self.of(&changes.changed_contacts).map(contact_row).collect();
        write
            .insert("contact", CONTACT, rows.into_iter(), &bulk::or_update(CONTACT))
            .await?;

        let rows = take(&mut changes.identities).into_iter().map(identity_row);
        write.insert("identity", IDENTITY, rows, "").await?;
        let rows = take(&mut changes.suggestions).into_iter().map(suggestion_row);
        write
            .insert("contact_suggestion", SUGGESTION, rows, "ON CONFLICT DO NOTHING")
            .await?;

        for id in changes.new_contacts.iter().chain(&changes.changed_contacts) {
            write.record(told(EventType::ContactUpdated, id));
        }
        for row in &changes.new_leads {
            write.record(told(EventType::LeadCreated, &row.id));
        }
        for id in changes.changed_leads.keys() {
            write.record(told(EventType::LeadUpdated, id));
        }
        let rows = take(&mut changes.new_leads).into_iter().map(lead_row);
        write.insert("lead", LEAD, rows, "").await?;
        let rows: Vec<_> = take(&mut changes.changed_leads)
            .into_values()
            .map(lead_row)
            .collect();
        write
            .insert("lead", LEAD, rows.into_iter(), &bulk::or_update(LEAD))
            .await?;
        for row in &changes.new_deals {
            write.record(told(EventType::DealCreated, &row.id));
        }
        for id in changes.changed_deals.keys() {
            write.record(told(EventType::DealUpdated, id));
        }
        let rows = take(&mut changes.new_deals).into_iter().map(deal_row);
        write.insert("deal", DEAL, rows, "").await?;
        let rows: Vec<_> = take(&mut changes.changed_deals)
            .into_values()
            .map(deal_row)
            .collect();
        write
            .insert("deal", DEAL, rows.into_iter(), &bulk::or_update(DEAL))
            .await?;
        let tagged: Vec<Value> = changes.tags.keys().map(|id| Value::from(id.clone())).collect();
        for ids in tagged.chunks(AT_ONCE) {
            let (list, values) = bulk::in_list(1, ids.to_vec());
            let sql = format!("DELETE FROM object_tag WHERE object_id IN {list}");
            write
                .execute(Statement::from_sql_and_values(write.backend(), sql, values))
                .await?;
        }
        let rows: Vec<_> = take(&mut changes.tags)
            .into_iter()
            .flat_map(|(id, tags)| {
                tags.into_iter()
                    .map(move |tag| vec![Value::from(id.clone()), tag.into()])
            })
            .collect();
        write
            .insert("object_tag", &["object_id", "tag"], rows.into_iter(), "")
            .await?;
        let rows = take(&mut changes.moves).into_iter().map(move_row);
        write.insert("deal_move", MOVE, rows, "").await?;
        rows_of(write, changes.rows).await
    }

    fn of<'a>(&'a self, ids: &'a [String]) -> impl Iterator<Item = contact::Model> + 'a {
        ids.iter().filter_map(|id| self.contacts.get(id).cloned())
    }
}

/// Writes what became of rows.
pub async fn rows_of(write: &mut BatchTx, rows: Vec<import_row::Model>) -> Result<(), DbErr> {
    let rows = rows.into_iter().map(import_row_row);
    write.insert("import_row", ROW, rows, "").await
}
