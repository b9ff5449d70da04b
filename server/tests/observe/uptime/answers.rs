//! What a check makes of what a site does.

use serde_json::json;
use trailmark_server::observe::uptime::check::check;

use super::site::{Does, Site, answer, redirect};
use super::watch::{Watch, outbound};

fn well() -> (&'static str, String) {
    Default::default()
}

#[tokio::test]
async fn a_site_that_answers_as_expected_is_well() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let expected = json!([{"contains": "well"}, {"lacks": "error"}, {"matches": "^all is w[e]+ll$"}]);
    let page = json!({"http": {"url": site.url("/"), "expected_body": expected}});
    assert_eq!(watch.failure(page).await, well());
    let post = json!({"http": {"url": site.url("/in"), "method": "POST", "body": "{}", "headers": {"x-key": "1"}}});
    assert_eq!(watch.failure(post).await, well());
    let request = site.requests().pop().unwrap();
    assert!(request.starts_with("POST /in ") && request.contains("x-key: 1\r\n") && request.ends_with("{}"));
}

#[tokio::test]
async fn each_way_to_be_ill_is_told() {
    let (watch, mut site) = (Watch::new().await, Site::new().await);
    let url = site.url("/");
    let failure = async |more: serde_json::Value| {
        let mut http = json!({"url": url});
        http.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        watch.failure(json!({"http": http})).await
    };
    let said = |kind: &'static str, text: &str| (kind, text.to_owned());
    site.says(503);
    assert_eq!(
        failure(json!({"expected_status": ["200"]})).await,
        said("status", "503 instead of 200")
    );
    site.says(200);
    let matches = json!({"expected_body": [{"matches": "[0-9]"}]});
    assert_eq!(
        failure(matches).await,
        said("body", "the body does not match \"[0-9]\"")
    );
    let contains = json!({"expected_body": [{"contains": "ok"}]});
    assert_eq!(
        failure(contains).await,
        said("body", "the body does not contain \"ok\"")
    );
    site.does(|_| answer(200, "", "a\0b"));
    let matches = json!({"expected_body": [{"matches": "a.b"}, {"contains": "\0"}]});
    assert_eq!(failure(matches).await, well(), "a body may hold what Postgres cannot");
    site.does(|_| Does::Hangs(String::new()));
    assert_eq!(failure(json!({})).await, said("timeout", "no answer in time"));
    site.does(|_| Does::Hangs("HTTP/1.1 200 OK\r\n\r\nbeginning".to_owned()));
    assert_eq!(failure(json!({})).await.0, "too_slow_body");
    site.does(|_| Does::Floods("HTTP/1.1 200 OK\r\n\r\n0123456789".to_owned()));
    assert_eq!(failure(json!({})).await, well(), "a huge body is cut");
    site.does(|_| Does::Resets);
    assert_eq!(failure(json!({})).await.0, "protocol");
    site.stop().await;
    assert_eq!(failure(json!({})).await, said("connect", "the connection was refused"));
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_only_where_calls_may_go() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    let port = site.address.port();
    site.does(move |request| match request.split(' ').nth(1).unwrap() {
        "/loop" => redirect("/loop"),
        "/private" => redirect("http://10.0.0.1/"),
        "/metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
        "/name" => redirect("http://inside.example/"),
        "/spelled" => redirect("http://[::ffff:10.0.0.1]/"),
        "/file" => redirect("file:///etc/passwd"),
        "/5" => redirect("/4"),
        "/4" => redirect("/3"),
        "/3" => redirect("/2"),
        "/2" => redirect(&format!("http://site.example:{port}/1")),
        "/1" => redirect("/0"),
        _ => answer(200, "", "here"),
    });
    let failure = async |path: &str| watch.failure(json!({"http": {"url": site.url(path)}})).await;
    assert_eq!(failure("/5").await, well());
    assert_eq!(site.requests().len(), 6);
    assert_eq!(
        failure("/loop").await,
        ("too_many_redirects", "it redirects more than 5 times".to_owned())
    );
    for path in ["/private", "/metadata", "/name", "/spelled"] {
        assert_eq!(failure(path).await.0, "refused_address", "{path}");
    }
    assert_eq!(failure("/file").await.0, "redirect");
    let stay = json!({"http": {"url": site.url("/5"), "follow_redirects": false}});
    assert_eq!(
        watch.failure(stay).await,
        ("status", "302 instead of 200-299".to_owned())
    );
}

#[tokio::test]
async fn another_host_is_not_told_the_headers() {
    let (watch, site, other) = (Watch::new().await, Site::new().await, Site::new().await);
    let there = other.url("/");
    site.does(move |_| redirect(&there));
    let target = json!({"http": {"url": site.url("/"), "headers": {"authorization": "Bearer secret"}}});
    assert_eq!(watch.failure(target).await, well());
    assert!(site.requests()[0].contains("secret"));
    assert!(!other.requests()[0].contains("secret"));
}

#[tokio::test]
async fn all_hops_together_take_no_longer_than_the_timeout() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    site.does(|request| match request.starts_with("GET /slow") {
        true => Does::Hangs(String::new()),
        false => redirect("/slow"),
    });
    let target = serde_json::from_value(json!({"http": {"url": site.url("/")}})).unwrap();
    let timeout = std::time::Duration::from_millis(300);
    let outcome = check(&outbound(), &watch.store, &target, timeout).await.unwrap();
    assert_eq!(outcome.failure.unwrap().kind, "timeout");
    assert!(outcome.took < timeout * 3, "{:?}", outcome.took);
}

#[tokio::test]
async fn a_connection_is_taken_or_it_is_not() {
    let (watch, mut site) = (Watch::new().await, Site::new().await);
    let target = json!({"tcp": {"host": "site.example", "port": site.address.port()}});
    assert_eq!(watch.failure(target.clone()).await, well());
    site.stop().await;
    assert_eq!(
        watch.failure(target).await,
        ("connect", "the connection was refused".to_owned())
    );
    let inside = json!({"tcp": {"host": "inside.example", "port": 5432}});
    assert_eq!(watch.failure(inside).await.0, "refused_address");
}

#[tokio::test]
async fn an_expression_that_is_made_to_be_slow_ends() {
    let (watch, site) = (Watch::new().await, Site::new().await);
    site.does(|_| answer(200, "", &"a".repeat(200_000)));
    let slow = r"^((a+)\2*)+\1(b|\2)+$";
    let target = json!({"http": {"url": site.url("/"), "expected_body": [{"matches": slow}]}});
    let (kind, text) = watch.failure(target).await;
    assert_eq!(kind, "body", "{text}");
}
