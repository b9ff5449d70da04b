//! The database, for the length of one command.

use trailmark_server::store::Store;
use trailmark_server::{Config, Database};

use crate::failure::Failure;

/// Opens the database, brings its schema up to date, does `work` with it and closes it again.
///
/// A private Postgres that a server runs is used along with it; otherwise one is started and stopped.
///
/// # Errors
/// Those of `work`, or what stands in the way to the database.
pub(super) async fn with<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let database = Database::open(config).await?;
    let store = database.store().clone();
    let done = async {
        store.migrate().await?;
        work(&store).await
    };
    let done = done.await;
    let closed = database.close().await;
    let done = done?;
    closed?;
    Ok(done)
}
