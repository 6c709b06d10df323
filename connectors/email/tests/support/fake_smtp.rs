//! An SMTP server that accepts, refuses or breaks off at the step it is told to.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// What happens to the next mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 250 everywhere.
    Accept,
    /// This answer to RCPT.
    AtRcpt(&'static str),
    /// This answer to RCPT of an address that holds this.
    AtRcptOf(&'static str, &'static str),
    /// Takes mails of this size at most, and says so.
    Sized(u64),
    /// This answer after the final dot.
    AfterDot(&'static str),
    /// Takes the whole mail and closes without a word.
    CutAfterDot,
    /// Closes in the middle of the mail.
    CutInData,
    /// Answers DATA with a close.
    CutAtData,
    /// This greeting, and goodbye.
    Greeting(&'static str),
    /// Wants a login and refuses it with this.
    AtLogin(&'static str),
}

#[derive(Debug, Default)]
struct State {
    mode: Option<Mode>,
    mails: Vec<Vec<u8>>,
    commands: Vec<String>,
    connections: usize,
    open: usize,
    most_open: usize,
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct FakeSmtp {
    pub port: u16,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeSmtp {
    pub async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            mode: Some(mode),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                {
                    let mut state = shared.lock().unwrap();
                    state.connections += 1;
                    state.open += 1;
                    state.most_open = state.most_open.max(state.open);
                }
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    serve(stream, &shared).await;
                    shared.lock().unwrap().open -= 1;
                });
            }
        });
        Self {
            port,
            state,
            task: task.abort_handle(),
        }
    }

    pub fn set(&self, mode: Mode) {
        self.state.lock().unwrap().mode = Some(mode);
    }

    /// Nobody listens from now on.
    pub fn close(&self) {
        self.task.abort();
    }

    /// The mails it got to the final dot.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().mails.clone()
    }

    /// What clients said, but for the mails.
    pub fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    /// The most connections there were at once.
    pub fn most_open(&self) -> usize {
        self.state.lock().unwrap().most_open
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

async fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mode = || state.lock().unwrap().mode.unwrap_or(Mode::Accept);
    if let Mode::Greeting(line) = mode() {
        return say(&mut stream, line).await;
    }
    say(&mut stream, "220 fake ESMTP").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        state.lock().unwrap().commands.push(line.trim_end().to_owned());
        match line
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase()
            .as_str()
        {
            "EHLO" if matches!(mode(), Mode::AtLogin(_)) => {
                say(&mut stream, "250-fake\r\n250-AUTH PLAIN\r\n250 8BITMIME").await?
            }
            "EHLO" if matches!(mode(), Mode::Sized(_)) => {
                let Mode::Sized(limit) = mode() else { return None };
                say(
                    &mut stream,
                    &format!("250-fake\r\n250-SIZE {limit}\r\n250 8BITMIME"),
                )
                .await?
            }
            "EHLO" => say(&mut stream, "250-fake\r\n250 8BITMIME").await?,
            "AUTH" => match mode() {
                Mode::AtLogin(answer) => say(&mut stream, answer).await?,
                _ => say(&mut stream, "235 in").await?,
            },
            "RCPT" => match mode() {
                Mode::AtRcpt(answer) => say(&mut stream, answer).await?,
                Mode::AtRcptOf(who, answer) if line.contains(who) => say(&mut stream, answer).await?,
                _ => say(&mut stream, "250 ok").await?,
            },
            "DATA" => {
                if mode() == Mode::CutAtData {
                    return None;
                }
                say(&mut stream, "354 go on").await?;
                if mode() == Mode::CutInData {
                    let mut some = [0; 1000];
                    stream.read_exact(&mut some).await.ok()?;
                    return None;
                }
                let mail = data(&mut stream).await?;
                state.lock().unwrap().mails.push(mail);
                match mode() {
                    Mode::CutAfterDot => return None,
                    Mode::AfterDot(answer) => say(&mut stream, answer).await?,
                    _ => say(&mut stream, "250 2.0.0 taken").await?,
                }
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

async fn data(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(mail);
        }
        mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> Option<()> {
    stream
        .get_mut()
        .write_all(format!("{line}\r\n").as_bytes())
        .await
        .ok()
}
