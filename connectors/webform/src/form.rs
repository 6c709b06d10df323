//! One form: its settings, where it lives, and its two faces to the server.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{Method, header};
use sha2::{Digest, Sha256};
use switchboard_sdk::{
    Batch, BuildContext, Fault, HostedPage, InboundBody, Page, PageRequest, Receipt, Rejection, Webhook,
    WebhookRequest, WebhookResponse, origin_allowed,
};

use crate::{Settings, accept, answer, body, captcha, embed, memory::Memory, meta, page, seal};

/// One form.
#[derive(Debug)]
pub struct Form {
    /// What the admin set.
    pub settings: Settings,
    /// What the server lends.
    pub context: BuildContext,
    /// What was posted lately.
    pub memory: Memory,
    /// Sets apart two ids made in the same microsecond.
    counter: AtomicU64,
}

impl Form {
    pub(crate) fn new(settings: Settings, context: BuildContext) -> Self {
        Self {
            settings,
            context,
            memory: Memory::default(),
            counter: AtomicU64::new(0),
        }
    }

    pub(crate) fn describe(&self) -> String {
        let fields = self.settings.fields.len();
        let held = if self.settings.moderation {
            "; each submission waits for approval"
        } else {
            ""
        };
        format!(
            "The form is ready at {}/f/{} with {fields} fields{held}.",
            self.context.public_url, self.context.channel_key
        )
    }

    /// The form's path on this server: what it posts to.
    pub fn path(&self) -> String {
        let prefix = self
            .context
            .public_url
            .splitn(4, '/')
            .nth(3)
            .map(|path| format!("/{}", path.trim_matches('/')));
        format!(
            "{}/f/{}",
            prefix.filter(|prefix| prefix.len() > 1).unwrap_or_default(),
            self.context.channel_key
        )
    }

    /// The form's full address.
    pub fn url(&self) -> String {
        format!("{}/f/{}", self.context.public_url, self.context.channel_key)
    }

    /// The origin of the server's own pages.
    pub fn own_origin(&self) -> String {
        self.context
            .public_url
            .splitn(4, '/')
            .take(3)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// Host and port of the server's own pages.
    pub fn own_host(&self) -> String {
        self.context
            .public_url
            .split('/')
            .nth(2)
            .unwrap_or_default()
            .to_owned()
    }

    /// May a page of this origin post here and read the answer? The hosted page always may.
    pub fn is_allowed(&self, origin: &str) -> bool {
        origin_allowed(&self.settings.allowed_origins, origin) || origin_allowed(&[self.own_origin()], origin)
    }

    /// An `Origin` that is not allowed is refused. None, and `null` (sandboxed frames, referrer policies), prove
    /// nothing either way: a plain post from any program is welcome, and browsers of strict visitors send `null`.
    pub fn check_origin(&self, request: &WebhookRequest) -> Result<(), Rejection> {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let Some(origin) = request.headers().get(header::ORIGIN) else {
            return Ok(());
        };
        let origin = origin.to_str().unwrap_or("unreadable");
        // The page and the post come from one host: the hosted page, whatever name it is reached by.
        let same = text(header::HOST).is_some_and(|host| {
            origin
                .split_once("://")
                .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host))
        });
        if origin == "null" || same || self.is_allowed(origin) {
            return Ok(());
        }
        Err(Rejection::Forbidden(
            "this site may not send the form: add it to allowed_origins of the channel".to_owned(),
        ))
    }

    /// Seals a drawing of the form as it is now.
    pub fn seal(&self, now: DateTime<Utc>) -> String {
        let names: Vec<&str> = self
            .settings
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        seal::seal(&self.context.signing_key, now, &names)
    }

    /// An id nobody else has: of the channel, the moment, a counter and whatever sets the occasion apart.
    pub fn fresh_id(&self, now: DateTime<Utc>, occasion: &[&[u8]]) -> String {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let (moment, number) = (now.timestamp_micros().to_be_bytes(), number.to_be_bytes());
        let own: [&[u8]; 3] = [self.context.channel_id.as_bytes(), &moment, &number];
        digest(own.into_iter().chain(occasion.iter().copied()))
    }
}

/// 128 bits of SHA-256 over the parts, in hex. Each part goes with its length, so that no two lists of parts read the same.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize().get(..16).unwrap_or_default())
}

/// The address of the caller as the server put it into `x-switchboard-peer`, when it did.
pub fn peer(request: &WebhookRequest) -> Option<IpAddr> {
    request
        .headers()
        .get("x-switchboard-peer")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn is_meta(request: &WebhookRequest) -> bool {
    serde_json::from_slice(request.body()).is_ok_and(|body| meta::is_push(&body))
}

#[async_trait]
impl Webhook for Form {
    fn accept(&self, request: &WebhookRequest, now: DateTime<Utc>) -> Result<Batch, Rejection> {
        accept::accept(self, request, now)
    }

    /// What an admin maps is what came last.
    fn is_watched(&self, request: &WebhookRequest) -> bool {
        accept::is_hook(request) && request.method() != Method::GET
    }

    /// Asks Meta for the leads that a push names. Asks the captcha's service about each post: what is in doubt is held; an
    /// outage is a doubt, never a loss. Services that proved themselves solve none.
    async fn complete(&self, request: &WebhookRequest, mut batch: Batch) -> Result<Batch, Fault> {
        let leads = &self.settings.leads;
        if let Some(meta) = leads
            .meta
            .as_ref()
            .filter(|_| accept::is_hook(request) && is_meta(request))
        {
            let now = self.context.clock.now();
            let read = |lead| accept::fetched(self, request, lead, now);
            return meta::complete(meta, self.context.http.as_ref(), batch, read).await;
        }
        let proven = accept::is_hook(request) && leads.secret.is_some();
        let Some(wanted) = self.settings.captcha.as_ref().filter(|_| !proven) else {
            return Ok(batch);
        };
        let token = body::read(request, self.context.max_upload_bytes)
            .ok()
            .and_then(|posted| posted.last(wanted.provider.field()).map(str::to_owned));
        let peer = peer(request).map(|peer| peer.to_string());
        let doubt = captcha::doubt(wanted, self.context.http.as_ref(), token.as_deref(), peer).await;
        for event in &mut batch.events {
            if let (Some(reason), InboundBody::Submission(submission)) = (doubt, &mut event.body) {
                submission.held = true;
                submission.spam_reasons.push(reason.to_owned());
            }
        }
        Ok(batch)
    }

    fn reply(&self, request: &WebhookRequest, receipt: &Receipt) -> WebhookResponse {
        let greeting = accept::is_hook(request)
            .then(|| meta::welcome(self.settings.leads.meta.as_ref(), request))
            .flatten();
        greeting.unwrap_or_else(|| answer::reply(self, request, receipt))
    }

    fn refuse(&self, request: &WebhookRequest, rejection: &Rejection) -> Option<WebhookResponse> {
        answer::refuse(self, request, rejection)
    }

    fn allow_origin(&self, origin: &str) -> Option<String> {
        self.is_allowed(origin).then(|| origin.to_owned())
    }
}

impl HostedPage for Form {
    fn page(&self, request: &PageRequest) -> Option<Page> {
        match request.path.trim_matches('/') {
            "embed.js" => Some(embed::script(self, request.paused, request.now)),
            "form.js" => Some(embed::hosted()),
            "from.js" => Some(embed::from()),
            "preview" => Some(page::preview()),
            "preview.js" => Some(embed::preview()),
            "definition.json" => Some(embed::definition_page(self, request.now)),
            "" if request.paused => Some(page::paused(self, &page::wanted(request))),
            "" => Some(page::blank(self, request)),
            "thanks" => Some(page::thanks(self, &page::wanted(request))),
            _ => None,
        }
    }
}
