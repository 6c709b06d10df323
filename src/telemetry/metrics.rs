//! Metrics: their names as types, so that a name is written once.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// What is counted. The word is the name in `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Requests by method, route and status.
    HttpRequests,
    /// Events that connectors delivered, by outcome.
    InboundEvents,
    /// Sends that were tried, by kind of channel and outcome.
    OutboundAttempts,
    /// Channels that failed and were started again, by kind.
    ChannelRestarts,
    /// Decisions of the router, by outcome.
    RoutingDecisions,
    /// Sockets that were opened, by who is at the other end.
    SocketsOpened,
    /// Sockets that ended.
    SocketsClosed,
    /// Sign-ins, by outcome.
    SignIns,
    /// Attempts to tell a webhook something, by what became of the delivery.
    WebhookAttempts,
}

impl Counter {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::HttpRequests => "http_requests_total",
            Self::InboundEvents => "inbound_events_total",
            Self::OutboundAttempts => "outbound_attempts_total",
            Self::ChannelRestarts => "channel_restarts_total",
            Self::RoutingDecisions => "routing_decisions_total",
            Self::SocketsOpened => "sockets_opened_total",
            Self::SocketsClosed => "sockets_closed_total",
            Self::SignIns => "sign_ins_total",
            Self::WebhookAttempts => "webhook_attempts_total",
        }
    }

    /// Adds to it.
    pub fn add(self, count: u64, labels: &[(&'static str, String)]) {
        metrics::counter!(self.name(), labels).increment(count);
    }
}

/// What is measured in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// From the request to the head of its answer, by method and route.
    HttpRequest,
    /// One commit of gathered events.
    IngestCommit,
    /// From waiting to assigned.
    QueueWait,
}

impl Timer {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::HttpRequest => "http_request_seconds",
            Self::IngestCommit => "ingest_commit_seconds",
            Self::QueueWait => "queue_wait_seconds",
        }
    }

    /// Records one.
    pub fn record(self, took: Duration, labels: &[(&'static str, String)]) {
        metrics::histogram!(self.name(), labels).record(took.as_secs_f64());
    }
}

/// What stands at a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Sessions by state.
    Sessions,
    /// Messages on their way out, by state.
    Outbox,
    /// Entries of the quarantine that were not replayed.
    Quarantine,
    /// Channels by state of health.
    Channels,
    /// Outgoing webhooks by state of health.
    Webhooks,
    /// The number of the newest event of the log.
    EventHead,
    /// How far a follower of the log is behind.
    ConsumerLag,
    /// Seconds since the start.
    Uptime,
}

impl Gauge {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Outbox => "outbox_messages",
            Self::Quarantine => "quarantine_entries",
            Self::Channels => "channels",
            Self::Webhooks => "webhooks",
            Self::EventHead => "event_head",
            Self::ConsumerLag => "consumer_lag_events",
            Self::Uptime => "uptime_seconds",
        }
    }

    /// Sets it.
    pub fn set(self, value: f64, labels: &[(&'static str, String)]) {
        metrics::gauge!(self.name(), labels).set(value);
    }
}

/// Upper bounds of the histograms, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Starts recording, once a process; answers what renders `/metrics`.
pub fn start() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            let builder =
                match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS) {
                    Ok(builder) => builder,
                    Err(_) => PrometheusBuilder::new(),
                };
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics was there first; /metrics stays empty");
            }
            handle
        })
        .clone()
}
