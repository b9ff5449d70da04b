//! Tables in Markdown, and the numbers in them.

use std::fmt::Write as _;
use std::time::Duration;

/// Prints a table with a title.
pub fn table(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("{}", render(title, head, rows));
}

fn render(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = format!("\n### {title}\n");
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule: Vec<String> = head.iter().map(|_| "---".to_owned()).collect();
    for row in [&head, &rule].into_iter().chain(rows) {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

/// The middle one; of an even number, the lower of the two in the middle. 0 of none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

/// The value below which this share of `sorted` lies: the nearest rank.
#[must_use]
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Thousands, to three digits or so: `48.2 k`.
#[must_use]
pub fn thousands(value: f64) -> String {
    format!("{:.1} k", value / 1e3)
}

/// Milliseconds.
#[must_use]
pub fn ms(value: Duration) -> String {
    format!("{:.2}", value.as_secs_f64() * 1e3)
}

/// Mebibytes.
#[must_use]
pub fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// CPU time of one event, in microseconds: the same number as CPU seconds of a million events.
#[must_use]
pub fn per_event(cpu: Duration, events: usize) -> String {
    format!("{:.1}", cpu.as_secs_f64() * 1e6 / events.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let sorted: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&sorted, 0.5), Duration::from_millis(50));
        assert_eq!(quantile(&sorted, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&sorted, 0.999), Duration::from_millis(100));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
