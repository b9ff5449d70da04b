//! The client engine and the server's pure parts in one process, under one seeded scheduler.
//!
//! A run is a story of a few hundred steps: people use apps on several devices, some of them shared, while networks lose
//! and double, servers refuse and crash, apps are killed in the middle of a write, disks fill up, and clocks jump. After
//! each step the rules of `invariants` hold; at the end everything is healed, and what is then not explained is a bug.
//! The same seed tells the same story, byte for byte.
//!
//! What is real: the whole engine on a [`Storage`](trailmark_core::Storage), the server's decoding, validation,
//! normalisation and journal. What is a model: the network, both disks, Postgres (`store`), time.
//!
//! 1. `dice`: where all chance comes from.
//! 2. `device_disk`, `app`, `device`: a device, what it remembers and what is done with it.
//! 3. `network`, `server`, `store`: where its events go.
//! 4. `truth`: what really happened; `invariants` compare it with what is said, a [`Violation`] tells.
//! 5. `world`: the scheduler; `trouble`: what goes wrong when.

mod violation;
mod dice;
mod device_disk;
mod app;
mod device;
mod network;
mod server;
mod store;
mod truth;
mod invariants;
mod trouble;
mod world;
#[cfg(feature = "planted-bugs")]
pub mod planted;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use violation::Violation;
pub use world::Tally;

/// How much is done and goes wrong in a story before everything is healed, unless told otherwise. Requests, answers and
/// timers come on top: about ten times as many.
pub const ACTS: u64 = 150;

/// Plays one story.
///
/// # Errors
/// The first rule that did not hold, or the panic.
pub fn run(seed: u64, acts: u64, trace: bool) -> Result<Tally, Violation> {
    let story = AssertUnwindSafe(|| world::World::new(seed, trace)?.play(acts));
    catch_unwind(story).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation {
            rule: "nothing panics",
            seen: text.unwrap_or_default(),
        })
    })
}
