//! What is stored, and for whom.

use proptest::prelude::*;

use super::*;

/// Whether a second caller is given the answer to the first.
async fn shared(first: Lines<'_>, second: Lines<'_>, answer: Lines<'static>) -> bool {
    let house = House::new(move |call, _| Ok(response(200, answer, call.to_string())));
    house.get("/a", first).await;
    house.get("/a", second).await.body == "1"
}

#[tokio::test]
async fn an_answer_is_given_again_until_it_is_stale() {
    let house = House::new(|call, _| minute(call));
    assert_eq!(house.get("/a", &[]).await.how(), "fwd=miss; stored");
    house.pass_seconds(59);
    let hit = house.get("/a", &[]).await;
    assert_eq!(
        (hit.body.as_str(), hit.header("age"), hit.how()),
        ("1", "59", "hit; ttl=1")
    );
    assert_eq!(hit.header("content-length"), "1");
    house.pass_seconds(1);
    let next = house.get("/a", &[]).await;
    assert_eq!((next.body.as_str(), next.how()), ("2", "fwd=stale; stored"));
}

#[tokio::test]
async fn headers_that_come_more_than_once_are_all_kept_and_those_of_a_connection_are_not() {
    let lines: Lines<'static> = &[
        ("cache-control", "max-age=60"),
        ("link", "<a>"),
        ("link", "<b>"),
        ("connection", "close, X-Hop"),
        ("x-hop", "1"),
        ("keep-alive", "5"),
    ];
    let house = House::new(move |_, _| Ok(response(200, lines, "x")));
    house.get("/a", &[]).await;
    let hit = house.get("/a", &[]).await;
    assert_eq!(hit.headers.get_all("link").iter().count(), 2);
    assert!(
        ["connection", "x-hop", "keep-alive"]
            .iter()
            .all(|name| !hit.headers.contains_key(*name))
    );
    assert!(hit.header("date").ends_with("GMT"), "{}", hit.header("date"));
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_stored_only_by_default_ttl_and_only_if_it_is_good() {
    assert!(!shared(&[], &[], &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]).await);
    let status = |call: usize| if call < 3 { 200 } else { 404 };
    let answer = move |call, _: &Parts| Ok(response(status(call), &[], call.to_string()));
    let house = House::with("default_ttl = \"30s\"", Duration::ZERO, answer);
    house.get("/a", &[]).await;
    house.pass_seconds(29);
    assert_eq!(house.get("/a", &[]).await.body, "1");
    house.pass_seconds(1);
    assert_eq!(house.get("/a", &[]).await.body, "2");
    for call in ["3", "4"] {
        assert_eq!(house.get("/missing", &[]).await.body, call, "a 404 has no default");
    }
    assert_eq!(
        house.known().get("/a", &[]).await.body,
        "5",
        "nor has what is asked with credentials"
    );
}

#[tokio::test]
async fn private_and_no_store_are_not_stored_however_they_are_written() {
    for said in [
        "private, max-age=60",
        "PRIVATE,max-age=60",
        "max-age=60, No-Store",
        "private=\"x\", max-age=60",
    ] {
        let house = House::new(move |call, _| says(call, said));
        house.get("/a", &[]).await;
        assert_eq!(house.get("/a", &[]).await.how(), "fwd=miss", "{said}");
    }
}

#[tokio::test]
async fn what_is_asked_with_credentials_is_stored_only_if_the_answer_is_for_all() {
    for said in ["max-age=60", "max-age=60, max-age=70", "max-age=60, proxy-revalidate"] {
        for credentials in [("authorization", "Bearer a"), ("cookie", "sid=1"), ("x-api-key", "k")] {
            let house = House::new(move |call, _| says(call, said));
            house.get("/a", &[credentials]).await;
            assert_eq!(house.get("/a", &[]).await.body, "2", "{said} {credentials:?}");
        }
        let house = House::new(move |call, _| says(call, said));
        house.known().get("/a", &[]).await;
        assert_eq!(house.get("/a", &[]).await.body, "2", "{said}, taken out by the gateway");
    }
    for said in ["public, max-age=60", "s-maxage=60", "max-age=60, must-revalidate"] {
        let house = House::new(move |call, _| says(call, said));
        house.known().get("/a", &[("authorization", "Bearer a")]).await;
        assert_eq!(house.get("/a", &[]).await.body, "1", "{said}");
    }
}

#[tokio::test]
async fn who_comes_with_credentials_is_given_only_what_is_for_all() {
    for (said, body) in [("max-age=60", "2"), ("public, max-age=60", "1")] {
        let house = House::new(move |call, _| says(call, said));
        house.get("/a", &[]).await;
        assert_eq!(house.known().get("/a", &[]).await.body, body, "{said}");
        assert_eq!(house.get("/a", &[]).await.body, "1", "the stored answer stays");
    }
}

#[tokio::test]
async fn an_answer_chosen_by_credentials_that_the_gateway_took_out_is_not_stored() {
    let lines: Lines<'static> = &[("cache-control", "public, max-age=60"), ("vary", "Authorization")];
    let house = House::new(move |call, _| Ok(response(200, lines, call.to_string())));
    house.known().get("/a", &[]).await;
    assert_eq!(house.known().get("/a", &[]).await.body, "2");
    house.get("/b", &[("authorization", "a")]).await;
    assert_eq!(
        house.get("/b", &[("authorization", "b")]).await.body,
        "4",
        "where it is there, it selects"
    );
    assert_eq!(house.get("/b", &[("authorization", "a")]).await.body, "3");
}

#[tokio::test]
async fn an_answer_that_sets_a_cookie_is_not_stored_even_if_it_is_public() {
    assert!(
        !shared(
            &[],
            &[],
            &[("cache-control", "public, max-age=60"), ("set-cookie", "a=b")]
        )
        .await
    );
}

#[tokio::test]
async fn parts_failures_and_answers_to_other_methods_are_not_stored() {
    for status in [206, 500, 503, 418] {
        let lines: Lines<'static> = &[("cache-control", "max-age=60"), ("content-range", "bytes 0-0/2")];
        let house = House::new(move |call, _| Ok(response(status, lines, call.to_string())));
        house.get("/a", &[]).await;
        assert_eq!(house.get("/a", &[]).await.body, "2", "{status}");
    }
    let house = House::new(|call, _| minute(call));
    assert_eq!(house.ask(Method::POST, "/a", &[]).await.how(), "fwd=method");
    assert_eq!(house.get("/a", &[]).await.body, "2");
}

#[tokio::test]
async fn vary_tells_answers_apart_and_a_star_stores_none() {
    let by_language: Lines<'static> = &[("cache-control", "max-age=60"), ("vary", "Accept-Language")];
    assert!(shared(&[("accept-language", "de")], &[("accept-language", "de")], by_language).await);
    assert!(!shared(&[("accept-language", "de")], &[("accept-language", "en")], by_language).await);
    assert!(!shared(&[("accept-language", "de")], &[], by_language).await);
    assert!(!shared(&[], &[], &[("cache-control", "max-age=60"), ("vary", "*")]).await);
}

#[tokio::test]
async fn a_route_tells_answers_apart_by_headers_of_its_own() {
    let house = House::with("vary = [\"X-Tenant\"]", Duration::ZERO, |call, _| minute(call));
    house.get("/a", &[("x-tenant", "1")]).await;
    assert_eq!(house.get("/a", &[("x-tenant", "2")]).await.body, "2");
    assert_eq!(house.get("/a", &[("x-tenant", "1")]).await.body, "1");
}

#[tokio::test]
async fn of_one_url_only_the_newest_few_variants_are_kept() {
    let lines: Lines<'static> = &[("cache-control", "max-age=60"), ("vary", "x-any")];
    let house = House::new(move |call, _| Ok(response(200, lines, call.to_string())));
    for value in 0..9 {
        house.get("/a", &[("x-any", &value.to_string())]).await;
    }
    assert_eq!(house.get("/a", &[("x-any", "1")]).await.body, "2");
    assert_eq!(
        house.get("/a", &[("x-any", "0")]).await.body,
        "10",
        "the ninth drove out the first"
    );
}

#[tokio::test]
async fn the_bytes_of_all_answers_stay_within_the_bound() {
    let house = House::new(|_, _| Ok(response(200, &[("cache-control", "max-age=60")], "x".repeat(8 << 10))));
    for page in 0..40 {
        house.get(&format!("/{page}"), &[]).await;
        let bytes = house.cache.store.counted();
        assert!(bytes <= 64 << 10, "{bytes} bytes after page {page}");
    }
    assert!(house.cache.weight() >= 8 << 10, "something is stored");
}

fn any_case(text: &'static str) -> impl Strategy<Value = String> {
    any::<u32>().prop_map(move |bits| {
        let upper = |index: usize| bits >> (index % 32) & 1 == 1;
        let letter = |(index, c): (usize, char)| if upper(index) { c.to_ascii_uppercase() } else { c };
        text.chars().enumerate().map(letter).collect()
    })
}

fn directive() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("max-age=60"),
        Just("max-age=70"),
        Just("s-maxage=60"),
        Just("public"),
        Just("private"),
        Just("private=\"a, b\""),
        Just("no-store"),
        Just("no-cache"),
        Just("must-revalidate"),
        Just("x=\"y, private\""),
        Just("stale-while-revalidate=9"),
        Just("immutable"),
        Just(""),
        Just("x=\""),
    ]
    .prop_flat_map(any_case)
}

fn caller() -> impl Strategy<Value = (bool, Vec<(&'static str, &'static str)>)> {
    let lines = prop_oneof![
        Just(("authorization", "a")),
        Just(("authorization", "b")),
        Just(("cookie", "c")),
        Just(("accept", "d")),
        Just(("cache-control", "max-stale")),
        Just(("if-none-match", "\"e\"")),
    ];
    (any::<bool>(), prop::collection::vec(lines, 0..3))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn what_is_meant_for_one_caller_never_reaches_another(
        said in prop::collection::vec(directive(), 0..4),
        more in prop::collection::vec(directive(), 0..2),
        sets_cookie in prop::bool::weighted(0.1),
        vary in prop::option::of(prop_oneof![Just("cookie"), Just("authorization, accept"), Just("*")]),
        first in caller(),
        second in caller(),
    ) {
        // Two open quotes make one text of what is between them (RFC 9110 §5.6.4), which then is no directive.
        let is_plain = |said: &[String]| said.iter().filter(|part| part.eq_ignore_ascii_case("x=\"")).count() < 2;
        prop_assume!(is_plain(&said) && is_plain(&more));
        let (said, more) = (said.join(" ,"), more.join(","));
        let mut lines = headers(&[("cache-control", &said), ("cache-control", &more), ("etag", "\"z\"")]);
        lines.extend(vary.map(|vary| (http::header::VARY, HeaderValue::from_static(vary))));
        lines.extend(sets_cookie.then_some((http::header::SET_COOKIE, HeaderValue::from_static("a=b"))));
        let answer = move |call: usize, _: &Parts| {
            let mut answer = response(200, &[], call.to_string());
            *answer.headers_mut() = lines.clone();
            Ok(answer)
        };
        let rules = "default_ttl = \"60s\"\nstale_while_revalidate = \"60s\"";
        let house = House::with(rules, Duration::ZERO, answer);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let crossed = runtime.block_on(async {
            for (known, lines) in [&first, &second] {
                let house = if *known { house.known() } else { house.known().unknown() };
                if house.get("/a", lines).await.body == "1" && house.asked() == 1 && std::ptr::eq(lines, &second.1) {
                    return true;
                }
            }
            false
        });
        let text = format!("{said},{more}").to_ascii_lowercase();
        let has = |word: &str| text.split(',').any(|part| part.trim().starts_with(word));
        let credentials = |(known, lines): &(bool, Vec<(&str, &str)>)| {
            *known || lines.iter().any(|(name, _)| matches!(*name, "authorization" | "cookie"))
        };
        let for_all = has("public") || has("must-revalidate") || has("s-maxage");
        if crossed {
            prop_assert!(!has("no-store") && !has("no-cache") && !sets_cookie && vary != Some("*"), "{text}");
            prop_assert!(!text.replace("\"y, private\"", "").contains("private"), "{text}");
            prop_assert!(for_all || !credentials(&first), "{text} {first:?}");
            prop_assert!(for_all || !credentials(&second), "{text} {second:?}");
        }
    }
}
