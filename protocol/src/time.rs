//! Points in time: microseconds since the Unix epoch, and RFC 3339 on the wire.
//!
//! Forty lines of calendar arithmetic instead of a crate, because the web build counts every kilobyte; the tests hold
//! them against the `time` crate.

use crate::json::write_digits;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z. Years 0000 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timestamp(i64);

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// 0000-01-01T00:00:00Z.
const FIRST: Timestamp = Timestamp(-62_167_219_200_000_000);

/// 9999-12-31T23:59:59.999999Z.
const LAST: Timestamp = Timestamp(253_402_300_799_999_999);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the Unix epoch; saturates.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time moved by `micros`; saturates.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The time `hh:mm:ss` in UTC of a day, year, month and day of the month; `None` if there is no such day or time.
    #[must_use]
    pub fn of_day(year: i64, month: i64, day: i64, clock: &[u8; 8]) -> Option<Self> {
        let seconds = days(year, month, day)? * SECONDS_PER_DAY + seconds(clock)?;
        Some(Self(seconds * MICROS_PER_SECOND))
    }

    /// Reads RFC 3339: `2026-11-20T21:13:05[.fraction](Z|±hh:mm)`, `t`, `z` and a space for `T` allowed.
    /// Digits beyond microseconds are cut; a leap second counts as the second before.
    ///
    /// Returns `None` for anything else, also for a date that does not exist, or that is of another year in UTC than can
    /// be written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.as_bytes().split_first_chunk()?;
        let (between, rest) = rest.split_first()?;
        let (clock, rest) = rest.split_first_chunk()?;
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
            return None;
        };
        let (year, month, day) = (digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, digits(&[d1, d2])?);
        let (fraction, zone) = split_fraction(rest)?;
        let time = Self::of_day(year, month, day, clock)?.plus_micros(fraction - offset(zone)? * MICROS_PER_SECOND);
        let is_time = matches!(between, b'T' | b't' | b' ') && (FIRST..=LAST).contains(&time);
        is_time.then_some(time)
    }

    /// Appends RFC 3339 in UTC with three digits of a second, or six where milliseconds are not enough.
    pub fn write(self, out: &mut String) {
        let seconds = self.0.div_euclid(MICROS_PER_SECOND);
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (h, m, s) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let (fraction, digits) = if micros % 1000 == 0 {
            (micros / 1000, 3)
        } else {
            (micros, 6)
        };
        let parts = [
            (year, 4, '-'),
            (month, 2, '-'),
            (day, 2, 'T'),
            (h, 2, ':'),
            (m, 2, ':'),
            (s, 2, '.'),
            (fraction, digits, 'Z'),
        ];
        for (number, digits, then) in parts {
            write_digits(out, number.unsigned_abs(), digits);
            out.push(then);
        }
    }
}

/// As [`Timestamp::write`].
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::with_capacity(27);
        self.write(&mut text);
        f.write_str(&text)
    }
}

fn digit(byte: u8) -> Option<i64> {
    char::from(byte).to_digit(10).map(i64::from)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |number, byte| Some(number * 10 + digit(*byte)?))
}

/// Days since 1970-01-01 of a date that exists, in the years that RFC 3339 can write.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let days = (0..=9999).contains(&year).then(|| days_from_civil(year, month, day))?;
    // A date that does not exist comes back as another one.
    (civil(days) == (year, month, day)).then_some(days)
}

/// Seconds of `hh:mm:ss`.
fn seconds(clock: &[u8; 8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else {
        return None;
    };
    let (h, m, s) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
    (h < 24 && m < 60 && s <= 60).then(|| h * 3600 + m * 60 + s.min(59))
}

/// Splits `.123Z` into microseconds and the zone.
fn split_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', rest)) = text.split_first() else {
        return Some((0, text));
    };
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, zone) = rest.split_at_checked(len)?;
    let digit = |at| fraction.get(at).and_then(|byte| digit(*byte)).unwrap_or(0);
    let micros = (0..6).fold(0, |micros, at| micros * 10 + digit(at));
    (len > 0).then_some((micros, zone))
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (h, m) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
            let sign = if sign == b'-' { -1 } else { 1 };
            (h < 24 && m < 60).then(|| sign * (h * 3600 + m * 60))
        }
        _ => None,
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: (year, month, day).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn formats_and_parses_like_the_time_crate(micros in -62_167_219_200_000_000i64..253_402_300_799_999_999) {
            let ours = Timestamp::from_micros(micros);
            let theirs = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap();
            prop_assert_eq!(OffsetDateTime::parse(&ours.to_string(), &Rfc3339).unwrap(), theirs);
            prop_assert_eq!(Timestamp::parse(&theirs.format(&Rfc3339).unwrap()), Some(ours));
        }

        #[test]
        fn agrees_with_the_time_crate_on_what_is_a_time(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})") {
            let theirs = OffsetDateTime::parse(&text, &Rfc3339).ok().map(|t| (t.unix_timestamp_nanos().div_euclid(1000)) as i64);
            let theirs = theirs.filter(|micros| (FIRST.0..=LAST.0).contains(micros));
            prop_assert_eq!(Timestamp::parse(&text).map(Timestamp::micros), theirs);
        }

        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "now",
            "-001-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "2026-11-20T24:00:00Z",
            "2026-11-20T10:00:00",
            "12026-01-01T00:00:00Z",
            "0000-01-01T00:59:59+01:00",
            "9999-12-31T23:00:00-01:00",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_and_the_last_time_are_written_as_they_were_read() {
        for (text, time) in [
            ("0000-01-01T00:00:00.000Z", FIRST),
            ("9999-12-31T23:59:59.999999Z", LAST),
        ] {
            assert_eq!((Timestamp::parse(text), &*time.to_string()), (Some(time), text));
        }
    }

    #[test]
    fn writes_milliseconds_where_they_are_enough() {
        let text = "2026-11-20T21:13:05.123Z";
        assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        assert_eq!(
            Timestamp::parse("2026-11-20T21:13:05.123456+01:00")
                .unwrap()
                .to_string(),
            "2026-11-20T20:13:05.123456Z"
        );
    }
}
