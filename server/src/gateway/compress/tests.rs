use std::io::Read;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::HeaderName;
use http_body_util::BodyExt;
use proptest::prelude::*;

use super::*;

fn asking(accepts: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepts.parse().unwrap())])
}

fn answer(headers: &[(HeaderName, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    for (name, value) in headers {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

fn text(length: usize) -> Response<Body> {
    answer(&[(header::CONTENT_TYPE, "text/plain")], "x".repeat(length))
}

fn coding_of(response: &Response<Body>) -> Option<&str> {
    response.headers().get(header::CONTENT_ENCODING)?.to_str().ok()
}

fn decode(coding: Option<&str>, wire: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        Some("gzip") => flate2::read::GzDecoder::new(wire).read_to_end(&mut plain),
        Some("br") => brotli_decompressor::Decompressor::new(wire, 4096).read_to_end(&mut plain),
        Some("zstd") => zstd::stream::read::Decoder::new(wire).unwrap().read_to_end(&mut plain),
        _ => return wire.to_vec(),
    }
    .unwrap();
    plain
}

fn collect(response: Response<Body>) -> Bytes {
    futures_util::FutureExt::now_or_never(response.into_body().collect())
        .unwrap()
        .unwrap()
        .to_bytes()
}

proptest! {
    #[test]
    fn every_coding_decodes_to_what_was_answered(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4000), 0..8),
        repeat in 1usize..40,
        is_streamed in any::<bool>(),
        accepts in prop::sample::select(vec!["gzip", "br", "zstd", "gzip, br, zstd", "identity", "*", "deflate", ""]),
        kind in prop::sample::select(vec!["text/html", "application/json", "image/png", "image/svg+xml", "text/event-stream"]),
    ) {
        let parts: Vec<_> = parts.iter().map(|part| part.repeat(repeat)).collect();
        let plain = parts.concat();
        let body = match is_streamed {
            true => Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, Infallible>))),
            false => Body::from(plain.clone()),
        };
        let answered = compress(&asking(accepts), answer(&[(header::CONTENT_TYPE, kind)], body));
        let coding = coding_of(&answered).map(str::to_owned);
        if matches!(kind, "image/png" | "text/event-stream") || matches!(accepts, "identity" | "deflate" | "") {
            prop_assert_eq!(&coding, &None);
        } else if is_streamed || plain.len() >= 1024 {
            prop_assert!(coding.is_some());
        }
        prop_assert_eq!(decode(coding.as_deref(), &collect(answered)), plain);
    }
}

#[test]
fn the_client_says_which_coding_and_of_equals_the_cheapest_is_taken() {
    for (accepts, coding) in [
        ("gzip, deflate, br, zstd", Some("zstd")),
        ("gzip, deflate, br", Some("br")),
        ("zstd;q=0.1, gzip;q=0.9", Some("gzip")),
        ("zstd;q=0, *", Some("br")),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", Some("gzip")),
        ("gzip;q=0", None),
        ("", None),
    ] {
        let answered = compress(&asking(accepts), text(2000));
        assert_eq!(coding_of(&answered), coding, "{accepts}");
        assert_eq!(
            answered.headers()[header::VARY],
            "accept-encoding",
            "caches must know in any case"
        );
    }
}

#[test]
fn what_would_not_gain_or_must_not_change_stays_as_it_is() {
    let kind = (header::CONTENT_TYPE, "text/plain");
    let headers: &[&[(HeaderName, &str)]] = &[
        &[],
        &[(header::CONTENT_TYPE, "IMAGE/png")],
        &[(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")],
        &[(header::CONTENT_TYPE, "application/grpc+proto")],
        &[kind.clone(), (header::CONTENT_ENCODING, "gzip")],
        &[kind.clone(), (header::CONTENT_RANGE, "bytes 0-1/2")],
        &[kind.clone(), (header::CACHE_CONTROL, "private, No-Transform")],
        &[kind.clone(), (header::SET_COOKIE, "sid=1")],
        &[kind.clone(), (CONTENT_DIGEST, "sha-256=:AA==:")],
    ];
    for headers in headers {
        let answered = compress(&asking("gzip"), answer(headers, "x".repeat(5000)));
        assert_eq!(collect(answered), "x".repeat(5000), "{headers:?}");
    }
    assert_eq!(coding_of(&compress(&asking("gzip"), text(1023))), None);
    assert_eq!(coding_of(&compress(&asking("gzip"), text(1024))), Some("gzip"));
}

#[test]
fn answers_without_a_whole_body_are_left_alone() {
    for status in [101, 204, 205, 206, 304] {
        let mut response = text(5000);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let answered = compress(&asking("gzip"), response);
        assert_eq!(coding_of(&answered), None, "{status}");
        assert!(!answered.headers().contains_key(header::VARY), "{status}");
    }
}

#[test]
fn validators_and_lengths_say_what_is_sent() {
    let headers = [
        (header::CONTENT_TYPE, "text/css"),
        (header::CONTENT_LENGTH, "5000"),
        (header::ETAG, "\"v1\""),
        (header::VARY, "origin"),
    ];
    let answered = compress(&asking("br"), answer(&headers, "x".repeat(5000)));
    assert_eq!(answered.headers()[header::ETAG], "W/\"v1\"");
    assert!(!answered.headers().contains_key(header::CONTENT_LENGTH));
    let varies: Vec<_> = answered.headers().get_all(header::VARY).iter().collect();
    assert_eq!(varies, ["origin", "accept-encoding"]);
    let weak = [(header::CONTENT_TYPE, "text/css"), (header::ETAG, "W/\"v1\"")];
    let answered = compress(&asking("br"), answer(&weak, "x".repeat(5000)));
    assert_eq!(answered.headers()[header::ETAG], "W/\"v1\"");
    let as_it_is = compress(&asking("br;q=0"), answer(&headers, "x".repeat(5000)));
    assert_eq!(as_it_is.headers()[header::ETAG], "\"v1\"");
}

#[tokio::test]
async fn a_slow_answer_goes_out_as_far_as_it_has_come() {
    for coding in OFFERED {
        let come = stream::iter([Ok::<_, Infallible>("so far ".repeat(300))]);
        let body = Body::from_stream(come.chain(stream::pending()));
        let answered = compress(&asking(coding), answer(&[(header::CONTENT_TYPE, "text/plain")], body));
        let (mut body, mut wire) = (answered.into_body(), Vec::new());
        while let Some(Some(Ok(frame))) = futures_util::FutureExt::now_or_never(body.frame()) {
            wire.extend_from_slice(&frame.into_data().unwrap());
        }
        assert_eq!(so_far(coding, &wire), "so far ".repeat(300).as_bytes(), "{coding}");
    }
}

/// What decodes of a stream that has not ended.
fn so_far(coding: &str, wire: &[u8]) -> Vec<u8> {
    let mut decoder: Box<dyn Read + '_> = match coding {
        "gzip" => Box::new(flate2::read::GzDecoder::new(wire)),
        "br" => Box::new(brotli_decompressor::Decompressor::new(wire, 4096)),
        _ => Box::new(zstd::stream::read::Decoder::new(wire).unwrap()),
    };
    let (mut plain, mut chunk) = (Vec::new(), [0; 512]);
    while let Ok(read @ 1..) = decoder.read(&mut chunk) {
        plain.extend_from_slice(&chunk[..read]);
    }
    plain
}
