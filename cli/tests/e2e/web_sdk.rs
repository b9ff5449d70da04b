//! `/sdk/v1/`: the web SDK's files, as browsers and caches ask for them. A checkout in which `make wasm` has not run has
//! none, and a server of it says so; what can only be seen with them is in `sdk-wasm/e2e`, which builds them first.

use std::path::Path;

use crate::support::{Request, Server, Setup};

const SCRIPT: &str = "/sdk/v1/trailmark.js";

/// Whether the files are there: this binary, a debug build, reads them from the source tree.
fn is_built() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../sdk-wasm/npm/dist/v1/trailmark.js")
        .exists()
}

#[test]
fn the_script_is_there_or_the_refusal_says_how_it_is_built() {
    let response = Server::shared().send(&Request::get(SCRIPT));
    if is_built() {
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("text/javascript; charset=utf-8"));
        return assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!((response.status, response.code().as_str()), (404, "sdk_not_built"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(response.text().contains("make wasm"), "{}", response.text());
}

#[test]
fn a_script_that_a_browser_has_is_not_sent_again() {
    let ask = |known: &str| {
        let request = Request::get(SCRIPT).header("accept-encoding", "gzip, deflate, br, zstd");
        Server::shared().send(&request.header("if-none-match", known))
    };
    let first = ask("\"another\"");
    if !is_built() {
        return assert_eq!(first.status, 404);
    }
    assert_eq!((first.status, first.header("content-encoding")), (200, Some("br")));
    let again = ask(first.header("etag").unwrap());
    assert_eq!((again.status, again.body.len()), (304, 0));
    let fresh = "public, max-age=300, stale-while-revalidate=86400";
    assert_eq!(again.header("cache-control"), Some(fresh));
}

#[test]
fn no_name_leads_out_of_the_folder() {
    for (name, status) in [
        ("engine-0000000000.js", 404),
        ("README.md", 404),
        (".made-from", 404),
        ("../npm/package.json", 404),
        ("%2e%2e/%2e%2e/src/api.ts", 404),
        ("/etc/passwd", 404),
        ("..%2f..%2fpackage.json", 400),
        ("trailmark.js%00.js", 400),
    ] {
        let response = Server::shared().send(&Request::get(format!("/sdk/v1/{name}")));
        assert_eq!(response.status, status, "{name}: {}", response.text());
    }
}

#[test]
fn an_address_over_its_rate_still_gets_the_script() {
    let server = Setup::default()
        .set("rate_limit.per_ip_per_second", 1)
        .set("rate_limit.per_ip_burst", 2)
        .start();
    let over = (0..10).map(|_| server.send(&Request::get("/livez")).status);
    assert!(over.into_iter().any(|status| status == 429));
    let script = server.send(&Request::get(SCRIPT)).status;
    assert_eq!(script, if is_built() { 200 } else { 404 });
}
