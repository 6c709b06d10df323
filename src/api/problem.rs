//! Every error of the API: RFC 9457 problem+json with a stable `type`.
//!
//! Concepts have errors of their own and know nothing of this; handlers turn them into one of these.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sea_orm::DbErr;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    db, line,
    operator::{
        self,
        rights::{Action, Object},
    },
};

/// An error as the caller gets it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is; stable.
    #[schema(example = "/problems/not-found")]
    pub r#type: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What happened here and what to do about it.
    pub detail: String,
    /// The kind as a word, where programs have to tell it apart from others of the same status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "no_right")]
    pub code: Option<&'static str>,
    /// The right that is missing, when one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<MissingRight>,
    /// The fields that are wrong, when it is about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds after which a repeat may work; sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after_secs: Option<u64>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Its dotted path in the body.
    #[schema(example = "settings.imap.host")]
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// A right that the caller's role does not give, or not as far as here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct MissingRight {
    /// On what.
    pub object: Object,
    /// To do what.
    pub action: Action,
}

/// What a handler answers when it fails.
pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            r#type: kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code: None,
            right: None,
            errors: Vec::new(),
            retry_after_secs: None,
        }
    }

    /// 400: the request itself cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "/problems/bad-request",
            "Bad request",
            detail,
        )
    }

    /// 401: nobody is signed in, or the key is not known.
    pub fn unauthenticated() -> Self {
        Self::unauthenticated_because("sign in, or send an API key as `Authorization: Bearer sb_…`")
    }

    /// 401 with its reason.
    pub fn unauthenticated_because(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "/problems/unauthenticated",
            "Not signed in",
            detail,
        )
    }

    /// 403: signed in, but not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "/problems/forbidden",
            "Not allowed",
            detail,
        )
    }

    /// 403: the caller's role does not give this right, or not as far as this object.
    pub fn no_right(object: Object, action: Action) -> Self {
        let detail = format!(
            "your role does not let you {} this {}; an admin changes that under Roles",
            action.as_str(),
            object.as_str()
        );
        let problem = Self::new(StatusCode::FORBIDDEN, "/problems/no-right", "No right", detail);
        Self {
            code: Some("no_right"),
            right: Some(MissingRight { object, action }),
            ..problem
        }
    }

    /// 404: there is no such thing, or the caller may not know of it. `what` is a noun ("conversation").
    pub fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}, or you may not see it");
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", "Not found", detail)
    }

    /// The same about something that hangs on the object: what is out of sight is missing itself.
    #[must_use]
    pub fn about(self, what: &str) -> Self {
        if self.status_code() == StatusCode::NOT_FOUND {
            Self::not_found(what)
        } else {
            self
        }
    }

    /// 404 for a path nobody serves.
    pub fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "/problems/not-found",
            "Not found",
            "nothing is served at this path",
        )
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let detail = "this path does not take this method; the header Allow names those it takes";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "/problems/method-not-allowed",
            "Method not allowed",
            detail,
        )
    }

    /// 409: the thing is not in the state this needs, or was changed meanwhile.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "/problems/conflict", "Conflict", detail)
    }

    /// 409: the operator has as much as they can hold.
    pub fn at_capacity() -> Self {
        let detail = "this would put the operator above their capacity; a supervisor may force it";
        Self::new(
            StatusCode::CONFLICT,
            "/problems/at-capacity",
            "At capacity",
            detail,
        )
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "/problems/too-large",
            "Too large",
            detail,
        )
    }

    /// 415.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        let kind = "/problems/unsupported-media-type";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            kind,
            "Unsupported media type",
            detail,
        )
    }

    /// 422: the body was read, but these fields do not fit. Each is a path and a message.
    pub fn validation<F: Into<String>, M: Into<String>>(errors: Vec<(F, M)>) -> Self {
        let errors: Vec<FieldError> = errors
            .into_iter()
            .map(|(field, message)| FieldError {
                field: field.into(),
                message: message.into(),
            })
            .collect();
        let detail = match errors.as_slice() {
            [one] if one.field.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.field, one.message),
            many => format!("{} fields are not right", many.len()),
        };
        let problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "/problems/validation",
            "Invalid input",
            detail,
        );
        Self { errors, ..problem }
    }

    /// 422 about one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![(field.into(), message.into())])
    }

    /// 429.
    pub fn rate_limited(retry_after_secs: u64) -> Self {
        let detail = format!("too many requests; try again in {retry_after_secs} s");
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "/problems/rate-limited",
            "Too many requests",
            detail,
        );
        Self {
            retry_after_secs: Some(retry_after_secs),
            ..problem
        }
    }

    /// 500: our fault. The cause goes to the log, not to the caller.
    pub fn internal() -> Self {
        let detail = "something went wrong on our side; the server's log has the cause under this request's x-request-id";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "/problems/internal",
            "Internal error",
            detail,
        )
    }

    /// 503: not now; trying again later may work.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "/problems/unavailable",
            "Temporarily unavailable",
            detail,
        );
        Self {
            retry_after_secs: Some(5),
            ..problem
        }
    }

    /// 503: the request took too long; whether it took effect is unknown.
    pub fn timed_out() -> Self {
        let detail = "the request took too long; look before you repeat it";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "/problems/timeout",
            "Timed out",
            detail,
        )
    }

    /// Logs the cause of an [`Problem::internal`] and answers it.
    pub fn from_cause(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "a request failed");
        Self::internal()
    }

    /// A status that a library answered without saying more.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::no_such_path(),
            StatusCode::METHOD_NOT_ALLOWED => Self::method_not_allowed(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large("the body is larger than this path takes"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::unsupported_media_type("this path does not read bodies of this content type")
            }
            StatusCode::UNAUTHORIZED => Self::unauthenticated(),
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Self::timed_out(),
            status if status.is_server_error() => Self {
                status: status.as_u16(),
                ..Self::internal()
            },
            status => Self {
                status: status.as_u16(),
                ..Self::bad_request("the request cannot be read")
            },
        }
    }

    /// The status as a type.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status_code();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after_secs {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        if db::is_conflict(&error) {
            tracing::info!(%error, "a write met another one");
            return Self::conflict("somebody else changed this at the same moment; look again and repeat");
        }
        if let DbErr::ConnectionAcquire(_) = error {
            tracing::error!(%error, "the database has no free connection");
            return Self::unavailable("the database is busy");
        }
        Self::from_cause(&error)
    }
}

impl From<operator::Error> for Problem {
    fn from(error: operator::Error) -> Self {
        match error {
            operator::Error::NotFound => Self::not_found("user or team"),
            operator::Error::Stale => Self::conflict("it was changed meanwhile; look again and repeat"),
            operator::Error::LastAdmin | operator::Error::BuiltIn | operator::Error::RoleInUse(_) => {
                Self::conflict(error.to_string())
            }
            operator::Error::Invalid(errors) => Self::validation(errors),
            operator::Error::Db(error) => error.into(),
        }
    }
}

impl From<line::Error> for Problem {
    fn from(error: line::Error) -> Self {
        match error {
            line::Error::NotFound => Self::not_found("line"),
            line::Error::Stale => Self::conflict("the line was changed meanwhile; look again and repeat"),
            line::Error::Invalid(errors) => Self::validation(errors),
            line::Error::Db(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn one_wrong_field_is_named_in_the_detail() {
        let problem = Problem::invalid("settings.imap.host", "must not be empty");
        assert_eq!(problem.detail, "settings.imap.host: must not be empty");
        assert_eq!((problem.status, problem.errors.len()), (422, 1));
    }
}
