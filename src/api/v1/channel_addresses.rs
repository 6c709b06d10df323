//! What an admin enters at a provider: the addresses of a channel.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        Json, Path,
        auth::Admin,
        page::Page,
        problem::{Problem, Result},
    },
    app::App,
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_channel_addresses))
}

/// An address to enter at the provider.
#[derive(Debug, Serialize, ToSchema)]
struct HookAddressView {
    /// Where it goes there, in the provider's words.
    label: String,
    /// The method to choose there.
    method: String,
    /// The address.
    url: String,
}

/// The addresses of a telephone channel to enter at its provider; none for other channels.
#[utoipa::path(get, path = "/api/v1/channels/{id}/addresses", tag = "channels",
    params(("id" = String, Path, description = "`chn_…`")),
    responses((status = 200, body = Page<HookAddressView>)))]
async fn list_channel_addresses(
    State(app): State<App>,
    Admin(_caller): Admin,
    Path(id): Path<String>,
) -> Result<Json<Page<HookAddressView>>> {
    let served = app
        .host
        .served(&id)
        .ok_or_else(|| Problem::not_found("channel"))?;
    let connector = served.connector.as_ref().ok();
    let telephony = connector.and_then(|connector| connector.telephony());
    let addresses = telephony
        .map(|telephony| telephony.addresses())
        .unwrap_or_default();
    let items = addresses.into_iter().map(|address| HookAddressView {
        label: address.label,
        method: address.method,
        url: address.url,
    });
    Ok(Json(Page::whole(items.collect())))
}
