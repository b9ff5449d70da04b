//! What another page can make a browser do with the cookie that it has.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use trailmark_server::gateway::login::LoginPolicy;
use trailmark_server::gateway::login::config::SessionConfig;

use crate::house::{Answer, Browser, House};

/// A request with the cookie and these headers.
async fn send(browser: &Browser<'_>, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, browser.cookie());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.house.ask(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn another_page_can_neither_refresh_nor_log_out() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let csrf = browser.csrf.as_str();
    for path in ["/api/auth/refresh", "/api/auth/logout"] {
        for headers in [
            &[][..],
            &[("x-csrf-token", "guessed")],
            &[("x-csrf-token", csrf), ("sec-fetch-site", "cross-site")],
            &[
                ("x-csrf-token", csrf),
                ("host", "app.example"),
                ("origin", "https://evil.example"),
            ],
        ] {
            let answer = send(&browser, Method::POST, path, headers).await;
            assert_eq!(answer.refusal(), (403, "csrf_failed"), "{path} {headers:?}");
            assert!(!answer.headers.contains_key(header::SET_COOKIE));
        }
    }
    assert!(browser.check().await.is_ok(), "none of it has changed anything");
    let own = [
        ("x-csrf-token", csrf),
        ("host", "app.example"),
        ("origin", "https://app.example"),
    ];
    assert_eq!(
        send(&browser, Method::POST, "/api/auth/logout", &own).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn reads_need_no_proof_and_changes_of_any_route_do() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let sessions = house.app.login.sessions();
    let headers = http::HeaderMap::from_iter([(header::COOKIE, browser.cookie().parse().unwrap())]);
    let now = house.app.clock.now();
    for (method, passes) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::PUT, false),
        (Method::DELETE, false),
    ] {
        let checked = sessions.check(&headers, &method, now).await.unwrap();
        assert_eq!(checked.is_ok(), passes, "{method}");
    }
}

#[tokio::test]
async fn a_gateway_may_go_without() {
    let house = House::with_ann().await;
    let session = SessionConfig {
        csrf: false,
        ..SessionConfig::default()
    };
    house.app.login.configure(session, LoginPolicy::default());
    let browser = house.browser().await;
    assert_eq!(
        send(&browser, Method::POST, "/api/auth/refresh", &[]).await.status,
        StatusCode::OK
    );
}
