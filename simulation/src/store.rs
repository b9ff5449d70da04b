//! Postgres as a model: rows by (project, id), a cursor per journal in the same transaction, persons by the server's own
//! rule (`trailmark_server::identity`).

use std::collections::{BTreeMap, BTreeSet};

use trailmark_protocol::{Timestamp, Uuid, names};
use trailmark_server::event::{AcceptedEvent, Batch, BatchHead, read_batch};
use trailmark_server::identity::{Alias, Link, owner, persons};
use trailmark_server::journal::{Record, Seq};

use crate::invariants;
use crate::violation::{Checked, Violation};

/// A project and an event's id.
pub(crate) type Key = (i32, Uuid);

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) install_id: Option<String>,
    pub(crate) seq: Option<i64>,
    pub(crate) name: String,
    pub(crate) anonymous_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) client_timestamp: Timestamp,
    pub(crate) properties: Option<String>,
    /// Corrected by the clock of the attempt that arrived first, so another attempt's may differ.
    pub(crate) timestamp: Timestamp,
}

impl Row {
    fn new(head: &BatchHead<'_>, event: &AcceptedEvent<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            install_id: owned(head.install_id),
            seq: event.seq,
            name: event.name.to_owned(),
            anonymous_id: owned(event.anonymous_id),
            user_id: owned(event.user_id),
            alias: owned(event.alias),
            session_id: owned(event.session_id),
            client_timestamp: event.client_timestamp,
            properties: owned(event.properties),
            timestamp: event.timestamp,
        }
    }
}

/// All that is stored.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) rows: BTreeMap<Key, Row>,
    /// The last record that is stored, by journal.
    cursors: BTreeMap<Uuid, Seq>,
}

impl Store {
    pub(crate) fn cursor(&self, journal: Uuid) -> Seq {
        self.cursors.get(&journal).copied().unwrap_or(0)
    }

    /// One transaction: the rows of these records, and the cursor. An event that is there already is passed over.
    pub(crate) fn write(&mut self, journal: Uuid, records: &[Record]) -> Checked {
        for record in records {
            for (key, row) in rows(record)? {
                if let Some(there) = self.rows.get(&key) {
                    invariants::an_event_never_comes_back_as_another(there, &row)?;
                } else {
                    self.rows.insert(key, row);
                }
            }
            self.cursors.insert(journal, record.seq);
        }
        Ok(())
    }

    /// The user who owns each device, by the rule of [`owner`].
    pub(crate) fn owners(&self, project: i32) -> BTreeMap<&str, &str> {
        let links = self.of(project).filter_map(|(event_id, row)| {
            let (device, user) = (row.anonymous_id.as_deref()?, row.user_id.as_deref()?);
            let at = row.timestamp;
            (row.name == names::IDENTIFY).then_some(Link {
                event_id,
                at,
                device,
                user,
            })
        });
        let deciding = owner::deciding(links);
        deciding.into_iter().map(|(device, link)| (device, link.user)).collect()
    }

    /// Sets of user ids that are one person, by the rule of [`persons`]: by aliases alone, a device is never a bridge.
    pub(crate) fn persons(&self, project: i32) -> Vec<BTreeSet<&str>> {
        let aliases = self.of(project).filter_map(|(event_id, row)| {
            let (one, other) = (row.user_id.as_deref()?, row.alias.as_deref()?);
            let at = row.timestamp;
            (row.name == names::ALIAS).then_some(Alias {
                event_id,
                at,
                one,
                other,
            })
        });
        let mut sets = BTreeMap::<&str, BTreeSet<&str>>::new();
        for (user, person) in persons::join([], aliases, persons::USERS_OF_A_PERSON).person_of {
            sets.entry(person).or_default().insert(user);
        }
        sets.into_values().collect()
    }

    fn of(&self, project: i32) -> impl Iterator<Item = (Uuid, &Row)> {
        let rows = self.rows.range((project, Uuid::nil())..=(project, Uuid::max()));
        rows.map(|((_, id), row)| (*id, row))
    }
}

/// The sets that these pairs connect.
pub(crate) fn joined<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<BTreeSet<&'a str>> {
    pairs.fold(Vec::new(), |sets, (one, other)| {
        let touches = |set: &BTreeSet<&str>| set.contains(one) || set.contains(other);
        let (touched, mut rest): (Vec<_>, Vec<_>) = sets.into_iter().partition(touches);
        let mut union: BTreeSet<&str> = touched.into_iter().flatten().collect();
        union.extend([one, other]);
        rest.push(union);
        rest
    })
}

/// The rows in a record.
pub(crate) fn rows(record: &Record) -> Checked<Vec<(Key, Row)>> {
    let Batch { head, events, .. } = read_batch(&record.payload).map_err(|error| Violation {
        rule: "what the journal gives back can be read",
        seen: error.to_string(),
    })?;
    let row = |event: &AcceptedEvent<'_>| ((head.project_id, event.id), Row::new(&head, event));
    Ok(events.iter().map(row).collect())
}
