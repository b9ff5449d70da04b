//! What stands in `deploy/` names metrics that the server has, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::Value;

/// The names that the server describes; histograms by those that Prometheus makes of one.
#[derive(Default)]
struct Described(Mutex<BTreeSet<String>>);

impl Described {
    fn add(&self, name: &KeyName, endings: &[&str]) {
        let names = endings.iter().map(|ending| format!("{}{ending}", name.as_str()));
        self.0.lock().unwrap().extend(names);
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.add(&name, &[""]);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.add(&name, &[""]);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.add(&name, &["_bucket", "_sum", "_count"]);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn described() -> BTreeSet<String> {
    let described = Described::default();
    metrics::with_local_recorder(&described, crate::telemetry::describe);
    described.0.into_inner().unwrap()
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words of a text that begin as our metrics do.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("gateway_") || word.starts_with("trailmark_"))
        .map(str::to_owned)
        .collect()
}

/// All texts under `key`, wherever they stand.
fn texts<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                found.extend(field.as_str().filter(|_| name == key));
                texts(field, key, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, key, found)),
        _ => {}
    }
}

#[test]
fn every_metric_of_the_rules_is_one_that_the_server_has() {
    // A dropped `_count` or `_bucket` is told in words, where a text speaks of the histogram as such.
    let whole = |name: &String| described().contains(&format!("{name}_bucket"));
    let described = described();
    for file in ["prometheus/alerts.yml", "prometheus/alerts.test.yml"] {
        let unknown: Vec<_> = named(&read(file))
            .into_iter()
            .filter(|name| !described.contains(name) && !whole(name))
            .collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}

#[test]
fn every_metric_of_the_dashboard_is_one_that_the_server_has_and_none_of_the_gateway_is_missing() {
    let dashboard: Value = serde_json::from_str(&read("grafana/trailmark-gateway.json")).unwrap();
    let mut expressions = Vec::new();
    texts(&dashboard, "expr", &mut expressions);
    texts(&dashboard, "query", &mut expressions);
    assert!(expressions.len() > 20);
    let (described, shown) = (described(), named(&expressions.join("\n")));
    let unknown: Vec<_> = shown.difference(&described).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let stem = |name: &String| {
        let endings = ["_bucket", "_sum", "_count"];
        let stem = endings.iter().find_map(|ending| name.strip_suffix(ending));
        stem.unwrap_or(name).to_owned()
    };
    let shown: BTreeSet<_> = shown.iter().map(stem).collect();
    let of_the_gateway = described.iter().filter(|name| name.starts_with("gateway_")).map(stem);
    let missing: BTreeSet<_> = of_the_gateway.filter(|name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_rule_has_a_case() {
    let (rules, cases) = (read("prometheus/alerts.yml"), read("prometheus/alerts.test.yml"));
    let names: Vec<_> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(names.len() > 10);
    for name in names {
        assert!(cases.contains(name), "{name} has no case");
    }
}
