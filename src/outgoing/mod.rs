//! The way out over HTTP: the one place of the server that makes a client.
//!
//! Two kinds of addresses are asked. Those that come from *outside* (an attachment of a customer's
//! message) never lead into private networks, but for those that the settings name. Those that an *admin*
//! typed are asked as they are, unless the settings guard them too. What a host's name means is looked up
//! here and judged before anything connects, so that a name cannot mean one thing to the guard and another
//! to the connection; redirects are never followed.

pub mod download;
mod fetch;
pub mod guard;
mod tell;

use std::{error::Error as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use switchboard_sdk::{Http, HttpError, HttpRequest, HttpResponse};

use self::guard::Guard;
pub use self::tell::Told;

/// How long a connection may take to stand.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// The way out. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outgoing {
    guard: Guard,
    admin: Client,
    outside: Client,
}

/// Whose address is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typed {
    ByAdmin,
    Outside,
}

impl Outgoing {
    /// Clients for both kinds of addresses.
    pub fn new(guard: Guard) -> Result<Self, reqwest::Error> {
        // Shared with the mail connector; whoever comes second finds it there.
        drop(rustls::crypto::ring::default_provider().install_default());
        Ok(Self {
            admin: client(guard.for_admin())?,
            outside: client(guard.clone())?,
            guard,
        })
    }

    /// Why an address that an admin types will not be asked, as far as that is known without a look-up.
    pub fn refusal(&self, url: &Url) -> Option<String> {
        let judged = self.guard.for_admin().judge(url);
        judged.err().map(|refusal| refusal.to_string())
    }

    /// Sends a request and waits for the head of its answer; reading its body counts toward `limit` too.
    async fn head(
        &self,
        typed: Typed,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<reqwest::Response, HttpError> {
        let (guard, client) = match typed {
            Typed::ByAdmin => (self.guard.for_admin(), &self.admin),
            Typed::Outside => (self.guard.clone(), &self.outside),
        };
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| HttpError::Forbidden("this is no web address".to_owned()))?;
        guard
            .judge(&url)
            .map_err(|refusal| HttpError::Forbidden(refusal.to_string()))?;
        let asking = client
            .request(parts.method, url)
            .headers(parts.headers)
            .body(body)
            .timeout(limit)
            .send();
        asking.await.map_err(failed)
    }

    async fn send(
        &self,
        typed: Typed,
        request: HttpRequest,
        limit: Duration,
        max_bytes: usize,
    ) -> Result<HttpResponse, HttpError> {
        let answer = self.head(typed, request, limit).await?;
        let mut made = http::Response::builder().status(answer.status());
        if let Some(headers) = made.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let mut whole = BytesMut::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| HttpError::Unknown(said(&error)))?;
            if whole.len() + chunk.len() > max_bytes {
                return Err(HttpError::Unknown(format!(
                    "the answer is larger than {max_bytes} bytes"
                )));
            }
            whole.extend_from_slice(&chunk);
        }
        made.body(whole.freeze())
            .map_err(|error| HttpError::Unknown(error.to_string()))
    }
}

#[async_trait]
impl Http for Outgoing {
    async fn ask(
        &self,
        request: http::Request<Bytes>,
        limit: Duration,
        max_bytes: usize,
    ) -> Result<HttpResponse, HttpError> {
        self.send(Typed::ByAdmin, request, limit, max_bytes).await
    }
}

fn client(guard: Guard) -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .pool_idle_timeout(IDLE)
        // A proxy would look names up by itself, past the guard.
        .no_proxy()
        .dns_resolver(Arc::new(Guarded(guard)))
        .user_agent(concat!("Switchboard/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Looks names up and leaves out what may not be asked.
struct Guarded(Guard);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let (mut allowed, mut refused) = (Vec::new(), None);
            for address in found {
                match guard.judge_ip(address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(refusal) => refused = Some(refusal),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(refusal)) => Err(Box::new(refusal) as Box<dyn std::error::Error + Send + Sync>),
                (true, None) => Err("the name has no address".into()),
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// What a failure means for whoever asked. Never with the address: it may hold secrets.
fn failed(error: reqwest::Error) -> HttpError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(refusal) = inner.downcast_ref::<guard::Refusal>() {
            return HttpError::Forbidden(refusal.to_string());
        }
        cause = inner.source();
    }
    let text = said(&error);
    if error.is_connect() || error.is_builder() {
        HttpError::NotSent(text)
    } else {
        HttpError::Unknown(text)
    }
}

/// The innermost cause: "connection refused" rather than "error sending request".
fn said(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut said = None;
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = Some(inner.to_string());
        cause = inner.source();
    }
    said.unwrap_or_else(|| "the request failed".to_owned())
}
