//! The real program as a process that can be killed and started again in the same folder.

use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::random::Random;

/// One server with its folder, database and port, running or not.
#[derive(Debug)]
pub struct Server {
    dir: PathBuf,
    database: String,
    port: u16,
    child: Option<Child>,
    started: Instant,
    /// How long each start took until it was ready; none for a start that was killed before.
    starts: Vec<Option<Duration>>,
    http: reqwest::Client,
}

impl Server {
    /// A server that has not been started, on a port nobody listens at.
    pub fn new(dir: &Path, database: &str) -> Self {
        Self {
            dir: dir.to_owned(),
            database: database.to_owned(),
            port: free_port(),
            child: None,
            started: Instant::now(),
            starts: Vec::new(),
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(2))
                .build()
                .expect("a client"),
        }
    }

    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command
            .current_dir(&self.dir)
            .env("SWITCHBOARD__SERVER__LISTEN", format!("127.0.0.1:{}", self.port))
            .env("SWITCHBOARD__SERVER__PUBLIC_URL", self.base_url())
            .env("SWITCHBOARD__DATABASE__URL", &self.database)
            .env(
                "SWITCHBOARD__STORAGE__URL",
                format!("file://{}/attachments", self.dir.display()),
            )
            // Many visitors behind one address are what this test is made of.
            .env("SWITCHBOARD__LIMITS__ENABLED", "false")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of the program to its end and gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self
            .command()
            .args(arguments)
            .output()
            .expect("the program starts");
        assert!(
            output.status.success(),
            "switchboard {}: {}\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    /// Starts it, without waiting for anything.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "started twice");
        let log = self.log();
        let child = self
            .command()
            .arg("serve")
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
        self.started = Instant::now();
        self.starts.push(None);
    }

    fn log(&self) -> File {
        let path = self.dir.join("server.log");
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("the log")
    }

    /// Waits until it says that it can take requests.
    pub async fn ready(&mut self) {
        let url = format!("{}/health/ready", self.base_url());
        loop {
            if let Ok(answer) = self.http.get(&url).send().await
                && answer.status().is_success()
            {
                if let Some(start @ None) = self.starts.last_mut() {
                    *start = Some(self.started.elapsed());
                }
                return;
            }
            let ended = self
                .child
                .as_mut()
                .expect("started")
                .try_wait()
                .expect("its state");
            assert!(
                ended.is_none(),
                "the server ended by itself: {ended:?}\n{}",
                self.end_of_log()
            );
            assert!(
                self.started.elapsed() < Duration::from_secs(60),
                "not ready after 60 s\n{}",
                self.end_of_log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGKILL, and waits until the process is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            if let Some(status) = child.try_wait().expect("its state") {
                panic!(
                    "the server ended by itself before it was killed: {status}\n{}",
                    self.end_of_log()
                );
            }
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
    }

    /// How long it took from the start of the process until it was ready: median and longest, in milliseconds.
    pub fn start_times(&self) -> String {
        let mut starts: Vec<Duration> = self.starts.iter().flatten().copied().collect();
        starts.sort_unstable();
        let median = starts.get(starts.len() / 2).copied().unwrap_or_default();
        let longest = starts.last().copied().unwrap_or_default();
        format!(
            "ready after {} ms, at most {} ms",
            median.as_millis(),
            longest.as_millis()
        )
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read_to_string(self.dir.join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Below the range that outgoing connections take theirs from: while the server is down, a client that tries its port could
/// else be given that very port and connect to itself.
fn free_port() -> u16 {
    let mut random = Random::new(uuid::Uuid::new_v4().as_u64_pair().1);
    loop {
        let port = 10_000 + u16::try_from(random.below(20_000)).expect("small");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
