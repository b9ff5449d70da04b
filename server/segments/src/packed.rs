//! Whole numbers in as few bits as most of them need, one after the other, least significant bit first. Of the few that need
//! more, what is beyond those bits follows with its place, packed in the same way: otherwise one large number would make all
//! of a block wide.

use crate::BLOCK;

/// Bytes that may be read behind the last packed number: one group of eight numbers of 64 bits, and one load.
pub(crate) const SPARE: usize = 72;

/// Widest numbers that are packed. Wider ones take 64 bits: a load of eight bytes holds 56 wherever in a byte they begin.
const WIDEST: u32 = 56;

/// Bits of an exception's place.
const PLACE: u32 = BLOCK.ilog2();

/// How numbers are packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Bits of each.
    pub(crate) width: u8,
    /// How many need more.
    pub(crate) exceptions: u8,
    /// Bits of each of these: its place, and what is beyond its bits.
    pub(crate) exception_width: u8,
}

fn bits(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

impl Packing {
    /// The one that takes least, of at most [`BLOCK`] numbers.
    pub(crate) fn of(numbers: &[u64]) -> Self {
        let mut counts = [0_usize; 65];
        for number in numbers {
            if let Some(count) = counts.get_mut(bits(*number) as usize) {
                *count += 1;
            }
        }
        let widest = counts.iter().rposition(|count| *count > 0).unwrap_or(0) as u32;
        let whole = if widest > WIDEST { u64::BITS } else { widest };
        let mut best = Self {
            width: whole as u8,
            ..Self::default()
        };
        let mut beyond = 0;
        for width in (0..widest).rev() {
            beyond += counts.get(width as usize + 1).copied().unwrap_or(0);
            let Ok(exceptions) = u8::try_from(beyond) else { break };
            let packing = Self {
                width: width as u8,
                exceptions,
                exception_width: (PLACE + widest - width) as u8,
            };
            if packing.is_one() && packing.len(numbers.len()) < best.len(numbers.len()) {
                best = packing;
            }
        }
        best
    }

    /// Bytes that so many numbers take.
    pub(crate) fn len(self, count: usize) -> usize {
        packed_len(count, self.width) + packed_len(self.exceptions.into(), self.exception_width)
    }

    /// Whether [`Packing::of`] can have returned it.
    pub(crate) fn is_one(self) -> bool {
        let (width, exception_width) = (u32::from(self.width), u32::from(self.exception_width));
        match self.exceptions {
            0 => (width <= WIDEST || width == u64::BITS) && exception_width == 0,
            _ => width <= WIDEST && (PLACE..=WIDEST).contains(&exception_width),
        }
    }

    /// Appends numbers, packed in this way.
    pub(crate) fn pack(self, numbers: &[u64], out: &mut Vec<u8>) {
        pack(numbers.iter().map(|number| number & mask(self.width)), self.width, out);
        let wider = (0..)
            .zip(numbers)
            .filter(|(_, number)| bits(**number) > self.width.into());
        let exceptions = wider.map(|(place, number)| place | number >> self.width << PLACE);
        pack(exceptions, self.exception_width, out);
    }

    /// Reads `out.len()` numbers, each through `map`. Behind the bytes are [`SPARE`] bytes of anything.
    pub(crate) fn unpack<T>(self, bytes: &[u8], out: &mut [T], map: impl Fn(u64) -> T) {
        unpack(bytes, self.width, out, &map);
        let exceptions = bytes.get(packed_len(out.len(), self.width)..).unwrap_or_default();
        for nth in 0..usize::from(self.exceptions) {
            let exception = one(exceptions, self.exception_width, nth);
            let place = (exception & mask(PLACE as u8)) as usize;
            let low = one(bytes, self.width, place);
            if let Some(number) = out.get_mut(place) {
                *number = map(low | (exception >> PLACE).checked_shl(self.width.into()).unwrap_or(0));
            }
        }
    }
}

/// Bytes that so many numbers of these bits take.
fn packed_len(count: usize, width: u8) -> usize {
    (count * usize::from(width)).div_ceil(8)
}

/// The largest number of these bits.
fn mask(width: u8) -> u64 {
    u64::MAX.checked_shr(u64::BITS - u32::from(width)).unwrap_or(0)
}

/// One packed number.
fn one(bytes: &[u8], width: u8, place: usize) -> u64 {
    let (byte, bit) = (place * usize::from(width) / 8, place * usize::from(width) % 8);
    let eight = bytes.get(byte..byte + 8).and_then(|eight| eight.try_into().ok());
    eight.map_or(0, u64::from_le_bytes) >> bit & mask(width)
}

/// Appends numbers, none of which needs more bits.
fn pack(numbers: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let (mut waiting, mut bits) = (0_u128, 0_u32);
    for number in numbers {
        waiting |= u128::from(number) << bits;
        bits += u32::from(width);
        while bits >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(waiting as u8);
    }
}

/// Reads `out.len()` numbers of these bits.
fn unpack<T>(bytes: &[u8], width: u8, out: &mut [T], map: impl Fn(u64) -> T) {
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                0 => out.fill_with(|| map(0)),
                $($width => unpack_of::<$width, T>(bytes, out, map),)*
                _ => unpack_of::<64, T>(bytes, out, map),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40
              41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56);
}

/// Eight numbers of `WIDTH` bits begin at a byte and take `WIDTH` bytes: the compiler knows every shift.
fn unpack_of<const WIDTH: usize, T>(bytes: &[u8], out: &mut [T], map: impl Fn(u64) -> T) {
    let mask = u64::MAX >> (64 - WIDTH);
    let mut groups = out.chunks_exact_mut(8);
    let mut rest = bytes;
    let number = |group: &[u8], nth: usize| {
        let (byte, bit) = (nth * WIDTH / 8, nth * WIDTH % 8);
        let eight = group.get(byte..byte + 8).and_then(|eight| eight.try_into().ok());
        eight.map_or(0, u64::from_le_bytes) >> bit & mask
    };
    for group in &mut groups {
        let Some(from) = rest.get(..WIDTH + 8) else { return };
        for (nth, place) in group.iter_mut().enumerate() {
            *place = map(number(from, nth));
        }
        rest = rest.get(WIDTH..).unwrap_or_default();
    }
    for (nth, place) in groups.into_remainder().iter_mut().enumerate() {
        *place = map(number(rest, nth));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(numbers in proptest::collection::vec(any::<u64>(), 0..50), shift in 0..64_u32, larger in proptest::collection::vec(0..u64::MAX >> 20, 0..5)) {
            let mut numbers: Vec<u64> = numbers.iter().map(|number| number >> shift).collect();
            numbers.extend(larger);
            let packing = Packing::of(&numbers);
            prop_assert!(packing.is_one());
            let mut bytes = Vec::new();
            packing.pack(&numbers, &mut bytes);
            prop_assert_eq!(bytes.len(), packing.len(numbers.len()));
            bytes.extend([0xaa; SPARE]);
            let mut out = vec![0; numbers.len()];
            packing.unpack(&bytes, &mut out, |number| number);
            prop_assert_eq!(out, numbers);
        }
    }
}
