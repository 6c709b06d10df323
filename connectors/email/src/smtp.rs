//! One SMTP connection, step by step, so that a failure can be told apart by where it happened.
//!
//! lettre's ready-made transport says that something failed, not whether the server may have taken the mail
//! before. Its connection lets each command be sent alone; what counts is the moment the final dot goes out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Ehlo, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use tokio::time::timeout;

use crate::{
    net,
    oauth::{NoToken, Tokens},
    settings::{Settings, Tls},
    verdict::{self, Step, Verdict},
};

/// Longest wait for the answer to a command before the mail itself. Servers that delay strangers need it.
const COMMAND: Duration = Duration::from_secs(120);
/// Longest wait for the verdict after the mail (RFC 5321 §4.5.3.2.6 says ten minutes; people wait for this).
const VERDICT: Duration = Duration::from_secs(180);
/// Slowest line on which mail is still sent, in bytes a second.
const SLOWEST: usize = 16 * 1024;
/// The mail is written in pieces of this size.
const PIECE: usize = 64 * 1024;

/// What a failed step means for the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server cannot be reached, or broke off before it could have taken the mail.
    Unreachable(String),
    /// The server does not let us in.
    Login(String),
    /// The settings cannot work with this server.
    Settings(String),
    /// Not now (4xx).
    Later(String),
    /// Not before this long: a quota.
    Busy(String, Duration),
    /// Never like this (5xx).
    Refused(String),
    /// The whole mail went out and no verdict came back.
    Unknown(String),
}

/// TLS as lettre wants it; reading the machine's authorities takes a while, so it is made once.
pub fn tls_parameters(settings: &Settings) -> Result<Option<TlsParameters>, Failure> {
    if settings.smtp.tls == Tls::None {
        return Ok(None);
    }
    let loose = settings.accept_invalid_certs;
    let parameters = TlsParameters::builder(settings.smtp.host.clone())
        .dangerous_accept_invalid_certs(loose)
        .dangerous_accept_invalid_hostnames(loose)
        .build();
    parameters
        .map(Some)
        .map_err(|error| Failure::Settings(format!("TLS cannot be set up: {error}")))
}

/// Connects, greets and secures.
pub async fn open(settings: &Settings, tls: Option<&TlsParameters>) -> Result<AsyncSmtpConnection, Failure> {
    let server = &settings.smtp;
    let (host, port) = (server.host.as_str(), server.port());
    let place = format!("the SMTP server {host}:{port}");
    let hello = ClientId::default();
    let immediate = tls.filter(|_| server.tls == Tls::Implicit).cloned();
    let secured = immediate.is_some();
    let opening =
        AsyncSmtpConnection::connect_tokio1((host, port), Some(net::CONNECT), &hello, immediate, None);
    let opened = timeout(COMMAND, opening).await.map_err(|_| {
        let hint = if secured {
            ""
        } else {
            ": perhaps it expects TLS from the start"
        };
        Failure::Unreachable(format!("{place} takes the connection and says nothing{hint}"))
    })?;
    let mut connection = opened.map_err(|error| {
        if error.status().is_some() {
            return Failure::Later(format!("{place} does not want to talk to us: {}", words(&error)));
        }
        let hint = if secured { "check server name, port and encryption; for a certificate of your own, accept invalid certificates" } else { "check server name, port and firewall" };
        Failure::Unreachable(format!("{place} cannot be reached ({}): {hint}", words(&error)))
    })?;
    if let Some(tls) = tls.filter(|_| server.tls == Tls::Starttls) {
        if !connection.can_starttls() {
            return Err(Failure::Settings(format!(
                "{place} does not offer STARTTLS: choose TLS from the start (usually port 465)"
            )));
        }
        let upgraded = timeout(COMMAND, connection.starttls(tls.clone(), &hello))
            .await
            .map_err(|_| Failure::Unreachable(format!("{place} did not answer STARTTLS in time")))?;
        upgraded.map_err(|error| Failure::Unreachable(format!("no secure connection to {place} ({}): for a certificate of your own, accept invalid certificates", words(&error))))?;
    }
    Ok(connection)
}

/// Connects, greets, secures and logs in.
pub async fn connect(
    settings: &Settings,
    tls: Option<&TlsParameters>,
) -> Result<AsyncSmtpConnection, Failure> {
    let mut connection = open(settings, tls).await?;
    sign_in(&mut connection, settings).await?;
    Ok(connection)
}

/// Logs in as the settings say: by password, by the provider's sign-in, or not at all.
pub async fn sign_in(connection: &mut AsyncSmtpConnection, settings: &Settings) -> Result<(), Failure> {
    let server = &settings.smtp;
    let place = format!("the SMTP server {}:{}", server.host, server.port());
    match (&server.username, &server.password, &settings.tokens) {
        (Some(user), Some(password), _) => login(connection, &place, user, password.expose()).await,
        (_, _, Some(tokens)) => {
            login_by_token(connection, &place, settings.smtp_token_username(), tokens).await
        }
        _ => Ok(()),
    }
}

impl From<NoToken> for Failure {
    fn from(error: NoToken) -> Self {
        match error {
            NoToken::SignIn(text) => Self::Login(text),
            NoToken::Settings(text) => Self::Settings(text),
            NoToken::Passing(text) => Self::Unreachable(text),
        }
    }
}

async fn login_by_token(
    connection: &mut AsyncSmtpConnection,
    place: &str,
    user: &str,
    tokens: &Tokens,
) -> Result<(), Failure> {
    let mechanisms = [Mechanism::Xoauth2];
    if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
        return Err(Failure::Settings(format!(
            "{place} takes no sign-in by a provider on this connection (no XOAUTH2): give a user name and password for sending"
        )));
    }
    let token = tokens.access().await?;
    let credentials = Credentials::new(user.to_owned(), token.clone());
    let answer = timeout(COMMAND, connection.auth(&mechanisms, &credentials))
        .await
        .map_err(|_| Failure::Unreachable(format!("{place} did not answer the login in time")))?;
    let Err(error) = answer else { return Ok(()) };
    // Refused by a challenge in JSON, which lettre does not expect, or at once. The next attempt has a new token.
    if error.is_client() || error.is_permanent() {
        tokens.refused(&token).await;
        return Err(Failure::Login(format!(
            "{place} refused the sign-in of {user}: {}. Sign in as exactly this account, and see that sending by SMTP is switched on for it",
            words(&error)
        )));
    }
    Err(Failure::Later(format!(
        "{place} does not log anybody in now: {}",
        words(&error)
    )))
}

async fn login(
    connection: &mut AsyncSmtpConnection,
    place: &str,
    user: &str,
    password: &str,
) -> Result<(), Failure> {
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
        let secure = if connection.is_encrypted() {
            "leave user name and password empty for a relay without login"
        } else {
            "choose an encrypted connection"
        };
        return Err(Failure::Settings(format!(
            "{place} takes no password on this connection: {secure}"
        )));
    }
    let credentials = Credentials::new(user.to_owned(), password.to_owned());
    let answer = timeout(COMMAND, connection.auth(&mechanisms, &credentials))
        .await
        .map_err(|_| Failure::Unreachable(format!("{place} did not answer the login in time")))?;
    answer.map(drop).map_err(|error| match error.is_permanent() {
        true => Failure::Login(format!("{place} refused the login of {user}: {}. Check user name and password; many providers want an app password", words(&error))),
        false => Failure::Later(format!("{place} does not log anybody in now: {}", words(&error))),
    })
}

/// The largest mail the server takes (RFC 1870), when it says one.
pub async fn size_limit(connection: &mut AsyncSmtpConnection) -> Option<u64> {
    // lettre reads other things out of this answer and throws the size away.
    let asking = connection.command(Ehlo::new(ClientId::default()));
    let answer = timeout(COMMAND, asking).await.ok()?.ok()?;
    answer.message().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_size = words.next()?.eq_ignore_ascii_case("SIZE");
        let limit = words.next()?.parse().ok()?;
        (is_size && limit > 0).then_some(limit)
    })
}

/// A mail on its way.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// From whom and to whom.
    pub envelope: &'a Envelope,
    /// The mail itself.
    pub mail: &'a [u8],
    /// Whom it is for in the first place: when the server does not know them, nobody gets it.
    pub first: &'a Address,
    /// The largest mail the server takes.
    pub size_limit: Option<u64>,
    /// One of several who cannot get it now holds the others back; the last attempts do without them.
    pub patient: bool,
}

/// Sends one mail on an open connection; answers who will not get it, each with the server's words. After a
/// failure the connection must not be used again.
pub async fn send(connection: &mut AsyncSmtpConnection, parcel: &Parcel<'_>) -> Result<Vec<String>, Failure> {
    let Parcel { envelope, mail, .. } = parcel;
    let mut parameters = Vec::new();
    if let Some(limit) = parcel.size_limit {
        if mail.len() as u64 > limit {
            return Err(Failure::Refused(format!(
                "the mail has {} with its files, and the SMTP server takes {} at most",
                megabytes(mail.len() as u64),
                megabytes(limit)
            )));
        }
        parameters.push(MailParameter::Size(mail.len()));
    }
    let addresses = envelope.to().iter().chain(envelope.from());
    if !addresses.map(AsRef::<str>::as_ref).all(str::is_ascii) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Failure::Refused(
                "the SMTP server takes no addresses with these letters (no SMTPUTF8)".to_owned(),
            ));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !mail.is_ascii() {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = Mail::new(envelope.from().cloned(), parameters);
    step(connection, Step::Sender, from).await?;
    let refused = recipients(connection, parcel).await?;
    step(connection, Step::Body, Data).await?;
    body(connection, mail).await?;
    Ok(refused)
}

/// Names everybody the mail is for. It goes on when somebody is left, and the first of them among those.
async fn recipients(
    connection: &mut AsyncSmtpConnection,
    parcel: &Parcel<'_>,
) -> Result<Vec<String>, Failure> {
    let all = parcel.envelope.to();
    let (mut refused, mut later) = (Vec::new(), Vec::new());
    for to in all {
        let asked = step(connection, Step::Recipient, Rcpt::new(to.clone(), Vec::new())).await;
        match asked {
            Ok(()) => {}
            Err(failure) if all.len() == 1 || to == parcel.first => return Err(failure.about(to, all.len())),
            Err(Failure::Refused(reason)) => refused.push(format!("{to}: {reason}")),
            Err(Failure::Later(reason) | Failure::Busy(reason, _)) => later.push(format!("{to}: {reason}")),
            Err(failure) => return Err(failure),
        }
    }
    if !later.is_empty() && parcel.patient {
        return Err(Failure::Later(format!(
            "nobody got it yet, because not all can now: {}",
            later.join("; ")
        )));
    }
    refused.extend(later);
    Ok(refused)
}

impl Failure {
    /// Says whom of several it is about.
    fn about(self, to: &Address, of: usize) -> Self {
        let named = |reason: String| {
            if of > 1 {
                format!("nobody got it, because of {to}: {reason}")
            } else {
                reason
            }
        };
        match self {
            Self::Refused(reason) => Self::Refused(named(reason)),
            Self::Later(reason) => Self::Later(named(reason)),
            Self::Busy(reason, after) => Self::Busy(named(reason), after),
            other => other,
        }
    }
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1024 * 1024);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

async fn step(
    connection: &mut AsyncSmtpConnection,
    step: Step,
    command: impl std::fmt::Display,
) -> Result<(), Failure> {
    match timeout(COMMAND, connection.command(command)).await {
        Ok(answer) => answer.map(drop).map_err(|error| {
            judged(step, &error).unwrap_or_else(|| {
                Failure::Unreachable(format!("the SMTP server broke off: {}", words(&error)))
            })
        }),
        Err(_) => Err(Failure::Unreachable(
            "the SMTP server did not answer in time".to_owned(),
        )),
    }
}

async fn body(connection: &mut AsyncSmtpConnection, mail: &[u8]) -> Result<(), Failure> {
    // lettre asks for the next piece when one is written, and for one more before it writes the final dot.
    // Until that last question the server has no whole mail, and must not deliver a part (RFC 5321 §4.1.1.4).
    let complete = Arc::new(AtomicBool::new(false));
    let asked_beyond_the_end = Arc::clone(&complete);
    let pieces = mail.chunks(PIECE).chain(std::iter::from_fn(move || {
        asked_beyond_the_end.store(true, Ordering::SeqCst);
        None
    }));
    let time = VERDICT + Duration::from_secs(u64::try_from(mail.len() / SLOWEST).unwrap_or(0));
    let answer = timeout(time, connection.message_iter(pieces)).await;
    let failed = match answer {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => match judged(Step::Body, &error) {
            Some(failure) => return Err(failure),
            None => words(&error),
        },
        Err(_) => "no answer in time".to_owned(),
    };
    if complete.load(Ordering::SeqCst) {
        Err(Failure::Unknown(format!(
            "the mail was sent and the SMTP server did not say whether it took it ({failed}): it may have arrived"
        )))
    } else {
        Err(Failure::Unreachable(format!(
            "the SMTP server broke off in the middle of the mail: {failed}"
        )))
    }
}

/// What the server itself said, if it said anything.
fn judged(step: Step, error: &Error) -> Option<Failure> {
    let code = error
        .status()
        .filter(|_| error.is_permanent() || error.is_transient())?;
    let words = words(error);
    let said = words.split_once(' ').map_or("", |(_, said)| said);
    Some(match verdict::judge(step, code.into(), said) {
        Verdict::Refused => Failure::Refused(format!("the SMTP server refused: {words}")),
        Verdict::Later(None) => Failure::Later(format!("the SMTP server said not now: {words}")),
        Verdict::Later(Some(after)) => Failure::Busy(format!("the SMTP server said not now: {words}"), after),
        Verdict::Login => Failure::Login(format!(
            "the SMTP server does not send for us: {words}. Check user name and password"
        )),
    })
}

/// The error with its cause, for people: `550 5.1.1 no such user`.
fn words(error: &Error) -> String {
    let mut text = error.status().map_or_else(String::new, |code| format!("{code} "));
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    match cause {
        None => text.push_str(&error.to_string()),
        Some(_) => {
            while let Some(deeper) = cause.and_then(std::error::Error::source) {
                cause = Some(deeper);
            }
            text.push_str(&cause.map(ToString::to_string).unwrap_or_default());
        }
    }
    text.trim().chars().take(500).collect()
}
