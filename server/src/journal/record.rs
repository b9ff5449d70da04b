//! Frames of records and headers of segments: bytes in, bytes out, no I/O. The layout is in the module's page.

use uuid::Uuid;

use super::Seq;

/// Bytes before a record's payload: len 4, crc 4, seq 8.
pub(super) const FRAME_BYTES: usize = 16;
/// Bytes before a segment's first record: magic 8, first seq 8, journal id 16, reserved 12, crc 4.
pub(super) const HEADER_BYTES: usize = 48;
/// Largest payload: 16 MiB, twice the largest decompressed request body. A larger length is damage, and is not read.
pub(super) const PAYLOAD_BYTES: usize = 16 * 1024 * 1024;

/// Format 01. A change of the format changes the last two digits.
const MAGIC: &[u8; 8] = b"TMJRNL01";
/// What all formats have in common.
const MAGIC_FAMILY: &[u8] = b"TMJRNL";
const HEADER_CRC_AT: usize = HEADER_BYTES - 4;

/// What stands at some place of a segment where a record may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Sixteen zero bytes: nothing was written here.
    End,
    /// A record's frame that may be whole; its payload has `len` bytes.
    Payload {
        /// Bytes of payload.
        len: usize,
        /// What [`crc_of`] must give.
        crc: u32,
    },
    /// Not the record that belongs here.
    Damaged,
}

/// A segment's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) first: Seq,
    pub(super) journal: Uuid,
}

/// What a segment's first bytes say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderFound {
    Whole(Header),
    /// Whole, but of a format this version does not know.
    Foreign,
    /// Never written, torn or damaged.
    Broken,
}

/// The bytes that a payload of `len` bytes takes.
pub(super) const fn framed(len: usize) -> usize {
    FRAME_BYTES + len
}

/// Appends the record to `out`. The payload has at most [`PAYLOAD_BYTES`] bytes, which [`super::LocalJournal`] checks.
pub(super) fn encode(out: &mut Vec<u8>, seq: Seq, payload: &[u8]) {
    let len = (payload.len() as u32).to_le_bytes();
    out.extend_from_slice(&len);
    out.extend_from_slice(&crc_of(seq, payload).to_le_bytes());
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(payload);
}

/// Reads a frame where record `expected` may begin.
pub(super) fn decode(frame: &[u8; FRAME_BYTES], expected: Seq) -> Frame {
    if *frame == [0; FRAME_BYTES] {
        return Frame::End;
    }
    let [len, crc, low, high] = words(frame);
    let seq = u64::from(low) | u64::from(high) << 32;
    match usize::try_from(len) {
        Ok(len) if seq == expected && len <= PAYLOAD_BYTES => Frame::Payload { len, crc },
        _ => Frame::Damaged,
    }
}

/// The sequence number that a frame claims, unchecked.
pub(super) fn claimed_seq(frame: &[u8; FRAME_BYTES]) -> Seq {
    let [_, _, low, high] = words(frame);
    u64::from(low) | u64::from(high) << 32
}

/// The checksum of a record: over len, seq and payload.
pub(super) fn crc_of(seq: Seq, payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&(payload.len() as u32).to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &seq.to_le_bytes());
    crc32c::crc32c_append(crc, payload)
}

/// A segment's first bytes.
pub(super) fn encode_header(header: Header) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..16].copy_from_slice(&header.first.to_le_bytes());
    bytes[16..32].copy_from_slice(header.journal.as_bytes());
    let crc = crc32c::crc32c(&bytes[..HEADER_CRC_AT]);
    bytes[HEADER_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads a segment's first bytes.
pub(super) fn decode_header(bytes: &[u8; HEADER_BYTES]) -> HeaderFound {
    let (body, crc) = bytes.split_at(HEADER_CRC_AT);
    if crc32c::crc32c(body).to_le_bytes() != crc {
        return HeaderFound::Broken;
    }
    if !body.starts_with(MAGIC) {
        return if body.starts_with(MAGIC_FAMILY) {
            HeaderFound::Foreign
        } else {
            HeaderFound::Broken
        };
    }
    let mut first = [0; 8];
    let mut journal = [0; 16];
    first.copy_from_slice(&body[8..16]);
    journal.copy_from_slice(&body[16..32]);
    HeaderFound::Whole(Header {
        first: Seq::from_le_bytes(first),
        journal: Uuid::from_bytes(journal),
    })
}

fn words(frame: &[u8; FRAME_BYTES]) -> [u32; 4] {
    std::array::from_fn(|i| u32::from_le_bytes([frame[4 * i], frame[4 * i + 1], frame[4 * i + 2], frame[4 * i + 3]]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame_of(bytes: &[u8]) -> [u8; FRAME_BYTES] {
        bytes[..FRAME_BYTES].try_into().expect("a frame")
    }

    proptest! {
        #[test]
        fn a_record_is_read_back_as_it_was_written(seq in 1u64.., payload: Vec<u8>) {
            let mut bytes = Vec::new();
            encode(&mut bytes, seq, &payload);
            prop_assert_eq!(bytes.len(), framed(payload.len()));
            prop_assert_eq!(claimed_seq(&frame_of(&bytes)), seq);
            let expected = Frame::Payload { len: payload.len(), crc: crc_of(seq, &bytes[FRAME_BYTES..]) };
            prop_assert_eq!(decode(&frame_of(&bytes), seq), expected);
        }

        #[test]
        fn any_flipped_bit_is_noticed(seq in 1u64.., payload in prop::collection::vec(any::<u8>(), 0..64), at: prop::sample::Index) {
            let mut bytes = Vec::new();
            encode(&mut bytes, seq, &payload);
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let whole = match decode(&frame_of(&bytes), seq) {
                Frame::Payload { len, crc } => len == payload.len() && crc == crc_of(seq, &bytes[FRAME_BYTES..]),
                Frame::End | Frame::Damaged => false,
            };
            prop_assert!(!whole);
        }

        #[test]
        fn a_header_is_read_back_and_any_flipped_bit_is_noticed(first: u64, id: u128, bit in 0..HEADER_BYTES * 8) {
            let header = Header { first, journal: Uuid::from_u128(id) };
            let mut bytes = encode_header(header);
            prop_assert_eq!(decode_header(&bytes), HeaderFound::Whole(header));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(decode_header(&bytes), HeaderFound::Broken);
        }
    }

    #[test]
    fn an_empty_payload_is_not_the_end() {
        let mut bytes = Vec::new();
        encode(&mut bytes, 1, b"");
        assert!(matches!(decode(&frame_of(&bytes), 1), Frame::Payload { len: 0, .. }));
        assert_eq!(decode(&[0; FRAME_BYTES], 1), Frame::End);
    }

    #[test]
    fn the_layout_is_frozen() {
        let mut record = Vec::new();
        encode(&mut record, 7, b"abc");
        assert_eq!(
            record,
            [3, 0, 0, 0, 138, 19, 211, 71, 7, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'c']
        );
        let header = encode_header(Header {
            first: 7,
            journal: Uuid::from_u128(1),
        });
        assert_eq!(&header[..16], b"TMJRNL01\x07\0\0\0\0\0\0\0");
        assert_eq!(header[31], 1);
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut bytes = encode_header(Header {
            first: 1,
            journal: Uuid::nil(),
        });
        bytes[7] = b'2';
        let crc = crc32c::crc32c(&bytes[..HEADER_CRC_AT]);
        bytes[HEADER_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(decode_header(&bytes), HeaderFound::Foreign);
    }
}
