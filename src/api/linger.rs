//! Refusals that are heard: a caller who is still sending when the connection closes never reads the answer.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use futures_util::StreamExt;
use http_body::{Frame, SizeHint};
use tokio::sync::oneshot;

/// How much of a body that nobody wants is read and thrown away, and for how long.
const MOST_BYTES: u64 = 256 << 20;
const MOST_TIME: Duration = Duration::from_secs(20);

/// Reads what a handler left of its request's body before the answer goes out.
pub async fn rests(request: Request, next: Next) -> Response {
    // Who asks before sending has sent nothing.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (back, mut left) = oneshot::channel();
    let request = request.map(|body| {
        Body::new(Lent {
            body: Some(body),
            back: Some(back),
        })
    });
    let response = next.run(request).await;
    // Nothing there: read to its end, or still being read by what the handler began.
    if let Ok(body) = left.try_recv() {
        drain(body).await;
    }
    response
}

async fn drain(body: Body) {
    let mut chunks = body.into_data_stream();
    let mut seen = 0_u64;
    let read = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            seen = seen.saturating_add(chunk.len() as u64);
            if seen > MOST_BYTES {
                break;
            }
        }
    };
    drop(tokio::time::timeout(MOST_TIME, read).await);
}

/// A body that goes back to its lender when its reader lets go of it before the end.
struct Lent {
    body: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Some(back)) = (unread, self.back.take()) {
            // Nobody waits any more when the request was given up.
            drop(back.send(body));
        }
    }
}
