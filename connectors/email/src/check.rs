//! "Test connection": everything the channel does later, except taking and sending mail, step by step.

use lettre::transport::smtp::commands::Noop;
use switchboard_sdk::{CheckStep, Fault};
use tokio::time::timeout;

use crate::{
    imap::{Imap, ImapError},
    net,
    settings::{Settings, Tls},
    smtp::{self, Failure},
    trace::Trace,
};

/// Tries both directions, the second even when the first fails.
pub async fn steps(settings: &Settings) -> Vec<CheckStep> {
    let mut trace = Trace::default();
    if let Some(tokens) = &settings.tokens {
        trace.begin("oauth");
        match tokens.access().await {
            Ok(_) => trace.done(format!("Signed in at {}.", settings.auth.provider)),
            Err(error) => {
                trace.failed(error.into());
                return trace.into_steps();
            }
        }
    }
    if let Err(error) = incoming(settings, &mut trace).await {
        trace.failed(error.into());
    }
    if let Err(failure) = outgoing(settings, &mut trace).await {
        trace.failed(fault(failure));
    }
    trace.into_steps()
}

async fn incoming(settings: &Settings, trace: &mut Trace) -> Result<(), ImapError> {
    let mut imap = Imap::connect_noting(settings, trace).await?;
    for folder in settings.imap.folders() {
        trace.begin("imap_folder");
        let opened = imap.examine(folder).await?;
        let mails = if opened.exists == 1 {
            "1 mail".to_owned()
        } else {
            format!("{} mails", opened.exists)
        };
        let news = if imap.can_idle() {
            "new mail is announced at once"
        } else {
            "the server does not announce new mail, so it is looked for twice a minute"
        };
        trace.done(format!("{folder} holds {mails}; {news}."));
    }
    imap.logout().await;
    Ok(())
}

async fn outgoing(settings: &Settings, trace: &mut Trace) -> Result<(), Failure> {
    let server = &settings.smtp;
    let (host, port) = (server.host.as_str(), server.port());
    let place = format!("the SMTP server {host}:{port}");
    trace.begin("smtp_dns");
    let addresses = net::resolve(host, port).await.map_err(|error| {
        Failure::Unreachable(format!(
            "{place} cannot be found ({error}): check the server name"
        ))
    })?;
    trace.done(format!("SMTP: {host} was found."));
    trace.begin("smtp_tcp");
    let reached = net::connect(&addresses).await.map_err(|error| {
        Failure::Unreachable(format!(
            "{place} cannot be reached ({error}): check server name, port and firewall"
        ))
    })?;
    drop(reached);
    trace.done(format!("SMTP: connected to {host}:{port}."));
    trace.begin("smtp_tls");
    let tls = smtp::tls_parameters(settings)?;
    let mut connection = smtp::open(settings, tls.as_ref()).await?;
    trace.done(match server.tls {
        Tls::None => "SMTP: no encryption, as set.",
        Tls::Implicit | Tls::Starttls => "SMTP: the connection is encrypted.",
    });
    trace.begin("smtp_login");
    smtp::sign_in(&mut connection, settings).await?;
    let answer = timeout(net::CONNECT, connection.command(Noop)).await;
    drop(timeout(net::CONNECT, connection.quit()).await);
    if !matches!(answer, Ok(Ok(_))) {
        return Err(Failure::Later(
            "the SMTP server let us in and then stopped answering".to_owned(),
        ));
    }
    trace.done(match (&server.username, &server.password, &settings.tokens) {
        (Some(user), Some(_), _) => format!("SMTP: logged in as {user}."),
        (_, _, Some(_)) => format!("SMTP: logged in as {}.", settings.smtp_token_username()),
        _ => "SMTP: no login asked for.".to_owned(),
    });
    Ok(())
}

fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Login(reason) | Failure::Settings(reason) => Fault::Permanent(reason),
        Failure::Unreachable(reason)
        | Failure::Later(reason)
        | Failure::Busy(reason, _)
        | Failure::Refused(reason)
        | Failure::Unknown(reason) => Fault::Temporary(reason),
    }
}
