//! Ejection of an instance that fails several times in a row: for how long, and whether it may be.

use std::time::Duration;

use tokio::time::Instant;

/// The longest ejection, in base times: after ten in a row, minutes, so that a recovered instance is not forgotten.
const MOST_TIMES: u32 = 10;

/// How often one instance was ejected, and until when.
#[derive(Debug, Default)]
pub(super) struct Outlier {
    until: Option<Instant>,
    times: u32,
    back_at: Option<Instant>,
}

impl Outlier {
    /// Whether it is ejected at `now`.
    pub(super) fn is_out(&mut self, now: Instant) -> bool {
        if self.until.is_some_and(|until| now >= until) {
            self.back_at = self.until.take();
        }
        self.until.is_some()
    }

    /// Until when it is ejected.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Ejects it: the n-th time in a row for n times `base`. Each `base` spent back in service forgives one time.
    pub(super) fn eject(&mut self, base: Duration, now: Instant) {
        let back = self
            .back_at
            .map_or(Duration::ZERO, |back_at| now.duration_since(back_at));
        let forgiven = u32::try_from(back.as_millis() / base.as_millis().max(1)).unwrap_or(u32::MAX);
        self.times = (self.times.saturating_sub(forgiven) + 1).min(MOST_TIMES);
        self.until = Some(now + base * self.times);
    }
}

/// Whether one more of `total` may be ejected when `out` are already. One that is alone never is.
pub(super) fn may_eject(out: usize, total: usize, most_percent: u32) -> bool {
    (out + 1) * 100 <= total * most_percent as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: Duration = Duration::from_secs(30);

    #[test]
    fn each_time_in_a_row_is_longer_and_good_service_forgives() {
        let mut outlier = Outlier::default();
        let mut now = Instant::now();
        for times in [1, 2, 3] {
            outlier.eject(BASE, now);
            assert!(outlier.is_out(now + BASE * times - Duration::from_millis(1)));
            now += BASE * times;
            assert!(!outlier.is_out(now));
        }
        now += BASE * 3;
        outlier.eject(BASE, now);
        assert_eq!(outlier.until(), Some(now + BASE), "three good base times forgave three");
    }

    #[test]
    fn one_that_is_alone_is_never_ejected() {
        assert!(!may_eject(0, 1, 50) && may_eject(0, 2, 50) && !may_eject(1, 2, 50));
    }

    proptest! {
        #[test]
        fn no_more_than_the_share_is_ever_ejected(total in 1_usize..50, percent in 0_u32..=100) {
            let mut out = 0;
            while may_eject(out, total, percent) {
                out += 1;
            }
            prop_assert!(out * 100 <= total * percent as usize);
        }
    }
}
