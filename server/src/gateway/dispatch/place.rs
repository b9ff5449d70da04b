//! Makes one route of its lines in the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header;

use super::build::Named;
use super::ground::Ground;
use super::route::{Rewriting, Route, Rules, Spent, Target, Way};
use super::snapshot::Snapshot;
use super::sockets::SocketRules;
use crate::gateway::cache::RouteCache;
use crate::gateway::cors::Cors;
use crate::gateway::file::check::unknown;
use crate::gateway::file::{GatewayFile, RouteConfig};
use crate::gateway::routing::Rewrite;
use crate::gateway::routing::rewrite::parameters;
use crate::gateway::seen::SeenRoute;
use crate::gateway::transform::grpc::{GrpcConfig, Transcoder};

/// The largest request body where a route does not say: 1 MiB, as nginx has it.
const MAX_BODY: usize = 1 << 20;

/// The route of these lines.
///
/// # Errors
/// What is wrong with them.
pub(super) fn route(
    file: &GatewayFile,
    config: &RouteConfig,
    named: &Named,
    ground: &Ground,
    previous: Option<&Snapshot>,
) -> Result<Route, Vec<String>> {
    let mut problems = Vec::new();
    let path = config.path.as_deref().or(config.prefix.as_deref()).unwrap_or_default();
    let target = target(file, config, named, ground, &mut problems);
    let ways = ways(file, config, named, &mut problems);
    let rules = rules(config, &mut problems);
    problems.extend(unknown_parameters(config, path, &rules, target.as_ref()));
    let limits = config
        .limits
        .iter()
        .filter_map(|name| named.limits.get(name).cloned())
        .collect();
    let is_whole = problems.is_empty() && ways.len() == config.auth.iter().flatten().count();
    let Some(target) = target.filter(|_| is_whole) else {
        return Err(problems);
    };
    let scope = target_name(config);
    Ok(Route {
        seen: SeenRoute::towards(config.upstream_name(), &config.id, path),
        names_parameters: config.grpc.is_some() || rules.path_parameters().next().is_some(),
        target,
        rewriting: rewriting(config, path),
        spent: if config.forward_credentials {
            Spent::default()
        } else {
            spent(file, config)
        },
        ways,
        any_role: config.any_role.clone(),
        all_scopes: config.all_scopes.clone(),
        limits,
        cors: Arc::new(Cors::new(config.cors.as_ref().unwrap_or(&file.cors))),
        max_body: config.max_body.map_or(MAX_BODY, |size| size.0),
        decompress: config.decompress,
        compress: config.compress,
        timeouts: config.timeouts.clone(),
        rules,
        cache: config
            .cache
            .as_ref()
            .map(|cache| Arc::new(RouteCache::new(&config.id, scope, cache))),
        sockets: sockets(config, previous),
    })
}

/// What the file calls `name`. Where that is wrong itself it was not made, which was said at its own place.
fn find<T: Clone, C>(
    key: &str,
    name: &str,
    made: &BTreeMap<String, T>,
    listed: &BTreeMap<String, C>,
    problems: &mut Vec<String>,
) -> Option<T> {
    if !listed.contains_key(name) {
        problems.push(unknown(key, name, listed.keys()));
    }
    made.get(name).cloned()
}

fn target_name(config: &RouteConfig) -> &str {
    config
        .upstream
        .as_deref()
        .or(config.hub.as_deref())
        .unwrap_or(&config.id)
}

fn target(
    file: &GatewayFile,
    config: &RouteConfig,
    named: &Named,
    ground: &Ground,
    problems: &mut Vec<String>,
) -> Option<Target> {
    let upstream = |key: &str, name: &str, problems: &mut Vec<String>| {
        find(key, name, &named.upstreams, &file.upstreams, problems)
    };
    if let Some(service) = config.service {
        return Some(Target::Service(service));
    }
    if let Some(name) = &config.upstream {
        return upstream("upstream", name, problems).map(Target::Upstream);
    }
    if let Some(name) = &config.hub {
        return find("hub", name, &named.hubs, &file.hub, problems).map(Target::Hub);
    }
    // That there is a target was seen when the file was.
    let grpc = config.grpc.as_ref()?;
    let upstream = upstream("grpc.upstream", &grpc.upstream, problems);
    let transcoder = transcoder(grpc, ground).map_err(|problem| problems.push(format!("grpc.{problem}")));
    Some(Target::Grpc(Arc::new(transcoder.ok()?), upstream?))
}

fn transcoder(config: &GrpcConfig, ground: &Ground) -> Result<Transcoder, String> {
    let file = ground.directory.join(&config.descriptors);
    let bytes = std::fs::read(&file).map_err(|error| format!("descriptors: {}: {error}", file.display()))?;
    Transcoder::new(&bytes, config)
}

fn ways(file: &GatewayFile, config: &RouteConfig, named: &Named, problems: &mut Vec<String>) -> Vec<Way> {
    let mut way = |text: &String| match (text.as_str(), text.strip_prefix("jwt:")) {
        ("session", _) => Some(Way::Session),
        ("api_key", _) => {
            if file.auth.api_key.is_none() {
                problems.push("auth: there is no [auth.api_key]".to_owned());
            }
            named.api_keys.clone().map(Way::Key)
        }
        (_, Some(name)) => find("auth: jwt", name, &named.tokens, &file.auth.jwt, problems).map(Way::Token),
        (other, None) => {
            problems.push(format!("auth: \"{other}\" is not jwt:NAME, api_key or session"));
            None
        }
    };
    config.auth.iter().flatten().filter_map(&mut way).collect()
}

fn rules(config: &RouteConfig, problems: &mut Vec<String>) -> Rules {
    let mut keep =
        |key: &str, found: Vec<String>| problems.extend(found.into_iter().map(|problem| format!("{key}.{problem}")));
    let mut rules = Rules::default();
    match config.request_headers.compile() {
        Ok(compiled) => rules.request_headers = compiled,
        Err(found) => keep("request_headers", found),
    }
    match config.response_headers.compile() {
        Ok(compiled) => rules.response_headers = compiled,
        Err(found) => keep("response_headers", found),
    }
    match config.request_body.as_ref().map(|rules| rules.compile()).transpose() {
        Ok(compiled) => rules.request_body = compiled,
        Err(found) => keep("request_body", found),
    }
    match config.response_body.as_ref().map(|rules| rules.compile()).transpose() {
        Ok(compiled) => rules.response_body = compiled,
        Err(found) => keep("response_body", found),
    }
    rules
}

/// Rules and gRPC methods may only speak of parameters that the path has, and each of the path's must mean something to
/// the method.
fn unknown_parameters(config: &RouteConfig, path: &str, rules: &Rules, target: Option<&Target>) -> Vec<String> {
    let known = known_parameters(config, path);
    let spoken = rules
        .path_parameters()
        .filter(|name| !known.iter().any(|known| known == name));
    let mut problems: Vec<_> = spoken
        .map(|name| format!("${{path.{name}}}: the path has no {{{name}}}"))
        .collect();
    if let Some(Target::Grpc(method, _)) = target {
        let lost = known.iter().filter(|name| !method.has_parameter(name));
        problems.extend(lost.map(|name| format!("grpc.method: has no field {name}, which the path names")));
    }
    problems
}

fn known_parameters(config: &RouteConfig, path: &str) -> Vec<String> {
    match &config.prefix {
        Some(_) => vec!["rest".to_owned()],
        None => parameters(path),
    }
}

fn rewriting(config: &RouteConfig, path: &str) -> Rewriting {
    match (&config.rewrite, &config.prefix) {
        (None, _) => Rewriting::None,
        (Some(with), Some(prefix)) => {
            let length = if prefix == "/" { 0 } else { prefix.len() };
            Rewriting::Prefix(length, with.trim_end_matches('/').to_owned())
        }
        // That it can be read was seen when the file was.
        (Some(text), None) => Rewrite::parse(text, &parameters(path)).map_or(Rewriting::None, Rewriting::Template),
    }
}

/// What was checked at the gateway need not go on: a service that gets a token could use it elsewhere.
fn spent(file: &GatewayFile, config: &RouteConfig) -> Spent {
    let ways = config.auth.as_deref().unwrap_or_default();
    let mut spent = Spent::default();
    if ways.iter().any(|way| way != "session") {
        spent.headers.push(header::AUTHORIZATION);
    }
    if let (true, Some(keys)) = (ways.iter().any(|way| way == "api_key"), &file.auth.api_key) {
        spent.headers.extend(keys.header_name());
    }
    if ways.iter().any(|way| way == "session") {
        spent.cookie = Some(file.auth.session.cookie.clone());
    }
    spent
}

/// The rules of sockets, with those that are open already.
fn sockets(config: &RouteConfig, previous: Option<&Snapshot>) -> Option<SocketRules> {
    let wanted = config.websocket.as_ref()?;
    let before = previous.and_then(|previous| previous.sockets_of(&config.id));
    Some(before.map_or_else(|| SocketRules::new(wanted), |before| before.with(wanted)))
}
