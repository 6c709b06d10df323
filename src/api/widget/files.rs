//! Visitors' files, up and down.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Multipart, State, multipart::MultipartError},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use serde::Deserialize;

use super::{Chat, Shared, Visitor, bearer, spend};
use crate::{
    api::{
        extract::{Json, Path, Query},
        problem::{Problem, Result},
    },
    app::App,
    db::entity::attachment,
    storage,
    visitor::{files, store, view::VisitorFile},
};

pub(super) async fn upload(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Extension(chat): Extension<Chat>,
    Visitor(visitor): Visitor,
    form: std::result::Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response> {
    chat.spend(&app, &shared.uploads)?;
    spend(&app, &shared.visitor_uploads, &visitor)?;
    let mut form =
        form.map_err(|_| Problem::unsupported_media_type("send multipart/form-data with the part \"file\""))?;
    let limit = app.config.limits.upload_bytes();
    while let Some(mut part) = form.next_field().await.map_err(|error| broken(&error, limit))? {
        if part.name() != Some("file") {
            continue;
        }
        let name = part.file_name().unwrap_or_default().to_owned();
        let declared = part.content_type().map(str::to_owned);
        let mut data = BytesMut::new();
        while let Some(chunk) = part.chunk().await.map_err(|error| broken(&error, limit))? {
            if (data.len() + chunk.len()) as u64 > limit {
                return Err(too_large(limit));
            }
            data.extend_from_slice(&chunk);
        }
        let now = app.clock.now();
        let row = files::keep(
            &app.db,
            &app.storage,
            &visitor,
            &name,
            declared.as_deref(),
            data.freeze(),
            now,
        )
        .await?;
        let url = files::url(&app.vault, chat.key(), &row.id, now);
        let out = VisitorFile {
            id: row.id,
            name: row.name,
            content_type: row.content_type,
            size: row.size,
            url,
        };
        return Ok((StatusCode::CREATED, Json(out)).into_response());
    }
    Err(Problem::invalid(
        "file",
        "is required: a part of this name with a file",
    ))
}

fn broken(error: &MultipartError, limit: u64) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(limit);
    }
    Problem::bad_request("the multipart body cannot be read")
}

fn too_large(limit: u64) -> Problem {
    Problem::too_large(format!("a file may have at most {} MB", limit >> 20))
}

#[derive(Debug, Deserialize)]
pub(super) struct DownloadPath {
    id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct DownloadQuery {
    token: Option<String>,
}

/// Opens with a signed address, or with the visitor's token as a header or in the address.
pub(super) async fn download(
    State(app): State<App>,
    Extension(chat): Extension<Chat>,
    Path(DownloadPath { id }): Path<DownloadPath>,
    Query(query): Query<DownloadQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let signed = query
        .token
        .as_deref()
        .is_some_and(|token| files::opens(&app.vault, &id, token, app.clock.now()));
    let row = if signed {
        store::attachment(app.db.read(), &id).await?
    } else {
        let token = bearer(&headers)
            .or(query.token.as_deref())
            .filter(|token| !token.contains('.'));
        let token = token.ok_or_else(|| {
            Problem::unauthenticated_because("this address has run out; load the conversation again")
        })?;
        let visitor = chat.visitor(&app, token).await?;
        store::readable(app.db.read(), &visitor, &id).await?
    };
    let row = row.ok_or_else(|| Problem::not_found("attachment"))?;
    let data = match app.storage.get(&row.storage_key).await {
        Ok(data) => data,
        Err(storage::Error::Missing) => return Err(Problem::not_found("attachment")),
        Err(error) => return Err(Problem::from_cause(&error)),
    };
    Ok(file_response(&row, data))
}

/// Strangers' bytes on our address: only pictures are drawn, by what their bytes are; everything else is
/// saved, and nothing runs.
pub(crate) fn file_response(row: &attachment::Model, data: Bytes) -> Response {
    let picture = files::picture(&data);
    let kind = if picture.is_some() { "inline" } else { "attachment" };
    let name: String = url::form_urlencoded::byte_serialize(row.name.as_bytes()).collect();
    let plain: String = row
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let disposition = format!(
        "{kind}; filename=\"{plain}\"; filename*=UTF-8''{}",
        name.replace('+', "%20")
    );
    let mut response = Body::from(data).into_response();
    let headers = response.headers_mut();
    let content_type = picture.unwrap_or(row.content_type.as_str());
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400, immutable"),
    );
    response
}

impl From<files::Error> for Problem {
    fn from(error: files::Error) -> Self {
        match error {
            files::Error::Storage(error) => Self::from_cause(&error),
            files::Error::Db(error) => error.into(),
        }
    }
}
