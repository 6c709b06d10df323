//! What the sending half owes: sent once, and failures told apart.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use switchboard_sdk::{Connector, Descriptor, OutboundMessage, SendError, Sent};

use super::{Options, on_runtime};

/// How a provider treats the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Takes it.
    Accept,
    /// Says "later" before it took anything (429, 4xx of SMTP, 503).
    Busy,
    /// Says "never" (unknown recipient, blocked).
    Refuse,
    /// Takes the bytes and cuts the line before it answers.
    Cut,
    /// Is not there at all.
    Away,
}

/// A provider to send to, fake or real.
#[async_trait]
pub trait SendProvider: Send + Sync {
    /// A connector that sends to this provider.
    fn connector(&self) -> Arc<dyn Connector>;

    /// Sets how the next messages are treated; false when this provider cannot do that.
    async fn program(&self, answer: Answer) -> bool;

    /// Texts of the messages it took, in order.
    async fn taken(&self) -> Vec<String>;

    /// An address it delivers to.
    fn address(&self) -> String {
        "customer@shop.example".to_owned()
    }
}

/// An accepted message is there once, whole, and its id is the one announced before.
pub fn an_accepted_message_is_sent_once(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider| async move {
        assert!(
            provider.program(Answer::Accept).await,
            "a provider that accepts nothing tests nothing"
        );
        let connector = provider.connector();
        let message = message(provider.as_ref(), "Grüße, \u{1F980} und тест");
        let announced = sender(connector.as_ref()).external_id(&message);
        let sent = send(connector.as_ref(), &message)
            .await
            .unwrap_or_else(|error| panic!("not sent: {error:?}"));
        let taken = provider.taken().await;
        assert_eq!(taken.len(), 1, "taken: {taken:?}");
        assert!(
            taken
                .iter()
                .all(|text| text.contains("Grüße, \u{1F980} und тест")),
            "taken: {taken:?}"
        );
        assert!(
            announced.is_none() || announced == sent.external_id,
            "announced {announced:?}, sent as {:?}",
            sent.external_id
        );
    });
}

/// "Later" is `Retry` (or `Wait`, when it is about the whole channel), "never" is `Refused`, "perhaps" is `Unknown`: only with `idempotent_send` may
/// "perhaps" be `Retry`.
pub fn failures_are_told_apart(descriptor: &'static Descriptor, options: &Options) {
    for answer in [Answer::Busy, Answer::Refuse, Answer::Cut, Answer::Away] {
        with_provider(options, |provider| async move {
            if !provider.program(answer).await {
                return;
            }
            let connector = provider.connector();
            let result = send(connector.as_ref(), &message(provider.as_ref(), "hello")).await;
            let right = match (answer, &result) {
                (Answer::Accept, Ok(_))
                | (Answer::Busy, Err(SendError::Wait { .. }))
                | (Answer::Busy | Answer::Away, Err(SendError::Retry { .. })) => true,
                (Answer::Refuse, Err(SendError::Refused { reason })) => !reason.trim().is_empty(),
                (Answer::Cut, Err(SendError::Unknown { .. })) => true,
                (Answer::Cut, Err(SendError::Retry { .. })) => descriptor.capabilities.idempotent_send,
                _ => false,
            };
            assert!(right, "{answer:?} became {result:?}");
        });
    }
}

/// The id the connector chooses depends on the message alone, not on the attempt.
pub fn the_chosen_id_stays_the_same_over_attempts(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider| async move {
        let mut message = message(provider.as_ref(), "hello");
        let first = sender(provider.connector().as_ref()).external_id(&message);
        message.attempt = 7;
        assert_eq!(first, sender(provider.connector().as_ref()).external_id(&message));
    });
}

fn with_provider<F, Fut>(options: &Options, rule: F)
where
    F: FnOnce(Arc<dyn SendProvider>) -> Fut,
    Fut: Future<Output = ()>,
{
    let Some(make) = &options.taker else { return };
    on_runtime(async { rule(Arc::from(make().await)).await });
}

fn sender(connector: &dyn Connector) -> &dyn switchboard_sdk::Sender {
    connector
        .sender()
        .unwrap_or_else(|| panic!("the options hold a provider to send to and the connector has no sender"))
}

async fn send(connector: &dyn Connector, message: &OutboundMessage) -> Result<Sent, SendError> {
    let limit = Duration::from_secs(90);
    let answer = tokio::time::timeout(limit, sender(connector).send(message)).await;
    answer.unwrap_or_else(|_| panic!("a send that takes {limit:?} holds up its conversation"))
}

fn message(provider: &dyn SendProvider, text: &str) -> OutboundMessage {
    OutboundMessage {
        id: "msg_0000000000007000800000000000000a".to_owned(),
        conversation_id: "cnv_0000000000007000800000000000000b".to_owned(),
        conversation_number: 1042,
        to: provider.address(),
        to_name: Some("Клиент".to_owned()),
        recipients: Vec::new(),
        forward: false,
        text: text.to_owned(),
        html: None,
        subject: Some("Question".to_owned()),
        references: vec!["earlier@shop.example".to_owned()],
        author_name: Some("Ann".to_owned()),
        attachments: Vec::new(),
        created_at: DateTime::<Utc>::UNIX_EPOCH,
        attempt: 1,
        automatic: false,
        ..OutboundMessage::default()
    }
}
