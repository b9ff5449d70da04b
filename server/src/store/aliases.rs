//! Taking an alias back.

use trailmark_protocol::{Timestamp, Uuid};

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;
use super::tombstones::ERASURES_LOCK;
use super::{identity, region};
use crate::identity::Alias;

/// An alias that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// The two users that it had said to be one person.
    pub users: [String; 2],
    /// When it was taken back first.
    pub withdrawn_at: Timestamp,
    /// Whether they are one person still, by other aliases.
    pub still_one: bool,
}

/// Keeps the time of the first withdrawal.
const WITHDRAW: &str = "
    UPDATE aliases SET withdrawn_at = COALESCE(withdrawn_at, $3), refused = false WHERE project_id = $1 AND event_id = $2
    RETURNING at, user_identity_a, user_identity_b, withdrawn_at";

const USERS: &str = "
    SELECT a.external_id, b.external_id, a.person_id = b.person_id FROM identities a JOIN identities b USING (project_id)
    WHERE project_id = $1 AND a.id = $2 AND b.id = $3";

impl Store {
    /// Takes the alias of this event back: its users are one person only as far as other aliases say so. It stays on
    /// record, so that its event, sent again, changes nothing; a new event with the same users does. `None` if there is
    /// no such alias. Doing it again changes nothing.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn withdraw_alias(
        &self,
        project_id: i32,
        event_id: Uuid,
        at: Timestamp,
    ) -> Result<Option<Withdrawn>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock_shared($1, $2)")
            .bind(ERASURES_LOCK)
            .bind(project_id)
            .execute(&mut *transaction)
            .await?;
        identity::lock(&mut transaction, project_id).await?;
        let withdrawn: Option<(PgTime, i64, i64, PgTime)> = sqlx::query_as(WITHDRAW)
            .bind(project_id)
            .bind(event_id)
            .bind(PgTime(at))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some((happened, one, other, withdrawn_at)) = withdrawn else {
            return Ok(None);
        };
        let alias = Alias {
            event_id,
            at: happened.0,
            one,
            other,
        };
        region::settle(&mut transaction, project_id, &[alias]).await?;
        let (a, b, still_one): (String, String, bool) = sqlx::query_as(USERS)
            .bind(project_id)
            .bind(one)
            .bind(other)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Withdrawn {
            users: [a, b],
            withdrawn_at: withdrawn_at.0,
            still_one,
        }))
    }
}
