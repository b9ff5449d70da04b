//! Rules on whole messages.

use std::io::Write;
use std::time::Duration;

use http_body_util::BodyExt;

use super::*;
use crate::gateway::body::Budget;
use crate::gateway::transform::tests::{ann, scope};

const TENANT: &str = "set = { tenant = '${claims.tenant}' }\nremove = ['secret']";

fn rules(toml: &str) -> BodyRules {
    toml::from_str::<BodyRulesConfig>(toml).unwrap().compile().unwrap()
}

struct Sent {
    headers: HeaderMap,
    text: String,
}

async fn sent(headers: HeaderMap, body: Body) -> Sent {
    let bytes = body.collect().await.unwrap().to_bytes();
    Sent {
        headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn message_headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &'static str)| (name.parse().unwrap(), value.parse().unwrap());
    lines.iter().map(line).collect::<HeaderMap>()
}

/// What becomes of a request, with a limit of 1 KiB.
async fn request(headers: &[(&'static str, &'static str)], body: impl Into<Body>) -> Result<Sent, Problem> {
    let mut request = Request::new(body.into());
    *request.headers_mut() = message_headers(headers);
    let budget = Budget::new(1 << 20);
    let limits = Limits {
        budget: &budget,
        max_body: 1024,
        deadline: Duration::from_secs(5),
    };
    let changed = rules(TENANT).request(request, &scope(Some(&ann())), &limits).await?;
    let (parts, body) = changed.into_parts();
    Ok(sent(parts.headers, body).await)
}

/// What becomes of an answer.
async fn answer(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<Body>) -> Result<Sent, Problem> {
    answer_to(&Method::GET, TENANT, status, headers, body).await
}

async fn answer_to(
    method: &Method,
    toml: &str,
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: impl Into<Body>,
) -> Result<Sent, Problem> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = message_headers(headers);
    let budget = Budget::new(1 << 20);
    let limits = Limits {
        budget: &budget,
        max_body: 1024,
        deadline: Duration::from_secs(5),
    };
    let changed = rules(toml)
        .response(method, response, &scope(Some(&ann())), &limits)
        .await?;
    let (parts, body) = changed.into_parts();
    Ok(sent(parts.headers, body).await)
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn refused(result: Result<Sent, Problem>) -> Code {
    result.map(|sent| sent.text).unwrap_err().code()
}

#[tokio::test]
async fn a_request_gets_its_new_body_and_true_headers() {
    let headers = [
        ("content-type", "Application/JSON; charset=utf-8"),
        ("content-length", "14"),
        ("content-md5", "x"),
    ];
    let sent = request(&headers, "{\"secret\":true}").await.unwrap();
    assert_eq!(sent.text, "{\"tenant\":\"acme\"}");
    assert_eq!(sent.headers["content-length"], "17");
    assert!(!sent.headers.contains_key("content-md5"));
}

#[tokio::test]
async fn an_encoded_request_is_decoded_and_goes_on_plain() {
    let zstd = zstd::encode_all(&b"{}"[..], 3).unwrap();
    for (coding, body) in [("gzip", gzip(b"{}")), ("zstd", zstd)] {
        let sent = request(&[JSON, ("content-encoding", coding)], body).await.unwrap();
        assert_eq!(sent.text, "{\"tenant\":\"acme\"}", "{coding}");
        assert!(!sent.headers.contains_key("content-encoding"));
    }
    let bomb = gzip(&[b' '; 100_000]);
    assert!(bomb.len() < 1024);
    assert_eq!(
        refused(request(&[JSON, ("content-encoding", "gzip")], bomb).await),
        Code::BodyTooLarge
    );
    assert_eq!(
        refused(request(&[JSON, ("content-encoding", "gzip")], "x").await),
        Code::InvalidEncoding
    );
    assert_eq!(
        refused(request(&[JSON, ("content-encoding", "lzw")], "x").await),
        Code::UnsupportedEncoding
    );
}

#[tokio::test]
async fn a_request_that_is_no_json_is_refused_whatever_it_says_it_is() {
    assert_eq!(refused(request(&[JSON], "{").await), Code::InvalidJson);
    assert_eq!(refused(request(&[], "{}").await), Code::InvalidJson);
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_eq!(
            refused(request(&[("content-type", other)], "{}").await),
            Code::InvalidJson,
            "{other}"
        );
    }
    assert_eq!(refused(request(&[JSON], vec![b' '; 1025]).await), Code::BodyTooLarge);
    let opted_out = request(&[JSON, ("cache-control", "no-transform")], "{}").await.unwrap();
    assert_eq!(opted_out.text, "{\"tenant\":\"acme\"}", "a client cannot opt out");
}

#[tokio::test]
async fn a_request_without_a_body_stays_without() {
    for headers in [&[][..], &[JSON], &[("content-type", "text/plain")]] {
        assert_eq!(request(headers, Body::empty()).await.unwrap().text, "");
        let streamed = Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::new())]));
        assert_eq!(request(headers, streamed).await.unwrap().text, "");
    }
}

#[tokio::test]
async fn an_answer_gets_its_new_body_and_true_headers() {
    let headers = [
        ("content-type", "application/hal+json"),
        ("content-encoding", "gzip"),
        ("etag", "\"v1\""),
        ("accept-ranges", "bytes"),
        ("repr-digest", "x"),
        ("x-kept", "1"),
    ];
    let sent = answer(404, &headers, gzip(b"{\"secret\":1}")).await.unwrap();
    assert_eq!(sent.text, "{\"tenant\":\"acme\"}");
    let wanted = [
        ("content-type", "application/hal+json"),
        ("etag", "W/\"v1\""),
        ("x-kept", "1"),
        ("content-length", "17"),
    ];
    assert_eq!(sent.headers, message_headers(&wanted));
}

#[tokio::test]
async fn an_answer_that_is_no_whole_json_passes_unchanged() {
    for (status, headers) in [
        (200, &[("content-type", "text/event-stream")][..]),
        (200, &[("content-type", "text/html")]),
        (200, &[("content-type", "application/problem+json")]),
        (200, &[]),
        (206, &[JSON]),
        (200, &[JSON, ("cache-control", "private, No-Transform")]),
        (200, &[JSON, ("content-encoding", "lzw")]),
        (200, &[JSON, ("content-encoding", "gzip")]),
    ] {
        let sent = answer(status, headers, "{\"secret\":1}").await.unwrap();
        assert_eq!(
            (sent.text.as_str(), sent.headers),
            ("{\"secret\":1}", message_headers(headers)),
            "{headers:?}"
        );
    }
    let broken = answer(200, &[JSON, ("etag", "\"v1\"")], "{\"secret\":1").await.unwrap();
    assert_eq!(
        (broken.text.as_str(), &broken.headers["etag"]),
        ("{\"secret\":1", &"\"v1\"".parse().unwrap())
    );
}

#[tokio::test]
async fn an_answer_over_the_limit_is_a_fault_of_the_service_and_nothing_of_it_gets_out() {
    assert_eq!(refused(answer(200, &[JSON], vec![b' '; 1025]).await), Code::BadGateway);
    let bomb = gzip(&[b' '; 100_000]);
    assert_eq!(
        refused(answer(200, &[JSON, ("content-encoding", "gzip")], bomb).await),
        Code::BadGateway
    );
    let broken = [Ok(Bytes::from_static(b"{}")), Err(std::io::Error::other("reset"))];
    let broken = Body::from_stream(futures_util::stream::iter(broken));
    assert_eq!(refused(answer(200, &[JSON], broken).await), Code::BadGateway);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_end_is_given_up() {
    let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(refused(answer(200, &[JSON], endless).await), Code::GatewayTimeout);
    let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(refused(request(&[JSON], endless).await), Code::BodyTimeout);
}

#[tokio::test]
async fn errors_are_changed_too_where_the_route_says_so() {
    let toml = format!("{TENANT}\nproblem_json = true");
    let problem = [("content-type", "application/problem+json")];
    let sent = answer_to(&Method::GET, &toml, 500, &problem, "{\"secret\":1}")
        .await
        .unwrap();
    assert_eq!(sent.text, "{\"tenant\":\"acme\"}");
}

#[tokio::test]
async fn answers_without_a_body_do_not_speak_of_the_one_that_was() {
    let headers = [JSON, ("content-length", "12"), ("etag", "\"v1\"")];
    let head = answer_to(&Method::HEAD, TENANT, 200, &headers, Body::empty())
        .await
        .unwrap();
    assert_eq!(head.headers, message_headers(&[JSON, ("etag", "W/\"v1\"")]));
    let fresh = answer(304, &[("etag", "\"v1\"")], Body::empty()).await.unwrap();
    assert_eq!(fresh.headers, message_headers(&[("etag", "W/\"v1\"")]));
}
