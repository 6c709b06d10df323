//! Hours of an open line in seconds: arrivals, presence that flaps, operators who accept, let lapse,
//! pause, answer, give back and close, and routers that die at any await and start again. A seed makes
//! the story; the promises of the router are looked at after each step.
//!
//! `SWITCHBOARD_SIM_SEED` replays one story, `SWITCHBOARD_SIM_STEPS` makes it longer.

mod promises;
mod story;

use crate::support::Database;

/// Stories told in each run; a longer run takes more by hand.
const SEEDS: [u64; 3] = [1, 20_261, 771_234];
/// Things that happen in a story: about an hour of an open line.
const STEPS: u32 = 240;

async fn tell(database: fn() -> std::pin::Pin<Box<dyn Future<Output = Database>>>) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let steps = number("SWITCHBOARD_SIM_STEPS").map_or(STEPS, |steps| u32::try_from(steps).unwrap());
    let seeds = number("SWITCHBOARD_SIM_SEED").map_or(SEEDS.to_vec(), |seed| vec![seed]);
    for seed in seeds {
        let _say = Seed(seed);
        let mut story = story::Story::begin(database().await, seed).await;
        for _ in 0..steps {
            story.step().await;
        }
        story.end().await;
    }
}

/// Names the seed when a story ends badly.
struct Seed(u64);

impl Drop for Seed {
    #[allow(clippy::print_stderr, reason = "a failing test says how to replay it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay with SWITCHBOARD_SIM_SEED={}", self.0);
        }
    }
}

#[tokio::test]
async fn the_promises_of_the_router_hold_through_any_story_on_sqlite() {
    tell(|| Box::pin(Database::sqlite())).await;
}

#[tokio::test]
async fn the_promises_of_the_router_hold_through_any_story_on_postgres() {
    tell(|| Box::pin(Database::postgres())).await;
}
