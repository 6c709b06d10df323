//! Version 1 of the API, one file a resource. Changes within it only add.

pub mod apikeys;
pub mod attachments;
pub mod audit;
pub mod auth;
pub mod calls;
pub mod channel_addresses;
pub mod channel_backfill;
pub mod channel_pushes;
pub mod channel_sign_in;
pub mod channels;
pub mod commerce;
pub mod companies;
pub mod company_duplicates;
pub mod connectors;
pub mod consents;
pub mod contact_merges;
pub mod contacts;
pub mod conversation_actions;
pub mod conversations;
pub mod counting;
pub mod crm;
pub mod custom_fields;
pub mod deals;
pub mod erasures;
pub mod exports;
pub mod form_notifications;
pub mod form_previews;
pub mod form_usage;
pub mod funnels;
pub mod imports;
pub mod lead_conversion;
pub mod lead_previews;
pub mod leads;
pub mod line_checks;
pub mod line_retention;
pub mod lines;
pub mod me;
pub mod message_changes;
pub mod messages;
pub mod offers;
pub mod outbox;
mod period;
pub mod person_exports;
pub mod pipelines;
pub mod presence;
pub mod quarantine;
pub mod rearrange;
pub mod reports;
pub mod responses;
pub mod roles;
pub mod routing;
pub mod schedules;
pub mod search;
pub mod setup;
pub mod simulate;
pub mod submissions;
pub mod tasks;
pub mod teams;
pub mod templates;
pub mod timelines;
pub mod transcripts;
pub mod users;
pub mod visitors;
pub mod wall;
pub mod webhooks;
pub mod writing;

use utoipa_axum::router::OpenApiRouter;

use crate::{api::realtime, app::App};

/// All resources.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(setup::router())
        .merge(auth::router())
        .merge(me::router())
        .merge(apikeys::router())
        .merge(channels::router())
        .merge(channel_addresses::router())
        .merge(channel_backfill::router())
        .merge(channel_pushes::router())
        .merge(channel_sign_in::router())
        .merge(connectors::router())
        .merge(visitors::router())
        .merge(offers::router())
        .merge(outbox::router())
        .merge(quarantine::router())
        .merge(realtime::router())
        .merge(submissions::router())
        .merge(search::router())
        .merge(messages::router())
        .merge(message_changes::router())
        .merge(leads::router())
        .merge(conversations::router())
        .merge(contacts::router())
        .merge(contact_merges::router())
        .merge(companies::router())
        .merge(company_duplicates::router())
        .merge(custom_fields::router())
        .merge(attachments::router())
        .merge(calls::router())
        .merge(users::router())
        .merge(teams::router())
        .merge(roles::router())
        .merge(routing::router())
        .merge(counting::router())
        .merge(presence::router())
        .merge(schedules::router())
        .merge(lines::router())
        .merge(line_checks::router())
        .merge(wall::router())
        .merge(webhooks::router())
        .merge(crm::router())
        .merge(commerce::router())
        .merge(simulate::router())
        .merge(conversation_actions::router())
        .merge(templates::router())
        .merge(transcripts::router())
        .merge(writing::router())
        .merge(rearrange::router())
        .merge(form_previews::router())
        .merge(form_usage::router())
        .merge(lead_previews::router())
        .merge(form_notifications::router())
        .merge(reports::router())
        .merge(pipelines::router())
        .merge(deals::router())
        .merge(tasks::router())
        .merge(timelines::router())
        .merge(lead_conversion::router())
        .merge(funnels::router())
        .merge(responses::router())
        .merge(imports::router())
        .merge(exports::router())
        .merge(erasures::router())
        .merge(audit::router())
        .merge(consents::router())
        .merge(line_retention::router())
        .merge(person_exports::router())
}
