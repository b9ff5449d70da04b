//! CRC-32 as zlib, PNG and Ethernet have it (CRC-32/ISO-HDLC). Native builds take the library with its 16 KiB of tables; a web
//! page, whose records are few and small, would have to load them.

#[cfg(feature = "native")]
pub(super) use crc32fast::hash as crc32;

#[cfg(not(feature = "native"))]
pub(super) use small::crc32;

#[cfg(any(test, not(feature = "native")))]
mod small {
    /// The polynomial, its bits reversed.
    const POLYNOMIAL: u32 = 0xedb8_8320;

    /// A bit at a time.
    pub(in super::super) fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32| (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_give_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(super::small::crc32(&bytes), crc32fast::hash(&bytes));
        }
    }
}
