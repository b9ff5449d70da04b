//! Event ids: UUIDv7 (RFC 9562 §5.7), made once at capture. A retry sends the same id, and the server's table is
//! partitioned by it, so the same event always meets its own key.

use uuid::{Builder, Uuid};

/// Makes ids that grow strictly within one process, also when the clock stands still or goes back.
///
/// The 12 bits after the time are a counter (RFC 9562 §6.2, method 1); when they overflow, the time moves on by 1 ms.
#[derive(Debug, Default, Clone)]
pub struct IdGenerator {
    last_ms: u64,
    counter: u16,
}

/// The counter's width: 12 bits.
const COUNTER_MAX: u16 = 0x0fff;

impl IdGenerator {
    /// The next id. `now_ms` is Unix time in milliseconds; `entropy` must be unpredictable bits from the platform.
    pub fn next(&mut self, now_ms: u64, entropy: [u8; 10]) -> Uuid {
        if now_ms > self.last_ms {
            self.last_ms = now_ms;
            // The top bit starts at zero, which leaves at least 2,048 ids for this millisecond.
            self.counter = u16::from_be_bytes([entropy[8], entropy[9]]) & (COUNTER_MAX >> 1);
        } else if self.counter < COUNTER_MAX {
            self.counter += 1;
        } else {
            self.last_ms += 1;
            self.counter = 0;
        }
        let mut tail = [0u8; 10];
        tail[..2].copy_from_slice(&self.counter.to_be_bytes());
        tail[2..].copy_from_slice(&entropy[..8]);
        Builder::from_unix_timestamp_millis(self.last_ms, &tail).into_uuid()
    }
}

/// Whether `id` is a UUIDv7, the only kind the events table keys on.
#[must_use]
pub fn is_v7(id: Uuid) -> bool {
    id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122
}

/// The Unix time in milliseconds inside a UUIDv7.
#[must_use]
pub fn millis(id: Uuid) -> u64 {
    (id.as_u128() >> 80) as u64
}

/// The UUIDv7 that `now_ms` and ten `tail` bytes make; the six version and variant bits overwrite theirs.
#[must_use]
pub fn v7(now_ms: u64, tail: [u8; 10]) -> Uuid {
    Builder::from_unix_timestamp_millis(now_ms, &tail).into_uuid()
}

/// The text of an id: `8-4-4-4-12` small hexadecimal digits. (The library's own writer and reader know more forms, and are
/// a twentieth of what a web page loads.)
#[must_use]
pub fn text(id: Uuid) -> String {
    let mut out = String::with_capacity(36);
    write(&mut out, id);
    out
}

/// Appends the [`text`] of an id.
pub fn write(out: &mut String, id: Uuid) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    for (at, byte) in id.as_bytes().iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(digit(byte >> 4));
        out.push(digit(byte & 0xf));
    }
}

/// Reads the [`text`] of an id; capital digits are allowed.
#[must_use]
pub fn read(text: &str) -> Option<Uuid> {
    let mut id = 0u128;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            (byte == b'-').then_some(())?;
        } else {
            id = id << 4 | u128::from(char::from(byte).to_digit(16)?);
        }
    }
    (text.len() == 36).then_some(Uuid::from_u128(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn its_text_is_the_librarys_and_reads_back(id in any::<u128>()) {
            let id = Uuid::from_u128(id);
            prop_assert_eq!(text(id), id.to_string());
            prop_assert_eq!(read(&text(id)), Some(id));
            prop_assert_eq!(read(&text(id).to_uppercase()), Some(id));
        }

        #[test]
        fn what_it_reads_the_library_reads_too(text in "[0-9a-g-]{34,38}|.{36}") {
            if let Some(id) = read(&text) {
                prop_assert_eq!(Uuid::try_parse(&text), Ok(id));
            }
        }
    }

    #[test]
    fn no_other_form_is_read() {
        let id = Uuid::from_u128(7);
        for text in [
            id.simple().to_string(),
            id.braced().to_string(),
            id.urn().to_string(),
            String::new(),
        ] {
            assert_eq!(read(&text), None, "{text}");
        }
    }

    #[test]
    fn ids_grow_when_the_clock_stands_still_or_goes_back() {
        let mut ids = IdGenerator::default();
        let mut last = Uuid::nil();
        for step in 0..20_000u64 {
            let now = if step % 3 == 0 { 1_000 } else { 1_000 - step % 7 };
            let next = ids.next(now, [0xff; 10]);
            assert!(next > last, "{next} after {last}");
            assert!(is_v7(next));
            last = next;
        }
    }

    #[test]
    fn an_id_carries_its_time() {
        let id = IdGenerator::default().next(1_763_600_000_123, [7; 10]);
        assert_eq!(millis(id), 1_763_600_000_123);
    }

    #[test]
    fn a_random_uuid_is_not_v7() {
        assert!(!is_v7(Uuid::from_u128(0x1234_5678_1234_4234_9234_1234_5678_1234)));
        assert!(!is_v7(Uuid::nil()));
    }
}
