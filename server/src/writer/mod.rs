//! Drains the journal into the store: takes what is durable, at most two megabytes at once, stores it in one transaction
//! together with the cursor, and acknowledges it to the journal after the commit. It never skips a record: what fails
//! for its values becomes a dead letter inside the store, and everything else is tried again for ever.
//!
//! [`run`](Writer::run) is the loop, `backoff` decides how long a failure waits, [`WriterStats`] says how it goes.

mod backoff;
mod stats;
mod run;

pub use run::Writer;
pub use stats::{LastError, WriterStats, WriterStatus};
