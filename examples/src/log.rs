//! A log in combined format, made of visits.

use std::io::{self, Write};

use trailmark_protocol::Timestamp;

use crate::random::Random;
use crate::visits::{self, Hit};

/// What a log is made from. The same recipe makes the same bytes, on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// How many lines, the malformed one included.
    pub lines: usize,
    /// What decides everything else.
    pub seed: u64,
    /// How many days the log covers.
    pub days: u64,
}

/// 10,000 lines over four days: the size of the real log that the demo was made for.
impl Default for Recipe {
    fn default() -> Self {
        Self {
            lines: 10_000,
            seed: 1,
            days: 4,
        }
    }
}

/// When every log begins: 2025-06-02T00:00:00Z, a Monday. Fixed, because the bytes must not depend on the day, and long
/// ago, because an import refuses lines from the future of a machine whose clock is behind.
const BEGIN: Timestamp = Timestamp::from_millis(1_748_822_400_000);

/// Writes the log. One line, in the last tenth, is cut off in the middle of its user agent, as happens to real logs when
/// a server is killed; a log of no lines has none.
///
/// # Errors
/// Whatever `out` gives.
pub fn write(recipe: Recipe, out: &mut dyn Write) -> io::Result<()> {
    let mut random = Random::seeded(recipe.seed);
    let mut hits = visits::until(recipe.lines, recipe.days * 86_400, &mut random);
    hits.sort();
    hits.truncate(recipe.lines);
    let cut = recipe
        .lines
        .saturating_sub(1 + random.below(recipe.lines as u64 / 10 + 1) as usize);
    for (at, hit) in hits.iter().enumerate() {
        if at == cut {
            let line = line(hit);
            writeln!(out, "{}", &line[..line.len() - 2])?;
        } else {
            writeln!(out, "{}", line(hit))?;
        }
    }
    Ok(())
}

fn line(hit: &Hit) -> String {
    let Hit {
        host,
        method,
        target,
        status,
        referrer,
        user_agent,
        ..
    } = hit;
    let bytes = hit.bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    let time = time(hit.second);
    format!(r#"{host} - - [{time}] "{method} {target} HTTP/1.1" {status} {bytes} "{referrer}" "{user_agent}""#)
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `02/Jun/2025:00:00:00 +0000`, so many seconds after [`BEGIN`].
fn time(second: u64) -> String {
    let rfc3339 = BEGIN
        .plus_micros(i64::try_from(second).unwrap_or_default() * 1_000_000)
        .to_string();
    let (year, month, day, clock) = (&rfc3339[..4], &rfc3339[5..7], &rfc3339[8..10], &rfc3339[11..19]);
    let month = MONTHS[month.parse::<usize>().map_or(0, |month| month - 1)];
    format!("{day}/{month}/{year}:{clock} +0000")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use sha2::{Digest, Sha256};

    use super::*;

    fn log(recipe: Recipe) -> String {
        let mut out = Vec::new();
        write(recipe, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn hex(digest: &[u8]) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_default_log_never_changes() {
        let digest = hex(&Sha256::digest(log(Recipe::default())));
        assert_eq!(
            digest,
            "b5704d3eed3ea5967bf68d148ae461bc96aacd2ef0aa6f1f91d774776f461aa1"
        );
    }

    #[test]
    fn another_seed_makes_another_log_of_the_same_length() {
        let (one, two) = (
            log(Recipe::default()),
            log(Recipe {
                seed: 2,
                ..Recipe::default()
            }),
        );
        assert_ne!(one, two);
        assert_eq!((one.lines().count(), two.lines().count()), (10_000, 10_000));
    }

    #[test]
    fn exactly_one_line_is_cut_off_whatever_the_length() {
        for lines in [1, 2, 9, 10, 11, 100, 1234] {
            let log = log(Recipe {
                lines,
                seed: lines as u64,
                days: 1,
            });
            assert_eq!(log.lines().count(), lines);
            assert_eq!(
                log.lines().filter(|line| !line.ends_with('"')).count(),
                1,
                "{lines} lines"
            );
        }
        assert_eq!(
            log(Recipe {
                lines: 0,
                ..Recipe::default()
            }),
            ""
        );
    }

    #[test]
    fn a_few_visitors_make_much_of_the_traffic_and_the_days_follow_each_other() {
        let log = log(Recipe::default());
        let mut by_host: HashMap<&str, usize> = HashMap::new();
        for line in log.lines() {
            *by_host.entry(line.split(' ').next().unwrap()).or_default() += 1;
        }
        let mut counts: Vec<usize> = by_host.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let top_tenth: usize = counts[..counts.len() / 10].iter().sum();
        assert!(counts.len() > 500, "{} visitors", counts.len());
        assert!(
            (30..70).contains(&(top_tenth * 100 / 10_000)),
            "{top_tenth} lines by the top tenth"
        );
        for day in ["02", "03", "04", "05"] {
            assert!(log.contains(&format!("[{day}/Jun/2025:")), "no line on day {day}");
        }
    }
}
