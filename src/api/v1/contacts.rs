//! Contacts.

use axum::extract::State;
use sea_orm::EntityTrait;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path, Query,
        auth::Staff,
        page::{Cursor, Page, PageQuery},
        problem::{Problem, Result},
    },
    app::App,
    contact::store::{self, Change, ChangeError, ContactView, Place},
    conversation::{
        store::{self as conversations, Filter, View},
        view::ConversationView,
    },
    db::entity::operator,
    ingest::clean_line,
    lead::store::{self as leads, LeadView},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_contacts))
        .routes(routes!(get_contact, update_contact))
        .routes(routes!(list_contact_conversations))
        .routes(routes!(list_contact_leads))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// Part of a name or of an address.
    q: Option<String>,
}

/// Contacts, the last changed first.
#[utoipa::path(get, path = "/api/v1/contacts", tag = "contacts", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<ContactView>)))]
async fn list_contacts(
    State(app): State<App>,
    Staff(_caller): Staff,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ContactView>>> {
    let after: Option<Place> = page.after()?;
    let (rows, next) = store::list(app.db.read(), query.q.as_deref(), after.as_ref(), page.limit()?).await?;
    let items = store::views(app.db.read(), rows).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.as_ref().map(Cursor::encode),
    }))
}

/// One contact.
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`")), responses((status = 200, body = ContactView)))]
async fn get_contact(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
) -> Result<Json<ContactView>> {
    one(&app, &id).await.map(Json)
}

async fn one(app: &App, id: &str) -> Result<ContactView> {
    store::view(app.db.read(), id)
        .await?
        .ok_or_else(|| Problem::not_found("contact"))
}

/// Absent is none, null is some none.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
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
    /// The responsible operator; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    operator_id: Option<Option<String>>,
    /// Custom fields to set; a null removes one.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

/// Changes a contact.
#[utoipa::path(patch, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`")), request_body = ContactPatch,
    responses((status = 200, body = ContactView)))]
async fn update_contact(
    State(app): State<App>,
    Staff(_caller): Staff,
    Path(id): Path<String>,
    Json(body): Json<ContactPatch>,
) -> Result<Json<ContactView>> {
    let mut errors = Vec::new();
    let emails = body
        .emails
        .map(|emails| normal("emails", &emails, normal_email, &mut errors));
    let phones = body
        .phones
        .map(|phones| normal("phones", &phones, normal_phone, &mut errors));
    if let Some(Some(operator_id)) = &body.operator_id
        && operator::Entity::find_by_id(operator_id)
            .one(app.db.read())
            .await?
            .is_none()
    {
        errors.push(("operator_id".to_owned(), "there is no such user".to_owned()));
    }
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let name = body.name.map(|name| {
        name.map(|name| clean_line(&name, 200))
            .filter(|name| !name.is_empty())
    });
    let change = Change {
        name,
        operator_id: body.operator_id,
        fields: body.fields,
        emails,
        phones,
        version: body.version,
    };
    let mut write = app.db.write().await?;
    store::change(&mut write, &id, change, app.clock.now())
        .await
        .map_err(|error| match error {
            ChangeError::Missing => Problem::not_found("contact"),
            ChangeError::Stale => Problem::conflict(error.to_string()),
            ChangeError::Taken { field, .. } => Problem::invalid(field, error.to_string()),
            ChangeError::Db(error) => error.into(),
        })?;
    write.commit().await?;
    one(&app, &id).await.map(Json)
}

fn normal(
    field: &str,
    values: &[String],
    one: fn(&str) -> Option<String>,
    errors: &mut Vec<(String, String)>,
) -> Vec<String> {
    let mut normal = Vec::with_capacity(values.len());
    for (position, value) in values.iter().enumerate() {
        match one(value) {
            Some(value) if normal.contains(&value) => {}
            Some(value) => normal.push(value),
            None => errors.push((format!("{field}.{position}"), format!("{value:?} is none"))),
        }
    }
    normal
}

fn normal_email(value: &str) -> Option<String> {
    let value = value.trim().to_lowercase();
    let (name, domain) = value.split_once('@')?;
    let plausible = !name.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && value.len() <= 320
        && !value
            .contains(|char: char| char.is_whitespace() || char.is_control() || "<>()[],;:\"".contains(char))
        && !domain.contains('@');
    plausible.then_some(value)
}

fn normal_phone(value: &str) -> Option<String> {
    let number = phonenumber::parse(None, value.trim()).ok()?;
    phonenumber::is_valid(&number).then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

/// The contact's conversations, as far as the caller sees them, open and closed, the last changed first.
#[utoipa::path(get, path = "/api/v1/contacts/{id}/conversations", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`"), PageQuery),
    responses((status = 200, body = Page<ConversationView>)))]
async fn list_contact_conversations(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConversationView>>> {
    let limit = page.limit()?;
    let after: Option<conversations::Place> = page.after()?;
    one(&app, &id).await?;
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
    Staff(caller): Staff,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<LeadView>>> {
    let limit = page.limit()?;
    let after: Option<leads::Place> = page.after()?;
    one(&app, &id).await?;
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

#[cfg(test)]
mod tests {
    use super::{normal_email, normal_phone};

    #[test]
    fn addresses_are_brought_to_their_normal_form_or_refused() {
        assert_eq!(normal_email(" A@B.Example ").as_deref(), Some("a@b.example"));
        assert_eq!(normal_email("a b@c.d"), None);
        assert_eq!(normal_email("a@b"), None);
        assert_eq!(
            normal_phone("+998 90 123-45-67").as_deref(),
            Some("+998901234567")
        );
        assert_eq!(normal_phone("12"), None);
    }
}
