//! Which sums a stretch of time is added up from: as few and as long ones as there are.

use trailmark_protocol::Timestamp;

use super::tally::Span;

/// All sums of a span that begin in a stretch of time: the first one, and the first one after.
pub type Piece = (Span, Timestamp, Timestamp);

/// A stretch of time as it can be added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Its beginning: that of the minute, or of the hour where minutes are no longer kept.
    pub from: Timestamp,
    /// Its end, likewise.
    pub to: Timestamp,
    /// The pieces, at most five, which have nothing in common.
    pub pieces: Vec<Piece>,
}

/// The pieces of `from` to `to`, widened to whole minutes, or to whole hours where no minutes are kept at `now`.
#[must_use]
pub fn cover(from: Timestamp, to: Timestamp, now: Timestamp) -> Cover {
    // Minutes go in the middle of an hour; their first whole hour is the first that can be asked by the minute.
    let minutes_since = Span::Hour.ceil(Span::Minute.kept_since(now));
    let finest = |at: Timestamp| if at < minutes_since { Span::Hour } else { Span::Minute };
    let (from, to) = (finest(from).floor(from), finest(to).ceil(to));
    let mut pieces = Vec::new();
    let mut add = |span, from, to| {
        if from < to {
            pieces.push((span, from, to));
        }
    };
    // From both ends: minutes up to a whole hour, hours up to a whole day, and the days between.
    let hours = (Span::Hour.ceil(from).min(to), Span::Hour.floor(to).max(from));
    if hours.0 > hours.1 {
        add(Span::Minute, from, to);
        return Cover { from, to, pieces };
    }
    let days = (Span::Day.ceil(hours.0), Span::Day.floor(hours.1));
    add(Span::Minute, from, hours.0);
    if days.0 > days.1 {
        add(Span::Hour, hours.0, hours.1);
    } else {
        add(Span::Hour, hours.0, days.0);
        add(Span::Day, days.0, days.1);
        add(Span::Hour, days.1, hours.1);
    }
    add(Span::Minute, hours.1, to);
    Cover { from, to, pieces }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    const NOW: &str = "2026-11-22T12:34:56Z";

    #[test]
    fn a_long_time_is_days_with_hours_and_minutes_at_its_ends() {
        let cover = cover(at("2026-11-20T22:58:30Z"), at("2026-11-22T01:01:30Z"), at(NOW));
        let (minute, hour, day) = (Span::Minute, Span::Hour, Span::Day);
        let expected = [
            (minute, "2026-11-20T22:58:00Z", "2026-11-20T23:00:00Z"),
            (hour, "2026-11-20T23:00:00Z", "2026-11-21T00:00:00Z"),
            (day, "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            (hour, "2026-11-22T00:00:00Z", "2026-11-22T01:00:00Z"),
            (minute, "2026-11-22T01:00:00Z", "2026-11-22T01:02:00Z"),
        ];
        assert_eq!(cover.pieces, expected.map(|(span, from, to)| (span, at(from), at(to))));
    }

    #[test]
    fn where_no_minutes_are_kept_a_time_is_widened_to_hours() {
        let wide = cover(at("2026-11-01T10:20:00Z"), at("2026-11-01T10:40:00Z"), at(NOW));
        let hour = (at("2026-11-01T10:00:00Z"), at("2026-11-01T11:00:00Z"));
        assert_eq!(wide.pieces, [(Span::Hour, hour.0, hour.1)]);
        assert_eq!((wide.from, wide.to), hour);
        let short = cover(at("2026-11-22T10:20:00Z"), at("2026-11-22T10:40:00Z"), at(NOW));
        assert_eq!(short.pieces, [(Span::Minute, short.from, short.to)]);
    }

    proptest! {
        #[test]
        fn every_minute_is_in_one_piece(back in 0..10_000i64, minutes in 0..9_000i64, seconds in 0..60i64) {
            let now = at(NOW);
            let from = now.plus_micros(-back * 60_000_000 + seconds * 1_000_000);
            let to = from.plus_micros(minutes * 60_000_000);
            let cover = cover(from, to, now);
            prop_assert!(cover.from <= from && cover.to >= to && cover.pieces.len() <= 5);
            let mut reached = cover.from;
            for (span, from, to) in &cover.pieces {
                prop_assert_eq!((*from, span.floor(*from), span.floor(*to)), (reached, *from, *to));
                prop_assert!(*span != Span::Minute || *from >= Span::Minute.kept_since(now));
                reached = *to;
            }
            prop_assert_eq!(reached, cover.to);
        }
    }
}
