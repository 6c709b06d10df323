//! Which operations of the API are told, and as what. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditAction)]
pub enum Action {
    /// Opened a card; told once an hour.
    Seen,
    /// Made, changed or removed something.
    Changed,
    /// Took data out.
    Exported,
    /// Had a person erased.
    Erased,
    /// Signed in.
    SignedIn,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Changed,
        Self::Exported,
        Self::Erased,
        Self::SignedIn,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Changed => "changed",
            Self::Exported => "exported",
            Self::Erased => "erased",
            Self::SignedIn => "signed_in",
        }
    }

    /// The action of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// An operation that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// As what.
    pub action: Action,
    /// The kind of object, as the path names it (`contacts`).
    pub object: String,
    /// The object.
    pub object_id: Option<String>,
    /// The operation: `PATCH /contacts/{id}`.
    pub operation: String,
}

/// Cards whose opening is told.
const CARDS: [&str; 7] = [
    "contacts",
    "companies",
    "leads",
    "deals",
    "conversations",
    "calls",
    "submissions",
];
/// What happens all the time and is no change of anything, or is kept elsewhere with its author: heartbeats, reading,
/// typing, messages, files that are about to be sent, looking before saving.
const PASSED_OVER: [&str; 12] = [
    "/me/presence",
    "/auth/logout",
    "/attachments",
    "/read",
    "/typing",
    "/messages",
    "/preview",
    "/previews",
    "/check",
    "/opening",
    "/retention",
    "/simulations",
];

/// What an operation is told as; none when it is not. `template` is the path as the router knows it
/// (`/api/v1/contacts/{id}`), `path` as it was asked.
pub fn judge(method: &str, template: &str, path: &str) -> Option<Judged> {
    let template = template.strip_prefix("/api/v1")?;
    let path = path.strip_prefix("/api/v1")?;
    let object = template.split('/').nth(1)?.to_owned();
    let object_id = template
        .split('/')
        .zip(path.split('/'))
        .find(|(part, _)| part.starts_with('{'))
        .map(|(_, value)| value.chars().take(100).collect::<String>());
    let operation = format!("{method} {template}");
    let is_card = template.split('/').count() == 3 && object_id.is_some();
    let takes_out = template.ends_with("/export") || template.ends_with("/exports/{export_id}/file");
    let action = match method {
        "POST" if template == "/auth/login" => Action::SignedIn,
        "GET" | "POST" if takes_out => Action::Exported,
        "GET" if is_card && CARDS.contains(&object.as_str()) => Action::Seen,
        "GET" | "HEAD" | "OPTIONS" => return None,
        "DELETE" if template == "/contacts/{id}" => Action::Erased,
        _ if PASSED_OVER.iter().any(|end| template.ends_with(end)) => return None,
        _ => Action::Changed,
    };
    Some(Judged {
        action,
        object,
        object_id,
        operation,
    })
}

#[cfg(test)]
mod tests {
    use super::{Action, judge};

    #[test]
    fn cards_changes_and_files_are_told_and_the_rest_is_not() {
        for (method, template, action) in [
            ("GET", "/api/v1/contacts/{id}", Some(Action::Seen)),
            ("GET", "/api/v1/contacts", None),
            ("GET", "/api/v1/lines/{id}", None),
            ("GET", "/api/v1/contacts/{id}/leads", None),
            ("PATCH", "/api/v1/lines/{id}", Some(Action::Changed)),
            ("POST", "/api/v1/conversations/{id}/close", Some(Action::Changed)),
            ("POST", "/api/v1/conversations/{id}/messages", None),
            ("PUT", "/api/v1/me/presence", None),
            ("GET", "/api/v1/leads/export", Some(Action::Exported)),
            ("POST", "/api/v1/contacts/{id}/export", Some(Action::Exported)),
            (
                "GET",
                "/api/v1/contacts/{id}/exports/{export_id}/file",
                Some(Action::Exported),
            ),
            ("DELETE", "/api/v1/contacts/{id}", Some(Action::Erased)),
            ("POST", "/api/v1/auth/login", Some(Action::SignedIn)),
            ("POST", "/f/{key}", None),
        ] {
            let judged = judge(method, template, &template.replace("{id}", "cnt_1"));
            assert_eq!(judged.map(|judged| judged.action), action, "{method} {template}");
        }
    }

    #[test]
    fn the_object_is_the_one_of_the_path() {
        let judged = judge("PATCH", "/api/v1/contacts/{id}", "/api/v1/contacts/cnt_1").unwrap();
        assert_eq!(judged.object_id.as_deref(), Some("cnt_1"));
        assert_eq!(
            (judged.object.as_str(), judged.operation.as_str()),
            ("contacts", "PATCH /contacts/{id}")
        );
    }
}
