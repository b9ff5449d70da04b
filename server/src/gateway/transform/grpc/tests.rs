//! Calls whose answer is made up here; `server/tests/grpc.rs` has a real server.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use proptest::prelude::*;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use super::*;
use crate::gateway::body::Budget;

const SHOP: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/gateway/shop.binpb"));

fn config(method: &str, more: &str) -> GrpcConfig {
    toml::from_str(&format!(
        "upstream = 'orders'\ndescriptors = 'shop.binpb'\nmethod = '{method}'\n{more}"
    ))
    .unwrap()
}

fn method(name: &str) -> Transcoder {
    Transcoder::new(SHOP, &config(name, "timeout = '5s'")).unwrap()
}

fn message(name: &str, json: &Value) -> Vec<u8> {
    let pool = DescriptorPool::decode(SHOP).unwrap();
    let message = DynamicMessage::deserialize(pool.get_message_by_name(name).unwrap(), json).unwrap();
    frame::encode(&message).unwrap().to_vec()
}

/// What a service was sent, as JSON.
async fn read_call(call: Request<Body>, name: &str) -> Value {
    let bytes = call.into_body().collect().await.unwrap().to_bytes();
    let pool = DescriptorPool::decode(SHOP).unwrap();
    let sent = frame::decode(&bytes).unwrap().unwrap();
    let sent = DynamicMessage::decode(pool.get_message_by_name(name).unwrap(), sent).unwrap();
    serde_json::to_value(&sent).unwrap()
}

fn answer(frames: impl Into<Bytes>, trailers: &[(&'static str, &'static str)]) -> Response<Body> {
    let line =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let frames = [
        Frame::data(frames.into()),
        Frame::trailers(trailers.iter().map(line).collect()),
    ];
    let frames = futures_util::stream::iter(frames.map(Ok::<_, std::io::Error>));
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

const OK: &[(&str, &str)] = &[("grpc-status", "0")];

async fn call_at<F>(
    transcoder: &Transcoder,
    request: Request<Body>,
    path: &[(&str, &str)],
    send: impl FnOnce(Request<Body>) -> F,
) -> Result<Response<Body>, Problem>
where
    F: Future<Output = Result<Response<Body>, Problem>>,
{
    let scope = Scope {
        caller: None,
        request_id: "r-1",
        client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        path,
        route: "orders",
    };
    let budget = Budget::new(1 << 20);
    let limits = Limits {
        budget: &budget,
        max_body: 1024,
        deadline: Duration::from_secs(5),
    };
    transcoder.call(request, &scope, &limits, send).await
}

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

fn post(uri: &str, body: &str) -> Request<Body> {
    let request = Request::post(uri).header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).unwrap()
}

/// The message that a `List` is called with.
async fn listed(request: Request<Body>, path: &[(&str, &str)]) -> Result<Value, Problem> {
    let mut sent = None;
    let seen = &mut sent;
    call_at(&method("shop.Orders/List"), request, path, |call| async move {
        *seen = Some(read_call(call, "shop.ListOrders").await);
        Ok(answer(message("shop.OrderList", &json!({})), OK))
    })
    .await?;
    Ok(sent.unwrap())
}

/// The answer to a `Get` whose service answers `response`.
async fn answered(response: Response<Body>) -> Result<(u16, Value), Problem> {
    let response = call_at(&method("shop.Orders/Get"), get("/"), &[], |_| async { Ok(response) }).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap()))
}

async fn refused(response: Response<Body>) -> (Code, String) {
    let problem = answered(response).await.unwrap_err();
    (problem.code(), problem.detail().to_owned())
}

#[tokio::test]
async fn a_call_is_a_post_of_one_frame_with_what_grpc_asks_for() {
    let mut request = post("/api/orders/o1?ignored", r#"{"id":"from the body"}"#);
    for (name, value) in [
        ("host", "shop.example"),
        ("x-user-id", "u1"),
        ("authorization", "Bearer t"),
        ("grpc-timeout", "1n"),
        ("grpc-encoding", "gzip"),
        ("secret-bin", "AAAA"),
        ("accept-encoding", "gzip"),
        ("content-length", "22"),
        ("if-none-match", "x"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    *request.uri_mut() = "/api/orders/o1".parse().unwrap();
    let mut sent = None;
    let seen = &mut sent;
    let send = |call: Request<Body>| async move {
        let head = (
            call.method().clone(),
            call.uri().clone(),
            call.version(),
            call.headers().clone(),
        );
        *seen = Some((head, read_call(call, "shop.GetOrder").await));
        Ok(answer(message("shop.Order", &json!({})), OK))
    };
    call_at(&method("shop.Orders/Get"), request, &[("id", "o1")], send)
        .await
        .unwrap();
    let ((verb, uri, version, headers), body) = sent.unwrap();
    assert_eq!(
        (verb, uri.to_string().as_str(), version),
        (Method::POST, "/shop.Orders/Get", Version::HTTP_2)
    );
    assert_eq!(body, json!({"id": "o1"}), "the path wins");
    let wanted = [
        ("x-user-id", "u1"),
        ("authorization", "Bearer t"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("grpc-accept-encoding", "identity"),
        ("grpc-timeout", "5000m"),
    ];
    assert_eq!(headers.len(), wanted.len(), "{headers:?}");
    assert!(
        wanted.iter().all(|(name, value)| headers[*name] == value),
        "{headers:?}"
    );
}

#[tokio::test]
async fn parameters_are_read_as_their_fields_types() {
    let query = "/?status=STATUS_OPEN&tags=a&tags=b%20c&page.size=10&page.after_number=9007199254740993\
        &since=2026-11-20T21:13:05Z&gift=true&customer=J%C3%B6rg";
    let wanted = json!({"customer": "Jörg", "status": "STATUS_OPEN", "tags": ["a", "b c"],
        "page": {"size": 10, "afterNumber": "9007199254740993"}, "since": "2026-11-20T21:13:05Z", "gift": true});
    assert_eq!(listed(get(query), &[]).await.unwrap(), wanted);
    assert_eq!(
        listed(get("/?page.afterNumber=-1&status=2"), &[]).await.unwrap(),
        json!({"status": "STATUS_SHIPPED", "page": {"afterNumber": "-1"}})
    );
}

#[tokio::test]
async fn the_query_wins_over_the_body_and_the_path_over_both() {
    let body = r#"{"customer":"body","status":"STATUS_OPEN","tags":["body"],"page":{"size":1,"afterNumber":2}}"#;
    let sent = listed(
        post("/?customer=query&tags=query&page.size=3&status=0", body),
        &[("customer", "path")],
    )
    .await;
    let wanted = json!({"customer": "path", "tags": ["query"], "page": {"size": 3, "afterNumber": "2"}});
    assert_eq!(sent.unwrap(), wanted, "0 is the default, and so not there");
}

#[tokio::test]
async fn a_parameter_that_is_no_field_or_no_such_value_is_refused_by_name() {
    let deep = format!("/?{}=1", ["page"; 10_000].join("."));
    for (query, name) in [
        ("/?nobody=1", "`nobody`"),
        ("/?page.nobody=1", "`page.nobody`"),
        ("/?page=1", "`page`"),
        ("/?tags.x=1", "`tags.x`"),
        ("/?status=OPEN", "`status`"),
        ("/?page.size=-1", "`page.size`"),
        ("/?page.size=x", "`page.size`"),
        ("/?since=yesterday", "`since`"),
        ("/?gift=maybe", "`gift`"),
        ("/?customer=a&customer=b", "`customer`"),
        (deep.as_str(), "deeper than 16 messages"),
    ] {
        let problem = listed(get(query), &[]).await.unwrap_err();
        assert_eq!(problem.code(), Code::InvalidParameter, "{query}");
        assert!(problem.detail().contains(name), "{}", problem.detail());
    }
}

#[tokio::test]
async fn a_body_that_is_no_such_message_is_refused() {
    for body in [
        "{",
        "[]",
        "{\"nobody\":1}",
        "{\"tags\":1}",
        "{\"page\":{\"size\":-1}}",
        "{} {}",
        "{\"tags\":[\"\\ud800\"]}",
    ] {
        let problem = listed(post("/", body), &[]).await.unwrap_err();
        assert_eq!(problem.code(), Code::InvalidJson, "{body}: {}", problem.detail());
    }
    let form = Request::post("/").body(Body::from("{}")).unwrap();
    assert_eq!(listed(form, &[]).await.unwrap_err().code(), Code::InvalidJson);
    let large = format!("{{\"customer\":\"{}\"}}", "x".repeat(1024));
    assert_eq!(
        listed(post("/", &large), &[]).await.unwrap_err().code(),
        Code::BodyTooLarge
    );
}

#[tokio::test]
async fn an_answer_is_json_as_protobuf_maps_it() {
    let order = json!({"id": "o1", "number": "9223372036854775807", "status": "STATUS_OPEN", "labels": {"a": "b"},
        "items": [{"sku": "s", "quantity": 2, "price": 0.1}], "placedAt": "2026-11-20T21:13:05.250Z", "receipt": "/w==",
        "card": "c"});
    let mut response = answer(message("shop.Order", &order), OK);
    response.headers_mut().insert("x-kept", HeaderValue::from_static("1"));
    response
        .headers_mut()
        .insert("grpc-encoding", HeaderValue::from_static("identity"));
    let response = call_at(&method("shop.Orders/Get"), get("/"), &[], |_| async { Ok(response) })
        .await
        .unwrap();
    let headers = response.headers();
    assert_eq!(
        (&headers["content-type"], &headers["x-kept"], headers.len()),
        (&"application/json".parse().unwrap(), &"1".parse().unwrap(), 2)
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), order);
}

#[tokio::test]
async fn defaults_and_names_of_the_proto_are_written_where_the_route_says_so() {
    let config = config("shop.Orders/Get", "emit_defaults = true\nproto_names = true");
    let transcoder = Transcoder::new(SHOP, &config).unwrap();
    let order = message("shop.Order", &json!({"placedAt": "2026-11-20T21:13:05Z"}));
    let response = call_at(&transcoder, get("/"), &[], |_| async { Ok(answer(order, OK)) })
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(
        (&body["number"], &body["placed_at"], &body["items"]),
        (&json!("0"), &json!("2026-11-20T21:13:05Z"), &json!([]))
    );
}

#[tokio::test]
async fn an_error_is_told_wherever_its_status_stands() {
    let failed = &[("grpc-status", "5"), ("grpc-message", "no order %22o9%22")];
    let mut trailers_only = Response::new(Body::empty());
    trailers_only.headers_mut().extend(answer("", &[]).headers().clone());
    for (name, value) in failed {
        trailers_only
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    for response in [
        answer("", failed),
        answer(message("shop.Order", &json!({})), failed),
        trailers_only,
    ] {
        let (status, body) = answered(response).await.unwrap();
        assert_eq!(
            (status, &body["code"], &body["detail"]),
            (404, &json!("not_found"), &json!("no order \"o9\""))
        );
        assert_eq!(body["request_id"], "r-1");
    }
    let mut proxy = Response::new(Body::from("<h1>busy</h1>"));
    *proxy.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let (status, body) = answered(proxy).await.unwrap();
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
}

#[tokio::test]
async fn what_is_no_grpc_is_a_bad_gateway() {
    let html = Response::new(Body::from("<h1>hello</h1>"));
    for (response, why) in [
        (html, "did not speak gRPC"),
        (answer("", &[]), "without a grpc-status"),
        (
            answer(message("shop.Order", &json!({})), &[("x", "y")]),
            "without a grpc-status",
        ),
        (answer("", OK), "there is no message"),
        (answer(&b"\0\0\0\0\x05ab"[..], OK), "cut"),
        (answer(&b"\x01\0\0\0\0"[..], OK), "compressed"),
        (answer(&b"\0\0\0\0\0\0\0\0\0\0"[..], OK), "more than one"),
        (answer(&b"\0\0\0\0\x02\x0a\x7f"[..], OK), "shop.Order"),
        (answer(vec![0; 1030], OK), "over 1029 bytes"),
    ] {
        let (code, detail) = refused(response).await;
        assert_eq!(code, Code::BadGateway);
        assert!(detail.contains(why), "{detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_a_504_and_a_refusal_on_the_way_is_passed_on() {
    let transcoder = method("shop.Orders/Get");
    let late = call_at(&transcoder, get("/"), &[], |_| std::future::pending()).await;
    assert_eq!(late.unwrap_err().code(), Code::GatewayTimeout);
    let away = || Problem::new(Code::UpstreamUnavailable, "orders");
    let refused = call_at(&transcoder, get("/"), &[], |_| async { Err(away()) }).await;
    assert_eq!(refused.unwrap_err().code(), Code::UpstreamUnavailable);
    let bare = axum::response::IntoResponse::into_response(away());
    assert_eq!(answered(bare).await.unwrap_err().code(), Code::UpstreamUnavailable);
}

#[test]
fn a_method_that_is_not_there_or_streams_is_a_mistake_in_the_file() {
    for (name, why) in [
        ("shop.Orders", "no method such as"),
        ("shop.Users/Get", "no service `shop.Users`"),
        ("shop.Orders/Nothing", "no method `Nothing`"),
        ("shop.Orders/Watch", "streams"),
    ] {
        let error = Transcoder::new(SHOP, &config(name, "")).unwrap_err();
        assert!(error.starts_with("method: ") && error.contains(why), "{error}");
    }
    let error = Transcoder::new(b"\x0a\x05hello", &config("shop.Orders/Get", "")).unwrap_err();
    assert!(error.starts_with("descriptors: "), "{error}");
}

#[test]
fn the_routes_parameters_can_be_compared_with_the_messages_fields() {
    let transcoder = method("shop.Orders/List");
    for (name, is_field) in [
        ("customer", true),
        ("page.size", true),
        ("page.afterNumber", true),
        ("rest", false),
        ("tags.x", false),
    ] {
        assert_eq!(transcoder.has_parameter(name), is_field, "{name}");
    }
}

#[test]
fn a_timeout_has_eight_digits_at_most() {
    for (timeout, text) in [
        (Duration::from_millis(1), "1m"),
        (Duration::from_secs(30), "30000m"),
        (Duration::from_millis(99_999_999), "99999999m"),
        (Duration::from_secs(100_000), "100000S"),
        (Duration::MAX, "99999999S"),
    ] {
        assert_eq!(timeout_text(timeout), text);
    }
}

proptest! {
    #[test]
    fn no_descriptor_set_upsets_the_reader(at in 0..SHOP.len(), byte: u8, end in 0..=SHOP.len()) {
        let mut bytes = SHOP[..end.max(1)].to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Transcoder::new(&bytes, &config("shop.Orders/Get", ""));
    }

    #[test]
    fn no_request_and_no_answer_upsets_a_call(
        query in "([a-z.]|page|size|=|&|%|[0-9])*", body in "(\\{|\\}|\"tags\"|\"page\"|:|\\[|\\]|,|1|\"a\")*", bytes: Vec<u8>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            if let Ok(uri) = format!("/?{query}").parse::<Uri>() {
                let _ = listed(post(&uri.to_string(), &body), &[]).await;
            }
            let _ = answered(answer(bytes, OK)).await;
        });
    }
}
