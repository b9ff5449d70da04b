//! Published keys against an issuer that really answers HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use futures_util::future::join_all;
use futures_util::poll;
use http::StatusCode;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::gateway::problem::Code;

/// As in the configuration below.
const MIN_REFRESH: Duration = Duration::from_secs(30);

/// A deadline for what takes milliseconds.
const SOON: Duration = Duration::from_secs(20);

type Answer = (StatusCode, String);

/// An issuer that answers what it is told to, and counts how often it is asked.
struct Issuer {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
}

struct Running {
    issuer: Arc<Issuer>,
    url: String,
    task: AbortOnDropHandle<()>,
}

async fn keys(State(issuer): State<Arc<Issuer>>) -> Response {
    issuer.asked.fetch_add(1, Ordering::SeqCst);
    let (status, body) = issuer.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Response::builder()
        .status(status)
        .header("location", "/keys")
        .body(Body::from(body))
        .unwrap()
}

impl Running {
    async fn start(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/keys", listener.local_addr().unwrap());
        let issuer = Arc::new(Issuer {
            answer: Mutex::new(answer),
            asked: AtomicUsize::new(0),
        });
        let router = Router::new().route("/keys", get(keys)).with_state(Arc::clone(&issuer));
        let task = AbortOnDropHandle::new(tokio::spawn(accept(listener, tls, router)));
        Self { issuer, url, task }
    }

    async fn with(answer: Answer) -> Self {
        Self::start(answer, None).await
    }

    fn tokens(&self, more: &str) -> Tokens {
        tokens(&format!(
            "issuer = \"https://id.example\"\naudience = [\"api\"]\nalgorithms = [\"RS256\", \"ES256\", \"EdDSA\"]\n\
             jwks_url = \"{}\"\njwks.refresh = \"1h\"\njwks.min_refresh = \"30s\"\n{more}",
            self.url
        ))
    }

    fn answers(&self, answer: Answer) {
        *self.issuer.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.issuer.asked.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, tls.clone(), router.clone()));
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
    use hyper_util::{rt::TokioIo, service::TowerToHyperService};
    let http = hyper::server::conn::http1::Builder::new();
    let service = TowerToHyperService::new(router);
    // What goes wrong here, the client sees.
    match tls {
        None => drop(http.serve_connection(TokioIo::new(stream), service).await),
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                drop(http.serve_connection(TokioIo::new(stream), service).await);
            }
        }
    }
}

/// The fixtures' keys with these names.
fn only(kids: &[&str]) -> Answer {
    let mut set: Value = serde_json::from_str(KEYS_JSON).unwrap();
    set["keys"]
        .as_array_mut()
        .unwrap()
        .retain(|key| kids.contains(&key["kid"].as_str().unwrap()));
    (StatusCode::OK, set.to_string())
}

/// Moves the time that tasks wait for, while sockets go on in theirs.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn unknown(kid: usize) -> String {
    signed(&json!({"alg": "RS256", "kid": kid.to_string()}).to_string(), "{}", b"x")
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it_and_an_old_one_is_forgotten() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let tokens = issuer.tokens("");
    assert!(
        judged(&tokens, token("ES256")).await.is_ok(),
        "the first token waits for the first fetch"
    );
    issuer.answers(only(&["ed25519-EdDSA"]));
    assert_eq!(
        refused(&tokens, token("EdDSA")).await,
        Reason::UnknownKey,
        "too soon for another look"
    );
    assert_eq!(issuer.asked(), 1);
    pass(MIN_REFRESH).await;
    assert!(judged(&tokens, token("EdDSA")).await.is_ok());
    assert_eq!(
        refused(&tokens, token("ES256")).await,
        Reason::UnknownKey,
        "it was withdrawn"
    );
    assert_eq!(issuer.asked(), 2);
}

/// A set of one key without a name.
fn unnamed(kid: &str) -> Answer {
    let (status, set) = only(&[kid]);
    (status, set.replace("\"kid\"", "\"was\""))
}

#[tokio::test]
async fn a_key_without_a_name_is_replaced_too() {
    let issuer = Running::with(unnamed("p256-ES256")).await;
    let tokens = issuer.tokens("");
    assert!(
        judged(&tokens, token("ES256")).await.is_ok(),
        "a key without a name fits a token with one"
    );
    issuer.answers(unnamed("ed25519-EdDSA"));
    pass(MIN_REFRESH).await;
    assert!(judged(&tokens, token("EdDSA")).await.is_ok());
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_bad_signature_of_a_known_key_asks_for_nothing() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let tokens = issuer.tokens("");
    assert!(judged(&tokens, token("ES256")).await.is_ok());
    pass(MIN_REFRESH).await;
    let (message, _) = token("ES256").rsplit_once('.').unwrap();
    assert_eq!(refused(&tokens, &format!("{message}.AAAA")).await, Reason::BadSignature);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let tokens = issuer.tokens("");
    let flood = |from: usize| {
        let forged: Vec<_> = (from..from + 200).map(unknown).collect();
        let tokens = &tokens;
        async move { join_all(forged.iter().map(|token| refused(tokens, token))).await }
    };
    assert!(flood(0).await.iter().all(|reason| *reason == Reason::UnknownKey));
    assert_eq!(issuer.asked(), 1, "they all wait for the first");
    flood(200).await;
    assert_eq!(issuer.asked(), 1, "too soon for another");
    pass(MIN_REFRESH).await;
    tokio::join!(flood(400), flood(600));
    flood(800).await;
    assert_eq!(issuer.asked(), 2, "one for all");
    assert!(judged(&tokens, token("ES256")).await.is_ok());
}

#[tokio::test]
async fn garbage_keeps_the_last_good_keys() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let tokens = issuer.tokens("");
    assert!(judged(&tokens, token("ES256")).await.is_ok());
    let (_, good) = only(&["ed25519-EdDSA"]);
    let garbage = [
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, "{\"keys\":[]}".to_owned()),
        (
            StatusCode::OK,
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}]}".to_owned(),
        ),
        (StatusCode::OK, format!("{good}{}", " ".repeat(256 * 1024))),
        (StatusCode::INTERNAL_SERVER_ERROR, good.clone()),
        (StatusCode::FOUND, good),
    ];
    for (at, answer) in garbage.into_iter().enumerate() {
        issuer.answers(answer);
        pass(MIN_REFRESH).await;
        assert_eq!(refused(&tokens, token("EdDSA")).await, Reason::UnknownKey, "{at}");
        assert_eq!(issuer.asked(), at + 2, "it was asked");
        assert!(judged(&tokens, token("ES256")).await.is_ok(), "{at}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_keeps_the_last_good_keys() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let tokens = issuer.tokens("");
    assert!(judged(&tokens, token("ES256")).await.is_ok());
    issuer.task.abort();
    assert!(issuer.task.await.unwrap_err().is_cancelled(), "its port is closed");
    pass(MIN_REFRESH).await;
    assert_eq!(refused(&tokens, token("EdDSA")).await, Reason::UnknownKey);
    assert!(judged(&tokens, token("ES256")).await.is_ok());
}

#[tokio::test]
async fn while_there_was_never_a_key_the_answer_is_to_come_again_and_the_next_look_is_a_second_away() {
    let issuer = Running::with((StatusCode::SERVICE_UNAVAILABLE, String::new())).await;
    let tokens = issuer.tokens("");
    let problem = tokens.verify(token("ES256"), NOW).await.unwrap_err();
    assert_eq!(problem.code(), Code::KeyringUnavailable);
    issuer.answers(only(&["p256-ES256"]));
    pass(Duration::from_secs(1)).await;
    let good = async {
        while judged(&tokens, token("ES256")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, good)
        .await
        .expect("it looks again by itself");
}

#[tokio::test]
async fn a_look_goes_on_when_the_one_who_asked_for_it_goes_away() {
    let issuer = Running::with(only(&["ed25519-EdDSA"])).await;
    let tokens = issuer.tokens("");
    let mut asks = Box::pin(judged(&tokens, token("ES256")));
    assert!(poll!(&mut asks).is_pending());
    drop(asks);
    assert!(judged(&tokens, token("EdDSA")).await.is_ok());
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn keys_are_fetched_before_the_first_token_when_it_is_started_and_again_every_refresh() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let tokens = issuer.tokens("");
    assert_eq!(issuer.asked(), 0, "nothing before the start");
    tokens.start();
    let asked = async |times: usize| {
        let until = async {
            while issuer.asked() < times {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, until).await.expect("it asks by itself");
    };
    asked(1).await;
    assert!(judged(&tokens, token("ES256")).await.is_ok());
    pass(Duration::from_secs(60 * 60)).await;
    asked(2).await;
}

#[tokio::test]
async fn keys_come_over_tls_from_who_has_the_certificate_and_from_nobody_else() {
    let file = |name: &str| fixtures().join(name);
    let chain = vec![CertificateDer::from_pem_file(file("tls.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("tls.key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let server = server.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let issuer = Running::start(only(&["p256-ES256"]), Some(TlsAcceptor::from(Arc::new(server)))).await;
    assert!(
        judged(&issuer.tokens("jwks.ca = \"tls.pem\""), token("ES256"))
            .await
            .is_ok()
    );
    let stranger = issuer.tokens("jwks.ca = \"stranger.pem\"");
    assert_eq!(refused(&stranger, token("ES256")).await, Reason::KeysUnavailable);
}

#[tokio::test]
async fn what_it_knows_stays_while_the_configuration_is_the_same() {
    let issuer = Running::with(only(&["p256-ES256"])).await;
    let config = |more: &str| issuer.tokens(more).config;
    let (tokens, folder) = (issuer.tokens(""), tempfile::tempdir().unwrap());
    assert!(tokens.is_same(&config(""), folder.path()));
    assert!(!tokens.is_same(&config("leeway = \"1s\""), folder.path()));
    assert!(all().is_same(&all().config, &fixtures()));
    assert!(!all().is_same(&all().config, folder.path()), "the file is another one");
}

#[test]
fn files_that_are_missing_or_hold_no_key_are_named() {
    let new = |config: &str| {
        Tokens::new(toml::from_str(config).unwrap(), &fixtures())
            .unwrap_err()
            .concat()
    };
    let published = "issuer = \"i\"\naudience = [\"a\"]\nalgorithms = [\"RS256\"]";
    assert!(new(&format!("{published}\njwks_file = \"none.json\"")).contains("none.json"));
    assert!(new(&format!("{published}\njwks_file = \"RS256.jwt\"")).starts_with("jwks_file: "));
    assert!(
        new(&format!(
            "{published}\njwks_url = \"https://id.example\"\njwks.ca = \"rsa.pem\""
        ))
        .starts_with("jwks.ca: ")
    );
}
