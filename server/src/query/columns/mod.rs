//! What questions read beside rows: segments and who is whom, kept in memory (DESIGN §5).
//!
//! A [`Look`] is one question's view of one project: it asks which segments there are (`plan`), opens those that are not in
//! the `cache`, and makes a segment of the rows that are in none (`tail`), so that whoever counts knows segments alone. Persons
//! are looked up in the `mirror`. All of it is read in the question's own snapshot, so an event counts exactly once whatever the
//! sealing job does meanwhile.

mod cache;
mod mirror;
mod plan;
mod tail;
mod look;

pub use cache::{CACHE_BYTES, Columns, WORK_BYTES};
pub use look::{Held, Look, Reads};
pub use plan::{Plan, Want};
