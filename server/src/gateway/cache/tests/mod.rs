//! The cache as its callers and its upstream see it. The upstream is a function that is told what to answer, takes its
//! time on the paused clock, and notes what it was asked.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use trailmark_protocol::Timestamp;

use super::*;
use crate::clock::ManualClock;
use crate::gateway::units::Size;

mod storing;
mod asking;
mod revalidating;
mod staling;
mod collapsing;
mod streaming;
mod poisoning;

type Answer = Result<Response, Problem>;
/// What the upstream answers to which call.
type Script = dyn Fn(usize, &Parts) -> Answer + Send + Sync;
type Lines<'a> = &'a [(&'a str, &'a str)];

const API: Origin<'static> = Origin {
    scheme: "https",
    host: "api.example",
};

struct House {
    cache: Arc<Cache>,
    clock: Arc<ManualClock>,
    route: Arc<RouteCache>,
    upstream: Arc<Upstream>,
    credentials: bool,
}

struct Upstream {
    answer: Box<Script>,
    latency: Duration,
    asked: Mutex<Vec<Parts>>,
}

/// A response, read to its end.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl House {
    fn new(answer: impl Fn(usize, &Parts) -> Answer + Send + Sync + 'static) -> Self {
        Self::with("", Duration::ZERO, answer)
    }

    /// With a route's `cache` table, and the time that the upstream takes.
    fn with(rules: &str, latency: Duration, answer: impl Fn(usize, &Parts) -> Answer + Send + Sync + 'static) -> Self {
        let config = CacheConfig {
            max_bytes: Size(64 << 10),
            max_object: Size(8 << 10),
        };
        let clock = ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000));
        let rules: RouteCacheConfig = toml::from_str(rules).unwrap();
        Self {
            cache: Cache::new(&config, clock.clone()),
            clock,
            route: Arc::new(RouteCache::new("users", "users", &rules)),
            upstream: Arc::new(Upstream {
                answer: Box::new(answer),
                latency,
                asked: Mutex::default(),
            }),
            credentials: false,
        }
    }

    /// The same place, for a caller whom the gateway knows.
    fn known(&self) -> Self {
        Self {
            cache: Arc::clone(&self.cache),
            clock: Arc::clone(&self.clock),
            route: Arc::clone(&self.route),
            upstream: Arc::clone(&self.upstream),
            credentials: true,
        }
    }

    fn unknown(self) -> Self {
        Self {
            credentials: false,
            ..self
        }
    }

    fn fetch(&self) -> impl Fn(Request<Body>) -> BoxFuture<'static, Answer> + Clone + Send + Sync + 'static {
        let upstream = Arc::clone(&self.upstream);
        move |request| {
            let upstream = Arc::clone(&upstream);
            Box::pin(async move { upstream.answer(request).await })
        }
    }

    async fn send(&self, origin: Origin<'_>, request: Request<Body>) -> Answer {
        let answer = self
            .cache
            .answer(&self.route, origin, self.credentials, request, self.fetch());
        answer.await.map(|(response, _)| response)
    }

    async fn ask(&self, method: Method, uri: &str, lines: Lines<'_>) -> Seen {
        read(self.send(API, request(method, uri, lines)).await.unwrap()).await
    }

    async fn get(&self, uri: &str, lines: Lines<'_>) -> Seen {
        self.ask(Method::GET, uri, lines).await
    }

    fn asked(&self) -> usize {
        self.upstream.asked.lock().unwrap().len()
    }

    fn last_asked(&self) -> Parts {
        self.upstream.asked.lock().unwrap().last().unwrap().clone()
    }

    fn pass_seconds(&self, seconds: i64) {
        self.clock.advance_micros(seconds * 1_000_000);
    }
}

impl Upstream {
    async fn answer(&self, request: Request<Body>) -> Answer {
        let parts = request.into_parts().0;
        let call = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(parts.clone());
            asked.len()
        };
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        (self.answer)(call, &parts)
    }
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What the cache says about it.
    fn how(&self) -> &str {
        self.header("cache-status").strip_prefix("trailmark; ").unwrap()
    }
}

fn headers(lines: Lines<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    headers
}

fn request(method: Method, uri: &str, lines: Lines<'_>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    *request.headers_mut() = headers(lines);
    request
}

fn response(status: u16, lines: Lines<'_>, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = headers(lines);
    response
}

/// An answer that is fresh for a minute; its body is the number of the call.
fn minute(call: usize) -> Answer {
    says(call, "max-age=60")
}

fn says(call: usize, cache_control: &str) -> Answer {
    Ok(response(200, &[("cache-control", cache_control)], call.to_string()))
}

async fn read(response: Response) -> Seen {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}
