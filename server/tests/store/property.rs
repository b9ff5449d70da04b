//! What properties that are checked on a real Postgres have in common.

use proptest::prelude::ProptestConfig;
use tokio::runtime::{Builder, Runtime};
use trailmark_server::store::Store;

use crate::support;

/// A store, and the runtime it lives on: proptest's closures are not async.
pub(crate) fn store() -> (Runtime, Store) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(support::store());
    (runtime, store)
}

/// So many cases; failing ones are told, not written to a file.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
