//! Files of the staff: upload and download.

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use sea_orm::{EntityTrait, IntoActiveModel};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::conversations::visible;
use crate::{
    api::{
        Json, Path,
        auth::Staff,
        file,
        problem::{Problem, Result},
        right::need,
    },
    app::App,
    call::store as calls,
    conversation::view::AttachmentView,
    db::entity::{attachment, message},
    id::{self, Kind},
    ingest::{clean_content_type, clean_file_name},
    operator::rights::{Action, Object, Reach},
    storage,
};

/// Media types a browser may show in place; everything else is a download.
const INLINE: [&str; 10] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/mp4",
    "video/mp4",
    "text/plain",
];

/// What the owner of a call's files begins with.
const CALL_OWNER: &str = "call:";

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    // The limit is the server's setting, held while the body is read.
    OpenApiRouter::new()
        .routes(routes!(create_attachment))
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(get_attachment))
}

/// The form of an upload.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the multipart body in the OpenAPI document")]
struct UploadForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Keeps a file; its id goes into a message's `attachments`.
#[utoipa::path(post, path = "/api/v1/attachments", tag = "attachments",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = AttachmentView)))]
async fn create_attachment(
    State(app): State<App>,
    Staff(caller): Staff,
    multipart: std::result::Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<AttachmentView>)> {
    let multipart = multipart
        .map_err(|_| Problem::unsupported_media_type("send multipart/form-data with the part \"file\""))?;
    let file = read_upload(multipart, app.config.limits.upload_bytes()).await?;
    let view = keep(&app, file, format!("operator:{}", caller.operator.id)).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// A file as it came in a multipart body.
pub(crate) struct Upload {
    pub name: String,
    pub content_type: String,
    pub data: Bytes,
}

/// Reads the field `file` of a multipart body, at most `max` bytes.
pub(crate) async fn read_upload(mut multipart: Multipart, max: u64) -> Result<Upload> {
    let unreadable =
        |error: axum::extract::multipart::MultipartError| Problem::bad_request(error.body_text());
    while let Some(mut field) = multipart.next_field().await.map_err(unreadable)? {
        if field.name() != Some("file") {
            continue;
        }
        let name = clean_file_name(field.file_name().unwrap_or("file"));
        let declared = field.content_type().map(clean_content_type);
        let content_type = declared
            .filter(|kind| kind != "application/octet-stream")
            .unwrap_or_else(|| {
                mime_guess::from_path(&name)
                    .first_or_octet_stream()
                    .essence_str()
                    .to_owned()
            });
        let mut data = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
            if (data.len() + chunk.len()) as u64 > max {
                return Err(Problem::too_large(format!(
                    "a file may have {} MB",
                    max / 1_048_576
                )));
            }
            data.extend_from_slice(&chunk);
        }
        if data.is_empty() {
            return Err(Problem::invalid("file", "is empty"));
        }
        return Ok(Upload {
            name,
            content_type,
            data: data.into(),
        });
    }
    Err(Problem::invalid(
        "file",
        "is required: a multipart field with the file",
    ))
}

/// Stores an upload that belongs to no message yet.
pub(crate) async fn keep(app: &App, upload: Upload, owner: String) -> Result<AttachmentView> {
    let now = app.clock.now();
    let id = id::new(Kind::Attachment, now);
    let storage_key = storage::key(&id);
    let size = i64::try_from(upload.data.len()).unwrap_or(i64::MAX);
    app.storage
        .put(&storage_key, upload.data)
        .await
        .map_err(|error| Problem::from_cause(&error))?;
    let row = attachment::Model {
        id,
        message_id: None,
        owner,
        position: 0,
        name: upload.name,
        content_type: upload.content_type,
        size,
        storage_key,
        content_id: None,
        created_at: now,
        replaced: false,
    };
    let write = app.db.write().await?;
    attachment::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(write.tx())
        .await?;
    write.commit().await?;
    Ok(row.into())
}

/// A file of a message the caller sees, or one of the caller's own uploads.
#[utoipa::path(get, path = "/api/v1/attachments/{id}", tag = "attachments",
    params(("id" = String, Path, description = "`att_…`")),
    responses((status = 200, description = "the file", content_type = "application/octet-stream")))]
async fn get_attachment(
    State(app): State<App>,
    Staff(caller): Staff,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let missing = || Problem::not_found("attachment");
    let row = attachment::Entity::find_by_id(&id)
        .one(app.db.read())
        .await?
        .ok_or_else(missing)?;
    // A recording is heard by who sees its call, and by those of its conversation whose role goes beyond themselves.
    if let Some(call_id) = row.owner.strip_prefix(CALL_OWNER) {
        need(&caller.scope, Object::Call, Action::View)?;
        let heard = calls::find(app.db.read(), &caller.scope, call_id)
            .await?
            .is_some();
        if heard {
            return file_response(&app, &row, &headers).await;
        }
        if caller.scope.may(Object::Call, Action::View) < Reach::Lines {
            return Err(missing());
        }
    }
    match &row.message_id {
        Some(message_id) => {
            let message = message::Entity::find_by_id(message_id)
                .one(app.db.read())
                .await?
                .ok_or_else(missing)?;
            visible(&app, &caller.scope, &message.conversation_id)
                .await
                .map_err(|_| missing())?;
        }
        None if row.owner == format!("operator:{}", caller.operator.id) => {}
        None if caller.scope.supervises() => {}
        None => return Err(missing()),
    }
    file_response(&app, &row, &headers).await
}

/// Sends a file so that a browser cannot be made to run it.
pub(crate) async fn file_response(
    app: &App,
    row: &attachment::Model,
    asking: &HeaderMap,
) -> Result<Response> {
    let inline = INLINE.contains(&row.content_type.as_str());
    let disposition = disposition(inline, &row.name);
    let mut response = file::asked(&app.storage, &row.storage_key, "file", asking).await?;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(&row.content_type);
    headers.insert(
        header::CONTENT_TYPE,
        kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400, immutable"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    Ok(response)
}

/// `Content-Disposition` of RFC 6266, with the name in both forms.
fn disposition(inline: bool, name: &str) -> String {
    use std::fmt::Write;
    let plain: String = name
        .chars()
        .map(|char| {
            if char.is_ascii_graphic() && !"\"\\;%".contains(char) || char == ' ' {
                char
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    let kind = if inline { "inline" } else { "attachment" };
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_file_name_survives_in_both_forms_and_breaks_no_header() {
        assert_eq!(
            disposition(false, "отчёт \"1\".pdf"),
            "attachment; filename=\"_____ _1_.pdf\"; filename*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82%20%221%22.pdf"
        );
    }
}
