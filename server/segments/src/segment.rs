//! The bytes of a segment (format 2). All numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `TMSG` |
//! | 4 | the format: 2 |
//! | 4 | length of the header |
//! | 4 | CRC-32C of everything else |
//! | … | the header, in postcard's encoding |
//! | … | the blocks |
//! | 72 | zeros, so that a load of eight numbers never runs off the end |
//!
//! A block is up to [`BLOCK`] events. First comes how each of its columns is packed (identities, times, seqs, then the
//! properties), three bytes; then the packed numbers of each: identities as differences from the one before, times in ticks
//! since the segment's first, seqs from its least, and values' places. Times and seqs of events that follow one of the same
//! identity are the difference from it, where that takes less.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::BLOCK;
use crate::events::{MISSING, VALUES_MAX};
use crate::packed::{Packing, SPARE};

pub(crate) const MAGIC: [u8; 4] = *b"TMSG";

/// The format that is written, and the only one that is read: a segment of another is made anew from the rows.
pub const FORMAT: u32 = 2;

/// Where the header begins.
pub(crate) const HEAD: usize = 16;

/// How a column is packed: its [`Packing`], and whether numbers follow.
const STREAM: usize = 3;

/// Set beside a column's width: numbers of events that follow one of the same identity are the difference from it.
pub(crate) const FOLLOWS: u8 = 0x80;

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
    /// The least, as [`seq_key`](crate::events::seq_key) has them.
    pub(crate) first_seq: u64,
    pub(crate) columns: Vec<Column>,
    pub(crate) blocks: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// None: there were too many. Of sessions, none are listed.
    pub(crate) values: Option<Vec<String>>,
}

/// The identities of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// How far the first is from the last of the block before.
    gap: u64,
    /// How far the last is from the first.
    span: u64,
}

impl Entry {
    /// Of a block from one identity to another, behind one that ends with `end`.
    pub(crate) fn new(end: i64, (first, last): (i64, i64)) -> Self {
        Self {
            gap: first.wrapping_sub(end).cast_unsigned(),
            span: last.wrapping_sub(first).cast_unsigned(),
        }
    }

    fn identities(self, end: i64) -> (i64, i64) {
        let first = end.wrapping_add_unsigned(self.gap);
        (first, first.wrapping_add_unsigned(self.span))
    }
}

/// A seq as blocks have it: none, or from 1 the distance from the least.
pub(crate) fn seq_code(seq: u64, first_seq: u64) -> u64 {
    if seq == u64::MAX { 0 } else { seq - first_seq + 1 }
}

/// Small numbers for small differences, also below zero.
pub(crate) fn zigzag(difference: u64) -> u64 {
    difference << 1 ^ (difference.cast_signed() >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> u64 {
    number >> 1 ^ (number & 1).wrapping_neg()
}

/// Where a block is.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: usize,
    /// The first identity and the last.
    identities: (i64, i64),
}

/// An open segment.
#[derive(Debug, Clone)]
pub struct Segment {
    bytes: Box<[u8]>,
    header: Header,
    places: Vec<Place>,
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
    /// Whether an event is the first of its identity here.
    begins: Box<[bool]>,
}

impl Default for Decoded {
    fn default() -> Self {
        Self {
            identities: vec![0; BLOCK].into(),
            times: vec![0; BLOCK].into(),
            seqs: vec![0; BLOCK].into(),
            codes: vec![0; BLOCK].into(),
            hashes: vec![0; BLOCK].into(),
            begins: vec![false; BLOCK].into(),
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
        let mut header: Header = header
            .and_then(|header| postcard::from_bytes(header).ok())
            .ok_or_else(|| corrupt("the header cannot be read"))?;
        let places = header.check(&bytes, HEAD + header_len)?;
        header.blocks = Vec::new();
        Ok(Self { bytes, header, places })
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
        (0..self.places.len()).map(|index| self.block(index))
    }

    /// One of its blocks; an empty one, if there is none.
    #[must_use]
    pub fn block(&self, index: usize) -> Block<'_> {
        let before = index.saturating_mul(BLOCK) as u64;
        let events = self.header.events.saturating_sub(before).min(BLOCK as u64) as usize;
        let place = self.places.get(index).copied();
        Block {
            segment: self,
            bytes: place
                .and_then(|place| self.bytes.get(place.offset..))
                .unwrap_or_default(),
            events: place.map_or(0, |_| events),
            identities: place.map_or((0, 0), |place| place.identities),
        }
    }
}

impl Header {
    /// Whether it can be what was written, of a segment whose blocks begin at `begin`. Returns where each block is.
    fn check(&self, bytes: &[u8], begin: usize) -> Result<Vec<Place>, Corrupt> {
        let events = usize::try_from(self.events).map_err(|_| corrupt("too many events"))?;
        if !TICKS.contains(&self.tick) || events == 0 || self.blocks.len() != events.div_ceil(BLOCK) {
            return Err(corrupt("the header makes no sense"));
        }
        let end = bytes.len().saturating_sub(SPARE);
        let mut places = Vec::with_capacity(self.blocks.len());
        let (mut offset, mut identity) = (begin, 0);
        for (index, entry) in self.blocks.iter().enumerate() {
            let count = (events - index * BLOCK).min(BLOCK);
            let block = bytes.get(offset..end).unwrap_or_default();
            let len = self.block_len(block, count).filter(|len| *len <= block.len());
            let identities = entry.identities(identity);
            places.push(Place { offset, identities });
            offset += len.ok_or_else(|| corrupt("a block is cut off"))?;
            identity = identities.1;
        }
        let too_many = |column: &Column| column.values.as_ref().is_some_and(|values| values.len() > VALUES_MAX);
        if offset != end || self.columns.iter().any(too_many) {
            return Err(corrupt("it has another length"));
        }
        Ok(places)
    }

    fn streams(&self) -> usize {
        FIXED + self.columns.len()
    }

    /// How long a block of so many events is, by its widths.
    fn block_len(&self, block: &[u8], count: usize) -> Option<usize> {
        let mut len = self.streams() * STREAM;
        for stream in block.get(..len)?.chunks_exact(STREAM) {
            let (packing, _) = packing(stream);
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
    pub fn identities(&self, decoded: &mut Decoded) {
        let out = &mut decoded.identities;
        self.stream(0).read(out, |difference| difference.cast_signed());
        let mut identity = self.identities.0;
        for place in out.iter_mut().take(self.events) {
            identity = identity.wrapping_add(*place);
            *place = identity;
        }
    }

    /// When each happened, microseconds since 1970.
    pub fn times(&self, decoded: &mut Decoded) {
        let (first, tick) = (self.segment.header.times.0, self.segment.header.tick);
        let since = |ticks: u64| ticks.cast_signed().wrapping_mul(tick);
        let times = self.stream(1);
        if times.follows {
            times.read(&mut decoded.times, since);
            let whole = |since: i64| first.wrapping_add(since);
            self.follow(&mut decoded.begins, &mut decoded.times, whole, i64::wrapping_add);
        } else {
            times.read(&mut decoded.times, |ticks| first.wrapping_add(since(ticks)));
        }
    }

    /// Its seq, as [`seq_key`](crate::events::seq_key) has it.
    pub fn seqs(&self, decoded: &mut Decoded) {
        let first = self.segment.header.first_seq;
        let seq = |code: u64| match code {
            0 => u64::MAX,
            code => first.wrapping_add(code - 1),
        };
        let seqs = self.stream(2);
        if seqs.follows {
            seqs.read(&mut decoded.seqs, |code| code);
            let next = |before: u64, code: u64| before.wrapping_add(unzigzag(code));
            self.follow(&mut decoded.begins, &mut decoded.seqs, |code| code, next);
            let events = decoded.seqs.iter_mut().take(self.events);
            events.for_each(|code| *code = seq(*code));
        } else {
            seqs.read(&mut decoded.seqs, seq);
        }
    }

    /// Makes numbers `whole`, or those that follow one of the same identity the `next` after it. `begins` is room.
    fn follow<T: Copy + Default>(
        &self,
        begins: &mut [bool],
        numbers: &mut [T],
        whole: impl Fn(T) -> T,
        next: impl Fn(T, T) -> T,
    ) {
        self.stream(0).read(begins, |difference| difference != 0);
        begins.first_mut().into_iter().for_each(|begins| *begins = true);
        let mut before = T::default();
        for (begins, number) in begins.iter().zip(numbers).take(self.events) {
            before = if *begins { whole(*number) } else { next(before, *number) };
            *number = before;
        }
    }

    /// The places of a column's values. None is beyond its values.
    pub fn codes(&self, column: usize, out: &mut [u32]) {
        let codes = self.stream(FIXED + column);
        let values = self.segment.values(column).map_or(0, <[String]>::len) as u64;
        codes.read(out, |code| if code <= values { code as u32 } else { MISSING });
    }

    /// The hashes of sessions; 0: none.
    pub fn hashes(&self, column: usize, decoded: &mut Decoded) {
        self.stream(FIXED + column).read(&mut decoded.hashes, |hash| hash);
    }

    fn stream(&self, stream: usize) -> Stream<'_> {
        let streams = self.segment.header.streams();
        let head = |stream: usize| {
            self.bytes
                .get(stream * STREAM..(stream + 1) * STREAM)
                .unwrap_or_default()
        };
        let len = |stream: usize| packing(head(stream)).0.len(self.events);
        let before: usize = (0..stream).map(len).sum();
        let (packing, follows) = packing(head(stream));
        Stream {
            packing,
            follows,
            bytes: self.bytes.get(streams * STREAM + before..).unwrap_or_default(),
            events: self.events,
        }
    }
}

/// How a column is packed and whether its numbers follow, by its part of a block's head.
fn packing(head: &[u8]) -> (Packing, bool) {
    let [width, exceptions, exception_width] = head.first_chunk().copied().unwrap_or_default();
    let packing = Packing {
        width: width & !FOLLOWS,
        exceptions,
        exception_width,
    };
    (packing, width & FOLLOWS != 0)
}

/// The packed numbers of a column of a block.
struct Stream<'a> {
    packing: Packing,
    follows: bool,
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
