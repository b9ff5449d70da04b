//! The routes of issues.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State as Shared};
use trailmark_protocol::limits::ID_CHARS;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{ChangedIssue, Course, DAYS, HOURS, Issue, Issues, QUARTERS, WholeIssue};
use super::read::Level;
use super::state::State;
use crate::app::App;
use crate::gateway::access::{Access, Editor};
use crate::gateway::body;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::{ChangeRefused, OneRefused, ReadRefused};
use crate::query::QueryError;
use crate::query::ask::question::read_text;
use crate::query::ask::sql::containing;
use crate::query::params::{Params, storable};
use crate::store::{IssueFilter, IssuePart};

/// The parameter with which a session names its project.
const PROJECT: &str = "project";

/// All open states at once.
const OPEN: &str = "open";

/// The words of `state`.
const STATES: [&str; 7] = [
    OPEN,
    State::New.as_str(),
    State::Ongoing.as_str(),
    State::Escalating.as_str(),
    State::Regressed.as_str(),
    State::Resolved.as_str(),
    State::Ignored.as_str(),
];

/// The words of `level`.
const LEVELS: [&str; 3] = [Level::Warning.as_str(), Level::Error.as_str(), Level::Fatal.as_str()];

/// The words of `sort`; the first one is meant where none is said.
const SORTS: [&str; 4] = ["last_seen", "first_seen", "events", "people"];

/// Issues on a page where `limit` does not say, and most of them: the people of each are counted.
const LIMIT_MAX: u32 = 100;

/// The routes.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_issues))
        .routes(routes!(read_issue, change_issue))
}

/// Issues: errors that are one.
///
/// `q` looks for a text, whatever the case of letters, in type, title and place. `from` and `to` keep those that happened in
/// between, by quarter-hours, which are known for 30 days.
#[utoipa::path(
    get, path = "/api/v1/issues", operation_id = "issues", tag = "health",
    params(
        ("state" = Option<String>, Query, description = "`open` (new, ongoing, escalating and regressed), or one state."),
        ("release" = Option<String>, Query, description = "Only those seen in this release.", min_length = 1, max_length = 200),
        ("level" = Option<String>, Query, description = "`warning`, `error` or `fatal`."),
        ("q" = Option<String>, Query, description = "Part of the type, the title or the place.", min_length = 1, max_length = 200),
        ("sort" = Option<String>, Query, description = "`last_seen` (if not said), `first_seen`, `events` or `people`; the greatest first."),
        ("from" = Option<String>, Query, description = "Only those that happened from here on."),
        ("to" = Option<String>, Query, description = "Only those that happened before."),
        ("limit" = Option<u32>, Query, description = "At most so many.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("project" = Option<i32>, Query, description = "The project, of a session."),
    ),
    responses((status = 200, description = "A page of issues.", body = Issues), ReadRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn list_issues(
    access: Access,
    Shared(app): Shared<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Issues>, Problem> {
    let known = [
        "state", "release", "level", "q", "sort", "from", "to", "limit", "cursor", PROJECT,
    ];
    let params = Params::parse(&query.unwrap_or_default(), &known)?;
    let range = params.time_range()?;
    let filter = IssueFilter {
        states: params.word("state", &STATES)?.map(states),
        release: params.text("release", ID_CHARS)?,
        level: params.word("level", &LEVELS)?,
        like: params.text("q", ID_CHARS)?.map(containing),
        from: range.from,
        to: range.to,
    };
    let limit = params.limit()?.min(LIMIT_MAX) as usize;
    let part = IssuePart {
        sort: params.word("sort", &SORTS)?.unwrap_or("last_seen"),
        after: params.cursor(read_cursor)?,
        limit: limit as i64 + 1,
    };
    let (now, project_id) = (app.clock.now(), access.project_id());
    let mut rows = app
        .store
        .list_issues(project_id, &filter, part)
        .await
        .map_err(QueryError::Store)?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows
        .last()
        .filter(|_| more)
        .map(|row| format!("{}:{}", row.rank, row.number));
    let numbers: Vec<i32> = rows.iter().map(|row| row.number).collect();
    let hours = app
        .store
        .issue_hours(project_id, &numbers, Course::begin(now, HOURS))
        .await;
    let hours = hours.map_err(QueryError::Store)?;
    Ok(Json(Issues {
        issues: rows.into_iter().map(|row| Issue::of(row, &hours, now)).collect(),
        next_cursor,
    }))
}

/// An issue: how often, whom, in which releases, and events of it with their stacks.
#[utoipa::path(
    get, path = "/api/v1/issues/{number}", operation_id = "issue", tag = "health",
    params(
        ("number" = i32, Path, description = "Its number."),
        ("project" = Option<i32>, Query, description = "The project, of a session."),
    ),
    responses((status = 200, description = "The issue.", body = WholeIssue), OneRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn read_issue(
    access: Access,
    Shared(app): Shared<Arc<App>>,
    number: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<WholeIssue>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    Ok(Json(whole(&app, access.project_id(), self::number(number)?).await?))
}

/// Resolves, ignores or reopens an issue.
///
/// A resolved issue that happens again is `regressed`. With `in_release`, only an event of that release, or of one in which
/// the issue had not been seen, is one too many.
#[utoipa::path(
    patch, path = "/api/v1/issues/{number}", operation_id = "change_issue", tag = "health",
    params(
        ("number" = i32, Path, description = "Its number."),
        ("project" = Option<i32>, Query, description = "The project, of a session."),
    ),
    request_body = ChangedIssue,
    responses((status = 200, description = "The issue as it is now.", body = WholeIssue), ChangeRefused),
    security(("secret_key" = []), ("session" = []))
)]
async fn change_issue(
    Editor(access): Editor,
    Shared(app): Shared<Arc<App>>,
    number: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Json<WholeIssue>, Problem> {
    Params::parse(&query.unwrap_or_default(), &[PROJECT])?;
    let number = self::number(number)?;
    let body = body::read(request.into_body(), &app.budget, app.config.http.body_timeout()).await?;
    let changed: ChangedIssue = read_text(body.as_slice()).map_err(QueryError::from)?;
    check(&changed)?;
    let how = (app.clock.now(), access.who(), changed.in_release.as_deref());
    let project_id = access.project_id();
    let done = app.store.change_issue(project_id, number, changed.state, how).await;
    if !done.map_err(QueryError::Store)? {
        return Err(missing(number));
    }
    Ok(Json(whole(&app, project_id, number).await?))
}

/// What a person can say of an issue.
fn check(changed: &ChangedIssue) -> Result<(), QueryError> {
    if !matches!(changed.state, State::Resolved | State::Ignored | State::Ongoing) {
        let problem = "is none that can be said: `resolved`, `ignored` and `ongoing` can";
        return Err(QueryError::parameter("state", problem));
    }
    let Some(release) = changed.in_release.as_deref() else {
        return Ok(());
    };
    if changed.state != State::Resolved {
        return Err(QueryError::parameter(
            "in_release",
            "goes with the state `resolved` alone",
        ));
    }
    storable("in_release", release, ID_CHARS).map(|_| ())
}

fn states(word: &'static str) -> Vec<&'static str> {
    let open = State::ALL.into_iter().filter(|state| state.is_open());
    if word == OPEN {
        open.map(State::as_str).collect()
    } else {
        vec![word]
    }
}

/// `rank:number`.
fn read_cursor(text: &str) -> Option<(i64, i32)> {
    let (rank, number) = text.split_once(':')?;
    Some((rank.parse().ok()?, number.parse().ok()?))
}

fn number(number: Result<Path<String>, PathRejection>) -> Result<i32, QueryError> {
    let number = number.ok().and_then(|Path(number)| number.parse().ok());
    number.ok_or_else(|| QueryError::parameter("number", "is no number of an issue"))
}

fn missing(number: i32) -> Problem {
    Problem::new(Code::NotFound, format!("there is no issue {number}"))
}

async fn whole(app: &App, project_id: i32, number: i32) -> Result<WholeIssue, Problem> {
    let (store, now) = (&app.store, app.clock.now());
    let row = store.issue(project_id, number).await.map_err(QueryError::Store)?;
    let row = row.ok_or_else(|| missing(number))?;
    let from = [Course::begin(now, QUARTERS), Course::begin(now, DAYS)];
    let course = store
        .issue_course(project_id, number, from)
        .await
        .map_err(QueryError::Store)?;
    let releases = store
        .issue_releases(project_id, number)
        .await
        .map_err(QueryError::Store)?;
    let samples = store
        .issue_samples(project_id, number)
        .await
        .map_err(QueryError::Store)?;
    Ok(WholeIssue::of(row, course, releases, samples, now))
}
