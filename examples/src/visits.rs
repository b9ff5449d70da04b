//! Who comes when, and what they open.

use crate::random::Random;
use crate::site::{BROWSERS, ORIGIN, PAGES, Page, REFERRERS, ROBOTS, SEARCHES};

/// One request of a visitor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// When, in seconds after the log's beginning.
    pub second: u64,
    /// The address.
    pub host: String,
    /// `GET`, `HEAD` or `POST`.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// The status of the answer.
    pub status: u16,
    /// The size of the answer; none for 304.
    pub bytes: Option<u64>,
    /// Where from, or `-`.
    pub referrer: String,
    /// With what, escaped as the log has it, or `-`.
    pub user_agent: &'static str,
}

/// A person or a robot.
#[derive(Debug)]
struct Visitor {
    host: String,
    user_agent: &'static str,
    robot: bool,
}

/// Visitors until they have made `wanted` requests within `seconds`; a few more requests than wanted may come.
#[must_use]
pub fn until(wanted: usize, seconds: u64, random: &mut Random) -> Vec<Hit> {
    let mut hits = Vec::with_capacity(wanted + 64);
    while hits.len() < wanted {
        let visitor = visitor(random);
        // Most come once; some come back daily; a few are always there.
        for _ in 0..random.heavy_tailed(if visitor.robot { 70 } else { 35 }, 64) {
            visit(&visitor, begin(seconds, random), random, &mut hits);
        }
    }
    hits
}

fn visitor(random: &mut Random) -> Visitor {
    let robot = random.percent(12);
    let user_agent = random.weighted(if robot { ROBOTS } else { BROWSERS });
    Visitor {
        host: host(random),
        user_agent,
        robot,
    }
}

/// An address from the ranges for documentation (RFC 5737, RFC 3849) and benchmarks (RFC 2544): nobody's.
fn host(random: &mut Random) -> String {
    if random.percent(12) {
        return format!(
            "2001:db8:{:x}:{:x}::{:x}",
            random.below(1 << 16),
            random.below(1 << 16),
            1 + random.below(255)
        );
    }
    format!(
        "198.{}.{}.{}",
        18 + random.below(2),
        random.below(256),
        1 + random.below(254)
    )
}

/// A second of the log in which a visit begins: days have an evening and nights are quiet.
fn begin(seconds: u64, random: &mut Random) -> u64 {
    const DAY: u64 = 86_400;
    let second = random.below(seconds.max(1));
    let by_night = second % DAY < DAY / 4;
    if by_night && random.percent(70) {
        (second + DAY / 2) % seconds.max(1)
    } else {
        second
    }
}

/// A visit of some pages, each with what it loads.
fn visit(visitor: &Visitor, begin: u64, random: &mut Random, hits: &mut Vec<Hit>) {
    let mut second = begin;
    let mut referrer = (*random.weighted(REFERRERS)).to_owned();
    for _ in 0..random.heavy_tailed(45, 32) {
        let page = random.weighted(PAGES);
        if visitor.robot {
            hits.push(hit(
                visitor,
                second,
                page.path.to_owned(),
                page.bytes,
                "-".to_owned(),
                random,
            ));
        } else {
            referrer = open(visitor, second, page, referrer, random, hits);
        }
        second += 2 + random.heavy_tailed(60, 600);
    }
}

/// Opens a page in a browser; returns its address, where the next page will be opened from.
fn open(visitor: &Visitor, second: u64, page: &Page, from: String, random: &mut Random, hits: &mut Vec<Hit>) -> String {
    let target = match page.path {
        "/search" => format!("{}?{}", page.path, random.weighted(SEARCHES)),
        path => path.to_owned(),
    };
    let address = format!("{ORIGIN}{target}");
    let mut opened = hit(visitor, second, target, page.bytes, from, random);
    if page.path == "/login" && random.percent(50) {
        opened.method = "POST";
    }
    hits.push(opened);
    for asset in page.assets {
        // Three of four are in the browser's cache.
        if random.percent(25) {
            hits.push(hit(
                visitor,
                second + random.below(2),
                (*asset).to_owned(),
                23_000,
                address.clone(),
                random,
            ));
        }
    }
    address
}

fn hit(visitor: &Visitor, second: u64, target: String, about: u64, referrer: String, random: &mut Random) -> Hit {
    let method = if visitor.robot && random.percent(10) {
        "HEAD"
    } else {
        "GET"
    };
    let status = status(&target, random);
    let bytes = match (status, method) {
        (304, _) | (_, "HEAD") => None,
        (200, _) => Some(about + random.below(about / 8 + 1)),
        _ => Some(160 + random.below(200)),
    };
    Hit {
        second,
        host: visitor.host.clone(),
        method,
        target,
        status,
        bytes,
        referrer,
        user_agent: visitor.user_agent,
    }
}

fn status(target: &str, random: &mut Random) -> u16 {
    match target {
        "/old-page" => 301,
        "/favicon.ico" if random.percent(40) => 404,
        _ => *random.weighted(&[(920, 200), (45, 304), (22, 404), (6, 403), (5, 500), (2, 503)]),
    }
}
