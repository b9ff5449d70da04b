//! What is wrong with a file whose shapes are right: names that nothing has, requests that two routes want, routes that
//! do not say who may call.

use std::collections::BTreeMap;

use http::Method;

use super::{GatewayFile, RouteConfig, VERSION};
use crate::gateway::headers::sign::SHORTEST_SECRET;
use crate::gateway::routing::host::is_host;
use crate::gateway::routing::path::canonical;
use crate::gateway::routing::rewrite::{Rewrite, parameters};
use crate::gateway::routing::{Overlap, Place, Table};
use crate::gateway::seen::{FactsConfig, OtlpConfig};

/// Everything that is wrong with `file`, each with its place in it.
#[must_use]
pub fn problems(file: &GatewayFile) -> Vec<String> {
    let mut problems = Vec::new();
    if file.version != VERSION {
        problems.push(format!("version: {} is not {VERSION}", file.version));
    }
    if file
        .identity
        .secret
        .as_ref()
        .is_some_and(|secret| secret.reveal().len() < SHORTEST_SECRET)
    {
        problems.push(format!("identity.secret: is shorter than {SHORTEST_SECRET} bytes"));
    }
    prefixed(&mut problems, "cors", file.cors.problems());
    for (name, limit) in &file.limits {
        prefixed(&mut problems, &format!("limits.{name}"), limit.problems());
        if !is_name(name) {
            problems.push(format!("limits.{name}: a name is of letters, digits, - and _"));
        }
    }
    prefixed(&mut problems, "auth.session", file.auth.session.problems());
    prefixed(&mut problems, "auth.login", file.auth.login.problems());
    prefixed(&mut problems, "cache", file.cache.problems());
    prefixed(&mut problems, "log", file.log.compile().err().unwrap_or_default());
    prefixed(&mut problems, "trace", file.trace.problems());
    prefixed(
        &mut problems,
        "otlp",
        file.otlp.as_ref().map_or_else(Vec::new, OtlpConfig::problems),
    );
    prefixed(
        &mut problems,
        "facts",
        file.facts.as_ref().map_or_else(Vec::new, FactsConfig::problems),
    );
    for route in &file.routes {
        prefixed(&mut problems, &format!("route \"{}\"", route.id), of_route(file, route));
    }
    problems.extend(twice(file));
    problems.extend(overlaps(file));
    problems
}

/// Adds `found` with the place they were found at.
pub fn prefixed(problems: &mut Vec<String>, place: &str, found: Vec<String>) {
    problems.extend(found.into_iter().map(|problem| format!("{place}: {problem}")));
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn of_route(file: &GatewayFile, route: &RouteConfig) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_name(&route.id) {
        problems.push("id: a name is of letters, digits, - and _".to_owned());
    }
    problems.extend(of_place(route));
    problems.extend(of_target(route));
    problems.extend(of_auth(route));
    for limit in route.limits.iter().filter(|limit| !file.limits.contains_key(*limit)) {
        problems.push(unknown("limits", limit, file.limits.keys()));
    }
    if let Some(cors) = &route.cors {
        prefixed(&mut problems, "cors", cors.problems());
    }
    if let Some(cache) = &route.cache {
        prefixed(&mut problems, "cache", cache.problems());
    }
    problems
}

/// `limits: there is no "usr"; there are ip, user`.
pub fn unknown<'n>(key: &str, name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let known: Vec<_> = known.map(String::as_str).collect();
    match known.is_empty() {
        true => format!("{key}: there is no \"{name}\", nor any other"),
        false => format!("{key}: there is no \"{name}\"; there are {}", known.join(", ")),
    }
}

fn of_place(route: &RouteConfig) -> Vec<String> {
    let mut problems = Vec::new();
    match (&route.path, &route.prefix) {
        (Some(path), None) => problems.extend(of_path(path, route.rewrite.as_deref())),
        (None, Some(prefix)) => problems.extend(of_prefix(prefix, route.rewrite.as_deref())),
        _ => problems.push("path: a route has either a path or a prefix".to_owned()),
    }
    problems.extend(route.host.as_deref().and_then(of_host));
    for method in &route.methods {
        match Method::from_bytes(method.as_bytes()) {
            Ok(Method::CONNECT | Method::TRACE) | Err(_) => {
                problems.push(format!("methods: \"{method}\" is no method that is served"));
            }
            Ok(_) => {}
        }
    }
    problems
}

/// A host that no request names would leave its requests to other routes, without a word.
fn of_host(host: &str) -> Option<String> {
    let example = host.strip_prefix("*.").map(|below| format!("a.{below}"));
    let is_named = is_host(example.as_deref().unwrap_or(host));
    (!is_named).then(|| format!("host: \"{host}\" is not of the form api.example or *.example"))
}

fn of_path(path: &str, rewrite: Option<&str>) -> Option<String> {
    let names = parameters(path);
    if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        return Some(format!("path: \"{path}\" names {{{}}} twice", names[twice]));
    }
    if path.contains("{{") || path.contains("}}") {
        return Some(format!(
            "path: \"{path}\" has a brace of its own, and no request has one"
        ));
    }
    match Rewrite::parse(&path.replace("{*", "{"), &names) {
        Ok(template) => unspelled("path", &template.render(|_| Some("x"))).or_else(|| of_rewrite(&names, rewrite?)),
        Err(problem) => Some(format!("path: {problem}")),
    }
}

fn of_rewrite(names: &[String], rewrite: &str) -> Option<String> {
    match Rewrite::parse(rewrite, names) {
        Ok(rewrite) => unspelled("rewrite", &rewrite.render(|_| Some("x"))),
        Err(problem) => Some(format!("rewrite: {problem}")),
    }
}

/// Requests have one spelling: a path in another one is never met.
fn unspelled(key: &str, path: &str) -> Option<String> {
    match canonical(path) {
        Ok(one) if one == path => None,
        Ok(one) => Some(format!("{key}: \"{path}\" is spelled {one} in requests")),
        Err(error) => Some(format!("{key}: \"{path}\": {error}")),
    }
}

fn of_prefix(prefix: &str, rewrite: Option<&str>) -> Option<String> {
    let is_plain =
        |text: &str| text.starts_with('/') && !text.contains(['{', '}']) && (text == "/" || !text.ends_with('/'));
    if !is_plain(prefix) {
        return Some(format!("prefix: \"{prefix}\" is not of the form /a/b"));
    }
    let problem = match rewrite {
        Some(rewrite) if !is_plain(rewrite) => Some(format!("rewrite: \"{rewrite}\" is not of the form /a/b")),
        rewrite => rewrite.and_then(|rewrite| unspelled("rewrite", rewrite)),
    };
    unspelled("prefix", prefix).or(problem)
}

fn of_target(route: &RouteConfig) -> Option<String> {
    let targets = [
        route.service.is_some(),
        route.upstream.is_some(),
        route.hub.is_some(),
        route.grpc.is_some(),
    ];
    let count = targets.into_iter().filter(|is_there| *is_there).count();
    (count != 1).then(|| "a route has one target: service, upstream, hub or grpc".to_owned())
}

fn of_auth(route: &RouteConfig) -> Option<String> {
    match &route.auth {
        None => Some("auth: is missing; say who may call, or [] for everybody".to_owned()),
        Some(ways) if ways.is_empty() && !(route.any_role.is_empty() && route.all_scopes.is_empty()) => {
            Some("auth: roles and scopes are asked for, but not who calls".to_owned())
        }
        Some(_) => None,
    }
}

fn twice(file: &GatewayFile) -> Vec<String> {
    let mut count = BTreeMap::<&str, usize>::new();
    file.routes
        .iter()
        .for_each(|route| *count.entry(&route.id).or_default() += 1);
    let twice = count.into_iter().filter(|(_, count)| *count > 1);
    twice
        .map(|(id, _)| format!("route \"{id}\": the id is there twice"))
        .collect()
}

fn overlaps(file: &GatewayFile) -> Vec<String> {
    let places: Vec<_> = file.routes.iter().map(|route| (place(route), ())).collect();
    let Err(overlaps) = Table::build(&places) else {
        return Vec::new();
    };
    let id = |position: usize| file.routes.get(position).map_or("?", |route| &route.id);
    let text = |(position, overlap): (usize, Overlap)| match overlap {
        Overlap::Same(earlier) => {
            format!(
                "route \"{}\": wants the same requests as route \"{}\"",
                id(position),
                id(earlier)
            )
        }
        Overlap::Template(text) => format!("route \"{}\": {text}", id(position)),
    };
    overlaps.into_iter().map(text).collect()
}

/// Where a route stands.
#[must_use]
pub fn place(route: &RouteConfig) -> Place {
    let paths = match (&route.path, route.prefix.as_deref()) {
        (Some(path), _) => vec![path.clone()],
        (None, Some("/")) => vec!["/".to_owned(), "/{*rest}".to_owned()],
        (None, Some(prefix)) => vec![prefix.to_owned(), format!("{prefix}/"), format!("{prefix}/{{*rest}}")],
        (None, None) => Vec::new(),
    };
    let methods = route
        .methods
        .iter()
        .filter_map(|method| Method::from_bytes(method.as_bytes()).ok());
    Place {
        host: route.host.clone(),
        paths,
        methods: methods.collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::gateway::file::read;

    /// What is wrong with a route of these lines.
    fn problems(route: &str) -> Vec<String> {
        let text = format!("version = 1\n[[routes]]\nid = \"a\"\nservice = \"query\"\nauth = []\n{route}");
        read(&text, &|_| None).err().map_or_else(Vec::new, |bad| bad.0)
    }

    #[test]
    fn a_route_that_no_request_would_reach_is_a_problem() {
        for good in [
            r#"path = "/a/{b}/{*rest}""#,
            r#"path = "/caf%C3%A9/.well-known""#,
            r#"prefix = "/""#,
            "path = \"/\"\nhost = \"*.Example\"",
            "path = \"/\"\nhost = \"[::1]\"",
        ] {
            assert_eq!(problems(good), [""; 0], "{good}");
        }
        for bad in [
            r#"path = "/a//b""#,
            r#"path = "/a/../b""#,
            r#"path = "/caf%c3%a9""#,
            r#"path = "/café""#,
            r#"path = "/a|b""#,
            r#"path = "/a%2Fb""#,
            r#"path = "/{{a}}""#,
            r#"path = "/a?b""#,
            r#"prefix = "/a//b""#,
            r#"prefix = "/a/.""#,
            "path = \"/\"\nhost = \"example:80\"",
            "path = \"/\"\nhost = \"example.\"",
            "path = \"/\"\nhost = \"*example\"",
            "path = \"/\"\nhost = \"a b\"",
            "path = \"/\"\nhost = \"*.[::1]\"",
        ] {
            assert_eq!(problems(bad).len(), 1, "{bad}: {:?}", problems(bad));
        }
    }

    #[test]
    fn what_goes_on_is_spelled_as_what_came_and_each_parameter_has_one_place() {
        for bad in [
            "path = \"/a\"\nrewrite = \"/b/../c\"",
            "path = \"/a/{b}\"\nrewrite = \"/{b}//\"",
            "path = \"/a\"\nrewrite = \"/b c\"",
            "prefix = \"/a\"\nrewrite = \"/b//c\"",
            "path = \"/{a}/{a}\"",
        ] {
            assert_eq!(problems(bad).len(), 1, "{bad}: {:?}", problems(bad));
        }
    }
}
