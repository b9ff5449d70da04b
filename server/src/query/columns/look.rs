//! One question's view of a project's segments.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use sqlx::FromRow;
use trailmark_protocol::Timestamp;
use trailmark_segments::scan::Source;
use trailmark_segments::{People, Segment};

use super::cache::Columns;
use super::plan::{Plan, Want};
use super::tail::{self, Stale};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use crate::store::PgTime;
use crate::store::weeks::Week;

/// Most bytes of segments that one question looks at: 1 GiB. With more, rows answer, slowly and in Postgres' memory.
const BYTES_MAX: i64 = 1 << 30;

/// An erasure takes identities first, and their events step by step: until it is done, there are events of nobody.
const FRONTIER: &str = "
    SELECT sealed_before, EXISTS (SELECT FROM erasures WHERE project_id = $1 AND done_at IS NULL) AS erasing
    FROM segment_frontiers WHERE project_id = $1";

const LIST: &str = "
    SELECT event_name_id, week, version, stale IS NOT NULL AS stale, COALESCE(octet_length(bytes), 0)::bigint AS bytes
    FROM segments
    WHERE project_id = $1 AND ($2::integer[] IS NULL OR event_name_id = ANY ($2)) AND week BETWEEN $3 AND $4
    ORDER BY event_name_id, week";

const BYTES: &str = "
    SELECT s.event_name_id, s.week, s.version, s.bytes
    FROM unnest($2::integer[], $3::integer[]) AS wanted (name, week)
    JOIN segments s ON s.project_id = $1 AND s.event_name_id = wanted.name AND s.week = wanted.week";

#[derive(Debug, FromRow)]
struct Listed {
    event_name_id: i32,
    week: i32,
    version: i64,
    stale: bool,
    bytes: i64,
}

/// An open segment that the question looks at.
#[derive(Debug, Clone)]
pub struct Held {
    /// The number of its events' name.
    pub name: i32,
    /// The segment.
    pub segment: Arc<Segment>,
}

/// What was read for a question, and how long that took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Segments that were in memory.
    pub from_memory: u64,
    /// Segments that came from Postgres.
    pub from_postgres: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Events in them.
    pub events: u64,
    /// Events that were read as rows: not sealed yet, late, or of stale weeks.
    pub rows: u64,
    /// Stale weeks among them.
    pub stale: u64,
    /// Who is whom, brought up to date.
    pub people: Duration,
    /// Segments, listed and opened.
    pub segments: Duration,
    /// Rows.
    pub tail: Duration,
}

impl Reads {
    /// Adds those of another look.
    pub fn add(&mut self, other: &Self) {
        self.from_memory += other.from_memory;
        self.from_postgres += other.from_postgres;
        self.bytes += other.bytes;
        self.events += other.events;
        self.rows += other.rows;
        self.stale += other.stale;
        self.people += other.people;
        self.segments += other.segments;
        self.tail += other.tail;
    }
}

fn week_of(micros: i64) -> Week {
    Week::of_time(Timestamp::from_micros(micros))
}

/// One question's view.
#[derive(Debug)]
pub struct Look {
    /// Who is whom.
    pub people: Arc<People>,
    held: Vec<Held>,
    /// Somebody is being erased.
    erasing: bool,
    /// What was read.
    pub reads: Reads,
}

impl Look {
    /// Reads what is planned. An `Err` inside says why segments cannot answer.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn read(
        snapshot: &mut Snapshot,
        columns: &Columns,
        plan: &Plan,
    ) -> Result<Result<Self, Cow<'static, str>>, QueryError> {
        if let Some(why) = plan.is_unfit() {
            return Ok(Err(why.into()));
        }
        let frontier = snapshot
            .select::<(PgTime, bool)>(FRONTIER)
            .fetch_optional(snapshot.rows())
            .await?;
        let Some((PgTime(sealed_before), erasing)) = frontier else {
            return Ok(Err("nothing is sealed yet".into()));
        };
        let began = Instant::now();
        let people = columns.people(snapshot).await?;
        let mut look = Self {
            people,
            held: Vec::new(),
            erasing,
            reads: Reads {
                people: began.elapsed(),
                ..Reads::default()
            },
        };
        let began = Instant::now();
        let Some(stale) = look.open(snapshot, columns, plan).await? else {
            return Ok(Err("the segments are more than 1 GiB".into()));
        };
        look.reads.segments = began.elapsed();
        look.reads.stale = stale.len() as u64;
        let began = Instant::now();
        let Some(tail) = tail::read(snapshot, plan, sealed_before.micros(), &stale).await? else {
            return Ok(Err("more than a million rows are not sealed".into()));
        };
        look.reads.tail = began.elapsed();
        look.reads.rows = tail.iter().map(|(_, segment)| segment.events()).sum();
        look.held.extend(tail.into_iter().map(|(name, segment)| Held {
            name,
            segment: Arc::new(segment),
        }));
        let lacks = |held: &Held, column: &str| {
            let column = held.segment.column(column);
            column.is_none_or(|column| !held.segment.has(column))
        };
        let lacking = plan
            .columns
            .iter()
            .find(|column| look.held.iter().any(|held| lacks(held, column)));
        if let Some(property) = lacking {
            return Ok(Err(format!(
                "`{property}` has no column: it is not promoted, or has too many values"
            )
            .into()));
        }
        Ok(Ok(look))
    }

    /// The open segments.
    #[must_use]
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// The segments with events that are wanted, each with what is looked for in it.
    pub fn sources(&self, want: &Want) -> impl Iterator<Item = (i32, Source)> {
        let meant = self
            .held
            .iter()
            .filter(|held| want.meets(held.name, held.segment.times()));
        meant.map(|held| {
            let mut source = Source::new(Arc::clone(&held.segment), want.from, want.to);
            source.everybody_known = !self.erasing;
            (held.name, source)
        })
    }

    /// Opens the segments that are planned; `None`: they are too many. Returns the weeks that are to be read as rows.
    async fn open(
        &mut self,
        snapshot: &mut Snapshot,
        columns: &Columns,
        plan: &Plan,
    ) -> Result<Option<Stale>, QueryError> {
        let (from, to) = plan.stretch();
        let listed: Vec<Listed> = snapshot
            .select::<Listed>(LIST)
            .bind(plan.names())
            .bind(week_of(from).number())
            .bind(week_of(to).number())
            .fetch_all(snapshot.rows())
            .await?;
        let is_wanted = |listed: &Listed| {
            let week = Week::of_number(listed.week);
            let stretch = (week.start().micros(), week.end().micros() - 1);
            plan.wants.iter().any(|want| want.meets(listed.event_name_id, stretch))
        };
        let wanted: Vec<Listed> = listed.into_iter().filter(is_wanted).collect();
        if wanted.iter().map(|listed| listed.bytes).sum::<i64>() > BYTES_MAX {
            return Ok(None);
        }
        let (mut stale, mut missing) = (Stale::new(), HashMap::new());
        for listed in wanted {
            let key = (snapshot.project_id(), listed.event_name_id, listed.week, listed.version);
            if listed.stale {
                stale.insert((listed.event_name_id, listed.week));
            } else if let Some(segment) = columns.segments.get(&key) {
                self.reads.from_memory += 1;
                self.hold(listed.event_name_id, segment);
            } else {
                missing.insert((listed.event_name_id, listed.week), key);
            }
        }
        if !missing.is_empty() {
            let (names, weeks): (Vec<i32>, Vec<i32>) =
                missing.keys().copied().collect::<BTreeSet<_>>().into_iter().unzip();
            let mut rows = snapshot
                .select::<(i32, i32, i64, Vec<u8>)>(BYTES)
                .bind(names)
                .bind(weeks)
                .fetch(snapshot.rows());
            while let Some((name, week, version, bytes)) = rows.try_next().await? {
                let Some(key) = missing.remove(&(name, week)) else {
                    continue;
                };
                debug_assert_eq!(key.3, version, "one snapshot");
                match Segment::open(bytes) {
                    Ok(segment) => {
                        let segment = Arc::new(segment);
                        columns.segments.insert(key, Arc::clone(&segment));
                        self.reads.from_postgres += 1;
                        self.hold(name, segment);
                    }
                    Err(_) => {
                        columns.found_corrupt(key);
                        stale.insert((name, week));
                    }
                }
            }
        }
        Ok(Some(stale))
    }

    fn hold(&mut self, name: i32, segment: Arc<Segment>) {
        self.reads.bytes += segment.bytes() as u64;
        self.reads.events += segment.events();
        self.held.push(Held { name, segment });
    }
}
