//! Companies that may be the same.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::companies::seen;
use crate::{
    api::{
        Json, Path,
        page::Page,
        problem::Result,
        right::{May, on, to},
    },
    app::App,
    company::{
        keys,
        likeness::Sign,
        store::{self, CompanyView},
    },
    operator::rights::Action,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_company_duplicates))
}

/// A company that may be the same.
#[derive(Debug, Serialize, ToSchema)]
struct CompanyDuplicate {
    /// The other company.
    company: CompanyView,
    /// What they have in common, the strongest first.
    signs: Vec<Sign>,
}

/// Companies that the caller sees and that may be the same as this one, those with more in common first, at most 10:
/// with the same tax number, domain (of the website or of the mail; not of public mailboxes), phone, or name apart from
/// its legal form.
#[utoipa::path(get, path = "/api/v1/companies/{id}/duplicates", tag = "companies",
    params(("id" = String, Path, description = "`cmp_…`")), responses((status = 200, body = Page<CompanyDuplicate>)))]
async fn list_company_duplicates(
    State(app): State<App>,
    May(caller, _): May<on::Company, to::View>,
    Path(id): Path<String>,
) -> Result<Json<Page<CompanyDuplicate>>> {
    let row = seen(&app, &caller.scope, Action::View, &id).await?;
    let found = keys::alike(app.db.read(), &caller.scope, &row).await?;
    let (rows, signs): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let views = store::views(app.db.read(), rows).await?;
    let items = views
        .into_iter()
        .zip(signs)
        .map(|(company, signs)| CompanyDuplicate {
            company,
            signs: signs.into_iter().collect(),
        });
    Ok(Json(Page::whole(items.collect())))
}
