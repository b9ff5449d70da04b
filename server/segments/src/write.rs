//! Writes segments: [`segment`](crate::segment) says how.

use std::mem;
use std::ops::Range;

use crate::BLOCK;
use crate::events::{Events, MISSING};
use crate::packed::{Packing, SPARE};
use crate::segment::{Column, Entry, FORMAT, HEAD, Header, MAGIC, TICKS, forge};

/// Writes events, of which there is one at least.
pub(crate) fn write(events: Events) -> Vec<u8> {
    let sorted = sorted(events);
    let times = (
        sorted.times.iter().copied().min().unwrap_or_default(),
        sorted.times.iter().copied().max().unwrap_or_default(),
    );
    let tick = TICKS
        .into_iter()
        .find(|tick| sorted.times.iter().all(|at| at % tick == 0))
        .unwrap_or(1);
    let (mut blocks, mut entries) = (Vec::new(), Vec::new());
    for from in (0..sorted.len()).step_by(BLOCK) {
        let before = blocks.len();
        let identities = write_block(&sorted, from..(from + BLOCK).min(sorted.len()), tick, &mut blocks);
        entries.push(Entry {
            bytes: (blocks.len() - before) as u32,
            identities,
        });
    }
    let header = Header {
        events: sorted.len() as u64,
        times,
        tick,
        columns: sorted
            .columns
            .into_iter()
            .map(|column| Column {
                name: column.name,
                values: (!column.overflowed).then_some(column.values),
            })
            .collect(),
        blocks: entries,
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

/// Appends one block; returns its first identity and its last.
fn write_block(events: &Events, range: Range<usize>, tick: i64, out: &mut Vec<u8>) -> (i64, i64) {
    let identities = events.identities.get(range.clone()).unwrap_or_default();
    let times = events.times.get(range.clone()).unwrap_or_default();
    let seqs = events.seqs.get(range.clone()).unwrap_or_default();
    let ends = (
        identities.first().copied().unwrap_or_default(),
        identities.last().copied().unwrap_or_default(),
    );
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    let mut stream = |base: i64, numbers: &mut dyn Iterator<Item = u64>| {
        let numbers: Vec<u64> = numbers.collect();
        let packing = Packing::of(&numbers);
        heads.extend([packing.width, packing.exceptions]);
        heads.extend(base.to_le_bytes());
        packing.pack(&numbers, &mut bodies);
    };
    let mut before = ends.0;
    stream(
        0,
        &mut identities.iter().map(|identity| {
            identity
                .wrapping_sub(mem::replace(&mut before, *identity))
                .cast_unsigned()
        }),
    );
    let base = times.iter().copied().min().unwrap_or_default();
    stream(base, &mut times.iter().map(|at| ((at - base) / tick).cast_unsigned()));
    let base = seqs
        .iter()
        .copied()
        .filter(|seq| *seq != u64::MAX)
        .min()
        .unwrap_or_default();
    stream(
        base.cast_signed(),
        &mut seqs.iter().map(|seq| if *seq == u64::MAX { 0 } else { seq - base + 1 }),
    );
    for column in &events.columns {
        let codes = column.codes.get(range.clone()).unwrap_or_default();
        stream(0, &mut codes.iter().copied());
    }
    out.extend(heads);
    out.extend(bodies);
    ends
}
