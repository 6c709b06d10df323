//! Voximplant: its own callbacks tell nothing of calls; a scenario of the company's posts the generic events.

use switchboard_sdk::{HookAddress, InboundEvent, Rejection, RouteQuestion};

use super::{Bodies, Dialect, Proof, address, generic, token};
use crate::{push::Push, settings::Secret};

/// With its token.
pub struct Voximplant {
    pub token: Secret,
}

impl Dialect for Voximplant {
    fn bodies(&self) -> Bodies {
        Bodies::Json
    }

    fn verify(&self, push: &Push<'_>) -> Result<Proof, Rejection> {
        token::verify(push, &self.token)
    }

    fn map(&self, push: &Push<'_>) -> Result<Vec<InboundEvent>, Rejection> {
        if !push.is_post() {
            return Ok(Vec::new());
        }
        let body = push.json()?;
        // Callbacks of the account: bills, messages, documents.
        if body.get("callbacks").is_some_and(serde_json::Value::is_array) {
            return Ok(Vec::new());
        }
        generic::events(push, &body)
    }

    fn question(&self, push: &Push<'_>) -> Option<RouteQuestion> {
        generic::question(push)
    }

    fn addresses(&self, hook: &str) -> Vec<HookAddress> {
        vec![
            address("HOOK in the scenario (docs/voip.md)", "POST", hook.to_owned()),
            address(
                "Who should get a caller (add ?from=…&to=…)",
                "GET",
                format!("{hook}/route"),
            ),
        ]
    }
}
