//! All that is written to Postgres (DESIGN §4.3–4.5). Data flows: payloads → `group` (what to store) → `dictionary`
//! (names and ids to integers) → `weeks` (partitions) → `write` (one transaction: `rows` by COPY, `identity`, `registers`,
//! `installs`, `dead_letters`, cursor).

mod error;
mod pg_time;
mod connect;
mod projects;
mod keys;
mod weeks;
mod dictionary;
mod group;
mod rows;
mod identity;
mod registers;
mod installs;
mod write;
mod existing;
mod isolate;
mod dead_letters;
mod inspect;

pub use connect::Store;
pub use dead_letters::{DeadLetter, Replayed};
pub use error::{ErrorClass, StoreError};
pub use inspect::Vitals;
pub use keys::{ApiKey, KeyKind, KeyRow, NewKey, hash_key};
pub use pg_time::PgTime;
pub use projects::Project;
pub use weeks::WEEKS_AHEAD;
pub use write::Written;
