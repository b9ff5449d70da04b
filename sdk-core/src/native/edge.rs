//! The edge to the operating system: the wall clock and randomness. Nothing else in this crate reads either.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use trailmark_protocol::Timestamp;

use crate::{Context, Entropy};

/// Where a client's time comes from: [`now`], or a script.
pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The wall clock, to the microsecond. A clock before 1970 reads as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the wall clock"
)]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl Context {
    /// What this process can see by itself: the system's name, its architecture, the locale and the time zone of the
    /// environment. For a device of its own; a backend that speaks for others leaves it out.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Properties::from(Context::detect());
    /// assert!(context.as_json().contains("\"os\""));
    /// ```
    pub fn detect() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok());
        let context = Self::new().os(std::env::consts::OS, "").arch(std::env::consts::ARCH);
        let context = match locale.as_deref().and_then(language) {
            Some(locale) => context.locale(&locale),
            None => context,
        };
        match timezone() {
            Some(timezone) => context.timezone(&timezone),
            None => context,
        }
    }
}

/// `de_DE.UTF-8` is `de-DE`; `C` and `POSIX` are nobody's language.
fn language(locale: &str) -> Option<String> {
    let name = locale.split(['.', '@']).next().unwrap_or_default();
    (!matches!(name, "" | "C" | "POSIX")).then(|| name.replace('_', "-"))
}

/// The zone that `TZ` names, or that the system's clock is set to.
fn timezone() -> Option<String> {
    let zone = |path: &str| path.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned());
    let named = std::env::var("TZ").ok().filter(|name| name.contains('/'));
    let named = named.map(|name| zone(&name).unwrap_or(name));
    named.or_else(|| zone(std::fs::read_link("/etc/localtime").ok()?.to_str()?))
}

/// Randomness of the operating system, fetched 512 bytes at a time: one system call for about fifty events.
pub(super) struct OsEntropy {
    pool: [u8; POOL],
    used: usize,
}

const POOL: usize = 512;

impl Default for OsEntropy {
    fn default() -> Self {
        Self {
            pool: [0; POOL],
            used: POOL,
        }
    }
}

impl Entropy for OsEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used >= POOL {
                refill(&mut self.pool);
                self.used = 0;
            }
            *byte = self.pool.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
    }
}

/// Where the system has no randomness (it refuses the call, or has not enough yet), the keys of the standard library's
/// hash maps have to do: ids stay unique, which is all they are for.
fn refill(pool: &mut [u8; POOL]) {
    if getrandom::fill(pool).is_err() {
        for chunk in pool.chunks_mut(8) {
            let word = RandomState::new().build_hasher().finish().to_le_bytes();
            chunk.copy_from_slice(word.get(..chunk.len()).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_does_not_repeat_across_its_pool() {
        let mut entropy = OsEntropy::default();
        let draws: std::collections::HashSet<[u8; 16]> =
            (0..1000).map(|_| crate::entropy::bytes(&mut entropy)).collect();
        assert_eq!(draws.len(), 1000);
    }

    #[test]
    fn a_locale_of_the_environment_becomes_a_language_tag() {
        let tags = ["de_DE.UTF-8", "en_GB", "sr_RS@latin", "C.UTF-8", "POSIX", ""].map(language);
        let expected = [Some("de-DE"), Some("en-GB"), Some("sr-RS"), None, None, None];
        assert_eq!(
            tags.map(|tag| tag.unwrap_or_default()),
            expected.map(Option::unwrap_or_default)
        );
    }

    #[test]
    fn the_clock_is_past_the_day_this_was_written() {
        assert!(now() > Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
    }
}
