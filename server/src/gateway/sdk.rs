//! The web SDK, for pages: `GET /sdk/v1/…`. The files are built into the binary; a debug build reads them from the source
//! tree at each request, so that `make wasm` is enough to see a change.
//!
//! Their names come from `sdk-wasm/npm/pack.mjs`: `trailmark.js`, which pages name and browsers ask for again, and
//! `engine-….js` and `engine-….wasm`, which have their content's hash in their name and never change. A page that was open
//! over an upgrade may ask for an engine that is gone: that is a 404, and the script goes on without one.

use std::sync::Arc;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use rust_embed::RustEmbed;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::files::{self, KEPT_FOR_EVER, Stored};
use super::problem::{Code, Problem};
use super::refusals::FileRefused;
use crate::app::App;

/// Where the files are. Pages are not refused here for what their address has sent before: a page without the script would
/// lose its events unseen, and a file costs less than a refusal.
pub const ROUTE: &str = "/sdk/v1/{file}";

/// The file that pages name.
const SCRIPT: &str = "trailmark.js";

/// What the names of the files begin with that have their hash in their name.
const HASHED: &str = "engine-";

/// Five minutes, so that an upgrade reaches pages soon; for a day more the old one may be shown while the new one is
/// fetched, so that no page waits.
const KEPT_BRIEFLY: &str = "public, max-age=300, stale-while-revalidate=86400";

/// Pages of any origin may load the files, also those that isolate themselves (COEP). Said without being asked, because
/// caches hand the answer to a plain script tag on to a page that asks with an `Origin`.
const SHARED: [(HeaderName, HeaderValue); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    ),
];

#[derive(RustEmbed)]
#[folder = "../sdk-wasm/npm/dist/v1/"]
#[allow_missing = true]
struct Built;

/// The route of the files.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(file))
}

/// A file of the web SDK.
#[utoipa::path(get, path = "/sdk/v1/{file}", operation_id = "sdk_file", tag = "server",
    params(("file" = String, Path, description = "Its name, such as `trailmark.js`.", example = "trailmark.js")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/javascript"), (Vec<u8> = "application/wasm"))),
        (status = 304, description = "The client has it: `If-None-Match`."),
        FileRefused,
    ),
)]
async fn file(name: Result<Path<String>, PathRejection>, asked: HeaderMap) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|_| Problem::new(Code::NotFound, "a file's name is UTF-8"))?;
    answer(&name, &asked, |name| Some(Built::get(name)?.into()))
}

fn answer(name: &str, asked: &HeaderMap, lookup: impl Fn(&str) -> Option<Stored>) -> Result<Response, Problem> {
    let keep = if name.starts_with(HASHED) {
        KEPT_FOR_EVER
    } else {
        KEPT_BRIEFLY
    };
    let mut response = files::answer(name, asked, keep, &lookup).ok_or_else(|| missing(name, lookup))?;
    response
        .headers_mut()
        .extend(SHARED.map(|(name, value)| (Some(name), value)));
    Ok(response)
}

fn missing(name: &str, lookup: impl Fn(&str) -> Option<Stored>) -> Problem {
    if lookup(SCRIPT).is_none() {
        return Problem::new(Code::SdkNotBuilt, "this server was built without the web SDK");
    }
    Problem::new(Code::NotFound, format!("the web SDK has no file {name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(name: &str) -> Option<Stored> {
        let names = [SCRIPT, "engine-0a1b.js", "engine-2c3d.wasm"];
        names.contains(&name).then(|| Stored {
            bytes: name.to_owned().into(),
            hash: [7; 32],
        })
    }

    fn get(name: &str) -> Result<Response, Problem> {
        answer(name, &HeaderMap::new(), built)
    }

    #[test]
    fn hashed_names_are_kept_for_ever_and_the_script_is_asked_for_again() {
        for (name, kind, keep) in [
            (SCRIPT, "text/javascript; charset=utf-8", KEPT_BRIEFLY),
            ("engine-0a1b.js", "text/javascript; charset=utf-8", KEPT_FOR_EVER),
            ("engine-2c3d.wasm", "application/wasm", KEPT_FOR_EVER),
        ] {
            let response = get(name).unwrap();
            assert_eq!(response.headers()[header::CACHE_CONTROL], keep, "{name}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
            assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            assert_eq!(response.headers()["cross-origin-resource-policy"], "cross-origin");
        }
    }

    #[test]
    fn an_engine_of_another_version_is_not_found() {
        assert_eq!(get("engine-ffff.js").unwrap_err().code(), Code::NotFound);
        assert_eq!(get("../Cargo.toml").unwrap_err().code(), Code::NotFound);
    }

    #[test]
    fn a_server_built_without_the_sdk_says_how_it_is_built() {
        let refused = answer(SCRIPT, &HeaderMap::new(), |_| None).unwrap_err();
        assert_eq!(refused.code(), Code::SdkNotBuilt);
        assert!(refused.code().hint().contains("make wasm"));
    }
}
