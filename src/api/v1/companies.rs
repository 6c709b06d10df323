//! Companies. Operators see those they are responsible for, and those whose contacts they see.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::{check_operator, checked_tags, line, present, responsible};
use crate::{
    api::{
        Json, Path, Query,
        auth::{Caller, Staff},
        page::{Page, PageQuery},
        problem::{Problem, Result},
        right::{self, May, on, to},
    },
    app::App,
    company::store::{self, Change, CompanyView, Error, Filter, Place},
    contact::address,
    db::entity::company,
    operator::rights::{Action, Object, Scope},
    tag,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_companies, create_company))
        .routes(routes!(get_company, update_company, delete_company))
        .routes(routes!(list_tags))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListQuery {
    /// Words of the name, the website, the tax number and of addresses, all of them, in any order, each as any part of
    /// a word; beginnings of words when none has three letters.
    q: Option<String>,
    /// A responsible operator; `me` is the caller, `none` is nobody.
    operator: Option<String>,
    /// A tag.
    tag: Option<String>,
}

/// What a query narrows the list to.
pub(super) fn filter(query: ListQuery, caller: &Caller) -> Filter {
    Filter {
        operator_id: responsible(query.operator, caller),
        text: query.q,
        tag: query.tag.filter(|tag| !tag.trim().is_empty()),
    }
}

/// Companies by name, as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/companies", tag = "companies", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<CompanyView>)))]
async fn list_companies(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CompanyView>>> {
    let (limit, after): (u64, Option<Place>) = (page.limit()?, page.after()?);
    let filter = filter(query, &caller);
    let rows = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let page = Page::of_rows(rows, limit, |row| Place {
        name: row.name_key.clone(),
    });
    Ok(Json(Page {
        items: store::views(app.db.read(), page.items).await?,
        next_cursor: page.next_cursor,
    }))
}

/// The company, when the caller sees it and may do this to it.
pub(super) async fn seen(app: &App, scope: &Scope, action: Action, id: &str) -> Result<company::Model> {
    let row = store::find(app.db.read(), scope, id)
        .await?
        .ok_or_else(|| Problem::not_found("company"))?;
    if let Some(eyes) = right::narrower(scope, Object::Company, action)?
        && store::find(app.db.read(), &eyes, id).await?.is_none()
    {
        return Err(Problem::no_right(Object::Company, action));
    }
    Ok(row)
}

async fn shown(app: &App, id: &str) -> Result<CompanyView> {
    use sea_orm::EntityTrait;
    let rows = company::Entity::find_by_id(id).all(app.db.read()).await?;
    let mut views = store::views(app.db.read(), rows).await?;
    views.pop().ok_or_else(|| Problem::not_found("company"))
}

/// What is said of a company; what is absent stays, or stays empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CompanyPatch)]
#[serde(deny_unknown_fields)]
struct CompanyPatch {
    /// What it is called; no two are called the same.
    name: Option<String>,
    /// All phones, in any usual writing with the country code.
    phones: Option<Vec<String>>,
    /// All e-mail addresses.
    emails: Option<Vec<String>>,
    /// Where it is on the web; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    website: Option<Option<String>>,
    /// The number the state knows it by; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    tax_number: Option<Option<String>>,
    /// The responsible operator; null clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    operator_id: Option<Option<String>>,
    /// Custom fields to set; a null removes one.
    #[schema(value_type = Option<Object>)]
    fields: Option<Map<String, Value>>,
    /// All tags; they are kept in small letters.
    tags: Option<Vec<String>>,
    /// The version the change was made from; 409 when it is not the present one.
    version: Option<i64>,
}

impl CompanyPatch {
    async fn checked(self, app: &App, caller: &Caller) -> Result<Change> {
        let mut faults = Vec::new();
        let emails = self
            .emails
            .map(|emails| address::normal("emails", &emails, address::email, &mut faults));
        let phones = self
            .phones
            .map(|phones| address::normal("phones", &phones, address::phone, &mut faults));
        let website = self.website.map(|website| line(website, 500));
        if let Some(Some(website)) = &website
            && !url::Url::parse(website).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        {
            faults.push((
                "website".to_owned(),
                "must begin with http:// or https://".to_owned(),
            ));
        }
        let tags = checked_tags(self.tags, &mut faults);
        check_operator(app, self.operator_id.as_ref(), &mut faults).await?;
        if !faults.is_empty() {
            return Err(Problem::validation(faults));
        }
        let tight = |number: String| number.split_whitespace().collect::<String>();
        Ok(Change {
            name: self.name,
            tax_number: self.tax_number.map(|number| line(number.map(tight), 50)),
            website,
            operator_id: self.operator_id,
            fields: self.fields,
            tags,
            emails,
            phones,
            version: self.version,
            by: Some(caller.operator.id.clone()),
        })
    }
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Missing => Problem::not_found("company"),
        Error::Stale => Problem::conflict(error.to_string()),
        Error::Invalid(faults) => Problem::validation(faults),
        Error::Db(error) => error.into(),
    }
}

/// Makes a company. An operator who names nobody responsible is responsible.
#[utoipa::path(post, path = "/api/v1/companies", tag = "companies", request_body = CompanyPatch,
    responses((status = 201, body = CompanyView)))]
async fn create_company(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::Edit>,
    Json(body): Json<CompanyPatch>,
) -> Result<(StatusCode, Json<CompanyView>)> {
    let mut said = body.checked(&app, &caller).await?;
    if said.operator_id.is_none() && !caller.scope.view(Object::Company).is_all() {
        said.operator_id = Some(Some(caller.operator.id.clone()));
    }
    let mut write = app.db.write().await?;
    let id = store::create(&mut write, said, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &id).await?)))
}

/// One company.
#[utoipa::path(get, path = "/api/v1/companies/{id}", tag = "companies",
    params(("id" = String, Path, description = "`cmp_…`")), responses((status = 200, body = CompanyView)))]
async fn get_company(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::View>,
    Path(id): Path<String>,
) -> Result<Json<CompanyView>> {
    seen(&app, &caller.scope, Action::View, &id).await?;
    shown(&app, &id).await.map(Json)
}

/// Changes a company.
#[utoipa::path(patch, path = "/api/v1/companies/{id}", tag = "companies",
    params(("id" = String, Path, description = "`cmp_…`")), request_body = CompanyPatch,
    responses((status = 200, body = CompanyView)))]
async fn update_company(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<CompanyPatch>,
) -> Result<Json<CompanyView>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    let change = body.checked(&app, &caller).await?;
    let mut write = app.db.write().await?;
    store::change(&mut write, &id, change, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    shown(&app, &id).await.map(Json)
}

/// Forgets a company with its tasks. Its contacts stay and work nowhere.
#[utoipa::path(delete, path = "/api/v1/companies/{id}", tag = "companies",
    params(("id" = String, Path, description = "`cmp_…`")), responses((status = 204)))]
async fn delete_company(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::Delete>,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    seen(&app, &caller.scope, Action::Delete, &id).await?;
    let mut write = app.db.write().await?;
    store::remove(&mut write, &id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TagQuery {
    /// `contact`, `company`, `lead` or `deal`.
    object: String,
}

/// The tags in use, in order, at most 500: to choose from.
#[utoipa::path(get, path = "/api/v1/tags", tag = "companies", params(TagQuery),
    responses((status = 200, body = Page<String>)))]
async fn list_tags(
    State(app): State<App>,
    Staff(caller): Staff,
    Query(query): Query<TagQuery>,
) -> Result<Json<Page<String>>> {
    let (object, prefix) = match query.object.as_str() {
        "contact" => (Object::Contact, "cnt_"),
        "company" => (Object::Company, "cmp_"),
        "lead" => (Object::Lead, "led_"),
        "deal" => (Object::Deal, "dea_"),
        _ => {
            return Err(Problem::invalid(
                "object",
                "must be contact, company, lead or deal",
            ));
        }
    };
    right::need(&caller.scope, object, Action::View)?;
    Ok(Json(Page::whole(tag::known(app.db.read(), prefix, 500).await?)))
}
