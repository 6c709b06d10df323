//! A manager interface that says what it is told to, in the shapes of Asterisk 20 (AMI v2 specification).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "a test fails by panicking, and each file uses a part of this"
)]

use std::sync::{Arc, Mutex};

use md5::Digest;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};

pub const SECRET: &str = "manager-secret";

#[derive(Clone)]
pub struct Asterisk {
    pub port: u16,
    state: Arc<Mutex<State>>,
    say: broadcast::Sender<Option<String>>,
}

#[derive(Default)]
struct State {
    /// What CoreShowChannels answers.
    channels: Vec<String>,
    actions: Vec<Vec<(String, String)>>,
}

impl Asterisk {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (say, _) = broadcast::channel(1000);
        let this = Self {
            port,
            state: Arc::default(),
            say,
        };
        let server = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        this
    }

    /// Says an event to whoever is logged in.
    pub fn event(&self, name: &str, fields: &[(&str, &str)]) {
        drop(self.say.send(Some(message("Event", name, fields))));
    }

    /// Ends all connections.
    pub fn hang_up(&self) {
        drop(self.say.send(None));
    }

    /// Waits until somebody listens.
    pub async fn listened(&self) {
        while self.say.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// What channels are there, for those who ask.
    pub fn has(&self, channels: &[&[(&str, &str)]]) {
        let all = channels
            .iter()
            .map(|fields| message("Event", "CoreShowChannel", fields))
            .collect();
        self.state.lock().unwrap().channels = all;
    }

    pub fn add(&self, fields: &[(&str, &str)]) {
        self.state
            .lock()
            .unwrap()
            .channels
            .push(message("Event", "CoreShowChannel", fields));
    }

    /// What was asked of it, by action.
    pub fn asked(&self, action: &str) -> Vec<Vec<(String, String)>> {
        let state = self.state.lock().unwrap();
        state
            .actions
            .iter()
            .filter(|fields| value(fields, "Action") == action)
            .cloned()
            .collect()
    }

    async fn serve(&self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        drop(write.write_all(b"Asterisk Call Manager/9.0.0\r\n").await);
        let mut events = None;
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let said = async {
                match &mut events {
                    Some(events) => broadcast::Receiver::recv(events).await.ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                line = lines.next_line() => {
                    let Ok(Some(line)) = line else { return };
                    if let Some((name, value)) = line.split_once(": ") {
                        fields.push((name.to_owned(), value.to_owned()));
                    }
                    if !line.is_empty() { continue }
                    let asked = std::mem::take(&mut fields);
                    let answer = self.answer(&asked);
                    if value(&asked, "Action") == "Login" && answer.contains("Success") {
                        // Before the answer: nothing is said to nobody.
                        events = Some(self.say.subscribe());
                    }
                    if write.write_all(answer.as_bytes()).await.is_err() { return }
                }
                text = said => {
                    let Some(Some(text)) = text else { return };
                    // In two halves, as the network may bring it.
                    let (one, two) = text.split_at(text.len() / 2);
                    for half in [one, two] {
                        if write.write_all(half.as_bytes()).await.is_err() { return }
                    }
                }
            }
        }
    }

    fn answer(&self, asked: &[(String, String)]) -> String {
        let mut state = self.state.lock().unwrap();
        state.actions.push(asked.to_vec());
        let id = value(asked, "ActionID");
        match value(asked, "Action") {
            "Challenge" => message(
                "Response",
                "Success",
                &[("ActionID", id), ("Challenge", "123456789")],
            ),
            "Login" => {
                let key = hex::encode(md5::Md5::digest(format!("123456789{SECRET}")));
                if value(asked, "Key") == key && value(asked, "Username") == "switchboard" {
                    message(
                        "Response",
                        "Success",
                        &[("ActionID", id), ("Message", "Authentication accepted")],
                    )
                } else {
                    message(
                        "Response",
                        "Error",
                        &[("ActionID", id), ("Message", "Authentication failed")],
                    )
                }
            }
            "CoreShowChannels" => {
                let mut text = message("Response", "Success", &[("ActionID", id), ("EventList", "start")]);
                state.channels.iter().for_each(|channel| text.push_str(channel));
                text.push_str(&message(
                    "Event",
                    "CoreShowChannelsComplete",
                    &[("ActionID", id), ("EventList", "Complete")],
                ));
                text
            }
            "Originate" if value(asked, "Channel").contains("404") => message(
                "Response",
                "Error",
                &[("ActionID", id), ("Message", "Extension does not exist.")],
            ),
            _ => message("Response", "Success", &[("ActionID", id)]),
        }
    }
}

pub fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields
        .iter()
        .find(|(known, _)| known == name)
        .map_or("", |(_, value)| value)
}

fn message(first: &str, name: &str, fields: &[(&str, &str)]) -> String {
    let mut text = format!("{first}: {name}\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}
