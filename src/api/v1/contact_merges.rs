//! Who a contact is: what they are recognised by, whom they may be too, merging two into one and undoing it.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::contacts::{one, problem as change_problem, seen};
use crate::{
    api::{
        Json, Path, Query,
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    contact::{
        address, change,
        merging::{self, Error},
        sight,
        store::ContactView,
    },
    operator::rights::{Action, Object},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(merge_contacts))
        .routes(routes!(unmerge_contacts))
        .routes(routes!(set_contacts_apart))
        .routes(routes!(add_identity, remove_identity))
}

/// Who is taken in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ContactMergeInput)]
#[serde(deny_unknown_fields)]
struct MergeIn {
    /// The contact that is the same person: it becomes part of the one in the path.
    from: String,
}

/// Which merge is undone.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ContactUnmergeInput)]
#[serde(deny_unknown_fields, default)]
struct UnmergeIn {
    /// The merge; when absent, the one by which this contact became part of another, or the latest it took in.
    merge_id: Option<String>,
}

/// What a merge or its undoing left.
#[derive(Debug, Serialize, ToSchema)]
struct Merged {
    /// `mrg_…`
    merge_id: String,
    /// Who was taken in, or is one of their own again.
    from_id: String,
    /// Who survives.
    into_id: String,
    /// The contact of the path, as it is now.
    #[serde(flatten)]
    contact: ContactView,
}

/// Takes another contact into this one. What this one lacks is filled from the other; conversations, leads, calls,
/// submissions, identities and tags move here. Of two open leads this one's stays. Nothing is lost: see `unmerge`.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/merge", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`, who survives")), request_body = MergeIn,
    responses((status = 200, body = Merged)))]
async fn merge_contacts(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<MergeIn>,
) -> Result<Json<Merged>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    sight::find(
        app.db.read(),
        &caller.scope.narrowed(Object::Contact, Action::Edit),
        &body.from,
    )
    .await?
    .ok_or_else(|| {
        Problem::invalid(
            "from",
            "there is no such contact, or you may not see or change it",
        )
    })?;
    let mut write = app.db.write().await?;
    let merge_id = merging::merge(&mut write, &body.from, &id, &caller.operator.id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(Json(Merged {
        merge_id,
        from_id: body.from,
        contact: one(&app, &caller.scope, &id).await?,
        into_id: id,
    }))
}

/// Undoes a merge. What was the other's goes back as it is now; what came since stays with the survivor, but for what
/// hangs on something that goes back (the messages of a conversation).
#[utoipa::path(post, path = "/api/v1/contacts/{id}/unmerge", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`, either of the two")), request_body = UnmergeIn,
    responses((status = 200, body = Merged)))]
async fn unmerge_contacts(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<UnmergeIn>,
) -> Result<Json<Merged>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    let found = merging::find(app.db.read(), &id, body.merge_id.as_deref())
        .await
        .map_err(problem)?;
    let mut write = app.db.write().await?;
    let undone = merging::unmerge(&mut write, &found.id, &caller.operator.id, app.clock.now())
        .await
        .map_err(problem)?;
    write.commit().await?;
    Ok(Json(Merged {
        merge_id: undone.merge_id,
        from_id: undone.from_id,
        into_id: undone.into_id,
        contact: one(&app, &caller.scope, &id).await?,
    }))
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Missing(what) => Problem::not_found(what),
        Error::Same => Problem::invalid("from", error.to_string()),
        Error::Merged { .. } | Error::NotMerged | Error::Undone | Error::RestsOn(_) => {
            Problem::conflict(error.to_string())
        }
        Error::Db(error) => error.into(),
    }
}

/// Who it is not.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ContactApartInput)]
#[serde(deny_unknown_fields)]
struct ApartIn {
    /// The other contact.
    other_id: String,
}

/// Says that two contacts are not the same person: it is never suggested again.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/not-the-same", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`")), request_body = ApartIn,
    responses((status = 200, body = ContactView)))]
async fn set_contacts_apart(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<ApartIn>,
) -> Result<Json<ContactView>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    let other = sight::find(app.db.read(), &caller.scope, &body.other_id).await?;
    if other.is_none() || body.other_id == id {
        return Err(Problem::invalid("other_id", "is no other contact"));
    }
    let mut write = app.db.write().await?;
    change::set_apart(
        &mut write,
        &id,
        &body.other_id,
        &caller.operator.id,
        app.clock.now(),
    )
    .await
    .map_err(change_problem)?;
    write.commit().await?;
    one(&app, &caller.scope, &id).await.map(Json)
}

/// An address by which somebody is recognised.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = IdentityInput)]
#[serde(deny_unknown_fields)]
struct IdentityIn {
    /// `email` or `phone`.
    kind: String,
    /// The address.
    value: String,
}

/// Adds an e-mail address or a phone, as a claim.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/identities", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`")), request_body = IdentityIn,
    responses((status = 200, body = ContactView)))]
async fn add_identity(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Json(body): Json<IdentityIn>,
) -> Result<Json<ContactView>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    let normal = match body.kind.as_str() {
        "email" => address::email(&body.value),
        "phone" => address::phone(&body.value),
        _ => return Err(Problem::invalid("kind", "must be email or phone")),
    };
    let value = normal.ok_or_else(|| Problem::invalid("value", format!("is no {}", body.kind)))?;
    let (kind, by) = (body.kind.as_str(), caller.operator.id.as_str());
    let mut write = app.db.write().await?;
    change::give_identity(&mut write, &id, (kind, &value), by, app.clock.now())
        .await
        .map_err(change_problem)?;
    write.commit().await?;
    one(&app, &caller.scope, &id).await.map(Json)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IdentityQuery {
    /// `email`, `phone`, `telegram`, `webchat` or `external`.
    kind: String,
    /// The address, as the contact shows it.
    value: String,
}

/// Takes an address away: whoever writes from it next is somebody new. Conversations stay.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}/identities", tag = "contacts",
    params(("id" = String, Path, description = "`cnt_…`"), IdentityQuery),
    responses((status = 200, body = ContactView)))]
async fn remove_identity(
    State(app): State<App>,
    May(caller, _): May<on::Contact, to::Edit>,
    Path(id): Path<String>,
    Query(query): Query<IdentityQuery>,
) -> Result<Json<ContactView>> {
    seen(&app, &caller.scope, Action::Edit, &id).await?;
    if query.value.contains('\0') || query.kind.contains('\0') {
        return Err(Problem::not_found("identity"));
    }
    let (kind, value, by) = (&query.kind, &query.value, &caller.operator.id);
    let mut write = app.db.write().await?;
    change::take_identity(&mut write, &id, (kind, value), by, app.clock.now())
        .await
        .map_err(|error| match error {
            change::ChangeError::Missing => Problem::not_found("identity"),
            other => change_problem(other),
        })?;
    write.commit().await?;
    one(&app, &caller.scope, &id).await.map(Json)
}
