//! An IMAP server with one mailbox, as much of it as a reader uses, and some bad habits on request.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// How it behaves.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Offers IDLE.
    pub idle: bool,
    /// Answers the IDLE it offers with BAD.
    pub refuses_idle: bool,
    /// The answer to a login (`OK`, `NO …`).
    pub login: &'static str,
    /// UIDs it lists and never gives.
    pub unreadable: Vec<u32>,
    /// Cuts the line in the middle of the next this many fetches of mail.
    pub cut_fetches: u32,
    /// Adds the flag changes of other clients to what it says.
    pub chatty: bool,
    /// Generation of the UIDs.
    pub uid_validity: u32,
    /// What `RFC822.SIZE` says of a mail instead of the truth.
    pub sizes: BTreeMap<u32, u64>,
    /// The answers to LIST, without the star and the word.
    pub folders: Vec<&'static str>,
    /// Answers APPEND with NO.
    pub refuses_append: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            idle: true,
            refuses_idle: false,
            login: "OK",
            unreadable: Vec::new(),
            cut_fetches: 0,
            chatty: false,
            uid_validity: 7,
            sizes: BTreeMap::new(),
            folders: vec![
                r#"(\HasNoChildren) "/" "INBOX""#,
                r#"(\HasNoChildren \Sent) "/" "Sent""#,
            ],
            refuses_append: false,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    habits: Habits,
    mails: BTreeMap<u32, Vec<u8>>,
    next_uid: u32,
    commands: Vec<String>,
    appended: Vec<(String, Vec<u8>)>,
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct FakeImap {
    pub port: u16,
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<u32>>,
    task: AbortHandle,
}

impl Drop for FakeImap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeImap {
    pub async fn start(habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            habits,
            next_uid: 1,
            ..State::default()
        }));
        let changed = Arc::new(watch::Sender::new(0));
        let shared = (Arc::clone(&state), Arc::clone(&changed));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, changed) = (Arc::clone(&shared.0), shared.1.subscribe());
                let announce = Arc::clone(&shared.1);
                tokio::spawn(async move {
                    Client {
                        stream: BufReader::new(stream),
                        state,
                        changed,
                        announce,
                        told: 0,
                    }
                    .serve()
                    .await
                });
            }
        });
        Self {
            port,
            state,
            changed,
            task: task.abort_handle(),
        }
    }

    /// Puts a mail in and announces it.
    pub fn put(&self, mail: &[u8]) -> u32 {
        let uid = {
            let mut state = self.state.lock().unwrap();
            let uid = state.next_uid;
            state.next_uid += 1;
            state.mails.insert(uid, mail.to_vec());
            uid
        };
        self.changed.send_modify(|version| *version += 1);
        uid
    }

    pub fn change(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.state.lock().unwrap().habits);
    }

    /// Takes mails away and starts counting anew, as a server does that was set up again.
    pub fn renumber(&self, uid_validity: u32) {
        let mut state = self.state.lock().unwrap();
        state.habits.uid_validity = uid_validity;
        let mails: Vec<Vec<u8>> = std::mem::take(&mut state.mails).into_values().collect();
        state.next_uid = u32::try_from(mails.len()).unwrap() + 1;
        state.mails = (1..).zip(mails).collect();
    }

    /// The mails clients put into folders, each with the command that did it, once there are so many.
    pub async fn appended(&self, count: usize) -> Vec<(String, Vec<u8>)> {
        let mut changed = self.changed.subscribe();
        loop {
            let appended = self.state.lock().unwrap().appended.clone();
            if appended.len() >= count {
                return appended;
            }
            changed.changed().await.unwrap();
        }
    }

    /// Everything clients said.
    pub fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }
}

struct Client {
    stream: BufReader<TcpStream>,
    state: Arc<Mutex<State>>,
    changed: watch::Receiver<u32>,
    announce: Arc<watch::Sender<u32>>,
    /// The last number of mails the client was told.
    told: usize,
}

impl Client {
    async fn serve(mut self) -> Option<()> {
        self.say("* OK fake IMAP4rev1").await?;
        loop {
            let line = self.read().await?;
            let (tag, command) = line.split_once(' ')?;
            self.state.lock().unwrap().commands.push(command.to_owned());
            let habits = self.state.lock().unwrap().habits.clone();
            let upper = command.to_ascii_uppercase();
            let words: Vec<&str> = upper.split(' ').collect();
            match words.as_slice() {
                ["CAPABILITY"] => {
                    let idle = if habits.idle { " IDLE" } else { "" };
                    self.say(&format!("* CAPABILITY IMAP4rev1 AUTH=PLAIN{idle}"))
                        .await?;
                }
                ["AUTHENTICATE", ..] => {
                    self.say("+ ").await?;
                    self.read().await?;
                    self.say(&format!("{tag} {} login", habits.login)).await?;
                    continue;
                }
                ["EXAMINE" | "SELECT", ..] => self.examine(&habits).await?,
                ["IDLE"] if habits.refuses_idle => {
                    self.say(&format!("{tag} BAD not today")).await?;
                    continue;
                }
                ["IDLE"] => self.idle().await?,
                ["UID", "SEARCH", query @ ..] => self.search(query).await?,
                ["UID", "FETCH", set, ..] => self.fetch(set, command, &habits).await?,
                ["LIST", ..] => {
                    for folder in &habits.folders {
                        self.say(&format!("* LIST {folder}")).await?;
                    }
                }
                ["APPEND", ..] if habits.refuses_append => {
                    self.say(&format!("{tag} NO [OVERQUOTA] it is full")).await?;
                    continue;
                }
                ["APPEND", ..] => self.append(command).await?,
                ["LOGOUT"] => {
                    self.say("* BYE").await?;
                    return self.say(&format!("{tag} OK")).await;
                }
                _ => {}
            }
            self.say(&format!("{tag} OK done")).await?;
        }
    }

    async fn examine(&mut self, habits: &Habits) -> Option<()> {
        let (exists, next) = {
            let state = self.state.lock().unwrap();
            (state.mails.len(), state.next_uid)
        };
        self.told = exists;
        self.say(&format!(
            "* {exists} EXISTS\r\n* OK [UIDVALIDITY {}] x\r\n* OK [UIDNEXT {next}] x",
            habits.uid_validity
        ))
        .await
    }

    async fn idle(&mut self) -> Option<()> {
        self.changed.borrow_and_update();
        self.say("+ idling").await?;
        // What came before the IDLE is announced in it.
        let exists = self.state.lock().unwrap().mails.len();
        if exists != self.told {
            self.told = exists;
            self.say(&format!("* {exists} EXISTS")).await?;
        }
        let mut done = String::new();
        loop {
            tokio::select! {
                read = self.stream.read_line(&mut done) => return (read.ok()? > 0).then_some(()),
                changed = self.changed.changed() => {
                    changed.ok()?;
                    let exists = self.state.lock().unwrap().mails.len();
                    self.told = exists;
                    self.stream.get_mut().write_all(format!("* {exists} EXISTS\r\n").as_bytes()).await.ok()?;
                }
            }
        }
    }

    async fn append(&mut self, command: &str) -> Option<()> {
        let size: usize = command.rsplit_once('{')?.1.trim_end_matches('}').parse().ok()?;
        self.say("+ go on").await?;
        let mut mail = vec![0; size];
        self.stream.read_exact(&mut mail).await.ok()?;
        self.read().await?;
        self.state
            .lock()
            .unwrap()
            .appended
            .push((command.to_owned(), mail));
        self.announce.send_modify(|version| *version += 1);
        Some(())
    }

    async fn search(&mut self, query: &[&str]) -> Option<()> {
        // Dates are not looked at: every mail here came today.
        let set = query.get(1)?;
        let uids: Vec<u32> = self.state.lock().unwrap().mails.keys().copied().collect();
        let newest = uids.last().copied().unwrap_or(0);
        let found: Vec<String> = uids
            .into_iter()
            .filter(|uid| in_set(set, *uid, newest))
            .map(|uid| uid.to_string())
            .collect();
        self.say(&format!("* SEARCH {}", found.join(" "))).await
    }

    async fn fetch(&mut self, set: &str, command: &str, habits: &Habits) -> Option<()> {
        let mails: Vec<(usize, u32, Vec<u8>)> = {
            let state = self.state.lock().unwrap();
            let newest = state.mails.keys().last().copied().unwrap_or(0);
            let numbered = state.mails.iter().enumerate();
            numbered
                .filter(|(_, (uid, _))| in_set(set, **uid, newest))
                .map(|(n, (uid, mail))| (n + 1, *uid, mail.clone()))
                .collect()
        };
        for (number, uid, mail) in mails {
            if habits.chatty {
                self.say(&format!("* {number} FETCH (FLAGS (\\Seen))\r\n* 99 EXPUNGE"))
                    .await?;
            }
            if command.contains("RFC822.SIZE") {
                let size = habits.sizes.get(&uid).copied().unwrap_or(mail.len() as u64);
                let date = chrono::DateTime::format(
                    &switchboard_sdk::Clock::now(&switchboard_sdk::SystemClock),
                    "%d-%b-%Y %H:%M:%S +0000",
                );
                self.say(&format!(
                    "* {number} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \"{date}\")"
                ))
                .await?;
                continue;
            }
            if habits.unreadable.contains(&uid) {
                continue;
            }
            let asked = command
                .split_once("[]<")
                .and_then(|(_, rest)| rest.split_once('>')?.0.split_once('.'));
            let (from, length) = asked.map_or((0, usize::MAX), |(from, length)| {
                (from.parse().unwrap(), length.parse().unwrap())
            });
            let part = asked.map_or("BODY[]".to_owned(), |(from, _)| format!("BODY[]<{from}>"));
            let from = mail.len().min(from);
            let bytes = mail.get(from..mail.len().min(from.saturating_add(length)))?;
            self.stream
                .get_mut()
                .write_all(format!("* {number} FETCH (UID {uid} {part} {{{}}}\r\n", bytes.len()).as_bytes())
                .await
                .ok()?;
            if habits.cut_fetches > 0 {
                self.state.lock().unwrap().habits.cut_fetches -= 1;
                self.stream
                    .get_mut()
                    .write_all(bytes.get(..bytes.len() / 2)?)
                    .await
                    .ok()?;
                return None;
            }
            self.stream.get_mut().write_all(bytes).await.ok()?;
            self.say(")").await?;
        }
        Some(())
    }

    async fn read(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.stream.read_line(&mut line).await.ok()? > 0).then(|| line.trim_end().to_owned())
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .ok()
    }
}

/// `1:3,7,9:*`; a range has no order, as the standard says.
fn in_set(set: &str, uid: u32, newest: u32) -> bool {
    let number = |text: &str| {
        if text == "*" {
            newest
        } else {
            text.parse().unwrap_or(0)
        }
    };
    set.split(',').any(|range| {
        let (a, b) = range
            .split_once(':')
            .map_or_else(|| (number(range), number(range)), |(a, b)| (number(a), number(b)));
        (a.min(b)..=a.max(b)).contains(&uid)
    })
}
