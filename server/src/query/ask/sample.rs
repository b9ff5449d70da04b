//! Questions about whatever a project has, asked of segments and of rows at one moment: whether both say the same.

use std::sync::Arc;

use serde_json::{Value, json};
use trailmark_protocol::Timestamp;

use super::question::Question;
use crate::query::columns::Columns;
use crate::query::error::QueryError;
use crate::query::reader::Reader;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;

/// The most frequent names are asked about.
const NAMES: &str = "
    SELECT n.name FROM segments s JOIN event_names n ON n.project_id = $1 AND n.id = s.event_name_id
    WHERE s.project_id = $1 AND s.stale IS NULL GROUP BY n.name ORDER BY sum(s.events) DESC, n.name LIMIT 3";

const SEALED: &str = "SELECT sealed_before FROM segment_frontiers WHERE project_id = $1";

/// Twelve weeks before what is sealed are asked about, in microseconds.
const STRETCH: i64 = 12 * 7 * 86_400_000_000;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Both say the same.
    Same,
    /// They do not.
    Different,
    /// Segments cannot answer it, or rows take too long.
    Unanswered,
}

/// Asks a sample of questions of both, each at one moment. Returns what each was, with what became of it; none, if nothing is
/// sealed.
///
/// # Errors
/// What stands in the way.
pub async fn compare(reader: &Reader, now: Timestamp) -> Result<Vec<(Value, Compared)>, QueryError> {
    let about = reader.answer(async |snapshot| about(snapshot).await).await?;
    let Some((names, sealed_before)) = about else {
        return Ok(Vec::new());
    };
    let columns: Arc<Columns> = Arc::default();
    let mut compared = Vec::new();
    for sample in questions(&names, sealed_before) {
        let Ok(question) = Question::from_value(sample.clone()) else {
            continue;
        };
        let asked = reader
            .answer(async |snapshot| both(snapshot, &question, &columns, now).await)
            .await;
        let found = match asked {
            Ok(same) => same,
            Err(QueryError::Timeout) => Compared::Unanswered,
            Err(error) => return Err(error),
        };
        compared.push((sample, found));
    }
    Ok(compared)
}

async fn about(snapshot: &mut Snapshot) -> Result<Option<(Vec<String>, Timestamp)>, QueryError> {
    let names: Vec<(String,)> = snapshot.select(NAMES).fetch_all(snapshot.rows()).await?;
    let sealed: Option<(PgTime,)> = snapshot.select(SEALED).fetch_optional(snapshot.rows()).await?;
    let names: Vec<String> = names.into_iter().map(|(name,)| name).collect();
    Ok(sealed
        .map(|(PgTime(at),)| (names, at))
        .filter(|(names, _)| !names.is_empty()))
}

async fn both(
    snapshot: &mut Snapshot,
    question: &Question,
    columns: &Arc<Columns>,
    now: Timestamp,
) -> Result<Compared, QueryError> {
    snapshot.set_columns(Some(Arc::clone(columns)));
    let (segments, how) = super::answer(snapshot, question, now).await?;
    if how.rows_because.is_some() {
        return Ok(Compared::Unanswered);
    }
    snapshot.set_columns(None);
    let (rows, _) = super::answer(snapshot, question, now).await?;
    let same = segments.answer == rows.answer;
    Ok(if same { Compared::Same } else { Compared::Different })
}

fn questions(names: &[String], sealed_before: Timestamp) -> Vec<Value> {
    let stretch =
        json!({"date_from": sealed_before.plus_micros(-STRETCH).to_string(), "date_to": sealed_before.to_string()});
    let with = |question: Value| {
        let both = [stretch.as_object(), question.as_object()];
        Value::Object(
            both.into_iter()
                .flatten()
                .flatten()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    };
    let event = |name: &String| json!({"event": name});
    let unique = |name: &String| json!({"event": name, "math": "unique_persons"});
    let events: Vec<Value> = names.iter().map(event).collect();
    // One step of any name is there, too, where there is one name alone.
    let steps: Vec<Value> = events.iter().cloned().chain([json!({})]).take(3).collect();
    vec![
        with(json!({"kind": "trends", "interval": "week", "series": names.iter().map(unique).collect::<Vec<_>>()})),
        with(json!({"kind": "trends", "interval": "day", "series": events})),
        with(json!({"kind": "funnel", "steps": steps})),
        with(json!({"kind": "retention", "period": "week", "intervals": 12})),
        with(json!({"kind": "lifecycle", "interval": "week"})),
        with(json!({"kind": "stickiness", "interval": "week", "series": [{}]})),
    ]
}
