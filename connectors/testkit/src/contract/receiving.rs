//! What the pulling half owes: told only after the commit, delivered again when refused, ended when asked.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use switchboard_sdk::{CancellationToken, Connector, Descriptor, Fault};
use tokio::task::JoinHandle;

use super::{Options, on_runtime};
use crate::{MemoryIntake, PATIENCE, Step};

/// A provider to pull from, fake or real.
#[async_trait]
pub trait PullProvider: Send + Sync {
    /// A connector that pulls from this provider. Called once per run; each must go on from the cursor alone.
    fn connector(&self) -> Arc<dyn Connector>;

    /// Puts one new thing there, that becomes one event.
    async fn put(&self, text: &str);

    /// How many things the connector told the provider it has taken; `None` when the protocol has no such
    /// word and the cursor is all there is.
    async fn acknowledged(&self) -> Option<usize>;
}

/// While the commit is pending the provider hears nothing, and the cursor does not move.
pub fn nothing_is_acknowledged_before_the_commit(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider, intake| async move {
        let hold = intake.hold();
        let run = Run::start(provider.connector(), &intake);
        provider.put("first").await;
        delivering(&intake).await;
        // Nothing signals that something did not happen: this is how long a wrong acknowledgement may take.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(
            matches!(provider.acknowledged().await, None | Some(0)),
            "told the provider before the commit"
        );
        drop(hold);
        intake.wait_stored(1).await;
        if provider.acknowledged().await.is_some() {
            let started = Instant::now();
            while provider.acknowledged().await != Some(1) {
                assert!(
                    started.elapsed() < PATIENCE,
                    "never told the provider after the commit"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        run.stop().await;
    });
}

/// A delivery that failed is made again, whether the receiver tries by itself or is restarted.
pub fn a_refused_delivery_is_delivered_again(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider, intake| async move {
        intake.refuse_next(2);
        provider.put("first").await;
        let run = Run::supervised(provider, &intake);
        intake.wait_stored(1).await;
        assert_eq!(intake.external_ids().len(), 1);
        run.stop().await;
    });
}

/// A commit whose answer was lost is repeated, and the repeat is recognised.
pub fn a_lost_answer_stores_nothing_twice(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider, intake| async move {
        intake.lose_next_answer();
        provider.put("first").await;
        let run = Run::supervised(Arc::clone(&provider), &intake);
        intake.wait_stored(1).await;
        provider.put("second").await;
        intake.wait_stored(2).await;
        run.stop().await;
        let ids = intake.external_ids();
        assert_eq!(ids.len(), 2, "one thing got two ids: {ids:?}");
    });
}

/// A new run goes on after the last commit: what came in between is there, what was there is not doubled.
pub fn a_restart_goes_on_at_the_cursor(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider, intake| async move {
        provider.put("first").await;
        let run = Run::start(provider.connector(), &intake);
        intake.wait_stored(1).await;
        run.stop().await;
        provider.put("second").await;
        let run = Run::start(provider.connector(), &intake);
        intake.wait_stored(2).await;
        run.stop().await;
        assert_eq!(
            intake.external_ids().len(),
            2,
            "stored: {:?}",
            intake.external_ids()
        );
    });
}

/// `run` returns `Ok` within a second of the stop signal: while it waits, and while it starts.
pub fn stop_ends_it_within_a_second(_: &'static Descriptor, options: &Options) {
    with_provider(options, |provider, intake| async move {
        Run::start(provider.connector(), &intake).stop().await;
        provider.put("first").await;
        let run = Run::start(provider.connector(), &intake);
        intake.wait_stored(1).await;
        run.stop().await;
    });
}

fn with_provider<F, Fut>(options: &Options, rule: F)
where
    F: FnOnce(Arc<dyn PullProvider>, MemoryIntake) -> Fut,
    Fut: Future<Output = ()>,
{
    let Some(make) = &options.puller else { return };
    on_runtime(async { rule(Arc::from(make().await), options.intake()).await });
}

async fn delivering(intake: &MemoryIntake) {
    let started = |steps: &[Step]| {
        steps
            .iter()
            .any(|step| matches!(step, Step::Delivering(ids) if !ids.is_empty()))
    };
    let met = intake.wait_for(PATIENCE, started).await;
    assert!(met, "nothing was delivered: {:?}", intake.steps());
}

/// One running receiver.
struct Run {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Fault>>,
}

impl Run {
    fn start(connector: Arc<dyn Connector>, intake: &MemoryIntake) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(once(connector, intake.clone(), stop.clone()));
        Self { stop, task }
    }

    /// Restarts the receiver after a temporary fault, with a new connector, as the server's supervisor does.
    fn supervised(provider: Arc<dyn PullProvider>, intake: &MemoryIntake) -> Self {
        let (stop, intake) = (CancellationToken::new(), intake.clone());
        let task = tokio::spawn({
            let stop = stop.clone();
            async move {
                loop {
                    match once(provider.connector(), intake.clone(), stop.clone()).await {
                        Err(Fault::Temporary(_)) if !stop.is_cancelled() => {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        Err(Fault::Temporary(_)) => return Ok(()),
                        end => return end,
                    }
                }
            }
        });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        match tokio::time::timeout(Duration::from_secs(1), self.task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(fault))) => panic!("stopped with a fault: {fault}"),
            Ok(Err(panic)) => panic!("the receiver panicked: {panic}"),
            Err(_) => {
                abort.abort();
                panic!("still running a second after the stop signal");
            }
        }
    }
}

async fn once(
    connector: Arc<dyn Connector>,
    intake: MemoryIntake,
    stop: CancellationToken,
) -> Result<(), Fault> {
    match connector.receiver() {
        Some(receiver) => receiver.run(intake.shared(), stop.clone()).await,
        None => Err(Fault::permanent(
            "the options hold a provider to pull from and the connector has no receiver",
        )),
    }
    .and_then(|()| {
        if stop.is_cancelled() {
            Ok(())
        } else {
            Err(Fault::permanent("ended although nobody asked it to"))
        }
    })
}
