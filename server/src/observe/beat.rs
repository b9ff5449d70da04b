//! What a server tells of itself every ten seconds, with what it has refused in the meantime.

use trailmark_protocol::{Timestamp, Uuid};

use crate::app::App;
use crate::store::nodes::Node;
use crate::store::{PgTime, StoreError};

/// Who tells.
#[derive(Debug, Clone)]
pub struct Beat {
    /// Named by its journal.
    pub node: Uuid,
    /// When it was started.
    pub started_at: Timestamp,
    /// Where it listens.
    pub listen: String,
}

impl Beat {
    /// Tells how the server fares now. Refusals that could not be written down are gone with a warning: they are counted in
    /// the metrics too.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn tell(&self, app: &App) -> Result<(), StoreError> {
        let now = app.clock.now();
        app.store.tell_node(&self.node(app, now)).await?;
        for (project_id, properties) in app.columns.take_uses() {
            app.store.count_use(project_id, &properties, now).await?;
        }
        app.store.spoil_corrupt(&app.columns.take_corrupt()).await?;
        let refused = app.refusals.take();
        if refused.is_empty() {
            return Ok(());
        }
        app.store.add_refused(&refused, now).await
    }

    fn node(&self, app: &App, now: Timestamp) -> Node {
        let (journal, writer) = (app.journal.stats(), app.writer.status());
        let oldest = writer.lag_age.unwrap_or_default();
        Node {
            id: self.node,
            started_at: PgTime(self.started_at),
            seen_at: PgTime(now),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listen: self.listen.clone(),
            backlog_records: writer.lag_records.cast_signed(),
            backlog_bytes: journal.backlog_bytes.cast_signed(),
            oldest_ms: i64::try_from(oldest.as_millis()).unwrap_or(i64::MAX),
            poisoned: journal.poisoned.is_some(),
            writer_error: writer.last_error.filter(|_| !writer.connected).map(|error| error.text),
        }
    }
}
