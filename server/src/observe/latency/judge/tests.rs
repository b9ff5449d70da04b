//! Planted incidents that are told, and quiet months in which nothing is.

use trailmark_protocol::Timestamp;

use super::super::endpoint::{OTHER, Source};
use super::super::tally::Span;
use super::super::usual::{hours, usual};
use super::*;

const MINUTES: i64 = 60_000_000;

/// Traffic of one endpoint, minute by minute, made as it is asked for.
struct Traffic {
    random: Random,
    /// Requests per minute at noon; a fifth at midnight.
    per_minute: f64,
    errors: f64,
    /// How long a request takes, in milliseconds.
    takes: fn(&mut Random) -> f64,
    /// From when on all that is so many times slower, and fails so much.
    incident: Option<(i64, f64, f64)>,
    minutes: Vec<Tally>,
    /// The same by hours.
    hours: Vec<Tally>,
    /// What is usual, by the end of the day that says so.
    known: (i64, Option<Usual>),
}

/// SplitMix64: the same numbers for the same seed, for ever.
struct Random(u64);

fn unit(random: &mut Random) -> f64 {
    random.0 = random.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = random.0;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn exponential(random: &mut Random) -> f64 {
    -80.0 * (1.0 - unit(random)).ln()
}

/// With a long tail: one in a hundred takes five times the median and more.
fn lognormal(random: &mut Random) -> f64 {
    let (one, other) = (unit(random), unit(random));
    let normal = (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos();
    80.0 * normal.exp()
}

/// Two kinds of answers: from a cache, and one in ten from afar.
fn cached(random: &mut Random) -> f64 {
    let base = if unit(random) < 0.9 { 3.0 } else { 400.0 };
    base * (0.5 + unit(random))
}

impl Traffic {
    fn new(seed: u64, per_minute: f64, takes: fn(&mut Random) -> f64) -> Self {
        Self {
            random: Random(seed),
            per_minute,
            errors: 0.01,
            takes,
            incident: None,
            minutes: Vec::new(),
            hours: Vec::new(),
            known: (0, None),
        }
    }

    fn minute(&mut self) -> Tally {
        let n = self.minutes.len() as i64;
        let of_day = (n % 1_440) as f64 / 1_440.0;
        let rhythm = 0.6 - 0.4 * (std::f64::consts::TAU * of_day).cos();
        let (slower, errors) = match self.incident {
            Some((from, slower, errors)) if n >= from => (slower, errors),
            _ => (1.0, self.errors),
        };
        let mut tally = Tally::default();
        // Poisson, by the gaps between requests.
        let mut at = -(1.0 - unit(&mut self.random)).ln();
        while at < self.per_minute * rhythm {
            let micros = ((self.takes)(&mut self.random) * slower * 1e3) as u64;
            let mut one = Tally {
                requests: 1,
                errors: u64::from(unit(&mut self.random) < errors),
                sum_us: micros,
                max_us: micros,
                ..Tally::default()
            };
            one.durations.add(micros, 1);
            tally.add(&one);
            at -= (1.0 - unit(&mut self.random)).ln();
        }
        tally
    }

    fn sum(&self, from: i64, to: i64) -> Tally {
        let mut sum = Tally::default();
        let at = |minute: i64| usize::try_from(minute.max(0)).unwrap();
        self.minutes[at(from)..at(to)].iter().for_each(|minute| sum.add(minute));
        sum
    }

    /// Lets the time pass until minute `n`, and judges as the jobs do: every quarter of an hour what is usual, and then
    /// the last minutes.
    fn judged_at(&mut self, n: i64) -> (Recent, Vec<Wrong>) {
        while (self.minutes.len() as i64) < n {
            let minute = self.minute();
            if self.minutes.len().is_multiple_of(60) {
                self.hours.push(Tally::default());
            }
            self.hours.last_mut().unwrap().add(&minute);
            self.minutes.push(minute);
        }
        let (from, until) = hours(Timestamp::from_micros(n / 15 * 15 * MINUTES));
        let hour = |at: Timestamp| at.micros() / (60 * MINUTES);
        if self.known.0 != hour(until) {
            let of_hours = hour(from).max(0) as usize..hour(until).max(0) as usize;
            self.known = (hour(until), usual(&self.hours[of_hours]));
        }
        let recent = Recent {
            id: 1,
            endpoint: Endpoint {
                source: Source::Server,
                host: String::new(),
                method: "GET".to_owned(),
                path: "/cart".to_owned(),
            },
            window: self.sum(n - WINDOW_MINUTES, n),
            usual: self.known.1,
        };
        let wrong = judge(&recent);
        (recent, wrong)
    }

    /// What is told in 30 days, after two of getting to know the endpoint.
    fn month(&mut self) -> Vec<(i64, Vec<Wrong>)> {
        let quarters = (2 * 96..32 * 96).map(|quarter| quarter * 15);
        quarters
            .map(|n| (n, self.judged_at(n).1))
            .filter(|(_, wrong)| !wrong.is_empty())
            .collect()
    }
}

/// Two days and a half from the beginning, at noon.
const NOON: i64 = 2 * 1_440 + 720;

#[test]
fn quiet_months_raise_nothing() {
    for seed in 0..3 {
        for takes in [exponential, lognormal, cached] {
            for per_minute in [0.3, 1.5, 6.0] {
                let mut traffic = Traffic::new(seed, per_minute, takes);
                assert_eq!(traffic.month(), [], "seed {seed}, {per_minute} a minute");
            }
        }
    }
}

#[test]
fn a_quiet_month_with_many_errors_as_usual_raises_nothing() {
    for seed in 10..12 {
        for errors in [0.0, 0.015, 0.04, 0.2] {
            let mut traffic = Traffic::new(seed, 3.0, exponential);
            traffic.errors = errors;
            assert_eq!(traffic.month(), [], "seed {seed}, {errors}");
        }
    }
}

#[test]
fn an_endpoint_that_is_three_times_slower_is_told_within_minutes_and_for_ten_hours() {
    for takes in [exponential, lognormal] {
        let mut traffic = Traffic::new(20, 40.0, takes);
        traffic.incident = Some((NOON, 3.0, 0.01));
        assert_eq!(traffic.judged_at(NOON).1, []);
        let is_slow = |(recent, wrong): (Recent, Vec<Wrong>)| {
            let [Wrong::Slow { p95_us, usual_us }] = wrong[..] else {
                panic!("{wrong:?} at {} requests", recent.window.requests);
            };
            assert!(p95_us > 2 * usual_us, "{wrong:?}");
        };
        for after in [15, 60, 180, 600] {
            is_slow(traffic.judged_at(NOON + after));
        }
    }
}

#[test]
fn an_endpoint_with_little_traffic_that_is_far_slower_is_told_and_with_next_to_none_is_not() {
    let mut little = Traffic::new(21, 2.0, exponential);
    little.incident = Some((NOON, 20.0, 0.01));
    let (recent, wrong) = little.judged_at(NOON + 15);
    assert!((20..60).contains(&recent.window.requests), "{}", recent.window.requests);
    assert!(matches!(wrong[..], [Wrong::Slow { .. }]), "{wrong:?}");
    let mut none = Traffic::new(22, 0.3, exponential);
    none.incident = Some((NOON, 20.0, 0.01));
    assert_eq!(none.judged_at(NOON + 15).1, []);
}

#[test]
fn an_endpoint_that_answers_500_quickly_is_told() {
    let mut traffic = Traffic::new(23, 6.0, exponential);
    traffic.incident = Some((NOON, 0.1, 0.4));
    let (recent, wrong) = traffic.judged_at(NOON + 15);
    let [
        Wrong::Failing {
            rate,
            usual: Some(usual),
        },
    ] = wrong[..]
    else {
        panic!("{wrong:?}");
    };
    assert!(rate > 0.25 && usual < 0.02, "{rate} {usual}");
    assert!(recent.window.errors > 10);
    assert!(matches!(traffic.judged_at(NOON + 600).1[..], [Wrong::Failing { .. }]));
}

#[test]
fn a_new_endpoint_can_fail_and_cannot_be_slow() {
    let mut traffic = Traffic::new(24, 30.0, exponential);
    traffic.incident = Some((0, 50.0, 0.5));
    let (recent, wrong) = traffic.judged_at(30);
    assert_eq!(recent.usual, None);
    assert!(matches!(wrong[..], [Wrong::Failing { usual: None, .. }]), "{wrong:?}");
}

#[test]
fn what_stands_for_many_is_not_judged() {
    let mut traffic = Traffic::new(25, 6.0, exponential);
    traffic.incident = Some((0, 1.0, 0.5));
    let (recent, _) = traffic.judged_at(30);
    let other = Recent {
        endpoint: Endpoint::standing(Source::Server, OTHER),
        ..recent
    };
    assert_eq!(judge(&other), []);
    assert_eq!(Span::Minute.micros(), MINUTES);
}

/// The smallest that is told, and one less.
#[test]
fn thresholds_are_what_they_say() {
    let usual = Usual {
        requests: 10_000,
        error_rate: 0.0,
        timed: 10_000,
        p95_us: 100_000,
        slow_share: 0.0,
    };
    let window = |requests: u64, slow: u64, errors: u64| {
        let mut tally = Tally {
            requests,
            errors,
            max_us: 1_000_000,
            ..Tally::default()
        };
        tally.durations.add(50_000, requests - slow);
        tally.durations.add(1_000_000, slow);
        tally
    };
    let told = |window: Tally, usual: Usual| {
        let recent = Recent {
            id: 1,
            endpoint: Endpoint {
                source: Source::Gateway,
                host: String::new(),
                method: "GET".to_owned(),
                path: "/".to_owned(),
            },
            window,
            usual: Some(usual),
        };
        judge(&recent).len()
    };
    assert_eq!(
        [
            told(window(20, 5, 0), usual),
            told(window(20, 4, 0), usual),
            told(window(19, 19, 0), usual)
        ],
        [1, 0, 0]
    );
    assert_eq!(told(window(200, 10, 0), usual), 0, "the p95 is not among them");
    assert_eq!(told(window(200, 11, 0), usual), 1);
    assert_eq!(
        [
            told(window(10, 0, 10), usual),
            told(window(200, 0, 9), usual),
            told(window(201, 0, 10), usual)
        ],
        [1, 0, 0]
    );
    let sick = Usual {
        error_rate: 0.02,
        slow_share: 0.02,
        ..usual
    };
    assert_eq!([told(window(200, 0, 22), sick), told(window(200, 0, 21), sick)], [1, 0]);
    assert_eq!([told(window(200, 21, 0), sick), told(window(200, 20, 0), sick)], [1, 0]);
    let unknown = Usual { timed: 99, ..usual };
    assert_eq!(told(window(20, 20, 0), unknown), 0);
}
