//! Where WebSocket frames end (RFC 6455 §5.2), so that a tunnel that is stopped can say so between two of them.

/// A close frame of a server, status 1001 ("going away", §7.4.1): FIN and opcode 8, two bytes, unmasked.
pub(super) const GOING_AWAY: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

/// The longest head: 2 bytes, 8 of length, 4 of mask.
const LONGEST_HEAD: usize = 14;

/// Follows the bytes of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; LONGEST_HEAD],
    read: usize,
    payload: u64,
}

impl Frames {
    /// Takes `bytes` in.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let skip = usize::try_from(self.payload).map_or(bytes.len(), |payload| payload.min(bytes.len()));
                self.payload -= skip as u64;
                bytes = &bytes[skip..];
                continue;
            }
            self.head[self.read] = bytes[0];
            self.read += 1;
            bytes = &bytes[1..];
            if self.read >= 2 && self.read == self.head_length() {
                self.payload = self.payload_length();
                self.read = 0;
            }
        }
    }

    /// Whether the last frame is whole.
    pub(super) fn is_between(&self) -> bool {
        self.read == 0 && self.payload == 0
    }

    fn head_length(&self) -> usize {
        let extended = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    fn payload_length(&self) -> u64 {
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        match self.head[1] & 0x7f {
            126 => big_endian(&self.head[2..4]),
            127 => big_endian(&self.head[2..10]),
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(length: usize, is_masked: bool) -> Vec<u8> {
        let mask = if is_masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..126 => frame.push(mask | u8::try_from(length).unwrap()),
            126..65_536 => {
                frame.push(mask | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(mask | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.resize(frame.len() + usize::from(is_masked) * 4 + length, 0xff);
        frame
    }

    fn lengths() -> impl Strategy<Value = (usize, bool)> {
        let length = prop_oneof![0_usize..4, 120_usize..130, 65_530_usize..65_540];
        (length, any::<bool>())
    }

    proptest! {
        #[test]
        fn the_ends_of_frames_are_found_however_the_bytes_arrive(
            frames in prop::collection::vec(lengths(), 1..5), cuts in prop::collection::vec(1_usize..5_000, 1..40),
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for (length, is_masked) in frames {
                bytes.extend(frame(length, is_masked));
                ends.push(bytes.len());
            }
            let (mut follower, mut at) = (Frames::default(), 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(bytes.len());
                follower.pass(&bytes[at..end]);
                at = end;
                prop_assert_eq!(follower.is_between(), ends.contains(&at), "at {}", at);
                if at == bytes.len() {
                    break;
                }
            }
        }
    }
}
