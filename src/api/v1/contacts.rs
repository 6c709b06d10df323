//! Contacts: the list, one, what hangs on it.

use std::collections::BTreeSet;

use axum::{extract::State, http::StatusCode};
use sea_orm::EntityTrait;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Caller,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    company::store as companies,
    contact::{
        address, change, sight,
        store::{self, Change, ChangeError, ContactView, Filter as ContactFilter, Place},
    },
    conversation::{
        store::{self as conversations, Filter, View},
        view::ConversationView,
    },
    db::entity::{contact, operator},
    ingest::clean_line,
    lead::store::{self as leads, LeadView},
    operator::rights::{Action, Object, Scope},
    tag,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_contacts, create_contact))
        .routes(routes!(get_contact, update_contact))
        .routes(routes!(list_contact_conversations))
        .routes(routes!(list_contact_leads))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListQuery {
    /// Words of the name and of addresses, all of them, in any order, each as any part of a word; beginnings of words
    /// when none has three letters. A phone may be written with spaces, brackets and dashes.
    q: Option<String>,
    /// A responsible operator; `me` is the caller, `none` is nobody.
    operator: Option<String>,
    /// A company.
    company: Option<String>,
    /// A tag.
    tag: Option<String>,
    /// Only those that may be somebody else too.
    duplicates: bool,
}

/// Who a query names: an id, `me`, or `none` for nobody.
pub(super) fn responsible(word: Option<String>, caller: &Caller) -> Option<Option<String>> {
    word.filter(|word| !word.is_empty())
        .map(|word| match word.as_str() {
            "me" => Some(caller.operator.id.clone()),
            "none" => None,
            _ => Some(word),
        })
}

/// What a query narrows the list to.
pub(super) fn filter(query: ListQuery, caller: &Caller) -> ContactFilter {
    ContactFilter {
        operator_id: responsible(query.operator, caller),
        text: query.q,
        company_id: query.company,
        tag: query.tag.filter(|tag| !tag.trim().is_empty()),
        duplicates: query.duplicates,
    }
}

/// Contacts, the last changed first, as far as the caller sees them: operators see whom they are responsible for, and
/// whose conversations, leads or submissions they see.
#[utoipa::path(get, path = "/api/v1/contacts", tag = "contacts", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<ContactView>)))]
async fn list_contacts(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ContactView>>> {
    let (limit, after): (u64, Option<Place>) = (page.limit()?, page.after()?);
    let filter = filter(query, &caller);
    let (rows, next) = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = shown(&app, &caller.scope, rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// Contacts as the caller sees them: without those they may be too whom the caller does not see.
pub(super) async fn shown(app: &App, scope: &Scope, rows: Vec<contact::Model>) -> Result<Vec<ContactView>> {
    let mut views = store::views(app.db.read(), rows).await?;
    let others: BTreeSet<String> = views
        .iter()
        .flat_map(|view| &view.suggestions)
        .map(|other| other.contact_id.clone())
        .collect();
    let known = sight::among(app.db.read(), scope, others).await?;
    for view in &mut views {
        view.suggestions.retain(|other| known.contains(&other.contact_id));
    }
    Ok(views)
}

/// One contact. One that was merged reads back with `merged_into`.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 200, body = ContactView)))]
async fn get_contact(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::View>,
    Path(id): Path<String>,
) -> Result<Json<ContactView>> {
    let row = seen(&app, &caller.scope, Action::View, &id).await?;
    let mut views = shown(&app, &caller.scope, vec![row]).await?;
    views.pop().map(Json).ok_or_else(|| Problem::not_found("contact"))
}

/// The contact, when the caller sees it and may do this to it.
pub(super) async fn seen(app: &App, scope: &Scope, action: Action, id: &str) -> Result<contact::Model> {
    let row = sight::find(app.db.read(), scope, id)
        .await?
        .ok_or_else(|| Problem::not_found("contact"))?;
    if let Some(eyes) = right::narrower(scope, Object::Contact, action)?
        && sight::find(app.db.read(), &eyes, id).await?.is_none()
    {
        return Err(Problem::no_right(Object::Contact, action));
    }
    Ok(row)
}

/// The contact as it is now, whether or not the change took it out of the caller's sight.
pub(super) async fn one(app: &App, scope: &Scope, id: &str) -> Result<ContactView> {
    let rows = contact::Entity::find_by_id(id).all(app.db.read()).await?;
    let mut views = shown(app, scope, rows).await?;
    views.pop().ok_or_else(|| Problem::not_found("contact"))
}

/// Absent is none, null is some none.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What is said of a contact; what is absent stays, or stays empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ContactPatch)]
#[serde(deny_unknown_fields)]
struct ContactPatch {
    /// The name; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// All e-mail addresses.
    emails: Option<Vec<String>>,
    /// All phones, in any usual writing with the country code.
    phones: Option<Vec<String>>,
    /// Where they work; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    company_id: Option<Option<String>>,
    /// The responsible operator; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    operator_id: Option<Option<String>>,
    /// Their language (BCP 47); null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    /// Custom fields to set; a null removes one.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// All tags; they are kept in small letters.
    tags: Option<Vec<String>>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

impl ContactPatch {
    async fn checked(self, app: &App, caller: &Caller) -> Result<Change> {
        let mut faults = Vec::new();
        let emails = self
            .emails
            .map(|emails| address::normal("emails", &emails, address::email, &mut faults));
        let phones = self
            .phones
            .map(|phones| address::normal("phones", &phones, address::phone, &mut faults));
        let tags = checked_tags(self.tags, &mut faults);
        check_operator(app, self.operator_id.as_ref(), &mut faults).await?;
        if !faults.is_empty() {
            return Err(Problem::validation(faults));
        }
        Ok(Change {
            name: self.name.map(|name| line(name, 200)),
            language: self.language.map(|language| line(language, 35)),
            operator_id: self.operator_id,
            company_id: self.company_id,
            fields: self.fields,
            tags,
            emails,
            phones,
            version: self.version,
            by: Some(caller.operator.id.clone()),
        })
    }
}

/// A line of text without what nobody sees; an empty one is none.
pub(super) fn line(text: Option<String>, limit: usize) -> Option<String> {
    text.map(|text| clean_line(&text, limit))
        .filter(|text| !text.is_empty())
}

pub(super) fn checked_tags(
    tags: Option<Vec<String>>,
    faults: &mut Vec<(String, String)>,
) -> Option<Vec<String>> {
    match tag::normal(&tags?) {
        Ok(tags) => Some(tags),
        Err(more) => {
            faults.extend(more);
            None
        }
    }
}

pub(super) async fn check_operator(
    app: &App,
    id: Option<&Option<String>>,
    faults: &mut Vec<(String, String)>,
) -> Result<()> {
    let Some(Some(id)) = id else { return Ok(()) };
    let known = !id.contains('\0')
        && operator::Entity::find_by_id(id)
            .one(app.db.read())
            .await?
            .is_some();
    if !known {
        faults.push(("operator_id".to_owned(), "there is no such user".to_owned()));
    }
    Ok(())
}

/// A contact opens the sight of their company: only who sees it may name it.
async fn check_company(
    app: &App,
    caller: &Caller,
    id: Option<&Option<String>>,
    present: Option<&str>,
) -> Result<()> {
    match id {
        Some(Some(id))
            if present != Some(id) && companies::find(app.db.read(), &caller.scope, id).await?.is_none() =>
        {
            Err(Problem::invalid(
                "company_id",
                "there is no such company, or you may not see it",
            ))
        }
        _ => Ok(()),
    }
}

pub(super) fn problem(error: ChangeError) -> Problem {
    match error {
        ChangeError::Missing => Problem::not_found("contact"),
        ChangeError::Stale | ChangeError::Merged(_) => Problem::conflict(error.to_string()),
        ChangeError::Taken { field, .. } => Problem::invalid(field, error.to_string()),
        ChangeError::Invalid(faults) => Problem::validation(faults),
        ChangeError::Db(error) => error.into(),
    }
}

/// Makes a contact by hand. What is typed is a claim until it proves itself. An operator who names nobody responsible
/// is responsible.
#[utoipa::path(post, path = "/api/v1/contacts", tag = "contacts", request_body = ContactPatch,
    responses((status = 201, body = ContactView)))]
async fn create_contact(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Json(body): Json<ContactPatch>,
) -> Result<(StatusCode, Json<ContactView>)> {
    check_company(&app, &caller, body.company_id.as_ref(), None).await?;
    let mut said = body.checked(&app, &caller).await?;
    if said.operator_id.is_none() && !caller.scope.view(Object::Contact).is_all() {
        said.operator_id = Some(Some(caller.operator.id.clone()));
    }
    let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_none_or(Vec::is_empty);
    if said.name.as_ref().is_none_or(Option::is_none) && is_empty(&said.emails) && is_empty(&said.phones) {
        return Err(Problem::invalid(
            "name",
            "a contact has a name, an e-mail address or a phone",
        ));
    }
    let mut write = app.db.write().await?;
    let id = change::create(&mut write, said, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(one(&app, &caller.scope, &id).await?)))
}

/// Changes a contact.
#[utoipa::path(patch, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`")), request_body = ContactPatch,
    responses((status = 200, body = ContactView)))]
async fn update_contact(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<ContactPatch>,
) -> Result<Json<ContactView>> {
    let row = seen(&app, &caller.scope, Action::Edit, &id).await?;
    check_company(&app, &caller, body.company_id.as_ref(), row.company_id.as_deref()).await?;
    let change = body.checked(&app, &caller).await?;
    let mut write = app.db.write().await?;
    store::change(&mut write, &id, change, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    one(&app, &caller.scope, &id).await.map(Json)
}

/// The contact's conversations, as far as the caller sees them, open and closed, the last changed first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/conversations", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`"), PageQuery),
    responses((status = 200, body = Page<ConversationView>)))]
async fn list_contact_conversations(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::View>,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConversationView>>> {
    let limit = page.limit()?;
    let after: Option<conversations::Place> = page.after()?;
    seen(&app, &caller.scope, Action::View, &id).await?;
    let filter = Filter {
        view: View::Any,
        contact_id: Some(id),
        ..Filter::default()
    };
    let (rows, next) =
        conversations::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = app.views.of_rows(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// The contact's leads, newest first, as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/leads", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`"), PageQuery), responses((status = 200, body = Page<LeadView>)))]
async fn list_contact_leads(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::View>,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LeadView>>> {
    let limit = page.limit()?;
    let after: Option<leads::Place> = page.after()?;
    seen(&app, &caller.scope, Action::View, &id).await?;
    let filter = leads::Filter {
        contact_id: Some(id),
        ..leads::Filter::default()
    };
    let (rows, next) = leads::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = leads::views(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}
