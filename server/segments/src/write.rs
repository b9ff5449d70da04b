//! Writes segments: [`segment`](crate::segment) says how.

use std::mem;
use std::ops::Range;

use crate::BLOCK;
use crate::events::{self, Events, MISSING};
use crate::packed::{Packing, SPARE};
use crate::segment::{Column, Entry, FOLLOWS, FORMAT, HEAD, Header, MAGIC, TICKS, forge, seq_code, zigzag};

/// Writes events, of which there is one at least.
pub(crate) fn write(events: Events) -> Vec<u8> {
    let sorted = sorted(events);
    let times = (
        sorted.times.iter().copied().min().unwrap_or_default(),
        sorted.times.iter().copied().max().unwrap_or_default(),
    );
    let is_tick = |tick: &i64| sorted.times.iter().all(|at| at % tick == 0);
    let header = Header {
        events: sorted.len() as u64,
        times,
        tick: TICKS.into_iter().find(is_tick).unwrap_or(1),
        first_seq: sorted.seqs.iter().copied().min().unwrap_or_default(),
        columns: Vec::new(),
        blocks: Vec::new(),
    };
    let (mut blocks, mut entries, mut end) = (Vec::new(), Vec::new(), 0);
    for from in (0..sorted.len()).step_by(BLOCK) {
        let range = from..(from + BLOCK).min(sorted.len());
        let identities = sorted.identities.get(range.clone()).unwrap_or_default();
        if let (Some(first), Some(last)) = (identities.first(), identities.last()) {
            entries.push(Entry::new(end, (*first, *last)));
            end = *last;
        }
        write_block(&sorted, range, &header, &mut blocks);
    }
    let column = |column: events::Column| Column {
        name: column.name,
        values: (!column.overflowed).then_some(column.values),
    };
    let header = Header {
        columns: sorted.columns.into_iter().map(column).collect(),
        blocks: entries,
        ..header
    };
    // Serialising plain data into a vector cannot fail; if it did, the segment would be refused and made anew.
    let header = postcard::to_allocvec(&header).unwrap_or_default();
    let mut bytes = Vec::with_capacity(HEAD + header.len() + blocks.len() + SPARE);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(header);
    bytes.extend(blocks);
    bytes.extend([0; SPARE]);
    forge(&mut bytes);
    bytes
}

/// By identity, time and seq, and the values of each column by how frequent they are, so that most places are small.
fn sorted(mut events: Events) -> Events {
    let mut order: Vec<u32> = (0..events.len() as u32).collect();
    let key = |event: &u32| {
        let event = *event as usize;
        let number = |numbers: &[i64]| numbers.get(event).copied().unwrap_or_default();
        let seq = events.seqs.get(event).copied().unwrap_or_default();
        (number(&events.identities), number(&events.times), seq)
    };
    order.sort_unstable_by_key(key);
    events.identities = arranged(&events.identities, &order);
    events.times = arranged(&events.times, &order);
    events.seqs = arranged(&events.seqs, &order);
    for column in &mut events.columns {
        if column.overflowed {
            (column.values, column.codes) = (Vec::new(), vec![MISSING.into(); order.len()]);
        }
        if column.is_hashed() {
            column.codes = arranged(&column.codes, &order);
            continue;
        }
        let mut counts: Vec<(usize, usize)> = (0..column.values.len()).map(|value| (0, value)).collect();
        for code in &column.codes {
            let place = (*code as usize).checked_sub(1).and_then(|value| counts.get_mut(value));
            place.into_iter().for_each(|(count, _)| *count += 1);
        }
        counts.retain(|(count, _)| *count > 0);
        counts.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut places = vec![MISSING; column.values.len() + 1];
        let mut values = Vec::with_capacity(counts.len());
        for (place, (_, value)) in (1..).zip(counts) {
            values.extend(column.values.get_mut(value).map(mem::take));
            places.get_mut(value + 1).into_iter().for_each(|new| *new = place);
        }
        column.values = values;
        let place = |code: u64| places.get(code as usize).copied().unwrap_or(MISSING).into();
        column.codes = arranged(&column.codes, &order).into_iter().map(place).collect();
    }
    events
}

fn arranged<T: Copy>(numbers: &[T], order: &[u32]) -> Vec<T> {
    order
        .iter()
        .filter_map(|event| numbers.get(*event as usize))
        .copied()
        .collect()
}

/// Appends one block.
fn write_block(events: &Events, range: Range<usize>, header: &Header, out: &mut Vec<u8>) {
    let identities = events.identities.get(range.clone()).unwrap_or_default();
    let times = events.times.get(range.clone()).unwrap_or_default();
    let seqs = events.seqs.get(range.clone()).unwrap_or_default();
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    let mut stream = |numbers: &[u64], follows: bool| {
        let packing = Packing::of(numbers);
        let follows = if follows { FOLLOWS } else { 0 };
        heads.extend([packing.width | follows, packing.exceptions, packing.exception_width]);
        packing.pack(numbers, &mut bodies);
    };
    let mut before = identities.first().copied().unwrap_or_default();
    let difference = |identity: &i64| {
        identity
            .wrapping_sub(mem::replace(&mut before, *identity))
            .cast_unsigned()
    };
    stream(&identities.iter().map(difference).collect::<Vec<_>>(), false);
    let ticks = times
        .iter()
        .map(|at| ((at - header.times.0) / header.tick).cast_unsigned());
    let (ticks, follows) = followed(identities, ticks.collect(), u64::wrapping_sub);
    stream(&ticks, follows);
    let seqs = seqs.iter().map(|seq| seq_code(*seq, header.first_seq));
    let (seqs, follows) = followed(identities, seqs.collect(), |code, before| {
        zigzag(code.wrapping_sub(before))
    });
    stream(&seqs, follows);
    for column in &events.columns {
        stream(column.codes.get(range.clone()).unwrap_or_default(), false);
    }
    out.extend(heads);
    out.extend(bodies);
}

/// The numbers of a block's events, and whether those that follow one of the same identity are told as the difference from it:
/// where that saves a sixteenth, for they take twice as long to read.
fn followed(identities: &[i64], numbers: Vec<u64>, difference: impl Fn(u64, u64) -> u64) -> (Vec<u64>, bool) {
    let mut followed = numbers.clone();
    for ((ids, pair), number) in identities
        .windows(2)
        .zip(numbers.windows(2))
        .zip(followed.iter_mut().skip(1))
    {
        if let ([one, other], [before, now]) = (ids, pair)
            && one == other
        {
            *number = difference(*now, *before);
        }
    }
    let len = |numbers: &[u64]| Packing::of(numbers).len(numbers.len());
    let follows = len(&followed) + len(&numbers) / 16 < len(&numbers);
    (if follows { followed } else { numbers }, follows)
}
