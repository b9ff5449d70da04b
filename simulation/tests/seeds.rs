//! Some hundred stories on every test run; `make sim SEEDS=10000` plays more.

use std::sync::atomic::{AtomicU64, Ordering};

use trailmark_simulation::{ACTS, run};

/// About ten seconds of one core in a debug build.
const SEEDS: u64 = 500;

#[test]
fn no_story_breaks_a_rule() {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let play = || {
        let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < SEEDS));
        let failed = |seed| Some(format!("seed {seed}: {}", run(seed, ACTS, false).err()?));
        seeds.filter_map(failed).collect::<Vec<String>>()
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    });
    assert!(
        failures.is_empty(),
        "{}\nthe whole story: make sim SEED=<seed>",
        failures.join("\n")
    );
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in 0..20 {
        assert_eq!(run(seed, ACTS, false), run(seed, ACTS, false));
    }
}
