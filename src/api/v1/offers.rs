//! What the caller is asked to take: `GET /api/v1/offers`. They answer with `accept` and `decline` of the
//! conversation.

use std::collections::HashMap;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{Json, auth::Staff, problem::Result},
    app::App,
    conversation::{
        offer::{self, OfferView},
        view::ConversationView,
    },
    operator::rights::{Action, Object, Reach},
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_offers))
}

/// An offer with what it is about.
#[derive(Serialize, ToSchema)]
struct StandingOffer {
    #[serde(flatten)]
    offer: OfferView,
    /// The conversation.
    conversation: ConversationView,
}

/// Open offers to the caller.
#[derive(Serialize, ToSchema)]
struct Offers {
    /// The oldest first. As many as the caller has room for, and those made to all.
    items: Vec<StandingOffer>,
}

/// What the caller is asked to take now.
#[utoipa::path(get, path = "/api/v1/offers", tag = "conversations", operation_id = "list_offers",
    responses((status = 200, body = Offers)))]
async fn list_offers(State(app): State<App>, Staff(caller): Staff) -> Result<Json<Offers>> {
    if caller.scope.may(Object::Conversation, Action::View) == Reach::None {
        return Ok(Json(Offers { items: Vec::new() }));
    }
    let me = caller.operator.id.as_str();
    let mut offers = offer::of_operators(app.db.read(), [me]).await?;
    let now = app.clock.now();
    offers.retain(|offer| offer.expires_at > now);
    let ids: Vec<String> = offers.iter().map(|offer| offer.conversation_id.clone()).collect();
    let conversations = app.views.conversations(app.db.read(), &ids).await?;
    let mut conversations: HashMap<String, ConversationView> = conversations
        .into_iter()
        .map(|view| (view.id.clone(), view))
        .collect();
    let items = offers
        .into_iter()
        .filter_map(|offer| {
            let conversation = conversations.remove(&offer.conversation_id)?;
            Some(StandingOffer {
                offer: offer.into(),
                conversation,
            })
        })
        .collect();
    Ok(Json(Offers { items }))
}
