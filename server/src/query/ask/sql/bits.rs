//! In which of its periods somebody was there, as bits of a few numbers. Persons are then counted with one entry of a hash
//! table for each, where `count(DISTINCT person)` sorts every event.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::Bound;
use crate::query::error::QueryError;

/// Periods of one number.
const WORD: usize = 64;

/// Most numbers: 4, so 256 periods. Each makes every entry larger and is computed for every event.
const WORDS_MAX: usize = 4;

/// Columns `bits0`, `bits1`, …, of which one bit is one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    words: usize,
}

impl Bits {
    /// For so many periods; `None` if they are too many.
    #[must_use]
    pub fn of(periods: usize) -> Option<Self> {
        let words = periods.div_ceil(WORD);
        (1..=WORDS_MAX).contains(&words).then_some(Self { words })
    }

    /// The bits of a group of events `e`, all of which lie between `bounds`.
    #[must_use]
    pub fn of_events(self, bounds: Bound) -> String {
        let period = format!("(width_bucket(e.timestamp, {bounds}) - 1)");
        let word = |word: usize| match self.words {
            1 => format!("bit_or(1::bigint << {period}) AS bits0"),
            _ => format!(
                "bit_or(CASE {period} / {WORD} WHEN {word} THEN 1::bigint << {period} % {WORD} ELSE 0 END) AS bits{word}"
            ),
        };
        self.listed(word)
    }

    /// The bits of a group of what [`Bits::of_events`] made.
    #[must_use]
    pub fn together(self) -> String {
        self.listed(|word| format!("bit_or(bits{word}) AS bits{word}"))
    }

    /// The names of the columns.
    #[must_use]
    pub fn names(self) -> String {
        self.listed(|word| format!("bits{word}"))
    }

    /// The periods of a row, from 0.
    ///
    /// # Errors
    /// The row has no such columns.
    pub fn periods(self, row: &PgRow) -> Result<Vec<usize>, QueryError> {
        let mut periods = Vec::new();
        for word in 0..self.words {
            let bits: i64 = row.try_get(format!("bits{word}").as_str())?;
            periods.extend(set_bits(bits).map(|bit| word * WORD + bit));
        }
        Ok(periods)
    }

    fn listed(self, column: impl Fn(usize) -> String) -> String {
        (0..self.words).map(column).collect::<Vec<_>>().join(", ")
    }
}

/// The places of the bits that are set, rising.
fn set_bits(bits: i64) -> impl Iterator<Item = usize> {
    let mut rest = bits.cast_unsigned();
    std::iter::from_fn(move || {
        let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
        rest &= rest - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_found_the_sign_too() {
        assert_eq!(set_bits(0).count(), 0);
        assert_eq!(set_bits(-1).count(), 64);
        assert_eq!(set_bits(0b101 | i64::MIN).collect::<Vec<_>>(), [0, 2, 63]);
    }

    #[test]
    fn so_many_periods_take_so_many_words() {
        assert_eq!(Bits::of(64), Some(Bits { words: 1 }));
        assert_eq!(Bits::of(65), Some(Bits { words: 2 }));
        assert_eq!((Bits::of(0), Bits::of(257)), (None, None));
    }
}
