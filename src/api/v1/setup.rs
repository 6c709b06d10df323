//! The first start: the page behind the one-time link makes everything a first conversation needs.

use axum::{extract::State, http::StatusCode};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    auth::sign_in_cookie,
    channels::{channel_problem, descriptor_of, try_build},
};
use crate::{
    api::{Json, Query, problem::Problem},
    app::App,
    auth::{password, session, setup},
    channel::{self, NewChannel, view::Channel},
    line,
    operator::{
        rights::Role,
        store::NewOperator,
        view::{self as user_view, User},
    },
};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_setup, create_setup))
}

/// The token of the link.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SetupQuery {
    /// From the printed link.
    pub token: Option<String>,
}

/// Whether the set-up page has something to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetupState {
    /// Nobody exists yet.
    pub needed: bool,
    /// The token given is that of the newest link.
    pub token_valid: bool,
}

/// The first admin and the first line.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SetupIn {
    /// From the printed link.
    pub token: String,
    /// Who is made.
    pub admin: FirstAdmin,
    /// What the first line is called.
    #[serde(default = "first_line_name")]
    #[schema(default = "Support")]
    pub line_name: String,
    /// The site that may show the chat and post the form: `https://shop.example`, or `*` for any.
    pub site_origin: Option<String>,
}

/// The first admin.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FirstAdmin {
    /// Signs in with it.
    pub email: String,
    /// Shown to customers.
    pub name: String,
    /// Eight characters or more.
    #[schema(format = Password, min_length = 8)]
    pub password: String,
}

/// Everything that was made; the answer also signs the admin in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetupDone {
    /// The admin.
    pub user: User,
    /// For the header X-CSRF-Token.
    pub csrf_token: String,
    /// The first line, with the admin in its queue.
    pub line: line::view::Line,
    /// The chat.
    pub webchat: Channel,
    /// The form.
    pub webform: Channel,
    /// What to put into the pages of the site.
    pub snippet: String,
    /// A page with the chat on it.
    pub demo_url: String,
    /// The form's own page.
    pub form_url: String,
}

fn first_line_name() -> String {
    "Support".to_owned()
}

/// Tells whether the set-up is still to be done, and whether this link may do it.
#[utoipa::path(get, path = "/api/v1/setup", tag = "setup", operation_id = "get_setup", security(()),
    params(SetupQuery), responses((status = 200, body = SetupState)))]
async fn get_setup(
    State(app): State<App>,
    Query(query): Query<SetupQuery>,
) -> Result<Json<SetupState>, Problem> {
    let needed = setup::is_needed(app.db.read()).await?;
    let token_valid = match &query.token {
        Some(token) => setup::is_valid(app.db.read(), token).await?,
        None => false,
    };
    Ok(Json(SetupState { needed, token_valid }))
}

/// Makes the first admin, a line, a chat and a form, and signs the admin in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "setup", operation_id = "create_setup", security(()),
    request_body = SetupIn,
    responses(
        (status = 201, body = SetupDone),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The link is used up or an old one"),
    ))]
async fn create_setup(
    State(app): State<App>,
    jar: CookieJar,
    Json(input): Json<SetupIn>,
) -> Result<(StatusCode, CookieJar, Json<SetupDone>), Problem> {
    if let Some(message) = password::refusal(&input.admin.password) {
        return Err(Problem::invalid("admin.password", message));
    }
    if !setup::is_valid(app.db.read(), &input.token).await? {
        return Err(link_refused());
    }
    let origin = input
        .site_origin
        .as_deref()
        .map(str::trim)
        .filter(|origin| !origin.is_empty())
        .unwrap_or("*");
    let hash = app
        .passwords
        .hash(&input.admin.password)
        .await
        .map_err(|error| Problem::from_cause(&error))?;
    let now = app.clock.now();

    let mut write = app.db.write().await?;
    if !setup::consume(&write, &input.token).await? {
        return Err(link_refused());
    }
    let admin = NewOperator {
        email: Some(input.admin.email),
        name: input.admin.name,
        role: Some(Role::Admin),
        role_id: None,
        password_hash: Some(hash),
        languages: Vec::new(),
        skills: Vec::new(),
        capacity: None,
        service: false,
    };
    let admin = crate::operator::store::create(&mut write, admin, now)
        .await
        .map_err(|error| under("admin", error.into()))?;
    let change = line::store::Change {
        name: Some(input.line_name),
        queue: Some(vec![line::queue::Entry::Operator {
            operator_id: admin.id.clone(),
        }]),
        ..Default::default()
    };
    let line = line::store::create(&mut write, change, Some(&admin.id), now)
        .await
        .map_err(line_problem)?;

    let mut made = Vec::new();
    for (kind, name, settings) in [
        (
            "webchat",
            "Chat on the site",
            json!({"allowed_origins": [origin]}),
        ),
        ("webform", "Contact form", form_settings(origin)),
    ] {
        let descriptor = descriptor_of(&app, kind)?;
        let new = NewChannel {
            key: None,
            line_id: line.id.clone(),
            name: name.to_owned(),
            enabled: true,
            settings,
        };
        let build = try_build(&app);
        let row = channel::create(&mut write, &app.vault, descriptor, &build, new, now).await;
        made.push(row.map_err(|error| origin_problem(channel_problem(error)))?);
    }
    let new_session = session::create(&write, &admin.id, now).await?;
    write.commit().await?;

    for row in &made {
        app.host.reload(&row.id).await?;
    }
    let [webchat, webform] = made.as_slice() else {
        return Err(Problem::internal());
    };
    let snippet = format!(
        "<script src=\"{}/widget/v1.js\" data-channel=\"{}\" async></script>",
        app.config.server.public_url, webchat.key
    );
    let done = SetupDone {
        user: user_view::view(app.db.read(), admin, &app.counting.get(), now).await?,
        csrf_token: new_session.csrf_token.clone(),
        line: line::view::view(app.db.read(), line, now).await?,
        snippet,
        demo_url: format!("/demo/{}", webchat.key),
        form_url: format!("/f/{}", webform.key),
        webchat: Channel::at(webchat.clone(), now),
        webform: Channel::at(webform.clone(), now),
    };
    let jar = jar.add(sign_in_cookie(&app, &new_session.token)?);
    Ok((StatusCode::CREATED, jar, Json(done)))
}

/// The four fields most sites ask for; an admin changes them in the form's settings.
fn form_settings(origin: &str) -> serde_json::Value {
    json!({
        "title": "Contact us",
        "fields": [
            {"name": "name", "label": "Your name", "type": "text", "required": true, "maps_to": "contact.name"},
            {"name": "phone", "label": "Phone", "type": "phone", "required": false, "maps_to": "contact.phone"},
            {"name": "email", "label": "E-mail", "type": "email", "required": false, "maps_to": "contact.email"},
            {"name": "comment", "label": "How can we help?", "type": "textarea", "required": false, "maps_to": "lead.comment"}
        ],
        "allowed_origins": [origin]
    })
}

fn link_refused() -> Problem {
    Problem::forbidden(
        "this set-up link does not work any more: somebody exists already, or the server was restarted and printed a new one",
    )
}

/// The page's field for the line's name.
fn line_problem(error: line::Error) -> Problem {
    let problem = Problem::from(error);
    match problem.errors.first() {
        Some(error) if error.field == "name" => Problem::invalid("line_name", error.message.clone()),
        _ => problem,
    }
}

/// The one setting of the channels that the page asked for.
fn origin_problem(problem: Problem) -> Problem {
    match problem.errors.first() {
        Some(error) if error.field.contains("allowed_origins") => {
            Problem::invalid("site_origin", error.message.clone())
        }
        _ => problem,
    }
}

/// The problem of a part of the body, its fields named from the top.
fn under(part: &str, problem: Problem) -> Problem {
    if problem.errors.is_empty() {
        return problem;
    }
    let fields = problem
        .errors
        .into_iter()
        .map(|error| (format!("{part}.{}", error.field), error.message));
    Problem::validation(fields.collect())
}
