//! Contacts, companies, leads and deals as lists find them by a text: a row of `search_record` each, in the form of
//! [`super::fold`], kept by a follower of the log. Ingest pays nothing for it; what has changed and is not kept yet is
//! read by whoever looks ([`super::find`]), so that nobody waits for the follower.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};
use serde_json::Value as Json;

use super::fold;
use crate::{
    db::{
        Db, WriteTx, bulk,
        entity::{company, contact, deal, identity, lead, search_record},
    },
    event::{Event, EventType, consumer::Consumer},
};

/// Ids in one question.
pub const AT_ONCE: usize = 512;

/// What is found by a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// By its name and its addresses.
    Contact,
    /// By its name, website, tax number and addresses.
    Company,
    /// By its title and its contact's name.
    Lead,
    /// By its title, its contact's and its company's name.
    Deal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Contact, Self::Company, Self::Lead, Self::Deal];

    /// The word in the database; also the name of its table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Lead => "lead",
            Self::Deal => "deal",
        }
    }

    fn of(event: EventType) -> Option<Self> {
        match event {
            EventType::ContactUpdated | EventType::ContactErased => Some(Self::Contact),
            EventType::CompanyUpdated => Some(Self::Company),
            EventType::LeadCreated | EventType::LeadUpdated => Some(Self::Lead),
            EventType::DealCreated | EventType::DealUpdated | EventType::DealRemoved => Some(Self::Deal),
            _ => None,
        }
    }
}

/// Objects by their kind.
pub(super) type Objects = BTreeMap<Kind, BTreeSet<String>>;

/// The words of the log that change a record.
pub(super) fn events() -> impl Iterator<Item = EventType> {
    [
        EventType::ContactUpdated,
        EventType::ContactErased,
        EventType::CompanyUpdated,
        EventType::LeadCreated,
        EventType::LeadUpdated,
        EventType::DealCreated,
        EventType::DealUpdated,
        EventType::DealRemoved,
    ]
    .into_iter()
}

/// The objects that events are about, as far as they are found by a text.
pub(super) fn touched<'a>(events: impl IntoIterator<Item = (EventType, &'a str)>) -> Objects {
    let mut objects = Objects::new();
    for (event, id) in events {
        if let Some(kind) = Kind::of(event) {
            objects.entry(kind).or_default().insert(id.to_owned());
        }
    }
    objects
}

/// Objects of a kind that are found by the names of others: of these contacts, of these companies.
pub(super) async fn of_others(
    db: &impl ConnectionTrait,
    kind: Kind,
    others: &Objects,
) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    let ids_of = |kind: Kind| others.get(&kind).into_iter().flatten().collect::<Vec<_>>();
    let (contacts, companies) = (ids_of(Kind::Contact), ids_of(Kind::Company));
    for ids in contacts.chunks(AT_ONCE) {
        let ids = bulk::padded(ids.iter().copied());
        let mut more: Vec<String> = match kind {
            Kind::Contact | Kind::Company => Vec::new(),
            Kind::Lead => {
                let rows = lead::Entity::find().select_only().column(lead::Column::Id);
                let rows = rows.filter(lead::Column::ContactId.is_in(ids));
                rows.into_tuple().all(db).await?
            }
            Kind::Deal => {
                let rows = deal::Entity::find().select_only().column(deal::Column::Id);
                let rows = rows.filter(deal::Column::ContactId.is_in(ids));
                rows.into_tuple().all(db).await?
            }
        };
        found.append(&mut more);
    }
    for ids in companies.chunks(AT_ONCE).filter(|_| kind == Kind::Deal) {
        let rows = deal::Entity::find().select_only().column(deal::Column::Id);
        let rows = rows.filter(deal::Column::CompanyId.is_in(bulk::padded(ids.iter().copied())));
        let mut more: Vec<String> = rows.into_tuple().all(db).await?;
        found.append(&mut more);
    }
    Ok(found)
}

/// Objects of a kind in the form in which they are kept; those that are gone, or were merged into another, are not
/// among them.
pub(super) async fn read(
    db: &impl ConnectionTrait,
    kind: Kind,
    ids: &[String],
) -> Result<HashMap<String, String>, DbErr> {
    let mut records = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        match kind {
            Kind::Contact => contacts(db, ids, &mut records).await?,
            Kind::Company => companies(db, ids, &mut records).await?,
            Kind::Lead => {
                let rows = lead::Entity::find()
                    .select_only()
                    .columns([lead::Column::Id, lead::Column::Title, lead::Column::ContactId])
                    .filter(lead::Column::Id.is_in(bulk::padded(ids)));
                let rows: Vec<(String, String, String)> = rows.into_tuple().all(db).await?;
                let rows = rows
                    .into_iter()
                    .map(|(id, title, contact)| (id, title, Some(contact), None));
                titled(db, rows.collect(), &mut records).await?;
            }
            Kind::Deal => {
                let rows = deal::Entity::find()
                    .select_only()
                    .columns([
                        deal::Column::Id,
                        deal::Column::Title,
                        deal::Column::ContactId,
                        deal::Column::CompanyId,
                    ])
                    .filter(deal::Column::Id.is_in(bulk::padded(ids)));
                titled(db, rows.into_tuple().all(db).await?, &mut records).await?;
            }
        }
    }
    Ok(records)
}

async fn contacts(
    db: &impl ConnectionTrait,
    ids: &[String],
    records: &mut HashMap<String, String>,
) -> Result<(), DbErr> {
    let rows: Vec<(String, Option<String>)> = contact::Entity::find()
        .select_only()
        .columns([contact::Column::Id, contact::Column::Name])
        .filter(contact::Column::Id.is_in(bulk::padded(ids)))
        .filter(contact::Column::MergedInto.is_null())
        .into_tuple()
        .all(db)
        .await?;
    let found: Vec<(String, String)> = identity::Entity::find()
        .select_only()
        .columns([identity::Column::ContactId, identity::Column::Value])
        .filter(identity::Column::ContactId.is_in(bulk::padded(ids)))
        .filter(identity::Column::Kind.ne("webchat"))
        .order_by_asc(identity::Column::Kind)
        .order_by_asc(identity::Column::Value)
        .into_tuple()
        .all(db)
        .await?;
    let mut addresses: HashMap<String, Vec<String>> = HashMap::new();
    for (id, value) in found {
        addresses.entry(id).or_default().push(value);
    }
    for (id, name) in rows {
        let addresses = addresses.remove(&id).unwrap_or_default();
        let texts = name.iter().chain(&addresses).map(String::as_str);
        records.insert(id, fold::kept(texts));
    }
    Ok(())
}

async fn companies(
    db: &impl ConnectionTrait,
    ids: &[String],
    records: &mut HashMap<String, String>,
) -> Result<(), DbErr> {
    let rows = company::Entity::find()
        .filter(company::Column::Id.is_in(bulk::padded(ids)))
        .all(db)
        .await?;
    for row in rows {
        let listed = [&row.phones, &row.emails]
            .into_iter()
            .filter_map(Json::as_array)
            .flatten()
            .filter_map(Json::as_str);
        let texts = [
            Some(row.name.as_str()),
            row.website.as_deref(),
            row.tax_number.as_deref(),
        ];
        let record = fold::kept(texts.into_iter().flatten().chain(listed));
        records.insert(row.id, record);
    }
    Ok(())
}

/// What has a title: its id, the title, its contact and its company.
type Titled = (String, String, Option<String>, Option<String>);

/// What has a title, with the names of its contact and its company.
async fn titled(
    db: &impl ConnectionTrait,
    rows: Vec<Titled>,
    records: &mut HashMap<String, String>,
) -> Result<(), DbErr> {
    let people: BTreeSet<&String> = rows
        .iter()
        .filter_map(|(_, _, contact, _)| contact.as_ref())
        .collect();
    let firms: BTreeSet<&String> = rows
        .iter()
        .filter_map(|(_, _, _, company)| company.as_ref())
        .collect();
    let mut names: HashMap<String, String> = HashMap::new();
    if !people.is_empty() {
        let found: Vec<(String, Option<String>)> = contact::Entity::find()
            .select_only()
            .columns([contact::Column::Id, contact::Column::Name])
            .filter(contact::Column::Id.is_in(bulk::padded(people)))
            .into_tuple()
            .all(db)
            .await?;
        names.extend(found.into_iter().filter_map(|(id, name)| Some((id, name?))));
    }
    if !firms.is_empty() {
        let found: Vec<(String, String)> = company::Entity::find()
            .select_only()
            .columns([company::Column::Id, company::Column::Name])
            .filter(company::Column::Id.is_in(bulk::padded(firms)))
            .into_tuple()
            .all(db)
            .await?;
        names.extend(found);
    }
    for (id, title, contact, company) in rows {
        let named = [contact, company].into_iter().flatten();
        let named: Vec<&str> = named
            .filter_map(|id| names.get(&id))
            .map(String::as_str)
            .collect();
        records.insert(id, fold::kept([title.as_str()].into_iter().chain(named)));
    }
    Ok(())
}

/// Keeps the records.
#[derive(Debug, Clone, Copy)]
pub struct Recorder;

/// The name of [`Recorder`]'s cursor.
pub(super) const CURSOR: &str = "search.records";

/// What is to be written.
#[derive(Debug, Default)]
pub struct Records {
    rows: Vec<Vec<Value>>,
    gone: Vec<String>,
    kinds: Objects,
}

#[async_trait]
impl Consumer for Recorder {
    type Work = Records;

    fn name(&self) -> &'static str {
        CURSOR
    }

    fn wants(&self, event: &Event) -> bool {
        event.kind.is_some_and(|kind| Kind::of(kind).is_some())
    }

    async fn look(&self, db: &Db, events: &[Event]) -> Result<Option<Records>, DbErr> {
        let events = events
            .iter()
            .filter_map(|event| Some((event.kind?, event.object_id.as_str())));
        let mut objects = touched(events);
        for kind in [Kind::Lead, Kind::Deal] {
            let theirs = of_others(db.read(), kind, &objects).await?;
            objects.entry(kind).or_default().extend(theirs);
        }
        let mut work = Records::default();
        for (kind, ids) in objects {
            changed(db.read(), kind, &ids.into_iter().collect::<Vec<_>>(), &mut work).await?;
        }
        Ok((!work.rows.is_empty() || !work.gone.is_empty()).then_some(work))
    }

    async fn handle(&self, write: &mut WriteTx, work: Records) -> Result<(), DbErr> {
        put(write, work).await
    }
}

/// What differs between these objects and their records. Most changes are of something else.
pub(super) async fn changed(
    db: &impl ConnectionTrait,
    kind: Kind,
    ids: &[String],
    work: &mut Records,
) -> Result<(), DbErr> {
    let mut records = read(db, kind, ids).await?;
    for ids in ids.chunks(AT_ONCE) {
        let known: Vec<(String, String)> = search_record::Entity::find()
            .select_only()
            .columns([search_record::Column::ObjectId, search_record::Column::Body])
            .filter(search_record::Column::ObjectId.is_in(bulk::padded(ids)))
            .into_tuple()
            .all(db)
            .await?;
        for (id, body) in known {
            match records.get(&id) {
                Some(record) if *record == body => {
                    records.remove(&id);
                }
                Some(_) => {}
                None => work.gone.push(id),
            }
        }
    }
    for id in ids {
        if let Some(record) = records.remove(id) {
            work.kinds.entry(kind).or_default().insert(id.clone());
            work.rows
                .push(vec![kind.as_str().into(), id.clone().into(), record.into()]);
        }
    }
    Ok(())
}

/// Writes records.
pub(super) async fn put(write: &WriteTx, work: Records) -> Result<(), DbErr> {
    const COLUMNS: [&str; 3] = ["kind", "object_id", "body"];
    bulk::insert(
        write.tx(),
        "search_record",
        &COLUMNS,
        work.rows,
        "ON CONFLICT (object_id) DO UPDATE SET body = excluded.body WHERE search_record.body <> excluded.body",
    )
    .await?;
    for ids in work.gone.chunks(AT_ONCE) {
        search_record::Entity::delete_many()
            .filter(search_record::Column::ObjectId.is_in(bulk::padded(ids)))
            .exec(write.tx())
            .await?;
    }
    // What was removed since it was read took its record with it, before this one was written.
    for (kind, ids) in work.kinds {
        let ids: Vec<String> = ids.into_iter().collect();
        for ids in ids.chunks(AT_ONCE) {
            let (list, values) = bulk::in_list(1, ids.iter().cloned().map(Value::from).collect());
            let table = kind.as_str();
            let sql = format!(
                "DELETE FROM search_record WHERE object_id IN {list} \
                 AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.id = search_record.object_id)"
            );
            let statement = sea_orm::Statement::from_sql_and_values(write.backend(), sql, values);
            write.tx().execute_raw(statement).await?;
        }
    }
    Ok(())
}
