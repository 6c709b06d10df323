//! A line between client and server that breaks on request.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Carries everything.
    Up,
    /// Every connection is cut, and so is every new one.
    Cut,
}

/// The proxy; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    line: Arc<watch::Sender<Line>>,
    /// Cuts the next connection after this many bytes from the server.
    cut_after: Arc<watch::Sender<Option<usize>>>,
    /// How often everything was forgotten: connections of before carry nothing any more.
    forgotten: Arc<watch::Sender<u32>>,
    task: AbortHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.line.send_replace(Line::Cut);
    }
}

impl Proxy {
    pub async fn to(host: String, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let line = Arc::new(watch::Sender::new(Line::Up));
        let cut_after = Arc::new(watch::Sender::new(None));
        let forgotten = Arc::new(watch::Sender::new(0));
        let (lines, cuts, losses) = (Arc::clone(&line), Arc::clone(&cut_after), Arc::clone(&forgotten));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *lines.borrow() == Line::Cut {
                    continue;
                }
                let Ok(server) = TcpStream::connect((host.as_str(), port)).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let state = || (lines.subscribe(), losses.subscribe());
                tokio::spawn(carry(from_client, to_server, state(), None));
                let limit = cuts.send_replace(None);
                tokio::spawn(carry(from_server, to_client, state(), limit));
            }
        });
        Self {
            port: own,
            line,
            cut_after,
            forgotten,
            task: task.abort_handle(),
        }
    }

    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Half open: connections of before stand, nothing passes, nobody is told; new ones are carried. As with
    /// a router that was restarted.
    pub fn forget(&self) {
        self.forgotten.send_modify(|count| *count += 1);
    }

    /// Cuts the next connection when the server has said this much.
    pub fn cut_next_after(&self, bytes: usize) {
        self.cut_after.send_replace(Some(bytes));
    }
}

/// Carries one direction until the line is cut; both ends of a connection end together, because the other
/// direction loses its partner.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (mut line, forgotten): (watch::Receiver<Line>, watch::Receiver<u32>),
    mut limit: Option<usize>,
) -> Option<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.ok().filter(|read| *read > 0)?,
            _ = line.wait_for(|line| *line == Line::Cut) => return None,
        };
        if forgotten.has_changed().unwrap_or(true) {
            continue;
        }
        let mut bytes = buffer.get(..read)?;
        if let Some(left) = &mut limit {
            bytes = bytes.get(..read.min(*left))?;
            *left -= bytes.len();
        }
        to.write_all(bytes).await.ok()?;
        if limit == Some(0) {
            return None;
        }
    }
}
