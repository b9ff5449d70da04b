use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn target(expected_body: &Value) -> HttpTarget {
    serde_json::from_value(json!({"url": "https://a.example/", "expected_body": expected_body})).unwrap()
}

fn said(expected_body: &Value, text: &str) -> String {
    body(&target(expected_body), text).map_or_else(|failure| failure.text, |()| "well".to_owned())
}

#[test]
fn a_status_is_one_of_those_expected() {
    let expected = ["200-299".to_owned(), "404".to_owned()];
    for (code, is_well) in [
        (200, true),
        (299, true),
        (404, true),
        (199, false),
        (300, false),
        (503, false),
    ] {
        let judged = status(&expected, StatusCode::from_u16(code).unwrap());
        assert_eq!(judged.is_ok(), is_well, "{code}");
    }
    let failure = status(&expected, StatusCode::SERVICE_UNAVAILABLE).unwrap_err();
    assert_eq!(
        (failure.kind, failure.text.as_str()),
        ("status", "503 instead of 200-299, 404")
    );
}

#[test]
fn a_body_is_what_is_expected_of_it() {
    let json = r#"{"status": "ok", "checks": [{"up": true}], "n": null}"#;
    for (expected, text, outcome) in [
        (json!([]), "", "well"),
        (json!([{"contains": "ok"}, {"lacks": "error"}]), "all ok", "well"),
        (json!([{"contains": "ok"}]), "fine", "the body does not contain \"ok\""),
        (json!([{"lacks": "error"}]), "an error", "the body contains \"error\""),
        (json!([{"json": {"pointer": "/status", "equals": "ok"}}]), json, "well"),
        (
            json!([{"json": {"pointer": "/checks/0/up", "equals": true}}]),
            json,
            "well",
        ),
        (json!([{"json": {"pointer": "/n", "equals": null}}]), json, "well"),
        (json!([{"json": {"pointer": "", "equals": 1}}]), "1", "well"),
        (
            json!([{"json": {"pointer": "", "equals": 2}}]),
            "1",
            "the body is not 2",
        ),
        (
            json!([{"json": {"pointer": "/none", "equals": null}}]),
            json,
            "\"/none\" of the body is not null",
        ),
        (
            json!([{"json": {"pointer": "/status", "equals": "up"}}]),
            json,
            "\"/status\" of the body is not \"up\"",
        ),
        (
            json!([{"json": {"pointer": "/a", "equals": 1}}]),
            "<html>",
            "the body is no JSON, or longer than 256 KiB",
        ),
    ] {
        assert_eq!(said(&expected, text), outcome, "{expected}");
    }
    assert!(said(&json!([{"contains": "ü".repeat(1_000)}]), "").chars().count() < 150);
}

fn call(method: Method, body: &'static str) -> Call {
    Call {
        method,
        url: read_url("https://a.example/in/here?x=1").unwrap(),
        headers: HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("secret"))]),
        body: Bytes::from_static(body.as_bytes()),
        timeout: Duration::from_secs(1),
        max_body_bytes: 1,
    }
}

fn led(call: &Call, status: u16, location: &'static str) -> Result<Option<Call>, Failure> {
    let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(location))]);
    redirected(call, StatusCode::from_u16(status).unwrap(), &headers)
}

#[test]
fn a_redirect_leads_from_where_it_was_met() {
    let get = call(Method::GET, "");
    for (location, url) in [
        ("/there", "https://a.example/there"),
        ("there?y", "https://a.example/in/there?y"),
        ("//b.example/x", "https://b.example/x"),
        ("http://a.example/", "http://a.example/"),
        ("#part", "https://a.example/in/here?x=1"),
    ] {
        assert_eq!(led(&get, 302, location).unwrap().unwrap().url.as_str(), url);
    }
    for status in [200, 300, 304, 305, 404] {
        assert!(led(&get, status, "/there").unwrap().is_none(), "{status}");
    }
    assert!(
        redirected(&get, StatusCode::FOUND, &HeaderMap::new())
            .unwrap()
            .is_none()
    );
    for location in [
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://user@a.example/",
        "http://[::1/",
    ] {
        assert_eq!(led(&get, 302, location).unwrap_err().kind, "redirect", "{location}");
    }
}

#[test]
fn another_origin_gets_no_secrets() {
    for (location, is_same) in [
        ("/there", true),
        ("https://A.EXAMPLE:443/there", true),
        ("http://a.example/there", false),
        ("https://a.example:444/there", false),
        ("https://b.example/there", false),
    ] {
        let next = led(&call(Method::GET, ""), 307, location).unwrap().unwrap();
        assert_eq!(next.headers.contains_key(header::AUTHORIZATION), is_same, "{location}");
    }
    let with_body = call(Method::POST, "secret");
    assert_eq!(led(&with_body, 307, "https://b.example/").unwrap_err().kind, "redirect");
    assert_eq!(led(&with_body, 307, "/there").unwrap().unwrap().body, "secret");
}

#[test]
fn the_method_after_a_redirect_is_what_rfc_9110_says() {
    for (method, status, then) in [
        (Method::POST, 301, Method::GET),
        (Method::POST, 302, Method::GET),
        (Method::POST, 303, Method::GET),
        (Method::POST, 307, Method::POST),
        (Method::POST, 308, Method::POST),
        (Method::PUT, 302, Method::PUT),
        (Method::PUT, 303, Method::GET),
        (Method::HEAD, 303, Method::HEAD),
        (Method::GET, 301, Method::GET),
    ] {
        let next = led(&call(method.clone(), "b"), status, "/there").unwrap().unwrap();
        assert_eq!(
            (next.method.clone(), next.body.is_empty()),
            (then, next.method == Method::GET && method != Method::GET)
        );
    }
}

proptest! {
    #[test]
    fn whatever_is_answered_is_judged(text in ".{0,200}", location in "[ -~]{0,60}") {
        let expected = json!([{"contains": "a"}, {"lacks": "b"}, {"json": {"pointer": "/a", "equals": 1}}]);
        let _ = body(&target(&expected), &text);
        let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_str(&location).unwrap())]);
        if let Ok(Some(next)) = redirected(&call(Method::GET, ""), StatusCode::FOUND, &headers) {
            prop_assert!(matches!(next.url.scheme(), "http" | "https"));
        }
    }
}
