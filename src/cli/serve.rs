//! The server as a process: start, set-up link, signals, orderly end.

use std::{future::IntoFuture, net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::say;
use crate::{api, app::App, auth::setup, clock::SharedClock, config::Config};

pub(super) async fn run(config: Config, clock: SharedClock) -> anyhow::Result<ExitCode> {
    // Bound first: an address in use is the most common mistake, and nothing has happened yet.
    let address = config.server.listen;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let public_url = config.server.public_url.clone();
    let limit = Duration::from_secs(config.server.shutdown_timeout_secs);

    // reqwest and the mail connector share one provider; whoever comes second finds it there.
    drop(rustls::crypto::ring::default_provider().install_default());
    let assembly = App::assemble(config, clock).await?;
    let app = assembly.app.clone();
    if let Some(token) = setup::renew(&app.db).await? {
        say(&format!(
            "Nobody is set up yet. Open this link, once, to make the first admin:\n\n  {public_url}/setup?token={token}\n"
        ))?;
    }
    // Heard from here on: a signal between "serving" and the first wait for one would kill at once.
    let signalled = signalled();
    let mut running = assembly.start();
    let stop = app.stop.clone();
    // What is small goes at once: a frame would else wait for the acknowledgement of the one before it, which
    // the other side holds back for 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its small packets back");
        }
    });
    let service = api::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let http = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut http = tokio::spawn(http.into_future());
    tracing::info!(%address, public_url, "serving");

    let mut clean = true;
    let mut http_ended = false;
    tokio::select! {
        () = signalled => {}
        _ = &mut http => {
            tracing::error!("the HTTP side ended by itself");
            http_ended = true;
            clean = false;
        }
        name = running.crashed() => {
            tracing::error!(task = name, "a part of the server ended by itself");
            clean = false;
        }
    }
    tracing::info!("stopping: no new work, finishing what runs");
    let http_end = async {
        if !http_ended && !matches!(http.await, Ok(Ok(()))) {
            tracing::error!("the HTTP side did not end cleanly");
        }
    };
    match running.stop(http_end, limit).await {
        Ok(()) => tracing::info!("stopped"),
        Err(left) => {
            tracing::error!(still_running = left.join(", "), "the time to stop is over");
            clean = false;
        }
    }
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Asks `/health/ready` over a plain connection: for containers, where there is no curl.
pub(super) async fn healthcheck(config: &Config) -> anyhow::Result<ExitCode> {
    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), ask)
        .await
        .with_context(|| format!("{address} does not answer in time"))?
        .with_context(|| format!("{address} does not answer"))?;
    let status = answer.split_whitespace().nth(1).unwrap_or_default();
    if status == "200" {
        say("ready")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "not ready: {}",
        answer.lines().last().unwrap_or_default()
    ))?;
    Ok(ExitCode::FAILURE)
}

/// Listens for SIGTERM and SIGINT at once; the future ends with the first of them.
#[cfg(unix)]
fn signalled() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind: SignalKind, name: &'static str| {
        signal(kind)
            .inspect_err(|error| tracing::error!(%error, signal = name, "a signal cannot be heard"))
            .ok()
    };
    let terminate = listen(SignalKind::terminate(), "SIGTERM");
    let interrupt = listen(SignalKind::interrupt(), "SIGINT");
    async move {
        let heard = async |signal: Option<tokio::signal::unix::Signal>| match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        };
        tokio::select! {
            () = heard(terminate) => {}
            () = heard(interrupt) => {}
        }
    }
}

#[cfg(not(unix))]
async fn signalled() {
    drop(tokio::signal::ctrl_c().await);
}
