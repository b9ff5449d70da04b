//! The dashboard's files. Those of `/assets/` have their content's hash in their name and never change. Every other address
//! that a browser opens gets the one page, which finds out by itself what is at that address. The page's
//! Content-Security-Policy lets it load nothing but its own files, so that a text of an event can never become a program.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use rust_embed::RustEmbed;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::gateway::files::{self, KEPT_FOR_EVER, Stored};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::refusals::FileRefused;

/// Routes whose requests do not count against their address's rate: a page of thirty files is one thing to a person.
pub const FILES: [&str; 3] = ["/", "/assets/{file}", "/mark.svg"];

/// The page that all addresses get.
const PAGE: &str = "index.html";

/// The page names files by their hash, so it is asked for again each time.
const ASKED_AGAIN: &str = "no-cache";

/// Nothing but the dashboard's own files, and nobody may frame it.
const POLICY: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// What `/` says of a server that was built without the dashboard.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Trailmark</title>\
    <h1>The dashboard is not built in</h1>\
    <p>Run <code>make ui</code>, then build the server again. Everything else works: \
    <a href=\"/openapi.json\">/openapi.json</a> describes the API.</p>\n";

#[derive(RustEmbed)]
#[folder = "ui/dist/"]
#[allow_missing = true]
struct Built;

/// Whether this server has a dashboard.
#[must_use]
pub fn is_built() -> bool {
    Built::get(PAGE).is_some()
}

/// The routes of the files.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(asset))
        .routes(routes!(mark))
}

/// The dashboard's page. Every other address that a browser opens gets it, too.
#[utoipa::path(get, path = "/", operation_id = "dashboard", tag = "server",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 304, description = "The client has it: `If-None-Match`."), FileRefused),
)]
async fn page(asked: HeaderMap) -> Response {
    the_page(&asked, built)
}

/// A file of the dashboard.
#[utoipa::path(get, path = "/assets/{file}", operation_id = "dashboard_file", tag = "server",
    params(("file" = String, Path, description = "Its name, which the page knows.")),
    responses(
        (status = 200, description = "The file.", content((String = "text/javascript"), (String = "text/css"))),
        (status = 304, description = "The client has it: `If-None-Match`."), FileRefused),
)]
async fn asset(name: Result<Path<String>, PathRejection>, asked: HeaderMap) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|_| Problem::new(Code::NotFound, "a file's name is UTF-8"))?;
    let lookup = |name: &str| built(&format!("assets/{name}"));
    let missing = || Problem::new(Code::NotFound, format!("the dashboard has no file {name:?}"));
    files::answer(&name, &asked, KEPT_FOR_EVER, lookup).ok_or_else(missing)
}

/// The dashboard's mark, for tabs of browsers.
#[utoipa::path(get, path = "/mark.svg", operation_id = "mark", tag = "server",
    responses((status = 200, description = "The picture.", body = String, content_type = "image/svg+xml"),
        (status = 304, description = "The client has it: `If-None-Match`."), FileRefused),
)]
async fn mark(asked: HeaderMap) -> Result<Response, Problem> {
    let missing = || Problem::new(Code::NotFound, "this server was built without the dashboard");
    files::answer("mark.svg", &asked, ASKED_AGAIN, built).ok_or_else(missing)
}

/// The answer where no route leads: the page for a browser that opens an address, a problem for everybody else.
pub async fn elsewhere(method: Method, uri: Uri, asked: HeaderMap) -> Response {
    if opens_a_page(&method, uri.path(), &asked) {
        return the_page(&asked, built);
    }
    Problem::new(Code::NotFound, format!("there is nothing at {}", uri.path())).into_response()
}

/// Browsers say that they take `text/html` when a person opens an address; programs that ask the API do not.
fn opens_a_page(method: &Method, path: &str, asked: &HeaderMap) -> bool {
    let of_programs = ["/api/", "/v1/", "/sdk/", "/assets/"];
    let accept = asked.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    (method == Method::GET || method == Method::HEAD)
        && accept.is_some_and(|accept| accept.contains("text/html"))
        && !of_programs.iter().any(|start| path.starts_with(start))
}

fn the_page(asked: &HeaderMap, lookup: impl Fn(&str) -> Option<Stored>) -> Response {
    let mut response = files::answer(PAGE, asked, ASKED_AGAIN, lookup).unwrap_or_else(not_built);
    let policy = POLICY.map(|(name, value)| (Some(name), value));
    response.headers_mut().extend(policy);
    response
}

fn not_built() -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], Body::from(NOT_BUILT)).into_response()
}

fn built(name: &str) -> Option<Stored> {
    Some(Built::get(name)?.into())
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn asked(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))])
    }

    #[test]
    fn a_browser_that_opens_an_address_gets_the_page_and_a_program_does_not() {
        let browser = asked("text/html,application/xhtml+xml,*/*;q=0.8");
        for path in ["/people/u_7", "/health/issues/3", "/welcome"] {
            assert!(opens_a_page(&Method::GET, path, &browser), "{path}");
        }
        assert!(!opens_a_page(&Method::GET, "/api/v1/nothing", &browser));
        assert!(!opens_a_page(&Method::GET, "/assets/old-1a2b.js", &browser));
        assert!(!opens_a_page(&Method::POST, "/people/u_7", &browser));
        assert!(!opens_a_page(&Method::GET, "/people/u_7", &asked("*/*")));
        assert!(!opens_a_page(&Method::GET, "/people/u_7", &HeaderMap::new()));
    }

    #[test]
    fn the_page_loads_nothing_of_others_and_is_asked_for_again() {
        let page = |name: &str| {
            (name == PAGE).then(|| Stored {
                bytes: "<!doctype html>".into(),
                hash: [7; 32],
            })
        };
        let response = the_page(&HeaderMap::new(), page);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
    }

    #[test]
    fn a_server_built_without_the_dashboard_says_how_it_is_built() {
        let response = the_page(&HeaderMap::new(), |_| None);
        assert_eq!(response.status(), StatusCode::OK);
        assert!(NOT_BUILT.contains("make ui") && NOT_BUILT.contains("/openapi.json"));
    }
}
