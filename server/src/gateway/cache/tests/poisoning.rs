//! Answers that somebody would like to be given to others.

use super::*;

#[tokio::test]
async fn headers_outside_the_key_do_not_reach_the_upstream() {
    let house = House::new(|call, _| minute(call));
    let evil: Lines<'static> = &[
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("forwarded", "host=evil"),
        ("x-http-method-override", "DELETE"),
        ("x-forwarded-prefix", "//evil"),
        ("x-harmless", "1"),
    ];
    house.get("/a", evil).await;
    let asked = house.last_asked().headers;
    assert_eq!(asked.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-harmless"]);
    assert_eq!(
        house.get("/a", &[("x-forwarded-host", "other")]).await.how(),
        "hit; ttl=60",
        "nor make they a key"
    );
}

#[tokio::test]
async fn what_the_gateway_itself_says_of_host_and_scheme_stays() {
    let house = House::new(|call, _| minute(call));
    house
        .get(
            "/a",
            &[("x-forwarded-host", "API.example:443"), ("x-forwarded-proto", "https")],
        )
        .await;
    assert_eq!(house.last_asked().headers.len(), 2);
    house
        .get(
            "/b",
            &[("x-forwarded-host", "api.example"), ("x-forwarded-host", "evil")],
        )
        .await;
    assert!(house.last_asked().headers.is_empty());
}

#[tokio::test]
async fn a_header_that_the_route_keys_on_passes() {
    let house = House::with("vary = [\"x-forwarded-prefix\"]", Duration::ZERO, |call, _| {
        minute(call)
    });
    house.get("/a", &[("x-forwarded-prefix", "/v1")]).await;
    assert_eq!(house.last_asked().headers["x-forwarded-prefix"], "/v1");
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn a_get_with_a_body_is_neither_stored_nor_answered_from_the_store() {
    let house = House::new(|call, _| minute(call));
    let fat = || {
        let mut fat = request(Method::GET, "/a", &[]);
        *fat.body_mut() = Body::from("x=evil");
        fat
    };
    assert_eq!(read(house.send(API, fat()).await.unwrap()).await.how(), "fwd=bypass");
    assert_eq!(house.get("/a", &[]).await.body, "2");
    assert_eq!(read(house.send(API, fat()).await.unwrap()).await.body, "3");
}

#[tokio::test]
async fn hosts_are_one_in_any_case_and_with_their_schemes_port_and_no_other_way() {
    let house = House::new(|call, _| minute(call));
    let at = |scheme, host| {
        let house = &house;
        async move {
            let origin = Origin { scheme, host };
            read(house.send(origin, request(Method::GET, "/a", &[])).await.unwrap())
                .await
                .body
        }
    };
    assert_eq!(at("https", "api.example").await, "1");
    assert_eq!(at("https", "API.example:443").await, "1");
    assert_eq!(at("https", "api.example:80").await, "2");
    assert_eq!(at("http", "api.example").await, "3");
    assert_eq!(at("https", "api.example.evil").await, "4");
}

#[tokio::test]
async fn spellings_of_a_path_or_query_are_different_pages() {
    let house = House::new(|call, _| minute(call));
    for (index, uri) in [
        "/a/.b",
        "/a/%2eb",
        "/a/%2Eb",
        "/a/.b?x=1&y=2",
        "/a/.b?y=2&x=1",
        "/a/.b?",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(house.get(uri, &[]).await.body, (index + 1).to_string(), "{uri}");
    }
}

#[tokio::test]
async fn scopes_do_not_share() {
    let house = House::new(|call, _| minute(call));
    house.get("/a", &[]).await;
    let orders = RouteCache::new("orders", "orders", &RouteCacheConfig::default());
    let orders = House {
        route: Arc::new(orders),
        ..house.known().unknown()
    };
    assert_eq!(orders.get("/a", &[]).await.body, "2");
}
