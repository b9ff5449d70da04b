//! What an upstream does on its own: asks for addresses, asks instances whether they are well, tidies up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::breaker::Position;
use super::check;
use super::config::HealthConfig;
use super::core::Core;
use super::dns;
use super::endpoint::{Endpoint, Origin};
use super::members::Members;

/// How often idle connections are looked through and gauges are set: 1 s.
const TIDY: Duration = Duration::from_secs(1);

/// Starts all tasks; they end with `stop`. Until something is known of an endpoint it is up, as for the balancing.
pub(super) fn start(core: &Arc<Core>, stop: &CancellationToken) {
    core.origins.iter().for_each(|origin| origin.up.set(1.0));
    spawn(stop, names(Arc::clone(core)));
    spawn(stop, tidy(Arc::clone(core)));
    if let Some(rules) = core.config.health.clone() {
        spawn(stop, checks(Arc::clone(core), rules));
    }
}

fn spawn(stop: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    tokio::spawn(async move { stop.run_until_cancelled(task).await });
}

async fn names(core: Arc<Core>) {
    let mut ticks = ticks(core.config.dns.refresh.0);
    let mut earlier = vec![Ok(Vec::new()); core.origins.len()];
    loop {
        ticks.tick().await;
        earlier = refresh(&core, earlier).await;
        core.resolved.send_replace(true);
        if core.origins.iter().all(|origin| is_literal(origin)) {
            return;
        }
    }
}

fn is_literal(origin: &Origin) -> bool {
    origin.host.parse::<std::net::IpAddr>().is_ok()
}

/// What a name resolved to, or the resolver's complaint.
type Found = Result<Vec<SocketAddr>, String>;

/// Asks for all names. Where an answer fails, its addresses stay as they are.
async fn refresh(core: &Core, earlier: Vec<Found>) -> Vec<Found> {
    let asked = core
        .origins
        .iter()
        .map(|origin| dns::addresses(&core.lookup, &origin.host, origin.port));
    let found: Vec<Found> = join_all(asked)
        .await
        .into_iter()
        .map(|found| found.map_err(|error| error.to_string()))
        .collect();
    for ((origin, now), before) in core.origins.iter().zip(&found).zip(&earlier) {
        if let Err(error) = now
            && before.is_ok()
        {
            tracing::warn!(upstream = %core.name, host = origin.host, error, "a name does not resolve; its addresses stay");
        }
    }
    replace(core, &found);
    found
}

/// Takes new addresses in and gone ones out; those that stay keep their connections and all that is known of them.
fn replace(core: &Core, found: &[Found]) {
    let members = core.members.load();
    let of = |(origin, found): (&Arc<Origin>, &Found)| -> Vec<Arc<Endpoint>> {
        let Ok(addresses) = found else {
            let own = |member: &&Arc<Endpoint>| member.origin.position == origin.position;
            return members.list.iter().filter(own).cloned().collect();
        };
        let member = |address: &SocketAddr| {
            let known = members.find(origin, *address).cloned();
            known.unwrap_or_else(|| core.endpoint(origin, *address))
        };
        addresses.iter().map(member).collect()
    };
    let list: Vec<_> = core.origins.iter().zip(found).flat_map(of).collect();
    let ids = |list: &[Arc<Endpoint>]| list.iter().map(|member| member.id).collect::<Vec<_>>();
    if ids(&list) != ids(&members.list) {
        tracing::info!(upstream = %core.name, addresses = list.len(), "the addresses of an upstream have changed");
        core.members.store(Arc::new(Members::new(list)));
    }
}

/// Waits for names to have been asked for once.
async fn resolved(core: &Core) {
    let mut resolved = core.resolved.subscribe();
    // The sender lives in `core`, so it is not closed.
    let _ = resolved.wait_for(|resolved| *resolved).await;
}

async fn checks(core: Arc<Core>, rules: HealthConfig) {
    resolved(&core).await;
    let mut ticks = ticks(rules.interval.0);
    loop {
        ticks.tick().await;
        let members = core.members.load_full();
        join_all(members.list.iter().map(|member| check_one(&core.name, member, &rules))).await;
    }
}

async fn check_one(upstream: &str, endpoint: &Arc<Endpoint>, rules: &HealthConfig) {
    let is_good = check::is_well(endpoint, rules).await;
    if endpoint.standing.checked(is_good) {
        let (url, address) = (&endpoint.origin.url, endpoint.address);
        tracing::warn!(upstream, url, %address, healthy = is_good, "the health of an instance has changed");
    }
}

async fn tidy(core: Arc<Core>) {
    resolved(&core).await;
    let mut ticks = ticks(TIDY);
    loop {
        ticks.tick().await;
        let members = core.members.load_full();
        for member in &members.list {
            member.pool.sweep();
        }
        for origin in &core.origins {
            show(origin, &members);
        }
    }
}

/// Sets the gauges of one endpoint: up if any of its addresses is, and the most open of their breakers.
fn show(origin: &Origin, members: &Members) {
    let now = Instant::now();
    let own = |member: &&Arc<Endpoint>| member.origin.position == origin.position;
    let views: Vec<_> = members
        .list
        .iter()
        .filter(own)
        .map(|member| member.standing.view(now))
        .collect();
    let is_up = views.iter().any(|view| view.is_up && view.ejected_until.is_none());
    origin.up.set(if is_up { 1.0 } else { 0.0 });
    let breakers = views.iter().map(|view| Position::as_number(view.breaker));
    origin.breaker.set(breakers.fold(0.0, f64::max));
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
