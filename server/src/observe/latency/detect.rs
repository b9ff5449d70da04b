//! Endpoints that are slow or fail, found and told; and, every quarter of an hour, what is usual.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sqlx::PgConnection;
use trailmark_protocol::Timestamp;

use super::endpoint::{Endpoint, Source};
use super::judge::{CLIENT_PEOPLE, LEAST_REQUESTS, Recent, WINDOW_MINUTES, Wrong, judge};
use super::read::read;
use super::since::{Minute, began};
use super::tally::{Span, Tally, share};
use super::usual::{hours, usual};
use crate::observe::problem::Found;
use crate::store::{Store, StoreError, endpoints_read};

/// Most endpoints that are told of, those with most bad requests: 20. If more are bad, something else is, that they share.
const TOLD: usize = 20;

/// Requests that are looked at for who met them: the newest 2,000, 10 ms.
const REQUESTS_READ: i64 = 2_000;

/// An endpoint and what is wrong with it.
type Case = (Recent, Wrong);

/// What is wrong with a project's endpoints at `now`.
///
/// # Errors
/// What stands in the way.
pub async fn found(store: &Store, project_id: i32, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let mut connection = store.pool().acquire().await?;
    let until = Span::Minute.floor(now).plus_micros(Span::Minute.micros());
    let from = until.plus_micros(-WINDOW_MINUTES * Span::Minute.micros());
    let window = [(Span::Minute, from, until)];
    let recent = endpoints_read::totals(&mut connection, project_id, &window, LEAST_REQUESTS, None).await?;
    let cases = worst(recent);
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let since = since(&mut connection, project_id, &cases, until).await?;
    let people = people(&mut connection, project_id, &cases, &since, until).await?;
    let told = cases.iter().zip(since).zip(people);
    Ok(told
        .filter_map(|((case, since), people)| tell(case, since.unwrap_or(from), people))
        .collect())
}

/// Learns what is usual of all endpoints at `now`. Killed at any moment, the next run makes it right.
///
/// # Errors
/// What stands in the way.
pub async fn baselines(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let (from, until) = hours(now);
    for project_id in store.projects_with_endpoints().await? {
        let mut days = BTreeMap::<i32, Vec<Tally>>::new();
        for (endpoint, _, tally) in store.endpoint_sums(project_id, (Span::Hour, from, until)).await? {
            days.entry(endpoint).or_default().push(tally);
        }
        let found = days
            .into_iter()
            .filter_map(|(endpoint, hours)| Some((endpoint, usual(&hours)?)));
        store.keep_usual(project_id, until, &found.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// What is wrong, the most bad requests first. What two sides tell of one method and path is told once, by the nearer one.
fn worst(mut recent: Vec<Recent>) -> Vec<Case> {
    recent.sort_by(|one, other| one.endpoint.cmp(&other.endpoint));
    let mut nearest = BTreeMap::<(&str, String, String), Source>::new();
    let mut cases = Vec::new();
    for recent in recent {
        for wrong in judge(&recent) {
            let Endpoint {
                source, method, path, ..
            } = &recent.endpoint;
            let key = (wrong.kind().as_str(), method.clone(), path.clone());
            if *nearest.entry(key).or_insert(*source) == *source {
                cases.push((recent.clone(), wrong));
            }
        }
    }
    cases.sort_by_key(|(recent, wrong)| std::cmp::Reverse(wrong.bad(&recent.window)));
    cases.truncate(TOLD);
    cases
}

/// Since when each is so, looking back for a day.
async fn since(
    connection: &mut PgConnection,
    project_id: i32,
    cases: &[Case],
    until: Timestamp,
) -> Result<Vec<Option<Timestamp>>, StoreError> {
    let ids: BTreeSet<i32> = cases.iter().map(|(recent, _)| recent.id).collect();
    let ids: Vec<i32> = ids.into_iter().collect();
    let day = (Span::Minute, until.plus_micros(-Span::Day.micros()), until);
    let minutes = endpoints_read::each(connection, project_id, &ids, day).await?;
    let began = |(recent, wrong): &Case| {
        let own = minutes.iter().filter(|(endpoint, ..)| *endpoint == recent.id);
        let own: Vec<Minute> = own
            .map(|(_, at, tally)| Minute {
                at: *at,
                bad: wrong.bad(tally),
                all: wrong.of(tally),
            })
            .collect();
        let now = share(wrong.bad(&recent.window), wrong.of(&recent.window));
        began(&own, wrong.usual_share(recent.usual.as_ref()), now)
    };
    Ok(cases.iter().map(began).collect())
}

/// How many people met each since it is so, as far as the newest requests say, and whether these are all there are. The
/// gateway does not know who asked.
async fn people(
    connection: &mut PgConnection,
    project_id: i32,
    cases: &[Case],
    since: &[Option<Timestamp>],
    until: Timestamp,
) -> Result<Vec<Option<(i64, bool)>>, StoreError> {
    let knows = |case: &Case| case.0.endpoint.source != Source::Gateway;
    let starts = cases.iter().zip(since).filter(|(case, _)| knows(case));
    let Some(first) = starts.filter_map(|(_, since)| *since).min() else {
        return Ok(vec![None; cases.len()]);
    };
    let requests = endpoints_read::requests(connection, project_id, (first, until), REQUESTS_READ).await?;
    let all = requests.len() < usize::try_from(REQUESTS_READ).unwrap_or(usize::MAX);
    let met = |case: &Case| {
        let met = requests
            .iter()
            .filter(|(_, properties)| is_of(case, properties.as_ref()));
        i64::try_from(met.map(|(person, _)| person).collect::<BTreeSet<_>>().len()).unwrap_or(i64::MAX)
    };
    Ok(cases.iter().map(|case| knows(case).then(|| (met(case), all))).collect())
}

/// Whether a request is one of the bad ones.
fn is_of((recent, wrong): &Case, properties: Option<&Value>) -> bool {
    read(properties).is_some_and(|read| wrong.bad(&read.tally) > 0 && recent.endpoint.covers(&read.endpoint))
}

fn tell((recent, wrong): &Case, since: Timestamp, people: Option<(i64, bool)>) -> Option<Found> {
    let endpoint = &recent.endpoint;
    let is_one_phone = people.is_some_and(|(people, all)| all && people < CLIENT_PEOPLE);
    if endpoint.source == Source::Client && matches!(wrong, Wrong::Failing { .. }) && is_one_phone {
        return None;
    }
    let (what, compared_with) = match *wrong {
        Wrong::Failing { rate, usual } => (
            format!("{endpoint} fails: {} of requests", percent(rate)),
            usual.map(|usual| format!("usually {}", percent(usual))),
        ),
        Wrong::Slow { p95_us, usual_us } => (
            format!("{endpoint} is slow: 5 % of requests take {} and more", duration(p95_us)),
            Some(format!("usually {}", duration(usual_us))),
        ),
    };
    Some(Found {
        kind: wrong.kind(),
        subject: endpoint.to_string(),
        what,
        since,
        people: people.map(|(people, _)| people).filter(|people| *people > 0),
        compared_with,
        evidence: evidence(endpoint),
    })
}

/// `41 %`, `0.3 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// `310 ms`, `2.4 s`.
fn duration(micros: u64) -> String {
    let millis = micros as f64 / 1e3;
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        ..1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1e3),
    }
}

/// What of a query string stays as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');

fn evidence(endpoint: &Endpoint) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let mut path = format!(
        "/api/v1/endpoints/series?source={}&method={}&path={}",
        endpoint.source.as_str(),
        encoded(&endpoint.method),
        encoded(&endpoint.path)
    );
    if !endpoint.host.is_empty() {
        path.push_str("&host=");
        path.push_str(&encoded(&endpoint.host));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_reads_well() {
        assert_eq!(
            [0.0, 0.003, 0.0999, 0.41, 1.0].map(percent),
            ["0 %", "0.3 %", "10.0 %", "41 %", "100 %"]
        );
        assert_eq!(
            [840, 31_040, 999_000, 2_440_000].map(duration),
            ["0.8 ms", "31 ms", "999 ms", "2.4 s"]
        );
        let endpoint = Endpoint {
            source: Source::Client,
            host: "h:1".to_owned(),
            method: "GET".to_owned(),
            path: "/a/:id".to_owned(),
        };
        assert_eq!(
            evidence(&endpoint),
            "/api/v1/endpoints/series?source=client&method=GET&path=/a/%3Aid&host=h%3A1"
        );
    }
}
