//! Who is asked: names, health, balance.

use std::collections::HashSet;
use std::io;
use std::sync::Mutex;

use super::super::dns::Lookup;
use super::*;

/// A server that says its name, on any address of this machine.
async fn named(name: &'static str) -> Server {
    Server::new(move |mut peer, _| async move {
        while peer.request().await.is_some() {
            peer.say(&format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}",
                name.len()
            ))
            .await;
        }
    })
    .await
}

async fn names(upstream: &Upstream, requests: usize) -> HashSet<String> {
    let mut names = HashSet::new();
    for _ in 0..requests {
        names.insert(answer(upstream, get("/")).await.1);
    }
    names
}

/// What a resolver is told to say, and how often it was asked.
#[derive(Default)]
struct Names {
    answer: Mutex<Option<Vec<SocketAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    fn say(&self, answer: Option<Vec<SocketAddr>>) {
        *self.answer.lock().unwrap() = answer;
    }
}

fn resolver(names: &Arc<Names>) -> Lookup {
    let names = Arc::clone(names);
    Arc::new(move |_, _| {
        names.asked.fetch_add(1, Ordering::SeqCst);
        let answer = names.answer.lock().unwrap().clone();
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("no answer")) })
    })
}

#[tokio::test]
async fn new_addresses_of_a_name_come_in_and_gone_ones_go() {
    let (one, two) = (named("one").await, named("two").await);
    let answers = Arc::new(Names::default());
    answers.say(Some(vec![one.address]));
    let config: UpstreamConfig = toml::from_str(
        "balance = \"round_robin\"\nendpoints = [{ url = \"http://users.internal:80\" }]\ndns = { refresh = \"5ms\" }",
    )
    .unwrap();
    let upstream = Upstream::with_lookup("users", &config, resolver(&answers)).unwrap();
    upstream.start();
    assert_eq!(
        names(&upstream, 4).await,
        HashSet::from(["one".to_owned()]),
        "the first request waits for the name"
    );

    let known = |addresses: &[SocketAddr]| {
        let mut now: Vec<_> = upstream
            .state()
            .endpoints
            .iter()
            .map(|endpoint| endpoint.address)
            .collect();
        let mut expected = addresses.to_vec();
        now.sort_unstable();
        expected.sort_unstable();
        now == expected
    };
    let all = [one.address, two.address];
    answers.say(Some(all.to_vec()));
    comes_true(|| known(&all)).await;
    assert_eq!(names(&upstream, 4).await.len(), 2);
    let seen = |address| {
        let state = upstream.state();
        state
            .endpoints
            .iter()
            .find(|endpoint| endpoint.address == address)
            .unwrap()
            .answered
    };
    assert!(seen(one.address) >= 6, "what stays keeps what is known of it");

    answers.say(None);
    let asked = answers.asked.load(Ordering::SeqCst);
    let metadata: SocketAddr = "169.254.169.254:80".parse().unwrap();
    // The second question from now on is asked after the first answer was taken in.
    comes_true(|| answers.asked.load(Ordering::SeqCst) > asked + 1).await;
    assert!(known(&all), "a resolver that fails changes nothing");
    answers.say(Some(vec![two.address, metadata]));
    comes_true(|| known(&[two.address])).await;
    assert_eq!(names(&upstream, 4).await, HashSet::from(["two".to_owned()]));
}

#[tokio::test]
async fn a_name_that_never_resolves_is_an_unavailable_upstream() {
    let config: UpstreamConfig =
        toml::from_str("endpoints = [{ url = \"http://users.internal\" }]\ntimeouts = { connect = \"50ms\" }").unwrap();
    let upstream = Upstream::with_lookup("users", &config, resolver(&Arc::default())).unwrap();
    upstream.start();
    assert_eq!(status(&upstream, get("/")).await, 503);
}

/// As for the balancing; and a file that is refused leaves no word about instances that others know better.
#[tokio::test]
async fn an_instance_counts_as_up_from_the_start_until_something_else_is_known() {
    let config: UpstreamConfig = toml::from_str("endpoints = [{ url = \"http://users.internal\" }]").unwrap();
    let silent: Lookup = Arc::new(|_, _| Box::pin(std::future::pending()));
    let recorder = crate::telemetry::builder().unwrap().build_recorder();
    let made = || Upstream::with_lookup("users", &config, silent).unwrap();
    let upstream = metrics::with_local_recorder(&recorder, made);
    let is_up = || {
        let text = recorder.handle().render();
        let mut lines = text.lines().filter(|line| line.starts_with("gateway_upstream_up{"));
        lines.any(|line| line.ends_with(" 1"))
    };
    assert!(!is_up(), "it is only checked so far");
    upstream.start();
    assert!(is_up());
}

#[tokio::test]
async fn one_that_fails_its_checks_is_left_out_until_it_passes_them() {
    let ill = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_ill = Arc::clone(&ill);
    let one = Server::new(move |mut peer, _| {
        let is_ill = Arc::clone(&is_ill);
        async move {
            while let Some(request) = peer.request().await {
                let fails = request.starts_with("GET /health ") && is_ill.load(Ordering::SeqCst);
                let code = if fails { "500 Oh" } else { "200 OK" };
                peer.say(&format!("HTTP/1.1 {code}\r\ncontent-length: 3\r\n\r\none"))
                    .await;
            }
        }
    })
    .await;
    let two = named("two").await;
    let more = "balance = \"round_robin\"\n\
                health = { path = \"/health\", interval = \"200ms\", timeout = \"200ms\", rise = 2, fall = 3 }";
    let upstream = upstream(&[one.address, two.address], more);
    assert_eq!(names(&upstream, 4).await.len(), 2);
    ill.store(true, Ordering::SeqCst);
    comes_true(|| !upstream.state().endpoints[0].healthy).await;
    assert_eq!(names(&upstream, 4).await, HashSet::from(["two".to_owned()]));
    ill.store(false, Ordering::SeqCst);
    comes_true(|| upstream.state().endpoints[0].healthy).await;
    assert_eq!(names(&upstream, 4).await.len(), 2);
}

#[tokio::test]
async fn when_more_than_half_are_ill_all_are_asked() {
    let (one, two) = (named("one").await, named("two").await);
    let more = "balance = \"round_robin\"\nhealth = { path = \"/health\", interval = \"1h\" }";
    let upstream = upstream(&[one.address, two.address], more);
    assert_eq!(names(&upstream, 4).await.len(), 2);
    let members = upstream.core.members.load_full();
    let falls = |at: usize| {
        for _ in 0..3 {
            members.list[at].standing.checked(false);
        }
    };
    falls(0);
    assert_eq!(names(&upstream, 4).await.len(), 1);
    falls(1);
    assert_eq!(names(&upstream, 4).await.len(), 2, "panic");
}

#[tokio::test]
async fn a_key_has_an_instance_of_its_own() {
    let servers = [named("one").await, named("two").await, named("three").await];
    let upstream = upstream(
        &servers.each_ref().map(|server| server.address),
        "balance = \"hash:user\"",
    );
    assert_eq!(upstream.hash_by(), Some(&super::super::HashBy::User));
    let mut all = HashSet::new();
    for user in 0..20 {
        let plan = Plan {
            hash_key: Some(super::super::hash_key(format!("user {user}").as_bytes())),
            ..Plan::default()
        };
        let mut own = HashSet::new();
        for _ in 0..3 {
            own.insert(text(upstream.send(get("/"), &plan).await.unwrap()).await.unwrap());
        }
        assert_eq!(own.len(), 1, "user {user}");
        all.extend(own);
    }
    assert_eq!(all.len(), 3);
}

#[tokio::test]
async fn the_one_with_less_to_do_is_asked() {
    let slow = Server::new(|mut peer, _| async move {
        peer.rest().await;
    })
    .await;
    let fast = named("fast").await;
    let upstream = upstream(&[slow.address, fast.address], "retry = { attempts = 1 }");
    let mut waiting = Vec::new();
    while upstream
        .state()
        .endpoints
        .iter()
        .all(|endpoint| endpoint.in_flight == 0)
    {
        let upstream = Arc::clone(&upstream);
        waiting.push(tokio::spawn(async move {
            upstream.send(get("/"), &Plan::default()).await.map(drop)
        }));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(names(&upstream, 20).await, HashSet::from(["fast".to_owned()]));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_dropped_upstream_leaves_no_task_behind() {
    let server = named("one").await;
    let upstream = server.upstream("health = { path = \"/\", interval = \"1ms\", timeout = \"1ms\" }");
    comes_true(|| server.connections() > 2).await;
    let core = Arc::downgrade(&upstream.core);
    drop(upstream);
    comes_true(|| core.strong_count() == 0).await;
}

#[tokio::test]
async fn the_same_settings_are_recognised() {
    let server = named("one").await;
    let upstream = server.upstream("");
    assert!(upstream.is_same(&config(&[server.address], "")));
    assert!(upstream.is_same(&config(&[server.address], "preserve_host = false")));
    assert!(!upstream.is_same(&config(&[server.address], "preserve_host = true")));
    let state = serde_json::to_value(upstream.state()).unwrap();
    assert_eq!((&state["name"], &state["balance"]), (&"users".into(), &"p2c".into()));
}
