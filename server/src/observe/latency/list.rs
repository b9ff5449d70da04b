//! The endpoints of a project over a time, in an order.

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::cover::Cover;
use super::endpoint::Source;
use super::judge::Recent;
use super::usual::Usual;
use crate::query::time::At;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The most requests.
    Volume,
    /// The greatest p95.
    P95,
    /// The most errors of its requests.
    ErrorRate,
    /// The longest single request.
    Slowest,
}

impl Sort {
    /// The words.
    pub const WORDS: [&'static str; 4] = ["volume", "p95", "error_rate", "slowest"];

    /// Reads one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "volume" => Self::Volume,
            "p95" => Self::P95,
            "error_rate" => Self::ErrorRate,
            "slowest" => Self::Slowest,
            _ => return None,
        })
    }

    fn of(self, endpoint: &Recent) -> u64 {
        let sum = &endpoint.window;
        match self {
            Self::Volume => sum.requests,
            Self::P95 => sum.percentile(0.95).unwrap_or_default(),
            // Parts in 10^9: whole numbers compare the same after they were written and read.
            Self::ErrorRate => (sum.error_rate() * 1e9) as u64,
            Self::Slowest => sum.max_us,
        }
    }
}

/// A place in the list: what the endpoint is sorted by, and its number. Written `12:7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    by: u64,
    id: i32,
}

impl Cursor {
    /// Reads what [`Display`](std::fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (by, id) = text.split_once(':')?;
        Some(Self {
            by: by.parse().ok()?,
            id: id.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.by, self.id)
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which endpoints, in what order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointPage {
    /// What comes first.
    pub sort: Sort,
    /// At most so many.
    pub limit: u32,
    /// Only those behind this one, the last of the page before.
    pub after: Option<Cursor>,
}

/// Endpoints over a time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Endpoints {
    /// The beginning of the time, that of a minute; that of an hour where it is more than three days ago.
    pub from: At,
    /// The end of the time, likewise.
    pub to: At,
    /// The endpoints.
    pub endpoints: Vec<EndpointSummary>,
    /// What to ask the next page with. `None` at the end.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
}

/// An endpoint over a time. Durations are in milliseconds, to 6 %; `null` if no request says how long it took.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EndpointSummary {
    /// Who tells of it.
    pub source: Source,
    /// Where a client asked; `null` if it did not say, and for other sources.
    pub host: Option<String>,
    /// `GET`; `null` for what stands for many.
    pub method: Option<String>,
    /// The path with names in place of what differs, as `/users/:id`.
    pub path: String,
    /// Requests.
    pub requests: u64,
    /// Of these, without an answer or with a status of 500 and more.
    pub errors: u64,
    /// Of these, with a status of 400 to 499, or given up by who asked.
    pub client_errors: u64,
    /// `errors` of `requests`, from 0 to 1.
    pub error_rate: f64,
    /// How long a request took on average.
    pub mean_ms: Option<f64>,
    /// What half of the requests do not exceed.
    pub p50_ms: Option<f64>,
    /// What 95 of 100 do not exceed.
    pub p95_ms: Option<f64>,
    /// What 99 of 100 do not exceed.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// What it was usually like in the day before the last hour. `null` if there were fewer than 100 requests.
    pub usual: Option<UsualSummary>,
}

/// What an endpoint is usually like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct UsualSummary {
    /// Requests that say so.
    pub requests: u64,
    /// Errors of these, from 0 to 1.
    pub error_rate: f64,
    /// What 95 of 100 of these do not exceed, in milliseconds; `null` if fewer than 100 say how long they took.
    pub p95_ms: Option<f64>,
}

impl From<Usual> for UsualSummary {
    fn from(usual: Usual) -> Self {
        Self {
            requests: usual.requests,
            error_rate: usual.error_rate,
            p95_ms: usual.p95_us().map(millis),
        }
    }
}

impl From<Recent> for EndpointSummary {
    fn from(endpoint: Recent) -> Self {
        let sum = &endpoint.window;
        let said = |text: String| (!text.is_empty()).then_some(text);
        Self {
            requests: sum.requests,
            errors: sum.errors,
            client_errors: sum.client_errors,
            error_rate: sum.error_rate(),
            mean_ms: sum.mean_us().map(millis),
            p50_ms: sum.percentile(0.50).map(millis),
            p95_ms: sum.percentile(0.95).map(millis),
            p99_ms: sum.percentile(0.99).map(millis),
            max_ms: (sum.durations.count() > 0).then(|| millis(sum.max_us)),
            usual: endpoint.usual.map(UsualSummary::from),
            source: endpoint.endpoint.source,
            host: said(endpoint.endpoint.host),
            method: said(endpoint.endpoint.method),
            path: endpoint.endpoint.path,
        }
    }
}

/// Microseconds as milliseconds.
#[must_use]
pub fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

/// A page of the endpoints.
#[must_use]
pub fn page(totals: Vec<Recent>, cover: &Cover, page: &EndpointPage) -> Endpoints {
    let mut sorted: Vec<(Cursor, Recent)> = totals
        .into_iter()
        .map(|endpoint| {
            let by = page.sort.of(&endpoint);
            (Cursor { by, id: endpoint.id }, endpoint)
        })
        .collect();
    let place = |cursor: &Cursor| (std::cmp::Reverse(cursor.by), cursor.id);
    sorted.retain(|(cursor, _)| page.after.is_none_or(|after| place(cursor) > place(&after)));
    sorted.sort_by_key(|(cursor, _)| place(cursor));
    let more = sorted.len() > page.limit as usize;
    sorted.truncate(page.limit as usize);
    let at = |at: Timestamp| At(at);
    Endpoints {
        from: at(cover.from),
        to: at(cover.to),
        next_cursor: sorted.last().filter(|_| more).map(|(cursor, _)| *cursor),
        endpoints: sorted.into_iter().map(|(_, endpoint)| endpoint.into()).collect(),
    }
}
