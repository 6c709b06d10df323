//! The rules every connector keeps, each as a function that panics with what it found.
//!
//! [`contract!`](crate::contract!) turns each into a test of its own name. Rules about halves a connector
//! does not have, or for which [`Options`] hold no fixture, pass; that a half exists without its fixture
//! is itself a failure ([`capabilities::every_half_has_its_fixture`]).

pub mod capabilities;
pub mod receiving;
pub mod sending;
pub mod settings;
pub mod webhooks;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use serde_json::Value;
use switchboard_sdk::{Connector, Descriptor, WebhookRequest};

pub use receiving::PullProvider;
pub use sending::{Answer, SendProvider};

use crate::MemoryIntake;

/// A future in a box, as the fixture closures give.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Makes a fresh provider.
type Maker<T> = Box<dyn Fn() -> Boxed<Box<T>>>;

/// What the suite cannot know by itself.
#[derive(Default)]
pub struct Options {
    /// Prints a settings value by the `Debug` of the connector's own settings type.
    pub(crate) debug: Option<fn(Value) -> String>,
    pub(crate) webhooks: Vec<WebhookSample>,
    pub(crate) puller: Option<Maker<dyn PullProvider>>,
    pub(crate) taker: Option<Maker<dyn SendProvider>>,
    pub(crate) patience: Option<Duration>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}

/// A request a webhook of the example settings accepts.
#[derive(Debug, Clone)]
pub struct WebhookSample {
    /// What it is, for messages.
    pub name: &'static str,
    /// The request.
    pub request: WebhookRequest,
    /// It carries an idempotency key (or a provider's id): read twice, at different times, it is the same event.
    pub keyed: bool,
    /// The same without its proof (signature, token, origin), when the connector can tell: must be
    /// [`Unauthenticated`](switchboard_sdk::Rejection::Unauthenticated) or [`Forbidden`](switchboard_sdk::Rejection::Forbidden).
    pub unproven: Option<WebhookRequest>,
}

impl Options {
    /// Needed when the settings have secrets: prints them by the settings type's `Debug`, so that the suite
    /// can look for the secrets in it (`|value| format!("{:?}", serde_json::from_value::<Settings>(value))`).
    #[must_use]
    pub fn debug(mut self, print: fn(Value) -> String) -> Self {
        self.debug = Some(print);
        self
    }

    /// How long to wait for what must happen, instead of [`PATIENCE`](crate::PATIENCE).
    #[must_use]
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = Some(limit);
        self
    }

    pub(crate) fn intake(&self) -> MemoryIntake {
        MemoryIntake::new().patient_for(self.patience.unwrap_or(crate::PATIENCE))
    }

    /// Adds a request that the webhook half accepts.
    #[must_use]
    pub fn webhook(mut self, sample: WebhookSample) -> Self {
        self.webhooks.push(sample);
        self
    }

    /// Makes a fresh provider to pull from, for each rule about receiving.
    #[must_use]
    pub fn receiver<F, Fut>(mut self, make: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Box<dyn PullProvider>> + Send + 'static,
    {
        self.puller = Some(Box::new(move || Box::pin(make())));
        self
    }

    /// Makes a fresh provider to send to, for each rule about sending.
    #[must_use]
    pub fn sender<F, Fut>(mut self, make: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Box<dyn SendProvider>> + Send + 'static,
    {
        self.taker = Some(Box::new(move || Box::pin(make())));
        self
    }
}

/// A rule: panics when the connector breaks it.
pub type Rule = fn(&'static Descriptor, &Options);

/// Runs all rules in turn; panics at the first that is broken. [`contract!`](crate::contract!) is the better
/// way: it makes a test of each.
pub fn run(descriptor: &'static Descriptor, options: &Options) {
    let rules: [Rule; 24] = [
        settings::the_example_fits_the_schema,
        settings::the_example_builds,
        settings::an_unknown_field_is_an_error_that_names_it,
        settings::a_field_of_the_wrong_type_is_an_error,
        settings::every_property_is_described,
        settings::secrets_are_marked_and_addressable,
        settings::secrets_stay_out_of_debug_and_errors,
        capabilities::the_descriptor_is_well_formed,
        capabilities::capabilities_agree_with_the_halves,
        capabilities::every_half_has_its_fixture,
        webhooks::a_sample_is_accepted_and_answered_with_success,
        webhooks::the_same_keyed_request_is_the_same_event,
        webhooks::a_request_without_its_proof_is_refused,
        webhooks::garbage_never_panics,
        webhooks::an_oversized_body_is_too_large,
        webhooks::a_refusal_is_never_a_success,
        receiving::nothing_is_acknowledged_before_the_commit,
        receiving::a_refused_delivery_is_delivered_again,
        receiving::a_lost_answer_stores_nothing_twice,
        receiving::a_restart_goes_on_at_the_cursor,
        receiving::stop_ends_it_within_a_second,
        sending::an_accepted_message_is_sent_once,
        sending::failures_are_told_apart,
        sending::the_chosen_id_stays_the_same_over_attempts,
    ];
    for rule in rules {
        rule(descriptor, options);
    }
}

/// The connector of the example settings, in a made-up context.
///
/// # Panics
/// When the example does not build.
pub fn example(descriptor: &Descriptor) -> Arc<dyn Connector> {
    (descriptor.build)((descriptor.example)(), crate::context())
        .unwrap_or_else(|error| panic!("the example of {:?} does not build: {error}", descriptor.kind))
}

/// Runs a rule that needs a runtime: sockets, timers and several threads, as the server has them.
pub(crate) fn on_runtime<T>(rule: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"))
        .block_on(rule)
}

/// Makes a test of each rule: `contract!(DESCRIPTOR);` or `contract!(DESCRIPTOR, options());`. The second
/// expression is evaluated anew for each test.
#[macro_export]
macro_rules! contract {
    ($descriptor:path) => {
        $crate::contract!($descriptor, $crate::contract::Options::default());
    };
    ($descriptor:path, $options:expr) => {
        $crate::contract!(@tests $descriptor, $options;
            settings: the_example_fits_the_schema, the_example_builds, an_unknown_field_is_an_error_that_names_it,
                a_field_of_the_wrong_type_is_an_error, every_property_is_described, secrets_are_marked_and_addressable,
                secrets_stay_out_of_debug_and_errors;
            capabilities: the_descriptor_is_well_formed, capabilities_agree_with_the_halves, every_half_has_its_fixture;
            webhooks: a_sample_is_accepted_and_answered_with_success, the_same_keyed_request_is_the_same_event,
                a_request_without_its_proof_is_refused, garbage_never_panics, an_oversized_body_is_too_large,
                a_refusal_is_never_a_success;
            receiving: nothing_is_acknowledged_before_the_commit, a_refused_delivery_is_delivered_again,
                a_lost_answer_stores_nothing_twice, a_restart_goes_on_at_the_cursor, stop_ends_it_within_a_second;
            sending: an_accepted_message_is_sent_once, failures_are_told_apart,
                the_chosen_id_stays_the_same_over_attempts;
        );
    };
    (@tests $descriptor:path, $options:expr; $($group:ident: $($rule:ident),+;)+) => {
        $($crate::contract!(@group $descriptor, $options, $group, $($rule),+);)+
    };
    (@group $descriptor:path, $options:expr, $group:ident, $($rule:ident),+) => {
        mod $group {
            #[allow(unused_imports, reason = "the options expression may or may not need the file's items")]
            use super::*;
            $(
                #[test]
                fn $rule() {
                    $crate::contract::$group::$rule(&$descriptor, &$options);
                }
            )+
        }
    };
}
