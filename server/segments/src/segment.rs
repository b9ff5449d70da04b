//! The bytes of a segment (format 1). All numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `TMSG` |
//! | 4 | the format: 1 |
//! | 4 | length of the header |
//! | 4 | CRC-32C of everything else |
//! | … | the header, in postcard's encoding |
//! | … | the blocks |
//! | 72 | zeros, so that a load of eight numbers never runs off the end |
//!
//! A block is up to [`BLOCK`] events. For each of its columns (identities, times, seqs, then the properties) one byte of width and
//! eight of a base come first, then for each column the packed numbers: identities as differences from the one before, times
//! in ticks from the base, seqs and values' places from the base.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::BLOCK;
use crate::events::{MISSING, VALUES_MAX};
use crate::packed::{Packing, SPARE};

pub(crate) const MAGIC: [u8; 4] = *b"TMSG";

/// The format that is written, and the only one that is read: a segment of another is made anew from the rows.
pub const FORMAT: u32 = 1;

/// Where the header begins.
pub(crate) const HEAD: usize = 16;

/// A column's width, its exceptions and its base.
const STREAM: usize = 1 + 1 + 8;

/// Identities, times and seqs.
const FIXED: usize = 3;

/// Ticks that times are told in, in microseconds: the coarsest that loses nothing is used. Logs have seconds, browsers
/// milliseconds.
pub(crate) const TICKS: [i64; 3] = [1_000_000, 1_000, 1];

/// These are not the bytes of a segment, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no segment: {0}")]
pub struct Corrupt(pub Cow<'static, str>);

fn corrupt(why: &'static str) -> Corrupt {
    Corrupt(Cow::Borrowed(why))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) events: u64,
    /// The first and the last moment, microseconds since 1970.
    pub(crate) times: (i64, i64),
    /// Microseconds of a tick.
    pub(crate) tick: i64,
    pub(crate) columns: Vec<Column>,
    pub(crate) blocks: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// None: there were too many. Of sessions, none are listed.
    pub(crate) values: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) bytes: u32,
    /// The first identity and the last.
    pub(crate) identities: (i64, i64),
}

/// An open segment.
#[derive(Debug, Clone)]
pub struct Segment {
    bytes: Box<[u8]>,
    header: Header,
    /// Where each block begins.
    offsets: Vec<usize>,
}

/// Room for the numbers of a block.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// See [`Block::identities`].
    pub identities: Box<[i64]>,
    /// See [`Block::times`].
    pub times: Box<[i64]>,
    /// See [`Block::seqs`].
    pub seqs: Box<[u64]>,
    /// See [`Block::codes`].
    pub codes: Box<[u32]>,
    /// See [`Block::hashes`].
    pub hashes: Box<[u64]>,
}

impl Default for Decoded {
    fn default() -> Self {
        Self {
            identities: vec![0; BLOCK].into(),
            times: vec![0; BLOCK].into(),
            seqs: vec![0; BLOCK].into(),
            codes: vec![0; BLOCK].into(),
            hashes: vec![0; BLOCK].into(),
        }
    }
}

impl Segment {
    /// Opens the bytes of a segment.
    ///
    /// # Errors
    /// They are not what [`Events::seal`](crate::Events::seal) wrote. A segment of a later format is none, too.
    pub fn open(bytes: impl Into<Box<[u8]>>) -> Result<Self, Corrupt> {
        let bytes = bytes.into();
        let number = |at: usize| {
            let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
            four.map(u32::from_le_bytes).ok_or_else(|| corrupt("too short"))
        };
        if bytes.get(..4) != Some(&MAGIC) {
            return Err(corrupt("it does not begin as one"));
        }
        if number(4)? != FORMAT {
            return Err(corrupt("of another format"));
        }
        let header_len = number(8)? as usize;
        if number(12)? != checksum(&bytes) {
            return Err(corrupt("the checksum is wrong"));
        }
        let header = bytes.get(HEAD..HEAD.saturating_add(header_len));
        let header: Header = header
            .and_then(|header| postcard::from_bytes(header).ok())
            .ok_or_else(|| corrupt("the header cannot be read"))?;
        let offsets = header.check(&bytes, HEAD + header_len)?;
        Ok(Self { bytes, header, offsets })
    }

    /// How many events.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.header.events
    }

    /// The moments of the first and of the last event, microseconds since 1970.
    #[must_use]
    pub fn times(&self) -> (i64, i64) {
        self.header.times
    }

    /// Microseconds of which all its moments are multiples.
    #[must_use]
    pub fn tick(&self) -> i64 {
        self.header.tick
    }

    /// Bytes that it takes, in a table and about as many in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Which column is this property's.
    #[must_use]
    pub fn column(&self, property: &str) -> Option<usize> {
        self.header.columns.iter().position(|column| column.name == property)
    }

    /// The properties that it has columns of, also of those with too many values.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.header.columns.iter().map(|column| column.name.as_str())
    }

    /// The values of a column; none, if there were too many. The nth has place n + 1, place 0 is [`MISSING`].
    #[must_use]
    pub fn values(&self, column: usize) -> Option<&[String]> {
        self.header.columns.get(column)?.values.as_deref()
    }

    /// Whether a column says something of every event: it had not too many values, and all events came with theirs.
    #[must_use]
    pub fn has(&self, column: usize) -> bool {
        self.values(column).is_some()
    }

    /// Its blocks.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Block<'_>> {
        (0..self.offsets.len()).map(|index| self.block(index))
    }

    /// One of its blocks; an empty one, if there is none.
    #[must_use]
    pub fn block(&self, index: usize) -> Block<'_> {
        let before = index.saturating_mul(BLOCK) as u64;
        let events = self.header.events.saturating_sub(before).min(BLOCK as u64) as usize;
        let entry = self.header.blocks.get(index);
        let offset = self.offsets.get(index).copied().unwrap_or(self.bytes.len());
        Block {
            segment: self,
            bytes: self.bytes.get(offset..).unwrap_or_default(),
            events: entry.map_or(0, |_| events),
            identities: entry.map_or((0, 0), |entry| entry.identities),
        }
    }
}

impl Header {
    /// Whether it can be what was written, of a segment whose blocks begin at `begin`. Returns where each block begins.
    fn check(&self, bytes: &[u8], begin: usize) -> Result<Vec<usize>, Corrupt> {
        let events = usize::try_from(self.events).map_err(|_| corrupt("too many events"))?;
        if !TICKS.contains(&self.tick) || events == 0 || self.blocks.len() != events.div_ceil(BLOCK) {
            return Err(corrupt("the header makes no sense"));
        }
        let end = bytes.len().saturating_sub(SPARE);
        let mut offsets = Vec::with_capacity(self.blocks.len());
        let mut at = begin;
        for (index, entry) in self.blocks.iter().enumerate() {
            let count = (events - index * BLOCK).min(BLOCK);
            let block = at
                .checked_add(entry.bytes as usize)
                .filter(|next| *next <= end)
                .and_then(|next| bytes.get(at..next))
                .ok_or_else(|| corrupt("a block is cut off"))?;
            if self.block_len(block, count) != Some(block.len()) {
                return Err(corrupt("a block has another length"));
            }
            offsets.push(at);
            at += block.len();
        }
        let too_many = |column: &Column| column.values.as_ref().is_some_and(|values| values.len() > VALUES_MAX);
        if at != end || self.columns.iter().any(too_many) {
            return Err(corrupt("it has another length"));
        }
        Ok(offsets)
    }

    fn streams(&self) -> usize {
        FIXED + self.columns.len()
    }

    /// How long a block of so many events is, by its widths.
    fn block_len(&self, block: &[u8], count: usize) -> Option<usize> {
        let mut len = self.streams() * STREAM;
        for stream in block.get(..len)?.chunks_exact(STREAM) {
            let packing = packing(stream);
            len += packing.is_one().then(|| packing.len(count))?;
        }
        Some(len)
    }
}

/// Up to [`BLOCK`] events.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    segment: &'a Segment,
    /// From its beginning to the end of the segment.
    bytes: &'a [u8],
    events: usize,
    /// The first identity and the last.
    identities: (i64, i64),
}

impl Block<'_> {
    /// How many events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// The first identity and the last.
    #[must_use]
    pub fn identity_range(&self) -> (i64, i64) {
        self.identities
    }

    /// Whose each event is, ascending.
    pub fn identities(&self, out: &mut [i64]) {
        let differences = self.stream(0);
        differences.read(out, |difference| difference.cast_signed());
        let mut identity = self.identities.0;
        for place in out.iter_mut().take(self.events) {
            identity = identity.wrapping_add(*place);
            *place = identity;
        }
    }

    /// When each happened, microseconds since 1970.
    pub fn times(&self, out: &mut [i64]) {
        let times = self.stream(1);
        let tick = self.segment.header.tick;
        times.read(out, |ticks| {
            times.base.wrapping_add(ticks.cast_signed().wrapping_mul(tick))
        });
    }

    /// Its seq, as [`seq_key`](crate::events::seq_key) has it.
    pub fn seqs(&self, out: &mut [u64]) {
        let seqs = self.stream(2);
        let base = seqs.base.cast_unsigned();
        seqs.read(out, |seq| match seq {
            0 => u64::MAX,
            seq => base.wrapping_add(seq - 1),
        });
    }

    /// The places of a column's values. None is beyond its values.
    pub fn codes(&self, column: usize, out: &mut [u32]) {
        let codes = self.stream(FIXED + column);
        let values = self.segment.values(column).map_or(0, <[String]>::len) as u64;
        let base = codes.base.cast_unsigned();
        codes.read(out, |code| {
            let code = base.wrapping_add(code);
            if code <= values { code as u32 } else { MISSING }
        });
    }

    /// The hashes of sessions; 0: none.
    pub fn hashes(&self, column: usize, out: &mut [u64]) {
        let hashes = self.stream(FIXED + column);
        hashes.read(out, |hash| hash);
    }

    fn stream(&self, stream: usize) -> Stream<'_> {
        let streams = self.segment.header.streams();
        let head = |stream: usize| {
            self.bytes
                .get(stream * STREAM..(stream + 1) * STREAM)
                .unwrap_or_default()
        };
        let before: usize = (0..stream).map(|stream| packing(head(stream)).len(self.events)).sum();
        let base = head(stream).get(2..).and_then(|base| base.try_into().ok());
        Stream {
            packing: packing(head(stream)),
            base: base.map_or(0, i64::from_le_bytes),
            bytes: self.bytes.get(streams * STREAM + before..).unwrap_or_default(),
            events: self.events,
        }
    }
}

/// How a column is packed, by the beginning of its part of a block's head.
fn packing(head: &[u8]) -> Packing {
    match head {
        [width, exceptions, ..] => Packing {
            width: *width,
            exceptions: *exceptions,
        },
        _ => Packing {
            width: 0,
            exceptions: 0,
        },
    }
}

/// The packed numbers of a column of a block.
struct Stream<'a> {
    packing: Packing,
    base: i64,
    bytes: &'a [u8],
    events: usize,
}

impl Stream<'_> {
    fn read<T>(&self, out: &mut [T], map: impl Fn(u64) -> T) {
        if let Some(out) = out.get_mut(..self.events) {
            self.packing.unpack(self.bytes, out, map);
        }
    }
}

/// Of all but the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    let (before, after) = (bytes.get(..HEAD - 4), bytes.get(HEAD..));
    crc32c::crc32c_append(crc32c::crc32c(before.unwrap_or_default()), after.unwrap_or_default())
}

/// Makes the checksum of these bytes right, as somebody would who wants to get past it.
#[doc(hidden)]
pub fn forge(bytes: &mut [u8]) {
    let sum = checksum(bytes);
    if let Some(place) = bytes.get_mut(HEAD - 4..HEAD) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}
