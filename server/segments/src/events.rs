//! Events on their way into a segment.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::segment::{self, Segment};
use crate::write;

/// Most different values of a column: 65,535, so that the places of values fit into two bytes and a segment's dictionary into
/// memory. A property with more (an id, an address with one in it) has no column in that segment.
pub const VALUES_MAX: usize = 65_535;

/// The place of "has no such property" among a column's values; the nth value has place n + 1.
pub const MISSING: u32 = 0;

/// The column of sessions. Their ids are never the same twice, so they have no dictionary but hashes of 64 bits ([`hash`]): of ten
/// million sessions two have the same with a chance of one in 370,000.
pub const SESSION: &str = "$session_id";

/// The first eight bytes of a text's SHA-256; never 0, which stands for none.
#[must_use]
pub fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    let first = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
    first.max(1)
}

/// Events of one name and one week, in any order.
#[derive(Debug, Clone, Default)]
pub struct Events {
    pub(crate) identities: Vec<i64>,
    /// Microseconds since 1970.
    pub(crate) times: Vec<i64>,
    /// As [`seq_key`] has them.
    pub(crate) seqs: Vec<u64>,
    pub(crate) columns: Vec<Column>,
}

/// A property of all the events.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
    places: HashMap<String, u32>,
    /// One for each event: the place of its value, or of [`SESSION`] its hash.
    pub(crate) codes: Vec<u64>,
    /// It had too many values, or some events came without theirs.
    pub(crate) overflowed: bool,
}

/// A number by which events of one moment are sorted: those without `seq` last.
#[must_use]
pub fn seq_key(seq: Option<i64>) -> u64 {
    seq.map_or(u64::MAX, |seq| seq.cast_unsigned() ^ (1 << 63))
}

impl Events {
    /// None yet, which will have columns of these properties.
    #[must_use]
    pub fn new<'a>(columns: impl IntoIterator<Item = &'a str>) -> Self {
        let column = |name: &str| Column {
            name: name.to_owned(),
            values: Vec::new(),
            places: HashMap::new(),
            codes: Vec::new(),
            overflowed: false,
        };
        Self {
            columns: columns.into_iter().map(column).collect(),
            ..Self::default()
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.identities.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Adds an event that happened `at` (microseconds since 1970), with one value for each column.
    pub fn push<'v>(
        &mut self,
        identity: i64,
        at: i64,
        seq: Option<i64>,
        values: impl IntoIterator<Item = Option<&'v str>>,
    ) {
        self.identities.push(identity);
        self.times.push(at);
        self.seqs.push(seq_key(seq));
        let mut values = values.into_iter();
        for column in &mut self.columns {
            column.push(values.next().flatten());
        }
    }

    /// Adds the events of a segment whose identities are to be kept. A column that the segment does not have is empty for them.
    pub fn append(&mut self, segment: &Segment, keep: impl Fn(i64) -> bool) {
        let mut decoded = segment::Decoded::default();
        let sources: Vec<Option<usize>> = self.columns.iter().map(|column| segment.column(&column.name)).collect();
        let mut remaps = Vec::new();
        for (column, source) in self.columns.iter_mut().zip(&sources) {
            column.overflowed |= source.is_none_or(|source| !segment.has(source));
            let values = source.and_then(|source| segment.values(source));
            remaps.push(column.learn(values.unwrap_or_default()));
        }
        for block in segment.blocks() {
            block.identities(&mut decoded);
            block.times(&mut decoded);
            block.seqs(&mut decoded);
            let kept: Vec<usize> = (0..block.len())
                .filter(|row| decoded.identities.get(*row).is_some_and(|identity| keep(*identity)))
                .collect();
            self.identities.extend(picked(&kept, &decoded.identities));
            self.times.extend(picked(&kept, &decoded.times));
            self.seqs.extend(picked(&kept, &decoded.seqs));
            for ((column, source), remap) in self.columns.iter_mut().zip(&sources).zip(&remaps) {
                let Some(source) = source else {
                    column.codes.resize(column.codes.len() + kept.len(), MISSING.into());
                    continue;
                };
                if column.is_hashed() {
                    block.hashes(*source, &mut decoded);
                    column.codes.extend(picked(&kept, &decoded.hashes));
                } else {
                    block.codes(*source, &mut decoded.codes);
                    let place = |code: u32| remap.get(code as usize).copied().unwrap_or(MISSING);
                    column
                        .codes
                        .extend(picked(&kept, &decoded.codes).map(place).map(u64::from));
                }
            }
        }
    }

    /// The bytes of a segment of these events; nothing, if there are none.
    #[must_use]
    pub fn seal(self) -> Option<Vec<u8>> {
        (!self.is_empty()).then(|| write::write(self))
    }
}

/// The numbers of these rows.
fn picked<T: Copy>(rows: &[usize], numbers: &[T]) -> impl Iterator<Item = T> {
    rows.iter().filter_map(|row| numbers.get(*row)).copied()
}

impl Column {
    pub(crate) fn is_hashed(&self) -> bool {
        self.name == SESSION
    }

    fn push(&mut self, value: Option<&str>) {
        let code = match value {
            None => MISSING.into(),
            Some(text) if self.is_hashed() => hash(text),
            Some(value) => self.place(value).into(),
        };
        self.codes.push(code);
    }

    fn place(&mut self, value: &str) -> u32 {
        if let Some(place) = self.places.get(value) {
            return *place;
        }
        if self.values.len() >= VALUES_MAX {
            self.overflowed = true;
            return MISSING;
        }
        self.values.push(value.to_owned());
        let place = self.values.len() as u32;
        self.places.insert(value.to_owned(), place);
        place
    }

    /// The places here of another column's values, by their places there.
    fn learn(&mut self, values: &[String]) -> Vec<u32> {
        let places = values.iter().map(|value| self.place(value));
        [MISSING].into_iter().chain(places).collect()
    }
}
