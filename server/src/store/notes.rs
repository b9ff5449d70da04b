//! What the writer notes for those who look at events in the background.

use serde_json::Value;
use sqlx::types::Json;
use trailmark_protocol::Uuid;

use super::pg_time::PgTime;

/// An event that is looked at in the background, as it was stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Observed {
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub timestamp: PgTime,
    /// When the server received it.
    pub received_at: PgTime,
    /// Whose it is.
    pub identity_id: i64,
    /// What is known about it.
    pub properties: Option<Json<Value>>,
    /// The circumstances.
    pub context: Option<Json<Value>>,
}
