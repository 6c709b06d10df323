//! How small: memory at rest, and the time to start.

use std::time::Duration;

use super::load::Server;

/// Starts the program on a migrated database five times, and looks at its memory when it is at rest.
pub async fn measure() {
    let mut starts = Vec::new();
    for _ in 0..5 {
        let mut server = Server::start().await;
        starts.push(server.started_in);
        if starts.len() == 5 {
            // Long enough for the first sweeps to have run.
            tokio::time::sleep(Duration::from_secs(8)).await;
            let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
            let rss = status
                .lines()
                .find(|line| line.starts_with("VmRSS"))
                .unwrap_or_default();
            println!("memory at rest: {}", rss.trim_start_matches("VmRSS:").trim());
        }
        server.stop();
    }
    starts.sort_unstable();
    println!(
        "start to ready on a migrated database: median {} ms",
        starts[2].as_millis()
    );
}
