//! Time as people ask for it: "the last 30 days, by day, in Berlin". From it follow the moments at which periods begin.
//! These are computed here, once; statements only sort events between them, so that a day of 23 or 25 hours is right by
//! construction.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Span as Length, Timestamp as Moment, Unit, Zoned, ZonedRound};
use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::question::{Invalid, Path};

/// Most periods of an answer: 2,000, which is 83 days by hour, five years by day.
pub const PERIODS_MAX: usize = 2_000;

/// Longest stretch that can be asked for: 20 years.
const YEARS_MAX: i64 = 20;

/// For "ever": the beginning of the year 1, which the wire and Postgres both know.
pub const FIRST_MOMENT: Timestamp = Timestamp::from_micros(-62_135_596_800_000_000);

/// Length of a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Interval {
    Hour,
    #[default]
    Day,
    /// From Monday, as ISO 8601 has it.
    Week,
    Month,
}

/// A stretch of time, and the zone in which its days begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first moment inside.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// When it was asked.
    pub now: Timestamp,
    zone: TimeZone,
}

/// The periods of a stretch, one after the other without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods {
    /// The stretch.
    pub span: Span,
    /// The moments at which they begin, and the one at which the last ends.
    pub bounds: Vec<Timestamp>,
    /// What each is called: its beginning, in its zone (`2026-11-20`, `2026-11-20T13:00:00+01:00` for hours).
    pub labels: Vec<String>,
    /// The first one that is not over yet.
    pub incomplete_from: Option<usize>,
}

impl Span {
    pub(super) fn default_from() -> String {
        "-30d".to_owned()
    }

    pub(super) fn default_timezone() -> String {
        "UTC".to_owned()
    }

    /// Whether these make a stretch of time when they are asked at the right moment.
    ///
    /// # Errors
    /// They never do, and which one is wrong.
    pub fn check(from: &str, to: Option<&str>, timezone: &str, path: &Path<'_>) -> Result<(), Invalid> {
        let zone = zone(timezone, path)?;
        // Any moment will do: what is relative is so to each.
        let here = zoned(Timestamp::from_millis(1_795_176_000_000), &zone);
        bound(from, &here, Edge::Begin, &path.field("date_from"))?;
        to.map_or(Ok(()), |to| {
            bound(to, &here, Edge::End, &path.field("date_to")).map(|_| ())
        })
    }

    /// The stretch that is meant when it is `now`.
    ///
    /// # Errors
    /// It is none, and which field is wrong.
    pub fn resolve(
        from: &str,
        to: Option<&str>,
        timezone: &str,
        now: Timestamp,
        path: &Path<'_>,
    ) -> Result<Self, Invalid> {
        let zone = zone(timezone, path)?;
        let here = zoned(now, &zone);
        let from = bound(from, &here, Edge::Begin, &path.field("date_from"))?;
        let to = match to {
            Some(to) => bound(to, &here, Edge::End, &path.field("date_to"))?,
            None => now,
        };
        path.field("date_to").require(from < to, "is not after `date_from`")?;
        let years = (to.millis() - from.millis()) / (366 * 86_400_000);
        path.field("date_from")
            .require(years < YEARS_MAX, "is more than 20 years before `date_to`")?;
        Ok(Self { from, to, now, zone })
    }

    /// Cuts it into periods. The first and the last may reach beyond it: periods are whole.
    ///
    /// # Errors
    /// They are too many.
    pub fn periods(&self, interval: Interval, path: &Path<'_>) -> Result<Periods, Invalid> {
        let mut begin = interval.begin(&zoned(self.from, &self.zone));
        let mut bounds = vec![timestamp(&begin)];
        let mut labels = Vec::new();
        while bounds.last().is_some_and(|last| *last < self.to) {
            labels.push(interval.label(&begin));
            begin = interval.next(&begin);
            bounds.push(timestamp(&begin));
            path.field("interval").require(
                labels.len() <= PERIODS_MAX,
                "is too short for this stretch: there would be more than 2,000 periods",
            )?;
        }
        let incomplete_from = bounds.iter().skip(1).position(|end| *end > self.now);
        Ok(Periods {
            span: self.clone(),
            bounds,
            labels,
            incomplete_from,
        })
    }

    /// The stretch of equal length just before.
    #[must_use]
    pub fn previous(&self) -> Self {
        let length = self.to.micros() - self.from.micros();
        Self {
            from: self.from.plus_micros(-length),
            to: self.from,
            ..self.clone()
        }
    }

    /// The same, but beginning so that it has so many periods; the last is the one in which it ends.
    #[must_use]
    pub fn back(&self, interval: Interval, intervals: u32) -> Self {
        let last = interval.begin(&zoned(self.to.plus_micros(-1), &self.zone));
        let first = last
            .checked_sub(
                interval
                    .length()
                    .checked_mul(i64::from(intervals.saturating_sub(1)))
                    .unwrap_or_default(),
            )
            .unwrap_or(last);
        Self {
            from: timestamp(&interval.begin(&first)),
            ..self.clone()
        }
    }

    /// The time zone's name.
    #[must_use]
    pub fn timezone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

impl Periods {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none; there is always one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// When the one before the first begins.
    #[must_use]
    pub fn before(&self, interval: Interval) -> Option<Timestamp> {
        let last_before = self.bounds.first()?.plus_micros(-1);
        Some(timestamp(&interval.begin(&zoned(last_before, &self.span.zone))))
    }

    /// In which one a moment is.
    #[must_use]
    pub fn index_of(&self, at: Timestamp) -> Option<usize> {
        let after = self.bounds.partition_point(|bound| *bound <= at);
        after.checked_sub(1).filter(|index| *index < self.len())
    }

    /// Which one is called so, where a place in the answer (`at`) names it.
    ///
    /// # Errors
    /// There is none.
    pub fn index_of_label(&self, label: &str) -> Result<usize, Invalid> {
        let index = self.labels.iter().position(|known| known == label);
        index.ok_or_else(|| Invalid::at("at.period", "is none of the answer's"))
    }
}

impl Interval {
    fn length(self) -> Length {
        match self {
            Self::Hour => Length::new().hours(1),
            Self::Day => Length::new().days(1),
            Self::Week => Length::new().weeks(1),
            Self::Month => Length::new().months(1),
        }
    }

    /// The beginning of the period in which `at` is. An hour is one of elapsed time: where clocks go back, there are two.
    fn begin(self, at: &Zoned) -> Zoned {
        let day = |date: Date| date.to_zoned(at.time_zone().clone()).unwrap_or_else(|_| at.clone());
        match self {
            Self::Hour => at
                .round(ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Floor))
                .unwrap_or_else(|_| at.clone()),
            Self::Day => day(at.date()),
            Self::Week => {
                let since_monday = at.date().weekday().since(Weekday::Monday);
                day(at.date().saturating_sub(Length::new().days(since_monday)))
            }
            Self::Month => day(at.date().first_of_month()),
        }
    }

    fn next(self, begin: &Zoned) -> Zoned {
        let next = begin.checked_add(self.length()).unwrap_or_else(|_| begin.clone());
        match self {
            Self::Hour => next,
            // A day that begins at one o'clock, because midnight was skipped, is followed by one that begins at midnight.
            _ => self.begin(&next),
        }
    }

    fn label(self, begin: &Zoned) -> String {
        match self {
            Self::Hour => begin.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            _ => begin.date().to_string(),
        }
    }

    /// Its length in microseconds, where it counts from a person's own first event.
    #[must_use]
    pub const fn micros(self) -> i64 {
        let hours = match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        };
        hours * 3_600_000_000
    }
}

/// Which end of a day a date means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

fn zone(name: &str, path: &Path<'_>) -> Result<TimeZone, Invalid> {
    TimeZone::get(name).map_err(|_| Invalid::new(&path.field("timezone"), "is no IANA time zone such as Europe/Berlin"))
}

fn bound(text: &str, now: &Zoned, edge: Edge, path: &Path<'_>) -> Result<Timestamp, Invalid> {
    let problem =
        "is no time (2026-11-20T21:13:05Z), no date (2026-11-20) and no distance from now (-30d; h, d, w, m, y)";
    moment(text, now, edge).ok_or_else(|| Invalid::new(path, problem))
}

fn moment(text: &str, now: &Zoned, edge: Edge) -> Option<Timestamp> {
    if let Some(at) = Timestamp::parse(text) {
        return Some(at);
    }
    if let Ok(date) = text.parse::<Date>() {
        let date = if edge == Edge::End { date.tomorrow().ok()? } else { date };
        return Some(timestamp(&date.to_zoned(now.time_zone().clone()).ok()?));
    }
    distance(text.strip_prefix('-')?, now)
}

/// So far before now, from the beginning of that hour or day.
fn distance(text: &str, now: &Zoned) -> Option<Timestamp> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i32 = number.parse().ok().filter(|number| (0..=100_000).contains(number))?;
    let length = Length::new();
    let (length, interval) = match unit {
        "h" => (length.try_hours(number).ok()?, Interval::Hour),
        "d" => (length.try_days(number).ok()?, Interval::Day),
        "w" => (length.try_weeks(number).ok()?, Interval::Day),
        "m" => (length.try_months(number).ok()?, Interval::Day),
        "y" => (length.try_years(number).ok()?, Interval::Day),
        _ => return None,
    };
    Some(timestamp(&interval.begin(&now.checked_sub(length).ok()?)))
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    let at = Moment::from_microsecond(at.micros()).unwrap_or(if at.micros() < 0 { Moment::MIN } else { Moment::MAX });
    at.to_zoned(zone.clone())
}

fn timestamp(at: &Zoned) -> Timestamp {
    Timestamp::from_micros(at.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Path<'static> = Path::root();

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn span(from: &str, to: Option<&str>, zone: &str) -> Span {
        Span::resolve(from, to, zone, at("2026-11-20T12:34:56.789Z"), &ROOT).unwrap()
    }

    #[test]
    fn a_distance_begins_with_its_day_and_a_date_means_the_whole_of_it() {
        let month = span("-30d", None, "Europe/Berlin");
        assert_eq!(
            (month.from, month.to),
            (at("2026-10-20T22:00:00Z"), at("2026-11-20T12:34:56.789Z"))
        );
        let day = span("2026-11-01", Some("2026-11-01"), "Europe/Berlin");
        assert_eq!(
            (day.from, day.to),
            (at("2026-10-31T23:00:00Z"), at("2026-11-01T23:00:00Z"))
        );
        assert_eq!(span("-2h", None, "Asia/Kolkata").from, at("2026-11-20T10:30:00Z"));
    }

    #[test]
    fn days_in_which_clocks_change_have_23_and_25_hours() {
        let hours = |date: &str| {
            let span = span(date, Some(date), "Europe/Berlin");
            span.periods(Interval::Hour, &ROOT).unwrap().len()
        };
        assert_eq!(
            (hours("2026-03-29"), hours("2026-10-25"), hours("2026-10-26")),
            (23, 25, 24)
        );
        let days = span("2026-10-24", Some("2026-10-26"), "Europe/Berlin")
            .periods(Interval::Day, &ROOT)
            .unwrap();
        let lengths: Vec<i64> = days
            .bounds
            .windows(2)
            .map(|pair| (pair[1].millis() - pair[0].millis()) / 3_600_000)
            .collect();
        assert_eq!(lengths, [24, 25, 24]);
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_at_one_and_the_next_at_midnight() {
        let days = span("2018-11-03", Some("2018-11-05"), "America/Sao_Paulo")
            .periods(Interval::Day, &ROOT)
            .unwrap();
        assert_eq!(
            days.bounds[1..3],
            [at("2018-11-04T03:00:00Z"), at("2018-11-05T02:00:00Z")]
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_periods_reach_beyond_the_stretch() {
        let weeks = span("2026-11-05", Some("2026-11-17"), "UTC")
            .periods(Interval::Week, &ROOT)
            .unwrap();
        assert_eq!(weeks.labels, ["2026-11-02", "2026-11-09", "2026-11-16"]);
        let months = span("2026-01-31", Some("2026-03-01"), "UTC")
            .periods(Interval::Month, &ROOT)
            .unwrap();
        assert_eq!(months.labels, ["2026-01-01", "2026-02-01", "2026-03-01"]);
    }

    #[test]
    fn periods_that_are_not_over_are_said() {
        let days = span("-2d", None, "UTC").periods(Interval::Day, &ROOT).unwrap();
        assert_eq!((days.len(), days.incomplete_from), (3, Some(2)));
        let past = span("2026-01-01", Some("2026-01-03"), "UTC")
            .periods(Interval::Day, &ROOT)
            .unwrap();
        assert_eq!(past.incomplete_from, None);
    }

    #[test]
    fn a_moment_is_in_the_period_that_has_begun_and_not_ended() {
        let days = span("2026-01-01", Some("2026-01-02"), "UTC")
            .periods(Interval::Day, &ROOT)
            .unwrap();
        let index = |text| days.index_of(at(text));
        assert_eq!(index("2025-12-31T23:59:59.999Z"), None);
        assert_eq!(index("2026-01-01T00:00:00Z"), Some(0));
        assert_eq!(index("2026-01-02T23:59:59.999Z"), Some(1));
        assert_eq!(index("2026-01-03T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_stretch_is_refused_by_name() {
        let problem = |from: &str, to: Option<&str>, zone: &str| {
            let now = at("2026-11-20T12:34:56Z");
            Span::check(from, to, zone, &ROOT)
                .and_then(|()| Span::resolve(from, to, zone, now, &ROOT))
                .map_err(|invalid| invalid.path)
                .err()
        };
        assert_eq!(problem("yesterday", None, "UTC").as_deref(), Some("date_from"));
        assert_eq!(problem("-30x", None, "UTC").as_deref(), Some("date_from"));
        assert_eq!(problem("-30d", Some("2020-01-01"), "UTC").as_deref(), Some("date_to"));
        assert_eq!(problem("-30d", None, "Mars/Olympus").as_deref(), Some("timezone"));
        assert_eq!(problem("-25y", None, "UTC").as_deref(), Some("date_from"));
        let hours = span("-1y", None, "UTC").periods(Interval::Hour, &ROOT).unwrap_err();
        assert_eq!(hours.path, "interval");
    }
}
