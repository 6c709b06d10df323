//! The operators' socket from outside.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// An open socket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(base: &str, key: &str, since: Option<i64>) -> Self {
        let since = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let url = format!("{}/api/v1/realtime{since}", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {key}").parse().unwrap());
        Self(connect_async(request).await.unwrap().0)
    }

    /// A socket at any URL, without headers.
    pub async fn at(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    /// The next frame of JSON; `None` when the other side closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.0.next())
                .await
                .expect("a frame in time")?;
            match message {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame that fits.
    pub async fn until(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("the socket stays open");
            if fits(&frame) {
                return frame;
            }
        }
    }

    pub async fn say(&mut self, frame: Value) {
        self.0
            .send(Message::Text(frame.to_string().into()))
            .await
            .unwrap();
    }
}
