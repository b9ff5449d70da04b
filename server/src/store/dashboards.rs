//! Dashboards: which saved questions are looked at together.

use sqlx::FromRow;
use trailmark_protocol::Timestamp;

use super::connect::Store;
use super::error::StoreError;
use super::pg_time::PgTime;

/// A dashboard, without its tiles.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct DashboardRow {
    /// Its number.
    pub id: i64,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: PgTime,
    /// By whom.
    pub created_by: String,
    /// When it was last changed.
    pub changed_at: PgTime,
}

/// A tile of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TileRow {
    /// The number of the dashboard.
    pub dashboard: i64,
    /// The number of the saved question.
    pub saved_query: i64,
    /// `chart` or `table`.
    pub view: String,
    /// Whether it takes the whole width.
    pub wide: bool,
}

const DASHBOARDS: &str = "
    SELECT id, name, created_at, created_by, changed_at FROM dashboards
    WHERE project_id = $1 AND ($2::bigint IS NULL OR id = $2) ORDER BY id";

const TILES: &str = "
    SELECT dashboard, saved_query, view, wide FROM dashboard_tiles
    WHERE project_id = $1 AND ($2::bigint IS NULL OR dashboard = $2) ORDER BY dashboard, place";

/// None where there are `$5` already; the lock on the project's row counts two that are made at once both.
const MAKE: &str = "
    WITH held AS MATERIALIZED (SELECT id FROM projects WHERE id = $1 FOR UPDATE)
    INSERT INTO dashboards (project_id, name, created_at, created_by, changed_at)
    SELECT held.id, $2, $3, $4, $3 FROM held WHERE (SELECT count(*) FROM dashboards WHERE project_id = $1) < $5
    RETURNING id";

const PUT_TILES: &str = "
    INSERT INTO dashboard_tiles (project_id, dashboard, place, saved_query, view, wide)
    SELECT $1, $2, place - 1, saved_query, view, wide
    FROM unnest($3::bigint[], $4::text[], $5::boolean[]) WITH ORDINALITY AS tile (saved_query, view, wide, place)";

impl Store {
    /// The dashboards of a project, or one, oldest first, and their tiles in their order.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn dashboards(
        &self,
        project_id: i32,
        id: Option<i64>,
    ) -> Result<(Vec<DashboardRow>, Vec<TileRow>), StoreError> {
        let dashboards = sqlx::query_as(DASHBOARDS).bind(project_id).bind(id);
        let dashboards = dashboards.fetch_all(&self.pool).await?;
        let tiles = sqlx::query_as(TILES).bind(project_id).bind(id);
        Ok((dashboards, tiles.fetch_all(&self.pool).await?))
    }

    /// Makes a dashboard, and says its number, unless there are `most` already.
    ///
    /// # Errors
    /// [`StoreError::is_missing_reference`] if a question of a tile is not there, else what stands in the way.
    pub async fn make_dashboard(
        &self,
        project_id: i32,
        (name, tiles): (&str, &[TileRow]),
        by: &str,
        now: Timestamp,
        most: i64,
    ) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let made = sqlx::query_scalar(MAKE).bind(project_id).bind(name).bind(PgTime(now));
        let id: Option<i64> = made.bind(by).bind(most).fetch_optional(&mut *transaction).await?;
        if let Some(id) = id {
            put_tiles(&mut transaction, project_id, id, tiles).await?;
        }
        transaction.commit().await?;
        Ok(id)
    }

    /// Changes a dashboard's name, its tiles, or both. False: there is none.
    ///
    /// # Errors
    /// As [`make_dashboard`](Self::make_dashboard).
    pub async fn change_dashboard(
        &self,
        project_id: i32,
        id: i64,
        (name, tiles): (Option<&str>, Option<&[TileRow]>),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let change =
            "UPDATE dashboards SET name = COALESCE($3, name), changed_at = $4 WHERE project_id = $1 AND id = $2";
        let changed = sqlx::query(change)
            .bind(project_id)
            .bind(id)
            .bind(name)
            .bind(PgTime(now));
        if changed.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(tiles) = tiles {
            let clear = "DELETE FROM dashboard_tiles WHERE project_id = $1 AND dashboard = $2";
            sqlx::query(clear)
                .bind(project_id)
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            put_tiles(&mut transaction, project_id, id, tiles).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Deletes a dashboard, with its tiles and the links that show it. False: there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn delete_dashboard(&self, project_id: i32, id: i64) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM dashboards WHERE project_id = $1 AND id = $2");
        let deleted = delete.bind(project_id).bind(id).execute(&self.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }
}

async fn put_tiles(
    transaction: &mut sqlx::PgConnection,
    project_id: i32,
    dashboard: i64,
    tiles: &[TileRow],
) -> Result<(), StoreError> {
    let queries: Vec<i64> = tiles.iter().map(|tile| tile.saved_query).collect();
    let views: Vec<&str> = tiles.iter().map(|tile| tile.view.as_str()).collect();
    let wide: Vec<bool> = tiles.iter().map(|tile| tile.wide).collect();
    let put = sqlx::query(PUT_TILES).bind(project_id).bind(dashboard);
    put.bind(queries).bind(views).bind(wide).execute(transaction).await?;
    Ok(())
}
