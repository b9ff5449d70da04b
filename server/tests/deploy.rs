//! What deploy/ says of the server must be true of it: settings, ports, paths, gateway files, metrics.

use std::fs;
use std::path::{Path, PathBuf};

use trailmark_server::Config;
use trailmark_server::gateway::file::read;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Every file below deploy/, with its text.
fn files() -> Vec<(PathBuf, String)> {
    let (mut files, mut folders) = (Vec::new(), vec![deploy()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.extend(fs::read_to_string(&path).ok().map(|text| (path, text))),
            }
        }
    }
    files
}

fn text(name: &str) -> String {
    fs::read_to_string(deploy().join(name)).unwrap()
}

/// `TRAILMARK__…` and what follows it on its line, without quotes.
fn settings(text: &str) -> Vec<(String, String)> {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let found = text.match_indices("TRAILMARK__").map(|(at, _)| &text[at..]);
    let split = found.map(|rest| rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len())));
    split
        .map(|(name, rest)| {
            let line = rest.lines().next().unwrap_or_default();
            let line = line.replace("value:", "").replace(['"', '}', '\\'], "");
            let value = line.trim_start_matches([':', '=', ',', ' ']).trim();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn every_setting_in_deploy_is_one_that_the_server_takes() {
    let mut count = 0;
    for (path, text) in files() {
        let from_secret = |(name, value): (String, String)| match value.as_str() {
            "" => (name, "x".to_owned()),
            _ => (name, value),
        };
        let env: Vec<_> = settings(&text).into_iter().map(from_secret).collect();
        count += env.len();
        if let Err(error) = Config::load(None, env, []) {
            panic!("{}: {error}", path.display());
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn a_setting_that_is_none_would_be_seen() {
    let env = settings("  TRAILMARK__HTTP__LISTNE: 0.0.0.0:7700\n");
    assert_eq!(env, [("TRAILMARK__HTTP__LISTNE".to_owned(), "0.0.0.0:7700".to_owned())]);
    assert!(Config::load(None, env, []).is_err());
}

#[test]
fn the_ports_are_the_servers_own() {
    let config = Config::load(None, [], []).unwrap();
    let (http, admin) = (
        config.http.listen.port(),
        config.gateway.admin_listen.rsplit(':').next().unwrap().to_owned(),
    );
    let expose = format!("EXPOSE {http} {admin}");
    assert!(text("Dockerfile").contains(&expose), "{expose}");
    let compose = text("compose.yaml");
    assert!(compose.contains(&format!("ports: [\"{http}:{http}\"]")));
    assert_eq!(
        compose.matches("ports:").count(),
        1,
        "only the gateway's port is published"
    );
    let set = text("kubernetes/statefulset.yaml");
    assert!(set.contains(&format!("containerPort: {http} ")) && set.contains(&format!("containerPort: {admin} ")));
    assert!(text("prometheus/prometheus.yml").contains(&format!("trailmark:{admin}")));
}

#[test]
fn probes_ask_for_paths_that_are_there() {
    let routes = trailmark_server::gateway::described().into_openapi().paths.paths;
    let set = text("kubernetes/statefulset.yaml");
    let mut probes = 0;
    for probe in set.split("path: /").skip(1).filter(|rest| rest.contains("port: http")) {
        let path: String = probe.chars().take_while(char::is_ascii_alphanumeric).collect();
        let path = format!("/{path}");
        probes += usize::from(routes.contains_key(&path));
    }
    assert_eq!(probes, 3, "start-up, liveness, readiness");
}

#[test]
fn the_gateway_files_have_nothing_wrong() {
    let secret = |name: &str| (name == "JWT_SECRET").then(|| "vK2p9sQmX7fLr4TzB1nYc8WdHg5JaEu3".to_owned());
    let map = text("kubernetes/configmap.yaml");
    let (_, block) = map.split_once("gateway.toml: |\n").unwrap();
    let unindented: String = block
        .lines()
        .map(|line| format!("{}\n", line.trim_start_matches("    ")))
        .collect();
    for (name, file) in [("compose", text("compose/gateway.toml")), ("kubernetes", unindented)] {
        if let Err(bad) = read(&file, &secret) {
            panic!("{name}: {bad}");
        }
    }
}
