//! The API's document, generated from the handlers. What all of them have in common is added here, once.

use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    path::{Operation, PathItem},
    security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    tag::TagBuilder,
};

/// Sections of the document, in the order they are shown.
const TAGS: [(&str, &str); 34] = [
    ("setup", "The first start"),
    ("auth", "Signing in and out"),
    ("me", "The user who asks"),
    (
        "conversations",
        "Threads, their sessions and what is done with them",
    ),
    ("messages", "What was said"),
    ("attachments", "Files"),
    ("contacts", "People outside"),
    ("privacy", "What is known of a person, and its end"),
    ("companies", "Where they work"),
    ("custom fields", "Fields that admins define"),
    ("imports", "Files that are taken in"),
    ("reports", "Figures over a time"),
    ("leads", "Sales interests"),
    ("deals", "Sales in the making, and their pipelines"),
    ("tasks", "What operators have to do"),
    ("submissions", "Filled forms"),
    ("search", "Finding things"),
    ("realtime", "What happens, as it happens"),
    ("users", "People inside"),
    ("teams", "Groups of them"),
    ("roles", "What they may do"),
    ("lines", "Queues, their rules and hours"),
    ("wall", "What supervisors watch"),
    ("templates", "Texts that operators write again and again"),
    ("calls", "Telephone calls"),
    ("channels", "Configured connectors"),
    ("connectors", "Kinds of channels"),
    ("apikeys", "Keys for programs"),
    ("quarantine", "What could not be understood"),
    ("outbox", "Answers on their way out"),
    ("webhooks", "Programs elsewhere that are told of events"),
    ("crm", "The CRMs that leads are sent to"),
    ("commerce", "The 1Cs that send orders and counterparties"),
    ("health", "For machines that watch"),
];

/// Answers that many operations share: name, status, words.
const SHARED: [(&str, &str, &str); 8] = [
    ("BadRequest", "400", "The request cannot be read"),
    (
        "Unauthenticated",
        "401",
        "Nobody is signed in, or the key is not known",
    ),
    ("Forbidden", "403", "Signed in, but not allowed"),
    (
        "NotFound",
        "404",
        "There is no such thing, or the caller may not see it",
    ),
    (
        "Conflict",
        "409",
        "Not in the state this needs, or changed meanwhile",
    ),
    ("TooLarge", "413", "The body is too large"),
    (
        "UnsupportedMediaType",
        "415",
        "The body is of a type that is not read here",
    ),
    (
        "Invalid",
        "422",
        "Fields of the body do not fit; `errors` names them",
    ),
];

/// Completes what the handlers say.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Switchboard")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Omnichannel inbox and lead gateway. Ids are opaque; times are RFC 3339 in UTC; lists take `cursor` and `limit`; \
             every error is `application/problem+json`. The visitors' side and the providers' side are described in the manual.",
        ))
        .build();
    let tag = |(name, words): (&str, &str)| TagBuilder::new().name(name).description(Some(words)).build();
    document.tags = Some(TAGS.into_iter().map(tag).collect());
    let either = vec![
        SecurityRequirement::new("api_key", Vec::<String>::new()),
        SecurityRequirement::new("cookie", Vec::<String>::new()),
    ];
    document.security = Some(either);
    let components = document.components.get_or_insert_with(Components::new);
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some("An API key, `sb_…`".to_owned());
    components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description(
        super::auth::COOKIE,
        "The sign-in cookie; what changes something also needs the header X-CSRF-Token",
    );
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    for (name, _, words) in SHARED {
        let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(words)
            .content("application/problem+json", content)
            .build();
        components.responses.insert(name.to_owned(), response.into());
    }
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            share(path, operation);
        }
    }
    document
}

/// Adds the shared answers that fit an operation, unless it has words of its own for them.
fn share(path: &str, operation: &mut Operation) {
    let is_open = operation
        .security
        .as_ref()
        .is_some_and(|required| required.iter().all(|one| *one == SecurityRequirement::default()));
    let has_body = operation.request_body.is_some();
    let has_id = path.contains('{');
    let takes_query = operation.parameters.iter().flatten().count() > 0;
    for (name, status, _) in SHARED {
        let fits = match status {
            "400" => has_body || takes_query,
            "401" | "403" => !is_open,
            "404" => has_id,
            "413" | "415" | "422" => has_body,
            _ => false,
        };
        if fits && !operation.responses.responses.contains_key(status) {
            let response = RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.insert(status.to_owned(), response);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}
