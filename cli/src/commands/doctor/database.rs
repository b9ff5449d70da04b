//! Postgres: found, reachable, migrated, partitions ahead, and of the same mind about the time.

use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::database::PRIVATE_DIR;
use trailmark_server::postgres::find_binaries;
use trailmark_server::store::{Store, Vitals, WEEKS_AHEAD};
use trailmark_server::{Config, Database};

use super::check::Check;

/// Clocks that differ by more than this are worth a look: 2 s, which NTP never lets happen.
const CLOCKS_DIFFER_MICROS: i64 = 2_000_000;

/// Clocks that differ by more than this put events into wrong days: 10 min.
const CLOCKS_WRONG_MICROS: i64 = 600_000_000;

pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    if config.database.url.is_empty() {
        checks.push(binaries(config));
        if !config.data_dir.join(PRIVATE_DIR).exists() {
            checks.push(Check::ok(
                "database",
                "none yet; the first `trailmark serve` makes a private one",
            ));
            return checks;
        }
    }
    match Database::open(config).await {
        Err(error) => checks.push(Check::fail("database", error.to_string())),
        Ok(database) => {
            checks.extend(examine(database.store()).await);
            if let Err(error) = database.close().await {
                checks.push(Check::warn("database", format!("did not stop: {error}")));
            }
        }
    }
    checks
}

fn binaries(config: &Config) -> Check {
    let bin = &config.database.pg_bin;
    match find_binaries((!bin.as_os_str().is_empty()).then_some(bin)) {
        Ok(found) => Check::ok(
            "postgres",
            format!("version {} in {}", found.major, found.bin_dir.display()),
        ),
        Err(error) => Check::fail("postgres", error.to_string()),
    }
}

async fn examine(store: &Store) -> Vec<Check> {
    match store.vitals().await {
        Err(error) => vec![Check::fail("database", error.to_string())],
        Ok(vitals) => judge(&vitals, SystemClock.now()),
    }
}

fn judge(vitals: &Vitals, now: Timestamp) -> Vec<Check> {
    let mut checks = vec![
        Check::ok("database", format!("answers, PostgreSQL {}", vitals.server_version)),
        clocks(vitals, now),
    ];
    checks.push(schema(vitals.schema_version, Store::known_version()));
    if vitals.schema_version.is_some() {
        checks.push(partitions(vitals.weeks_ahead));
        checks.push(dead_letters(vitals.dead_letters));
    }
    checks
}

fn schema(found: Option<i64>, known: i64) -> Check {
    match found {
        None => Check::warn(
            "schema",
            "never migrated; `trailmark migrate` or `trailmark serve` does it",
        ),
        Some(found) if found < known => {
            Check::warn("schema", format!("at version {found} of {known}; `trailmark migrate`"))
        }
        Some(found) if found > known => Check::fail(
            "schema",
            format!("at version {found}, newer than this release knows ({known}): upgrade trailmark"),
        ),
        Some(found) => Check::ok("schema", format!("up to date, version {found}")),
    }
}

fn partitions(weeks_ahead: i64) -> Check {
    let detail = format!("{weeks_ahead} weeks ahead");
    match weeks_ahead {
        0 => Check::warn("partitions", "none ahead; a running server makes them"),
        few if few < i64::from(WEEKS_AHEAD) / 2 => {
            Check::warn("partitions", format!("only {detail}; is a server running?"))
        }
        _ => Check::ok("partitions", detail),
    }
}

fn dead_letters(waiting: i64) -> Check {
    match waiting {
        0 => Check::ok("dead letters", "none"),
        waiting => Check::warn(
            "dead letters",
            format!("{waiting} wait; `trailmark deadletter list` says why"),
        ),
    }
}

fn clocks(vitals: &Vitals, now: Timestamp) -> Check {
    let apart = (now.micros() - vitals.now.micros()).abs();
    let detail = format!("this machine and the database are {:.1} s apart", apart as f64 / 1e6);
    if apart > CLOCKS_WRONG_MICROS {
        Check::fail("clock", detail)
    } else if apart > CLOCKS_DIFFER_MICROS {
        Check::warn("clock", detail)
    } else {
        Check::ok("clock", detail)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    fn vitals() -> Vitals {
        Vitals {
            server_version: "15.14".to_owned(),
            now: Timestamp::from_millis(1_763_600_000_000),
            schema_version: Some(Store::known_version()),
            weeks_ahead: 8,
            dead_letters: 0,
        }
    }

    fn worst(vitals: &Vitals, now: Timestamp) -> Verdict {
        let results = judge(vitals, now).into_iter().map(|check| check.result);
        results.max_by_key(|result| *result as u8).unwrap()
    }

    #[test]
    fn a_database_in_order_passes() {
        assert_eq!(worst(&vitals(), vitals().now), Verdict::Ok);
    }

    #[test]
    fn each_trouble_is_seen() {
        let now = vitals().now;
        assert_eq!(
            worst(
                &Vitals {
                    schema_version: None,
                    ..vitals()
                },
                now
            ),
            Verdict::Warn
        );
        assert_eq!(
            worst(
                &Vitals {
                    schema_version: Some(i64::MAX),
                    ..vitals()
                },
                now
            ),
            Verdict::Fail
        );
        assert_eq!(
            worst(
                &Vitals {
                    weeks_ahead: 0,
                    ..vitals()
                },
                now
            ),
            Verdict::Warn
        );
        assert_eq!(
            worst(
                &Vitals {
                    dead_letters: 1,
                    ..vitals()
                },
                now
            ),
            Verdict::Warn
        );
        assert_eq!(worst(&vitals(), now.plus_micros(-5_000_000)), Verdict::Warn);
        assert_eq!(worst(&vitals(), now.plus_micros(3_600_000_000)), Verdict::Fail);
    }
}
