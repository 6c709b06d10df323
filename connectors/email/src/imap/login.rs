//! The way into a mailbox: greeting, encryption, capabilities, login.

use async_imap::{
    Client, Connection, Session,
    imap_proto::{Capability, Response, Status},
};
use tokio::time::timeout;

use super::wire::{COMMAND, ImapError, human, run, said, slow};
use crate::{
    net,
    oauth::{NoToken, Tokens},
    settings::{Secret, Settings, Tls},
    trace::Trace,
};

/// Connects, secures, logs in; answers the session and what the server can do.
pub(super) async fn open(
    settings: &Settings,
    trace: &mut Trace,
) -> Result<(Session<net::Stream>, Vec<String>), ImapError> {
    let server = &settings.imap;
    let (host, port) = (server.host.as_str(), server.port());
    let place = format!("the IMAP server {host}:{port}");
    trace.begin("imap_dns");
    let addresses = net::resolve(host, port).await.map_err(|error| {
        ImapError::Lost(format!(
            "{place} cannot be found ({error}): check the server name"
        ))
    })?;
    trace.done(format!("IMAP: {host} was found."));
    trace.begin("imap_tcp");
    let tcp = net::connect(&addresses).await.map_err(|error| {
        ImapError::Lost(format!(
            "{place} cannot be reached ({error}): check server name, port and firewall"
        ))
    })?;
    trace.done(format!("IMAP: connected to {host}:{port}."));
    let tls_advice = |error: std::io::Error| {
        ImapError::Lost(format!(
            "no secure connection to {place} ({error}): check the port and the kind of encryption; for a certificate of your own, accept invalid certificates"
        ))
    };
    trace.begin("imap_tls");
    let (stream, greeted): (net::Stream, bool) = match server.tls {
        Tls::Implicit => (
            net::secure(tcp, host, settings.accept_invalid_certs)
                .await
                .map_err(tls_advice)?,
            false,
        ),
        Tls::None => (Box::new(tcp), false),
        Tls::Starttls => {
            let mut client = Client::new(tcp);
            greeting(&mut client, &place).await?;
            if !capabilities(&mut client)
                .await?
                .iter()
                .any(|name| name == "STARTTLS")
            {
                return Err(ImapError::Settings(format!(
                    "{place} does not offer STARTTLS: choose TLS from the start (usually port 993)"
                )));
            }
            run(&mut client, "STARTTLS", COMMAND, |_| ()).await?;
            // What came in the clear after the command is dropped with the client: nobody may smuggle answers in.
            (
                net::secure(client.into_inner(), host, settings.accept_invalid_certs)
                    .await
                    .map_err(tls_advice)?,
                true,
            )
        }
    };
    trace.done(match server.tls {
        Tls::None => "IMAP: no encryption, as set.",
        Tls::Implicit | Tls::Starttls => "IMAP: the connection is encrypted.",
    });
    trace.begin("imap_login");
    let mut client = Client::new(stream);
    if !greeted {
        greeting(&mut client, &place).await?;
    }
    let offered = capabilities(&mut client).await?;
    let mut session = match &settings.tokens {
        Some(tokens) => login_by_token(client, settings, tokens, &offered, &place).await?,
        None => login(client, settings, &offered, &place).await?,
    };
    trace.done(format!("IMAP: logged in as {}.", settings.imap_username()));
    let capabilities = capabilities(&mut session).await?;
    Ok((session, capabilities))
}

async fn greeting<T: net::Io>(client: &mut Client<T>, place: &str) -> Result<(), ImapError> {
    let greeting = timeout(COMMAND, client.read_response()).await.map_err(|_| {
        ImapError::Lost(format!(
            "{place} takes the connection and says nothing: perhaps it expects TLS from the start"
        ))
    })?;
    let greeting = greeting.map_err(|error| {
        ImapError::Lost(format!(
            "{place} does not speak IMAP here ({error}): check the port and the kind of encryption"
        ))
    })?;
    match greeting.as_ref().map(|response| response.parsed()) {
        Some(Response::Data {
            status: Status::Ok | Status::PreAuth,
            ..
        }) => Ok(()),
        Some(Response::Data { outcome, .. }) => {
            Err(ImapError::Lost(format!("{place} {}", said("greeting", outcome))))
        }
        Some(_) => Err(ImapError::Lost(format!("{place} greets in no way IMAP knows"))),
        None => Err(ImapError::Lost(format!("{place} closed the connection at once"))),
    }
}

async fn capabilities<T: net::Io>(connection: &mut Connection<T>) -> Result<Vec<String>, ImapError> {
    let mut found = Vec::new();
    run(connection, "CAPABILITY", COMMAND, |response| {
        let Response::Capabilities(list) = response else {
            return;
        };
        found.extend(list.iter().map(|capability| match capability {
            Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
            Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
            Capability::Atom(name) => name.to_ascii_uppercase(),
        }));
    })
    .await?;
    Ok(found)
}

/// SASL PLAIN (RFC 4616): any letters in the password, unlike LOGIN.
struct Plain<'a>(&'a str, &'a str);

impl async_imap::Authenticator for Plain<'_> {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> Self::Response {
        format!("\0{}\0{}", self.0, self.1)
    }
}

async fn login(
    client: Client<net::Stream>,
    settings: &Settings,
    offered: &[String],
    place: &str,
) -> Result<Session<net::Stream>, ImapError> {
    let user = settings.imap_username();
    let password = settings.imap.password.as_ref().map_or("", Secret::expose);
    let offers = |name: &str| offered.iter().any(|offer| offer == name);
    if !offers("AUTH=PLAIN") && offers("LOGINDISABLED") {
        return Err(ImapError::Settings(format!(
            "{place} takes no password on this connection: choose an encrypted one"
        )));
    }
    let attempt = async {
        if offers("AUTH=PLAIN") {
            client.authenticate("PLAIN", Plain(user, password)).await
        } else {
            client.login(user, password).await
        }
    };
    let answer = timeout(COMMAND, attempt).await.map_err(|_| slow("the login"))?;
    answer.map_err(|(error, _)| match error {
        async_imap::error::Error::No(text) | async_imap::error::Error::Bad(text) => {
            let words = human(&text);
            if is_passing(&words) {
                ImapError::Lost(format!("{place} does not log anybody in now: {words}"))
            } else {
                ImapError::Login(format!(
                    "{place} refused the login of {user}: {words}. Check user name and password; many providers want an app password, and IMAP switched on in the mailbox's settings"
                ))
            }
        }
        async_imap::error::Error::Validate(_) => ImapError::Settings("user name or password holds a character no server takes".to_owned()),
        error => ImapError::Lost(format!("{place} broke off during the login: {error}")),
    })
}

/// XOAUTH2: the token at first; what comes after it is a refusal in JSON, to be answered with an empty line.
struct Bearer<'a> {
    user: &'a str,
    token: &'a str,
    said: bool,
}

impl async_imap::Authenticator for Bearer<'_> {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> Self::Response {
        if std::mem::replace(&mut self.said, true) {
            return String::new();
        }
        format!("user={}\x01auth=Bearer {}\x01\x01", self.user, self.token)
    }
}

impl From<NoToken> for ImapError {
    fn from(error: NoToken) -> Self {
        match error {
            NoToken::SignIn(text) => Self::Login(text),
            NoToken::Settings(text) => Self::Settings(text),
            NoToken::Passing(text) => Self::Lost(text),
        }
    }
}

async fn login_by_token(
    client: Client<net::Stream>,
    settings: &Settings,
    tokens: &Tokens,
    offered: &[String],
    place: &str,
) -> Result<Session<net::Stream>, ImapError> {
    if !offered.iter().any(|offer| offer == "AUTH=XOAUTH2") {
        return Err(ImapError::Settings(format!(
            "{place} takes no sign-in by a provider (no XOAUTH2): choose the password"
        )));
    }
    let user = settings.imap_username();
    let attempt = async |client: Client<net::Stream>, token: &str| {
        let said = false;
        let bearer = Bearer { user, token, said };
        let answer = timeout(COMMAND, client.authenticate("XOAUTH2", bearer)).await;
        answer.map_err(|_| slow("the login"))
    };
    let token = tokens.access().await?;
    let (error, client) = match attempt(client, &token).await? {
        Ok(session) => return Ok(session),
        Err(refused) => refused,
    };
    let words = refused(error, place)?;
    // Withdrawn before its time, perhaps: one more, new.
    tokens.refused(&token).await;
    let token = tokens.access().await?;
    match attempt(client, &token).await? {
        Ok(session) => Ok(session),
        Err((error, _)) => {
            refused(error, place)?;
            tokens.refused(&token).await;
            Err(ImapError::Login(format!(
                "{place} refused the sign-in of {user}: {words}. Sign in as exactly this account, and see that IMAP is switched on for it"
            )))
        }
    }
}

/// The server's words when it refused a login, an error when that is not what happened.
fn refused(error: async_imap::error::Error, place: &str) -> Result<String, ImapError> {
    match error {
        async_imap::error::Error::No(text) | async_imap::error::Error::Bad(text) => {
            let words = human(&text);
            if is_passing(&words) {
                return Err(ImapError::Lost(format!(
                    "{place} does not log anybody in now: {words}"
                )));
            }
            Ok(words)
        }
        error => Err(ImapError::Lost(format!(
            "{place} broke off during the login: {error}"
        ))),
    }
}

/// Codes of RFC 5530 and common words that mean "later", not "wrong password".
fn is_passing(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    [
        "[unavailable]",
        "[inuse]",
        "[limit]",
        "[serverbug]",
        "too many",
        "temporar",
        "try again later",
        "internal error",
    ]
    .iter()
    .any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_is_not_a_wrong_password() {
        assert!(is_passing("[UNAVAILABLE] Temporary authentication failure."));
        assert!(is_passing("Too many simultaneous connections"));
        assert!(!is_passing("[AUTHENTICATIONFAILED] Authentication failed."));
        assert_eq!(
            human("code: None, info: Some(\"[AUTHENTICATIONFAILED] no\")"),
            "[AUTHENTICATIONFAILED] no"
        );
    }
}
