//! Rows of the events table in the binary format of `COPY`
//! (<https://www.postgresql.org/docs/15/sql-copy.html>, "Binary Format"): nothing is formatted here or parsed there.

use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::dictionary::{Key, Kind, Numbers};
use super::error::StoreError;
use super::group::Pending;
use super::pg_time::PgTime;

/// The columns in the order of [`encode`], which is their order in the table.
const COPY: &str = "COPY events (project_id, event_name_id, identity_id, anonymous_identity_id, timestamp, received_at, \
                    client_timestamp, seq, id, install_id, session_id, properties, context) FROM STDIN (FORMAT binary)";

const COLUMNS: i16 = 13;

/// Signature, no flags, no header extension.
const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// In place of a row's number of columns.
const END: i16 = -1;

/// In place of a value's length.
const NULL: i32 = -1;

/// The only version of `jsonb`'s binary format: this byte, then the text.
const JSONB_VERSION: u8 = 1;

/// Rows are sent in pieces of about 128 KiB: the backend parses one while the next is encoded, and memory stays bounded.
const PIECE_BYTES: usize = 128 * 1024;

/// An event with its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) pending: Pending<'a>,
    pub(super) name: i64,
    pub(super) device: Option<i64>,
    pub(super) user: Option<i64>,
    pub(super) alias: Option<i64>,
}

impl<'a> Row<'a> {
    /// Looks the numbers up; `None` if one is missing, which [`super::dictionary`] rules out.
    pub(super) fn new(pending: &Pending<'a>, numbers: &Numbers<'a>) -> Option<Self> {
        let Pending { head, event } = pending;
        let number = |kind, text| numbers.get(&Key::new(head.project_id, kind, text)).copied();
        let row = Self {
            pending: *pending,
            name: number(Kind::Name, event.name)?,
            device: event.anonymous_id.and_then(|text| number(Kind::Device, text)),
            user: event.user_id.and_then(|text| number(Kind::User, text)),
            alias: event.alias.and_then(|text| number(Kind::User, text)),
        };
        (row.user.is_some() || row.device.is_some()).then_some(row)
    }

    /// Whose event it is: the user's if it has one, else the device's.
    pub(super) fn identity(&self) -> i64 {
        self.user.or(self.device).unwrap_or_default()
    }

    /// The device of an event that is a user's.
    fn device_beside_user(&self) -> Option<i64> {
        self.user.and(self.device)
    }

    pub(super) fn project_id(&self) -> i32 {
        self.pending.head.project_id
    }

    /// As the tables have it.
    #[expect(clippy::cast_possible_truncation, reason = "event_names.id is an integer")]
    pub(super) fn name_id(&self) -> i32 {
        self.name as i32
    }
}

/// Stores `rows`; all or none.
pub(super) async fn copy(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut copy = connection.copy_in_raw(COPY).await?;
    let mut piece = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
    piece.extend_from_slice(HEADER);
    for row in rows {
        encode(row, &mut piece);
        if piece.len() >= PIECE_BYTES {
            copy.send(piece.as_slice()).await?;
            piece.clear();
        }
    }
    piece.extend_from_slice(&END.to_be_bytes());
    copy.send(piece.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

fn encode(row: &Row<'_>, out: &mut Vec<u8>) {
    let Pending { head, event } = &row.pending;
    out.extend_from_slice(&COLUMNS.to_be_bytes());
    put(out, &head.project_id.to_be_bytes());
    put(out, &row.name_id().to_be_bytes());
    put(out, &row.identity().to_be_bytes());
    put_i64(out, row.device_beside_user());
    put_time(out, event.timestamp);
    put_time(out, head.received_at);
    put_time(out, event.client_timestamp);
    put_i64(out, event.seq);
    put(out, event.id.as_bytes());
    put_text(out, head.install_id);
    put_text(out, event.session_id);
    put_json(out, event.properties);
    put_json(out, event.context);
}

/// The length of a value. An event is at most 64 KiB.
#[expect(clippy::cast_possible_truncation, reason = "a journal record cannot hold 2 GiB")]
#[expect(clippy::cast_possible_wrap, reason = "see above")]
fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as i32).to_be_bytes());
}

fn put(out: &mut Vec<u8>, value: &[u8]) {
    put_length(out, value.len());
    out.extend_from_slice(value);
}

fn put_null(out: &mut Vec<u8>) {
    out.extend_from_slice(&NULL.to_be_bytes());
}

fn put_i64(out: &mut Vec<u8>, value: Option<i64>) {
    match value {
        Some(value) => put(out, &value.to_be_bytes()),
        None => put_null(out),
    }
}

fn put_time(out: &mut Vec<u8>, at: Timestamp) {
    put(out, &PgTime(at).micros_since_2000().to_be_bytes());
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put(out, text.as_bytes()),
        None => put_null(out),
    }
}

fn put_json(out: &mut Vec<u8>, json: Option<&str>) {
    let Some(json) = json else { return put_null(out) };
    put_length(out, json.len() + 1);
    out.push(JSONB_VERSION);
    out.extend_from_slice(json.as_bytes());
}
