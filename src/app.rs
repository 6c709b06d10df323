//! The composition root: the one place that builds everything and sees all of it.

use std::{collections::HashMap, ops::Deref, pin::Pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use metrics_exporter_prometheus::PrometheusHandle;
use switchboard_sdk::Descriptor;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    audit,
    auth::{password::Passwords, session, throttle::SignInThrottle},
    automation, call,
    clock::SharedClock,
    commerce,
    config::Config,
    connector::{self, Host, registry},
    contact,
    conversation::view::Views,
    db::Db,
    erase,
    event::consumer,
    export::person,
    form, import,
    ingest::Ingest,
    lead, live,
    live::{Hydrator, Live},
    master_key, notification,
    operator::counting::CountingNow,
    outbound,
    outgoing::{Outgoing, guard::Guard},
    retention, routing, search,
    secret::Vault,
    storage::Storage,
    sync, telemetry, visitor,
    webhook::{self, Bell},
};

/// How often what has lapsed is swept away.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The server's parts. Built once, cheap to clone; also the state of the HTTP side.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What [`App`] holds.
pub struct Inner {
    /// The settings of the process.
    pub config: Config,
    /// The store.
    pub db: Db,
    /// Time.
    pub clock: SharedClock,
    /// Files.
    pub storage: Storage,
    /// Seals secrets and signs links.
    pub vault: Vault,
    /// The channels of this process.
    pub host: Host,
    /// The way in for events.
    pub ingest: Ingest,
    /// The bus to the sockets.
    pub live: Live,
    /// The visitors' sockets of this process.
    pub visitors: visitor::hub::Hub,
    /// How far visitors come with forms.
    pub form_usage: form::usage::Usage,
    /// Chats that go on by mail.
    pub chat_mail: visitor::mail::ChatMail,
    /// The way out over HTTP.
    pub outgoing: Outgoing,
    /// Wakes who sends to webhooks.
    pub webhooks: Bell,
    /// The CRMs that leads are sent to.
    pub crm: sync::engine::Engine,
    /// Who works on files of 1C, and who waits for them.
    pub commerce: commerce::Bell,
    /// Wakes who sends what forms tell.
    pub notifications: Bell,
    /// How conversations look.
    pub views: Views,
    /// What lines say by themselves.
    pub voice: automation::Voice,
    /// What counts toward an operator's load now.
    pub counting: CountingNow,
    /// Who stands where in which queue.
    pub board: routing::place::Board,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Counts sign-in attempts.
    pub sign_ins: SignInThrottle,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// When this process started.
    pub started_at: DateTime<Utc>,
    /// Fires when the server stops: sockets close, loops end, readiness goes.
    pub stop: CancellationToken,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl Inner {
    /// What erasing people needs.
    pub fn erasing(&self) -> erase::Tools {
        erase::Tools {
            db: self.db.clone(),
            storage: self.storage.clone(),
            clock: Arc::clone(&self.clock),
            vault: self.vault.clone(),
            node: self.host.parts().node.clone(),
        }
    }

    /// What files of 1C are taken in with.
    pub fn commerce_tools(&self) -> commerce::Tools {
        commerce::Tools {
            db: self.db.clone(),
            storage: self.storage.clone(),
            clock: Arc::clone(&self.clock),
            node: self.host.parts().node.clone(),
            bell: self.commerce.clone(),
        }
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Everything built and nothing running yet.
#[must_use = "start it"]
pub struct Assembly {
    /// The parts.
    pub app: App,
    ingest_writer: Work,
    ingest_stop: CancellationToken,
}

impl std::fmt::Debug for Assembly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Assembly")
    }
}

impl App {
    /// Opens the store, brings its schema up, checks the master key and builds all parts.
    pub async fn assemble(config: Config, clock: SharedClock) -> anyhow::Result<Assembly> {
        let db = Db::connect(config.database.url.reveal())
            .await
            .context("the database cannot be opened")?;
        Self::assemble_with(config, clock, db, registry::ALL.to_vec()).await
    }

    /// The same on a database that is open already and with other connectors, for tests.
    pub async fn assemble_with(
        config: Config,
        clock: SharedClock,
        db: Db,
        descriptors: Vec<&'static Descriptor>,
    ) -> anyhow::Result<Assembly> {
        let adapters = switchboard_crm::ADAPTERS.to_vec();
        Self::assemble_beside(config, clock, db, descriptors, adapters).await
    }

    /// The same with other adapters to CRMs, too.
    pub async fn assemble_beside(
        config: Config,
        clock: SharedClock,
        db: Db,
        descriptors: Vec<&'static Descriptor>,
        adapters: Vec<&'static switchboard_crm::Descriptor>,
    ) -> anyhow::Result<Assembly> {
        db.migrate()
            .await
            .context("the database's schema cannot be brought up")?;
        let vault = master_key::vault(&config, &db).await?;
        let storage = Storage::open(&config.storage.url).context("the storage cannot be opened")?;
        let ingest_stop = CancellationToken::new();
        let (ingest, ingest_writer) = Ingest::start(
            db.clone(),
            storage.clone(),
            Arc::clone(&clock),
            ingest_stop.clone(),
        );
        let counting = CountingNow::from(config.routing.counting());
        counting
            .read(&db)
            .await
            .context("what counts toward the load cannot be read")?;
        let views = Views::new(descriptors.iter().map(|known| (known.kind, known.capabilities)));
        let voice = automation::Voice::new(views.clone(), counting.clone(), &config.server.public_url);
        let live = Live::new(Hydrator::new(views.clone(), counting.clone(), Arc::clone(&clock)));
        let guard = Guard::new(
            config.security.allowed_private_networks.clone(),
            config.security.guard_admin_urls,
        );
        let outgoing = Outgoing::new(guard).context("no way out over HTTP")?;
        let host = Host::new(connector::Parts {
            descriptors,
            db: db.clone(),
            storage: storage.clone(),
            vault: vault.clone(),
            ingest: ingest.clone(),
            clock: Arc::clone(&clock),
            node: connector::node_name(&db),
            public_url: config.server.public_url.clone(),
            max_upload_bytes: config.limits.upload_bytes(),
            http: Arc::new(outgoing.clone()),
            live: live.clone(),
        });
        host.load().await.context("the channels cannot be read")?;
        let crm = sync::engine::Engine::new(sync::engine::Parts {
            adapters,
            db: db.clone(),
            vault: vault.clone(),
            clock: Arc::clone(&clock),
            node: connector::node_name(&db),
            public_url: config.server.public_url.clone(),
            http: Arc::new(outgoing.clone()),
        });
        let visitors = visitor::hub::Hub::default();
        let app = Self(Arc::new(Inner {
            form_usage: form::usage::Usage::default(),
            chat_mail: visitor::mail::ChatMail::new(host.clone(), views.clone(), visitors.clone()),
            passwords: Passwords::default(),
            sign_ins: SignInThrottle::new(config.limits.enabled),
            metrics: telemetry::metrics::start(),
            started_at: clock.now(),
            board: routing::place::Board::new(counting.clone()),
            counting,
            voice,
            stop: CancellationToken::new(),
            config,
            db,
            clock,
            storage,
            vault,
            host,
            ingest,
            live,
            visitors,
            outgoing,
            crm,
            commerce: commerce::Bell::default(),
            webhooks: Bell::default(),
            notifications: Bell::default(),
            views,
        }));
        Ok(Assembly {
            app,
            ingest_writer: Box::pin(ingest_writer),
            ingest_stop,
        })
    }
}

/// What runs beside the HTTP side, in the groups a shutdown waits for one after the other.
#[must_use = "stop it"]
pub struct Running {
    app: App,
    ingest_stop: CancellationToken,
    sources: Group,
    ingest: Group,
    followers: Group,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

/// Tasks with names, to say at the end which one would not.
#[derive(Default)]
struct Group {
    tasks: JoinSet<()>,
    names: HashMap<tokio::task::Id, &'static str>,
}

impl Group {
    fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let handle: AbortHandle = self.tasks.spawn(work);
        self.names.insert(handle.id(), name);
    }

    /// Waits for all of them, and takes each from the names as it ends.
    async fn ended(&mut self) {
        while let Some(done) = self.tasks.join_next_with_id().await {
            self.ended_as(done);
        }
    }

    async fn one_ended(&mut self) -> &'static str {
        match self.tasks.join_next_with_id().await {
            Some(done) => self.ended_as(done),
            None => std::future::pending().await,
        }
    }

    fn ended_as(&mut self, done: Result<(tokio::task::Id, ()), JoinError>) -> &'static str {
        let id = match &done {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id).unwrap_or("a task");
        if let Err(error) = done {
            tracing::error!(task = name, %error, "a part of the server crashed");
        }
        name
    }

    fn still_running(&mut self) -> Vec<&'static str> {
        while let Some(done) = self.tasks.try_join_next_with_id() {
            self.ended_as(done);
        }
        self.names.values().copied().collect()
    }
}

impl Assembly {
    /// Starts everything that runs by itself.
    pub fn start(self) -> Running {
        let Self {
            app,
            ingest_writer,
            ingest_stop,
        } = self;
        let stop = &app.stop;
        let (db, clock) = (&app.db, &app.clock);
        let mut sources = Group::default();
        sources.spawn("channels", {
            let (host, stop) = (app.host.clone(), stop.clone());
            async move { host.run(stop).await }
        });
        let mut ingest = Group::default();
        ingest.spawn("ingest", ingest_writer);
        let mut followers = Group::default();
        followers.spawn("outbox", {
            let (dispatcher, stop) = (outbound::Dispatcher::new(app.host.clone()), stop.clone());
            async move { dispatcher.run(stop).await }
        });
        followers.spawn(
            "router",
            routing::run(db.clone(), clock.clone(), app.counting.clone(), stop.clone()),
        );
        followers.spawn(
            "automation",
            automation::run(db.clone(), clock.clone(), app.voice.clone(), stop.clone()),
        );
        followers.spawn("texts", {
            let greeter = automation::greet::Greeter::new(app.voice.clone(), clock.clone());
            consumer::run(db.clone(), clock.clone(), greeter, stop.clone())
        });
        followers.spawn("live", live::run(app.live.clone(), db.clone(), stop.clone()));
        followers.spawn("visitors' sockets", {
            let (hub, live, db, stop) = (app.visitors.clone(), app.live.clone(), db.clone(), stop.clone());
            async move { hub.run(live, db, stop).await }
        });
        followers.spawn("visitors' queues", {
            let (hub, board, db) = (app.visitors.clone(), app.board.clone(), db.clone());
            let (clock, stop) = (clock.clone(), stop.clone());
            async move { hub.run_queues(board, db, clock, stop).await }
        });
        followers.spawn("use of forms", {
            let (usage, db, stop) = (app.form_usage.clone(), db.clone(), stop.clone());
            async move { usage.run(db, stop).await }
        });
        followers.spawn("unseen replies", {
            let watch = visitor::mail::unseen::Watch::new(app.host.clone());
            consumer::run(db.clone(), clock.clone(), watch, stop.clone())
        });
        followers.spawn("mails of chats", {
            let (mail, clock, stop) = (app.chat_mail.clone(), clock.clone(), stop.clone());
            async move { mail.run(clock, stop).await }
        });
        followers.spawn(
            "calls",
            call::follow::run(db.clone(), clock.clone(), app.host.clone(), stop.clone()),
        );
        followers.spawn("recordings", {
            let fetcher = call::recording::Fetcher {
                db: db.clone(),
                storage: app.storage.clone(),
                clock: clock.clone(),
                host: app.host.clone(),
                outgoing: app.outgoing.clone(),
                max_bytes: app.config.limits.recording_bytes(),
            };
            fetcher.run(stop.clone())
        });
        followers.spawn(
            "search index",
            consumer::run(db.clone(), clock.clone(), search::Indexer, stop.clone()),
        );
        followers.spawn(
            "search records",
            consumer::run(db.clone(), clock.clone(), search::record::Recorder, stop.clone()),
        );
        followers.spawn(
            "search records before",
            search::fill::run(db.clone(), stop.clone()),
        );
        followers.spawn(
            "leads",
            consumer::run(db.clone(), clock.clone(), lead::follow::FirstReply, stop.clone()),
        );
        followers.spawn("webhooks' follower", {
            let hydrator = Hydrator::new(app.views.clone(), app.counting.clone(), clock.clone());
            let url = &app.config.server.public_url;
            let follower = webhook::follow::Follower::new(hydrator, clock.clone(), app.webhooks.clone(), url);
            consumer::run(db.clone(), clock.clone(), follower, stop.clone())
        });
        followers.spawn("notifications' follower", {
            let (webhooks, own) = (app.webhooks.clone(), app.notifications.clone());
            let url = &app.config.server.public_url;
            let follower = notification::follow::Follower::new(clock.clone(), webhooks, own, url);
            consumer::run(db.clone(), clock.clone(), follower, stop.clone())
        });
        followers.spawn("notifications", {
            let bell = app.notifications.clone();
            notification::dispatch::Dispatcher::new(app.host.clone(), bell).run(stop.clone())
        });
        followers.spawn("webhooks", {
            let dispatcher = webhook::dispatch::Dispatcher {
                db: db.clone(),
                clock: clock.clone(),
                vault: app.vault.clone(),
                outgoing: app.outgoing.clone(),
                bell: app.webhooks.clone(),
                node: app.host.parts().node.clone(),
            };
            dispatcher.run(stop.clone())
        });
        followers.spawn(
            "CRMs' follower",
            consumer::run(
                db.clone(),
                clock.clone(),
                sync::follow::Follower::new(app.crm.clone()),
                stop.clone(),
            ),
        );
        followers.spawn(
            "CRMs",
            sync::worker::Worker::new(app.crm.clone()).run(stop.clone()),
        );
        followers.spawn(
            "hints",
            outbound::hints::run(app.host.clone(), app.live.clone(), stop.clone()),
        );
        followers.spawn("imports", {
            let tools = import::Tools {
                db: db.clone(),
                storage: app.storage.clone(),
                clock: clock.clone(),
                node: connector::node_name(db),
            };
            import::run::run(tools, stop.clone())
        });
        followers.spawn("1C", commerce::run::run(app.commerce_tools(), stop.clone()));
        followers.spawn("files about people", {
            let tools = person::Tools {
                db: db.clone(),
                storage: app.storage.clone(),
                clock: clock.clone(),
                views: app.views.clone(),
                node: app.host.parts().node.clone(),
            };
            person::run::run(tools, stop.clone())
        });
        followers.spawn(
            "consents",
            consumer::run(db.clone(), clock.clone(), contact::consent::Log, stop.clone()),
        );
        followers.spawn("erasures", erase::run::run(app.erasing(), stop.clone()));
        followers.spawn("sweeper", sweep(app.clone()));
        Running {
            ingest_stop,
            sources,
            ingest,
            followers,
            app,
        }
    }
}

impl Running {
    /// Resolves when a part ends that should run until the stop; answers its name. A server without
    /// one of them would look alive and lose its purpose: whoever runs it should start it anew.
    pub async fn crashed(&mut self) -> &'static str {
        tokio::select! {
            name = self.sources.one_ended() => name,
            name = self.ingest.one_ended() => name,
            name = self.followers.one_ended() => name,
        }
    }

    /// Stops in the order in which nothing is lost: sources first, then (with `http`, which ends when
    /// the last answer is out) the HTTP side, then ingest with what it still holds, then the outbox
    /// with what is on its way, then the database. Callers that hang get two thirds of the time; what
    /// comes after them must not go without.
    ///
    /// # Errors
    /// The names of what still ran when its time was over.
    pub async fn stop(
        mut self,
        http: impl Future<Output = ()>,
        limit: Duration,
    ) -> Result<(), Vec<&'static str>> {
        self.app.stop.cancel();
        let mut http_ended = false;
        let orderly = async {
            let no_more = async {
                tokio::join!(self.sources.ended(), async {
                    http.await;
                    http_ended = true;
                })
            };
            if tokio::time::timeout(limit * 2 / 3, no_more).await.is_err() {
                tracing::warn!("callers or channels hang; what they left is brought to its end without them");
            }
            self.ingest_stop.cancel();
            self.ingest.ended().await;
            self.followers.ended().await;
            if let Err(error) = self.app.db.clone().close().await {
                tracing::warn!(%error, "the database did not close cleanly");
            }
        };
        drop(tokio::time::timeout(limit, orderly).await);
        let groups = [&mut self.sources, &mut self.ingest, &mut self.followers];
        let mut left: Vec<&'static str> = groups.into_iter().flat_map(Group::still_running).collect();
        if !http_ended {
            left.push("HTTP requests");
        }
        if left.is_empty() { Ok(()) } else { Err(left) }
    }
}

/// Forgets what has lapsed.
async fn sweep(app: App) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = session::sweep(&app.db, app.clock.now()).await {
            tracing::warn!(%error, "old sign-ins could not be removed; the next sweep will try again");
        }
        if let Err(error) = retention::sweep(&app.db, &app.storage, app.clock.now()).await {
            tracing::warn!(%error, "what nobody needs any more could not be removed; the next sweep will try again");
        }
        if let Err(error) = erase::aging::sweep(&app.erasing()).await {
            tracing::warn!(%error, "what lines keep no longer could not be removed; the next sweep will try again");
        }
        if let Err(error) = audit::store::sweep(&app.db, app.clock.now()).await {
            tracing::warn!(%error, "the oldest entries of the audit log could not be removed; the next sweep will try again");
        }
        app.sign_ins.sweep();
        app.metrics.run_upkeep();
    }
}
