//! "Test connection": everything the channel does later, except taking and sending mail.

use lettre::transport::smtp::commands::Noop;
use switchboard_sdk::Fault;
use tokio::time::timeout;

use crate::{
    imap::Imap,
    net,
    settings::{Settings, Tls},
    smtp::{self, Failure},
};

/// Checks both directions; the answer and every failure are sentences for an admin.
pub async fn check(settings: &Settings) -> Result<String, Fault> {
    let incoming = incoming(settings).await?;
    let outgoing = outgoing(settings).await?;
    Ok(format!("{incoming} {outgoing}"))
}

async fn incoming(settings: &Settings) -> Result<String, Fault> {
    let mut imap = Imap::connect(settings).await?;
    let opened = imap.examine(&settings.imap.mailbox).await?;
    let news = if imap.can_idle() {
        "new mail is announced at once"
    } else {
        "the server does not announce new mail, so it is looked for twice a minute"
    };
    imap.logout().await;
    let mails = if opened.exists == 1 {
        "1 mail".to_owned()
    } else {
        format!("{} mails", opened.exists)
    };
    Ok(format!(
        "IMAP: logged in as {}; {} holds {mails}; {news}.",
        settings.imap_username(),
        settings.imap.mailbox
    ))
}

async fn outgoing(settings: &Settings) -> Result<String, Fault> {
    let tls = smtp::tls_parameters(settings).map_err(fault)?;
    let mut connection = smtp::connect(settings, tls.as_ref()).await.map_err(fault)?;
    let answer = timeout(net::CONNECT, connection.command(Noop)).await;
    drop(timeout(net::CONNECT, connection.quit()).await);
    if !matches!(answer, Ok(Ok(_))) {
        return Err(Fault::temporary(
            "the SMTP server let us in and then stopped answering",
        ));
    }
    let who = settings.smtp.username.as_ref().map_or_else(
        || "no login asked for".to_owned(),
        |user| format!("logged in as {user}"),
    );
    let how = if settings.smtp.tls == Tls::None {
        ", without encryption"
    } else {
        ""
    };
    Ok(format!(
        "SMTP: connected to {}:{}{how}; {who}.",
        settings.smtp.host,
        settings.smtp.port()
    ))
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
