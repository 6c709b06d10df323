//! What the server lends a channel, made up.

use std::sync::Arc;

use switchboard_sdk::{BuildContext, Clock, SigningKey};

use crate::ManualClock;

/// A context with a clock that stands still.
pub fn context() -> BuildContext {
    context_at(Arc::new(ManualClock::default()))
}

/// A context with a clock of your own.
pub fn context_at(clock: Arc<dyn Clock>) -> BuildContext {
    BuildContext {
        channel_id: "chn_0000000000007000800000000000test".to_owned(),
        channel_key: "test-channel".to_owned(),
        channel_name: "Test channel".to_owned(),
        public_url: "https://desk.example".to_owned(),
        max_upload_bytes: 25 * 1024 * 1024,
        clock,
        signing_key: SigningKey::new([7; 32]),
        scratch: std::env::temp_dir(),
        secrets: Arc::new(switchboard_sdk::NoSecrets),
        http: switchboard_sdk::NoHttp::shared(),
    }
}
