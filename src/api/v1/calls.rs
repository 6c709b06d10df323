//! Telephone calls: the list, one call, its reports, dialling.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_sdk::SendError;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::visible;
use crate::{
    api::{
        Json, Path, Query,
        auth::{Caller, Staff, Supervisor},
        page::{Page, PageQuery},
        problem::{Problem, Result},
        right::{May, on, to},
    },
    app::App,
    call::{
        CallView, Setup,
        store::{self, Filter, Place},
        view, wishes,
    },
    db::entity::conversation,
    id, line,
    operator::rights::{Action, Object, Reach},
};

/// Longest `client_id` of a wish to call.
const MAX_WISH: usize = 100;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_calls, dial))
        .routes(routes!(list_phones))
        .routes(routes!(get_call))
        .routes(routes!(list_call_events))
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListQuery {
    /// `inbound`, `outbound` or `internal`.
    direction: Option<String>,
    /// `answered`, `missed`, `voicemail`, `busy`, `failed` or `canceled`.
    disposition: Option<String>,
    /// `ringing`, `answered` or `ended`.
    state: Option<String>,
    /// Who answered, or rang the client; `me` is the caller.
    operator: Option<String>,
    /// A line, by id or key.
    line: Option<String>,
    /// A channel.
    channel: Option<String>,
    /// A contact.
    contact: Option<String>,
    /// A conversation.
    conversation: Option<String>,
    /// Part of the client's number.
    number: Option<String>,
    /// The company's number.
    own_number: Option<String>,
    /// Begun at this moment or later.
    from: Option<DateTime<Utc>>,
    /// Begun before this moment.
    to: Option<DateTime<Utc>>,
}

/// The filter of a query; `None` when it names a line that does not exist, so nothing matches.
pub(super) async fn filter(app: &App, caller: &Caller, query: ListQuery) -> Result<Option<Filter>> {
    let words = [
        (
            "direction",
            &query.direction,
            &["inbound", "outbound", "internal"][..],
        ),
        (
            "disposition",
            &query.disposition,
            &["answered", "missed", "voicemail", "busy", "failed", "canceled"][..],
        ),
        ("state", &query.state, &["ringing", "answered", "ended"][..]),
    ];
    for (field, value, known) in words {
        if value.as_deref().is_some_and(|value| !known.contains(&value)) {
            return Err(Problem::invalid(field, format!("is one of {}", known.join(", "))));
        }
    }
    let line_id = match query.line {
        Some(word) => match line::store::find(app.db.read(), &word).await {
            Ok(row) => Some(row.id),
            Err(_) => return Ok(None),
        },
        None => None,
    };
    let me = |word: String| {
        if word == "me" {
            caller.operator.id.clone()
        } else {
            word
        }
    };
    Ok(Some(Filter {
        direction: query.direction,
        disposition: query.disposition,
        state: query.state,
        operator_id: query.operator.map(me),
        line_id,
        channel_id: query.channel,
        contact_id: query.contact,
        conversation_id: query.conversation,
        number: query.number,
        own_number: query.own_number,
        from: query.from,
        to: query.to,
    }))
}

/// Calls, newest first, as far as the caller sees them.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<CallView>)))]
async fn list_calls(
    State(app): State<App>,
    May(caller, _): May<on::Call, to::View>,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CallView>>> {
    let limit = page.limit()?;
    let after: Option<Place> = page.after()?;
    let Some(filter) = filter(&app, &caller, query).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let rows = store::list(app.db.read(), &caller.scope, &filter, after.as_ref(), limit).await?;
    let items = view::views(app.db.read(), rows).await?;
    Ok(Json(Page::of_rows(items, limit, place)))
}

fn place(call: &CallView) -> Place {
    Place {
        at: call.started_at,
        id: call.id.clone(),
    }
}

/// One call.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = String, Path, description = "`cal_…`")),
    responses((status = 200, body = CallView)))]
async fn get_call(
    State(app): State<App>,
    May(caller, _): May<on::Call, to::View>,
    Path(id): Path<String>,
) -> Result<Json<CallView>> {
    let row = store::find(app.db.read(), &caller.scope, &id).await?;
    let row = row.ok_or_else(|| Problem::not_found("call"))?;
    let mut views = view::views(app.db.read(), vec![row]).await?;
    views.pop().map(Json).ok_or_else(|| Problem::not_found("call"))
}

/// What was reported of a call, as the channel understood it.
#[derive(Debug, Serialize, ToSchema)]
struct CallEventView {
    /// `cle_…`
    id: String,
    /// The provider's id of the report.
    external_id: String,
    /// When it happened, by the provider's word.
    at: DateTime<Utc>,
    /// When it came.
    received_at: DateTime<Utc>,
    /// What it says. Addresses of recordings are left out: they may hold credentials.
    #[schema(value_type = Object)]
    event: Value,
}

/// Everything that was reported of a call, in the order it came. For supervisors.
#[utoipa::path(get, path = "/api/v1/calls/{id}/events", tag = "calls",
    params(("id" = String, Path, description = "`cal_…`")),
    responses((status = 200, body = Page<CallEventView>)))]
async fn list_call_events(
    State(app): State<App>,
    Supervisor(caller): Supervisor,
    Path(id): Path<String>,
) -> Result<Json<Page<CallEventView>>> {
    store::find(app.db.read(), &caller.scope, &id)
        .await?
        .ok_or_else(|| Problem::not_found("call"))?;
    let rows = store::events(app.db.read(), &id).await?;
    let items = rows.into_iter().map(|row| {
        let mut event = row.event;
        if let Some(recording) = event.get_mut("recording").and_then(Value::as_object_mut) {
            recording.remove("url");
        }
        CallEventView {
            id: row.id,
            external_id: row.external_id,
            at: row.at,
            received_at: row.received_at,
            event,
        }
    });
    Ok(Json(Page::whole(items.collect())))
}

/// A channel by which calls are made.
#[derive(Debug, Serialize, ToSchema)]
struct PhoneView {
    /// `chn_…`
    channel_id: String,
    /// Its name.
    name: String,
    /// The caller's own extension there.
    extension: Option<String>,
    /// Whether the telephone system can be asked to dial; else a `tel:` link has to do.
    dials: bool,
}

/// The telephone channels, and whether the caller can be rung by them.
#[utoipa::path(get, path = "/api/v1/calls/phones", tag = "calls", responses((status = 200, body = Page<PhoneView>)))]
async fn list_phones(State(app): State<App>, Staff(caller): Staff) -> Result<Json<Page<PhoneView>>> {
    let mut phones = Vec::new();
    if caller.scope.may(Object::Call, Action::Edit) == Reach::None {
        return Ok(Json(Page::whole(phones)));
    }
    for served in app.host.all() {
        let Some(telephony) = served.active().and_then(|connector| connector.telephony()) else {
            continue;
        };
        let setup = Setup::of_served(&served);
        let extension = setup.extension(&caller.operator.id).map(str::to_owned);
        phones.push(PhoneView {
            channel_id: served.channel.id.clone(),
            name: served.channel.name.clone(),
            dials: telephony.dials() && extension.is_some(),
            extension,
        });
    }
    phones.sort_by(|a, b| a.channel_id.cmp(&b.channel_id));
    Ok(Json(Page::whole(phones)))
}

/// Whom to ring.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CallIn)]
#[serde(deny_unknown_fields)]
struct CallIn {
    /// The client of this conversation.
    conversation_id: Option<String>,
    /// This number, in E.164.
    number: Option<String>,
    /// By this channel; that of the conversation, or the only one that can, when absent.
    channel_id: Option<String>,
    /// The same for each repeat of one wish: the telephone rings once.
    client_id: Option<String>,
}

/// That the telephone system was asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dialling)]
struct DialView {
    /// The number that is rung after the caller's own telephone.
    number: String,
    /// The caller's own telephone, which rings first.
    extension: String,
    /// By which channel.
    channel_id: String,
}

/// Rings the caller's own telephone first and then the client's. The call itself appears when the telephone system
/// reports it. 409 where the telephone system cannot be asked to dial, or the caller has no extension there.
#[utoipa::path(post, path = "/api/v1/calls", tag = "calls", request_body = CallIn,
    responses((status = 202, body = DialView)))]
async fn dial(
    State(app): State<App>,
    May(caller, _): May<on::Call, to::Edit>,
    Json(body): Json<CallIn>,
) -> Result<(StatusCode, Json<DialView>)> {
    if body
        .client_id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > MAX_WISH || id.contains('\0'))
    {
        return Err(Problem::invalid(
            "client_id",
            format!("has 1 to {MAX_WISH} characters"),
        ));
    }
    let (number, wanted) = whom(&app, &caller, &body).await?;
    let served = app.host.all().into_iter().find(|served| {
        let fits = wanted.as_ref().is_none_or(|id| *id == served.channel.id);
        fits && dials_for(served, &caller.operator.id)
    });
    let Some(served) = served else {
        return Err(Problem::conflict(
            "no telephone system can be asked to dial for you: none that dials knows an extension of yours",
        ));
    };
    let setup = Setup::of_served(&served);
    let (Some(connector), Some(extension)) = (served.active(), setup.extension(&caller.operator.id)) else {
        return Err(Problem::conflict("this channel is switched off"));
    };
    let wish = body.client_id.unwrap_or_else(id::word);
    let Some(telephony) = connector.telephony() else {
        return Err(Problem::conflict("this channel has no telephone"));
    };
    let me = &caller.operator.id;
    if wishes::note(&app.db, me, &wish, app.clock.now()).await? {
        let asked = telephony.dial(extension, &number, &format!("{me}:{wish}")).await;
        // Of one that may have rung nothing is known; the same click does not ring again.
        if matches!(asked, Err(SendError::Refused { .. } | SendError::Retry { .. })) {
            wishes::strike(&app.db, me, &wish).await?;
        }
        asked.map_err(not_dialled)?;
    }
    Ok((
        StatusCode::ACCEPTED,
        Json(DialView {
            number,
            extension: extension.to_owned(),
            channel_id: served.channel.id.clone(),
        }),
    ))
}

fn dials_for(served: &crate::connector::Served, operator_id: &str) -> bool {
    let telephony = served.active().and_then(|connector| connector.telephony());
    telephony.is_some_and(|telephony| {
        telephony.dials() && telephony.operators().values().any(|owner| owner == operator_id)
    })
}

/// The number, and the channel it has to be.
async fn whom(app: &App, caller: &Caller, body: &CallIn) -> Result<(String, Option<String>)> {
    match (&body.conversation_id, &body.number) {
        (Some(id), None) => {
            visible(app, &caller.scope, id).await?;
            let row = conversation::Entity::find_by_id(id).one(app.db.read()).await?;
            let row = row.ok_or_else(|| Problem::not_found("conversation"))?;
            let telephone = row.channel_kind == "voip";
            if !telephone || !is_number(&row.address) {
                return Err(Problem::invalid(
                    "conversation_id",
                    "is not a conversation by telephone; give the number",
                ));
            }
            let channel = body.channel_id.clone().unwrap_or(row.channel_id);
            Ok((row.address, Some(channel)))
        }
        (None, Some(number)) => {
            let plain: String = number
                .chars()
                .filter(|char| !matches!(char, ' ' | '(' | ')' | '-' | '.'))
                .collect();
            if !is_number(&plain) {
                return Err(Problem::invalid(
                    "number",
                    "is a telephone number in its international form: +998901234567",
                ));
            }
            Ok((plain, body.channel_id.clone()))
        }
        _ => Err(Problem::invalid(
            "number",
            "give either conversation_id or number",
        )),
    }
}

/// E.164: a plus and 7 to 15 digits.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn not_dialled(error: SendError) -> Problem {
    match error {
        SendError::Refused { reason } => Problem::conflict(reason),
        other => Problem::unavailable(format!("the telephone system could not be asked: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn only_international_numbers_are_dialled() {
        assert!(is_number("+998901234567"));
        for text in [
            "",
            "+",
            "112",
            "+12345",
            "+99890123456a",
            "998901234567",
            "+1234567890123456",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }
}
