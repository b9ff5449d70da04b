//! Puts a history into the tables, in the form in which the store writes them.

use std::ops::Range;
use std::time::Instant;

use sqlx::{AssertSqlSafe, PgPool};
use trailmark_protocol::{Timestamp, Uuid, id};
use trailmark_server::Store;
use trailmark_server::store::PgTime;

use super::history::{self, END, History, Made};
use crate::Outcome;

const COPY: &str = "COPY events (project_id, event_name_id, identity_id, anonymous_identity_id, timestamp, received_at, \
                    client_timestamp, seq, id, install_id, session_id, properties, context) FROM STDIN (FORMAT binary)";

/// Signature, no flags, no extension, as `server/src/store/rows.rs` has it.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COLUMNS: i16 = 13;
const END_OF_ROWS: i16 = -1;
const NULL: i32 = -1;
const JSONB_VERSION: u8 = 1;

const PIECE_BYTES: usize = 128 * 1024;
const ROWS_A_COMMIT: u64 = 100_000;

/// The project that it is put into.
pub const PROJECT: i32 = 1;

const WEEK_MS: i64 = 7 * 86_400_000;

const NAMES: &str = "
    INSERT INTO event_names (project_id, id, name) OVERRIDING SYSTEM VALUE
    SELECT 1, n, format('event_%s', lpad((n - 1)::text, 3, '0')) FROM generate_series(1, $1::integer) n";

const MADE: &str = "CREATE TEMP TABLE made (person bigint, device bigint, user_id bigint) ON COMMIT DROP";

/// Persons are what the rules of identity make of the links: a device belongs to its user.
const IDENTITIES: [&str; 4] = [
    "INSERT INTO identities (project_id, kind, id, person_id, first_seen_at, external_id)
         SELECT 1, 0, device, COALESCE(user_id, device), $1, format('device-%s', md5(person::text)) FROM made
         UNION ALL SELECT 1, 1, user_id, user_id, $1, format('user_%s', person) FROM made WHERE user_id IS NOT NULL",
    "INSERT INTO links (project_id, event_id, anonymous_identity_id, user_identity_id, at)
         SELECT 1, gen_random_uuid(), device, user_id, $1 FROM made WHERE user_id IS NOT NULL",
    "INSERT INTO person_properties (project_id, identity_id, key, op, at, event_id, value)
         SELECT 1, COALESCE(user_id, device), 'plan', 'set', $1, gen_random_uuid(),
                to_jsonb((ARRAY['free', 'team', 'firm'])[1 + person % 3]) FROM made",
    "SELECT setval('identity_ids', (SELECT max(id) FROM identities)) WHERE $1 IS NOT NULL",
];

/// Empties the project, then loads it.
///
/// # Errors
/// The database's.
pub async fn load(store: &Store, history: History) -> Outcome<()> {
    let pool = store.pool();
    let began = Instant::now();
    // Little write-ahead log is kept while loading: it is half as large as what is loaded.
    system(pool, "SET max_wal_size = '1GB'").await?;
    dimensions_only(store, history).await?;
    let half = history.events / 2;
    tokio::try_join!(
        events(pool, history, 0..half),
        events(pool, history, half..history.events)
    )?;
    eprintln!(
        "{} events copied in {:.0} s",
        history.events,
        began.elapsed().as_secs_f64()
    );
    for table in ["events", "identities", "event_names", "links", "person_properties"] {
        let statement = format!("VACUUM (ANALYZE, PARALLEL 2) {table}");
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
    system(pool, "RESET max_wal_size").await?;
    sqlx::query("CHECKPOINT").execute(pool).await?;
    eprintln!("loaded in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Empties the project, and loads who and what there is, but no events.
///
/// # Errors
/// The database's.
pub async fn dimensions_only(store: &Store, history: History) -> Outcome<()> {
    let pool = store.pool();
    store
        .make_weeks_ahead(Timestamp::from_millis(END.millis() - 13 * WEEK_MS))
        .await?;
    store
        .make_weeks_ahead(Timestamp::from_millis(END.millis() - 5 * WEEK_MS))
        .await?;
    sqlx::raw_sql(
        "TRUNCATE events, segments, segment_frontiers, late_events, identities, links, event_names, person_properties, projects CASCADE;
         ALTER SEQUENCE projects_id_seq RESTART",
    )
    .execute(pool)
    .await?;
    store.create_project("bench").await?;
    dimensions(pool, history).await
}

/// Loads some events.
///
/// # Errors
/// The database's.
pub async fn tail(store: &Store, history: History, range: Range<u64>) -> Outcome<()> {
    events(store.pool(), history, range).await?;
    for table in ["events", "identities", "event_names", "links", "person_properties"] {
        let statement = format!("VACUUM (ANALYZE) {table}");
        sqlx::query(AssertSqlSafe(statement)).execute(store.pool()).await?;
    }
    Ok(())
}

async fn system(pool: &PgPool, what: &'static str) -> Outcome<()> {
    sqlx::query(AssertSqlSafe(format!("ALTER SYSTEM {what}")))
        .execute(pool)
        .await?;
    sqlx::query("SELECT pg_reload_conf()").execute(pool).await?;
    Ok(())
}

async fn dimensions(pool: &PgPool, history: History) -> Outcome<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query(NAMES)
        .bind(i32::try_from(history::NAMES)?)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(MADE).execute(&mut *transaction).await?;
    let mut lines = transaction.copy_in_raw("COPY made FROM STDIN").await?;
    let mut text = String::new();
    for person in 0..history.persons() {
        let user = history
            .user(person)
            .map_or_else(|| "\\N".to_owned(), |user| user.to_string());
        text.push_str(&format!("{person}\t{}\t{user}\n", history.device(person)));
        if text.len() > PIECE_BYTES {
            lines.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    lines.send(text.as_bytes()).await?;
    lines.finish().await?;
    let at = PgTime(Timestamp::from_millis(END.millis() - 13 * WEEK_MS));
    for statement in IDENTITIES {
        sqlx::query(statement).bind(at).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn events(pool: &PgPool, history: History, range: Range<u64>) -> Outcome<()> {
    let mut connection = pool.acquire().await?;
    let mut row = Row::default();
    for from in range.clone().step_by(ROWS_A_COMMIT as usize) {
        let mut copy = connection.copy_in_raw(COPY).await?;
        row.bytes.extend_from_slice(HEADER);
        for index in from..(from + ROWS_A_COMMIT).min(range.end) {
            row.put(history, index);
            if row.bytes.len() > PIECE_BYTES {
                copy.send(row.bytes.as_slice()).await?;
                row.bytes.clear();
            }
        }
        row.bytes.extend_from_slice(&END_OF_ROWS.to_be_bytes());
        copy.send(row.bytes.as_slice()).await?;
        row.bytes.clear();
        copy.finish().await?;
    }
    Ok(())
}

/// Rows in the format of `COPY`.
#[derive(Debug, Default)]
struct Row {
    bytes: Vec<u8>,
    text: String,
}

impl Row {
    fn put(&mut self, history: History, index: u64) {
        let made = history.event(index);
        self.bytes.extend_from_slice(&COLUMNS.to_be_bytes());
        self.value(&PROJECT.to_be_bytes());
        self.value(&(made.name as i32).to_be_bytes());
        self.value(&made.identity.to_be_bytes());
        match made.device {
            Some(device) => self.value(&device.to_be_bytes()),
            None => self.bytes.extend_from_slice(&NULL.to_be_bytes()),
        }
        let at = PgTime(made.at).micros_since_2000().to_be_bytes();
        // Received a second later.
        let received = (PgTime(made.at).micros_since_2000() + 1_000_000).to_be_bytes();
        self.value(&at);
        self.value(&received);
        self.value(&at);
        self.value(&made.seq.to_be_bytes());
        self.value(made.id.as_bytes());
        self.uuid(id::v7(0, [(made.person % 251) as u8; 10]));
        self.uuid(made.session);
        self.json(|text| history::properties(text, &made, index));
        self.json(|text| context(text, &made));
    }

    fn value(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(&(value.len() as i32).to_be_bytes());
        self.bytes.extend_from_slice(value);
    }

    fn uuid(&mut self, uuid: Uuid) {
        self.text.clear();
        id::write(&mut self.text, uuid);
        let text = std::mem::take(&mut self.text);
        self.value(text.as_bytes());
        self.text = text;
    }

    fn json(&mut self, write: impl FnOnce(&mut String)) {
        self.text.clear();
        write(&mut self.text);
        self.bytes
            .extend_from_slice(&(self.text.len() as i32 + 1).to_be_bytes());
        self.bytes.push(JSONB_VERSION);
        self.bytes.extend_from_slice(self.text.as_bytes());
    }
}

fn context(text: &mut String, made: &Made) {
    history::context(text, made.person);
}
