use serde_json::{Value, json};

use super::*;
use crate::query::ask::question::read_value;

fn kept(http: Value) -> Result<HttpTarget, String> {
    let read = read_value(http).map_err(|error| error.to_string())?;
    super::http(read, &Guard::new(Vec::new())).map_err(|error| error.to_string())
}

fn refusal(field: &str, value: Value) -> String {
    let mut http = json!({"url": "https://a.example/", "method": "POST"});
    http[field] = value;
    kept(http).unwrap_err()
}

#[test]
fn a_request_has_defaults_and_a_usual_spelling() {
    let http = kept(json!({"url": "HTTPS://A.example/health?x=1#top", "headers": {"X-Key": "1"}})).unwrap();
    assert_eq!(http.url, "https://a.example/health?x=1");
    assert_eq!(
        http.headers,
        BTreeMap::from([("x-key".to_owned(), Some("1".to_owned()))])
    );
    assert_eq!((http.method, http.follow_redirects), (Verb::Get, true));
    assert_eq!(http.expected_status, ["200-299"]);
    assert_eq!(Target::Http(http).shown(), "https://a.example/health");
}

#[test]
fn what_cannot_be_asked_is_refused_by_its_place() {
    for (field, value, problem) in [
        ("url", json!("ftp://a.example"), "`http.url` is neither http nor https"),
        (
            "url",
            json!("http://127.1/"),
            "`http.url` cannot be called: 127.0.0.1 leads to",
        ),
        ("url", json!("http://[::ffff:10.0.0.1]/"), "`http.url` cannot be called"),
        ("method", json!("CONNECT"), "`method` unknown variant"),
        (
            "headers",
            json!({"Host": "b"}),
            "`http.headers.Host` is set by the connection",
        ),
        (
            "headers",
            json!({"Proxy-Authorization": "b"}),
            "`http.headers.Proxy-Authorization` is set",
        ),
        ("headers", json!({"a b": "b"}), "`http.headers.a b` is no name"),
        ("headers", json!({"a": "b\r\nc: d"}), "`http.headers.a` is no value"),
        (
            "headers",
            json!({"a": "1", "A": "2"}),
            "`http.headers.a` is given twice",
        ),
        ("headers", json!({"a": "b".repeat(4_097)}), "`http.headers.a` is longer"),
        ("body", json!("a\0"), "`http.body` holds a NUL"),
        ("body", json!("a".repeat(16_385)), "`http.body` is longer"),
        ("expected_status", json!([]), "`http.expected_status` has not"),
        (
            "expected_status",
            json!(["200", "2xx"]),
            "`http.expected_status[1]` is no status",
        ),
        (
            "expected_status",
            json!(["299-200"]),
            "`http.expected_status[0]` is no status",
        ),
        (
            "expected_status",
            json!(["+20"]),
            "`http.expected_status[0]` is no status",
        ),
        (
            "expected_body",
            json!([{"contains": ""}]),
            "`http.expected_body[0].contains` is empty",
        ),
        (
            "expected_body",
            json!([{"lacks": "\0"}]),
            "`http.expected_body[0].lacks` holds a NUL",
        ),
        (
            "expected_body",
            json!([{"json": {"pointer": "a", "equals": 1}}]),
            "`http.expected_body[0].json.pointer` does not",
        ),
        (
            "expected_body",
            json!([{"json": {"pointer": "", "equals": ["\0"]}}]),
            "`http.expected_body[0].json.equals` holds a NUL",
        ),
        (
            "expected_body",
            json!(vec![json!({"contains": "a"}); 11]),
            "`http.expected_body` has more",
        ),
        ("expected_body", json!([{"sounds_like": "a"}]), "`expected_body[0]"),
        ("redirects", json!(true), "`redirects` unknown field"),
    ] {
        let found = refusal(field, value);
        assert!(found.starts_with(problem), "{problem}: {found}");
    }
    let body = kept(json!({"url": "http://a.example", "body": "x"})).unwrap_err();
    assert_eq!(body, "`http.body` is not sent with GET or HEAD");
}

#[test]
fn a_connection_is_to_a_host_and_a_port() {
    let guard = Guard::new(Vec::new());
    let read = |host: &str, port| {
        let host = host.to_owned();
        super::tcp(&TcpTarget { host, port }, &guard).map_err(|error| error.to_string())
    };
    assert_eq!(read("DB.example", 5432).unwrap().host, "db.example");
    assert_eq!(read("db.example", 0).unwrap_err(), "`tcp.port` is no port");
    assert_eq!(
        read("a/b", 1).unwrap_err(),
        "`tcp.host` is no name of a host and no address"
    );
    assert!(
        read("0x7f.1", 1)
            .unwrap_err()
            .starts_with("`tcp.host` cannot be called: 127.0.0.1")
    );
}

#[test]
fn a_check_ends_before_the_next_begins() {
    let problem = |interval, timeout| times(interval, timeout).unwrap_err().to_string();
    assert!(times(10, 10_000).is_ok() && times(3_600, 30_000).is_ok());
    assert!(problem(9, 1_000).starts_with("`interval_s` is no number"));
    assert!(problem(3_601, 1_000).starts_with("`interval_s` is no number"));
    assert!(problem(60, 30_001).starts_with("`timeout_ms` is no number"));
    assert_eq!(problem(10, 10_001), "`timeout_ms` is longer than the interval");
}

#[test]
fn header_values_are_kept_and_not_shown() {
    let target = |value: Option<&str>| {
        let mut http = kept(json!({"url": "http://a.example"})).unwrap();
        http.headers.insert("x".to_owned(), value.map(str::to_owned));
        Target::Http(http)
    };
    let stored = target(Some("secret"));
    assert_eq!(stored.clone().without_secrets(), target(None));
    assert_eq!(target(None).with_secrets_of(&stored), stored);
    assert_eq!(target(Some("new")).with_secrets_of(&stored), target(Some("new")));
    assert!(whole(&target(None)).is_err() && whole(&stored).is_ok());
}
