//! Whole numbers in as many bits as the greatest of them needs, one after the other, least significant bit first.

/// Bytes that may be read behind the last packed number: one group of eight numbers of 64 bits, and one load.
pub(crate) const SPARE: usize = 72;

/// Widest numbers that are packed. Wider ones take 64 bits: a load of eight bytes holds 56 wherever in a byte they begin.
const WIDEST: u32 = 56;

/// Bits for numbers up to `max`.
pub(crate) fn width(max: u64) -> u8 {
    let bits = u64::BITS - max.leading_zeros();
    let width = if bits > WIDEST { u64::BITS } else { bits };
    width as u8
}

/// Whether [`width`] can have returned this.
pub(crate) fn is_width(width: u8) -> bool {
    u32::from(width) <= WIDEST || u32::from(width) == u64::BITS
}

/// Bytes that `count` numbers take.
pub(crate) fn len(count: usize, width: u8) -> usize {
    (count * usize::from(width)).div_ceil(8)
}

/// Appends numbers, none of which needs more bits.
pub(crate) fn pack(numbers: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
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

/// Reads `out.len()` numbers, each through `map`. Behind the packed numbers are [`SPARE`] bytes of anything.
pub(crate) fn unpack<T>(bytes: &[u8], width: u8, out: &mut [T], map: impl Fn(u64) -> T) {
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
        fn what_was_packed_is_unpacked(numbers in proptest::collection::vec(any::<u64>(), 0..50), shift in 0..64_u32) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number >> shift).collect();
            let width = width(numbers.iter().copied().max().unwrap_or(0));
            prop_assert!(is_width(width));
            let mut bytes = Vec::new();
            pack(numbers.iter().copied(), width, &mut bytes);
            prop_assert_eq!(bytes.len(), len(numbers.len(), width));
            bytes.extend([0xaa; SPARE]);
            let mut out = vec![0; numbers.len()];
            unpack(&bytes, width, &mut out, |number| number);
            prop_assert_eq!(out, numbers);
        }
    }
}
