//! Rows: what a client remembers on a host that has no files, but a table, and changes it wholly or not at all. A web page
//! has: IndexedDB.
//!
//! One row is the checkpoint, one is each undecided event. [`Engine::changes`](crate::Engine::changes) says what to change,
//! [`Engine::resume`](crate::Engine::resume) goes on from there. The host keeps the rows as they are: no text in them has
//! the character `\u{1e}`, so that many of them can be handed over as one text.

use trailmark_protocol::json::{as_i64, as_u64, pick, write_i64, write_u64};
use trailmark_protocol::{Timestamp, id};

use crate::queue::Entry;

/// What a host is to change, all at once: remove first, then add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What the row of the checkpoint is from now on.
    pub checkpoint: String,
    /// The numbers of events whose rows go, as JSON: from, to: `[[1,3],[7,7]]`.
    pub gone: String,
    /// The rows of new events. Each begins with its event's number, by which the host finds it again.
    pub new: Vec<String>,
}

/// An event as a row: number, time (Unix µs), the queue's clock (ms), and its JSON.
pub(crate) fn write(entry: &Entry) -> String {
    let mut out = String::with_capacity(entry.json.len() + 48);
    write_u64(&mut out, entry.seq);
    out.push(' ');
    write_i64(&mut out, entry.at.micros());
    out.push(' ');
    write_u64(&mut out, entry.age);
    out.push(' ');
    out.push_str(&entry.json);
    out
}

/// Reads it back; `None` if it is none.
pub(crate) fn read(row: &str) -> Option<Entry> {
    let (seq, rest) = row.split_once(' ')?;
    let (at, rest) = rest.split_once(' ')?;
    let (age, json) = rest.split_once(' ')?;
    let [id] = pick(json, ["id"]).ok()?;
    Some(Entry {
        seq: as_u64(seq)?,
        id: id::read(id?.trim_matches('"'))?,
        at: Timestamp::from_micros(as_i64(at)?),
        age: as_u64(age)?,
        json: json.into(),
        segment: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_protocol::Uuid;

    #[test]
    fn a_row_reads_back_and_what_is_none_does_not() {
        let entry = Entry {
            seq: 7,
            id: Uuid::from_u128(9),
            at: Timestamp::from_micros(-5),
            age: 77,
            json: r#"{"id":"00000000-0000-0000-0000-000000000009","event":"a b"}"#.into(),
            segment: None,
        };
        let row = write(&entry);
        assert!(row.starts_with("7 -5 77 {"), "{row}");
        assert_eq!(read(&row), Some(entry));
        for broken in [
            "",
            "7 -5 77",
            "7 -5 77 {}",
            &row.replace("77", "x"),
            &row[..row.len() - 1],
        ] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
