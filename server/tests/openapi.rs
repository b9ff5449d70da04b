//! The description of the API is whole, is OpenAPI 3.1, and says what the code does.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{RawBatch, RawEvent, Reason, Receipt, Verdict, limits};
use trailmark_server::gateway;
use trailmark_server::gateway::openapi::description;
use trailmark_server::gateway::problem::Code;
use trailmark_server::gateway::refusals::PROBLEM_JSON;
use trailmark_server::query::ask::persons::WhoIs;
use trailmark_server::query::ask::question::{BREAKDOWN_LIMIT, BREAKDOWNS_MAX, KINDS, Question, SERIES_MAX, STEPS_MAX};
use trailmark_server::query::params::{LIMIT_DEFAULT, LIMIT_MAX};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Path, method, operation.
fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
    let paths = description()["paths"].as_object().unwrap();
    let of_path = |(path, item): (&'static String, &'static Value)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

fn schema(name: &str) -> &'static Value {
    let schema = &description()["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no schema {name}");
    schema
}

/// Every value in `value`, with the path to it.
fn walk<'a>(value: &'a Value, path: &str, visit: &mut dyn FnMut(&str, &'a Value)) {
    visit(path, value);
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| walk(value, &format!("{path}/{name}"), visit)),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(index, value)| walk(value, &format!("{path}/{index}"), visit)),
        _ => {}
    }
}

/// The paths that axum's router knows. It has no list of them to ask for, but shows them for debugging.
fn routed() -> BTreeSet<String> {
    let shown = format!("{:?}", gateway::described().split_for_parts().0);
    let quoted = shown.split('"').skip(1).step_by(2);
    // The last two are of the fallback; one of them is `/`, which is a route, too.
    let known = quoted.filter(|text| text.starts_with('/') && !text.contains("__private__"));
    known.map(str::to_owned).collect()
}

/// The names that the sources below `folder` give to schemas.
fn schema_names(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            schema_names(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            names.extend(schema_names_in(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn schema_names_in(source: &str) -> Vec<String> {
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
    let (mut names, mut derived, mut renamed) = (Vec::new(), false, None);
    for line in source.lines() {
        derived |= line.contains("derive(") && line.contains("ToSchema");
        renamed = line.split_once("schema(as = ").map(|(_, name)| word(name)).or(renamed);
        if let Some((_, name)) = line.split_once("impl ToSchema for ") {
            names.push(word(name));
        }
        let kind = ["struct ", "enum "].into_iter().find_map(|kind| line.split_once(kind));
        if let Some((_, name)) = kind.filter(|(before, _)| derived && (before.is_empty() || before.starts_with("pub")))
        {
            names.push(renamed.take().unwrap_or_else(|| word(name)));
            derived = false;
        }
    }
    names
}

#[test]
fn no_two_things_have_the_same_name_in_the_description() {
    let mut names = Vec::new();
    schema_names(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut names);
    assert!(names.len() > 150, "{names:?}");
    names.sort();
    let doubles: Vec<_> = names
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| &pair[0])
        .collect();
    assert_eq!(doubles, [""; 0], "one of them is described as the other");
}

#[test]
fn every_route_that_the_router_knows_is_described_and_every_described_one_is_routed() {
    let routed = routed();
    let described: BTreeSet<String> = operations().into_iter().map(|(path, ..)| path.to_owned()).collect();
    assert!(
        routed.contains("/v1/batch") && routed.contains("/api/v1/query"),
        "{routed:?}"
    );
    assert_eq!(described, routed);
}

#[test]
fn it_is_openapi_3_1_and_says_which_server_it_is_of() {
    let description = description();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(description["info"]["title"].is_string());
    for (path, method, operation) in operations() {
        assert!(path.starts_with('/') && METHODS.contains(&method), "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                status.parse::<u16>().is_ok_and(|status| (100..600).contains(&status)),
                "{method} {path}: {status}"
            );
            assert!(response["description"].is_string(), "{method} {path} {status}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut seen = 0;
    walk(description(), "", &mut |path, value| {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else {
            return;
        };
        let pointer = target.strip_prefix('#').expect(target);
        assert!(description().pointer(pointer).is_some(), "{path}: {target}");
        seen += 1;
    });
    assert!(seen > 50, "{seen} references");
}

#[test]
fn every_operation_has_a_name_of_its_own_a_section_and_known_keys() {
    let tags: Vec<&Value> = description()["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is the name of two operations");
        assert!(
            tags.contains(&&operation["tags"][0]),
            "{method} {path}: {}",
            operation["tags"]
        );
        for scheme in operation["security"].as_array().into_iter().flatten() {
            for name in scheme.as_object().unwrap().keys() {
                let known = &description()["components"]["securitySchemes"][name];
                assert!(known["type"].is_string(), "{method} {path}: {name}");
            }
        }
    }
}

#[test]
fn the_parameters_of_a_path_are_those_in_its_braces_and_no_parameter_may_be_null() {
    for (path, method, operation) in operations() {
        let braces: BTreeSet<&str> = path
            .split('{')
            .skip(1)
            .filter_map(|part| Some(part.split_once('}')?.0))
            .collect();
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        let of_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let named: BTreeSet<&str> = of_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(named, braces, "{method} {path}");
        for parameter in parameters {
            assert!(parameter["schema"]["type"].is_string(), "{method} {path}: {parameter}");
            assert!(
                parameter["in"] != "path" || parameter["required"] == true,
                "{method} {path}: {parameter}"
            );
        }
    }
}

#[test]
fn every_refusal_is_a_problem_and_its_codes_have_its_status() {
    let known: Vec<Value> = Code::ALL.iter().map(|code| json!(code.as_str())).collect();
    assert_eq!(schema("Problem")["properties"]["code"]["enum"], json!(known));
    for (path, method, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        let refusals = responses
            .iter()
            .filter(|(_, response)| response["content"][PROBLEM_JSON].is_object());
        let mut count = 0;
        for (status, response) in refusals {
            count += 1;
            let text = response["description"].as_str().unwrap();
            let codes = Code::ALL
                .iter()
                .filter(|code| text.contains(&format!("`{}`: ", code.as_str())));
            assert!(codes.clone().count() > 0, "{method} {path} {status}: {text}");
            for code in codes {
                assert_eq!(code.status().as_str(), status, "{method} {path}: {}", code.as_str());
            }
        }
        assert!(count > 0, "{method} {path} refuses nothing");
    }
}

#[test]
fn no_description_has_a_link_into_the_code() {
    walk(description(), "", &mut |path, value| {
        let text = value.as_str().unwrap_or_default();
        assert!(!text.contains("[`") && !text.contains("]("), "{path}: {text}");
    });
}

#[test]
fn bounds_and_defaults_are_those_of_the_code() {
    let of = |name: &str, field: &str, word: &str| schema(name)["properties"][field][word].clone();
    for (found, expected) in [
        (of("TrendsQuestion", "series", "maxItems"), json!(SERIES_MAX)),
        (of("TrendsQuestion", "breakdown", "maxItems"), json!(BREAKDOWNS_MAX)),
        (of("FunnelQuestion", "steps", "maxItems"), json!(STEPS_MAX)),
        (of("FunnelQuestion", "date_from", "default"), json!("-30d")),
        (of("Breakdown", "limit", "default"), json!(BREAKDOWN_LIMIT)),
        (of("SentEvent", "event", "maxLength"), json!(limits::NAME_CHARS)),
        (of("SentEvent", "user_id", "maxLength"), json!(limits::ID_CHARS)),
        (of("Batch", "batch", "maxItems"), json!(limits::BATCH_EVENTS)),
    ] {
        assert_eq!(found, expected);
    }
    let limit = &schema("WhoIs")["oneOf"][0]["properties"]["limit"];
    assert_eq!(
        (&limit["default"], &limit["maximum"]),
        (&json!(LIMIT_DEFAULT), &json!(LIMIT_MAX))
    );
    for (path, method, operation) in operations() {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for limit in parameters.filter(|parameter| parameter["name"] == "limit" && path.contains("analytics")) {
            let schema = &limit["schema"];
            assert_eq!(
                (&schema["default"], &schema["maximum"]),
                (&json!(LIMIT_DEFAULT), &json!(LIMIT_MAX)),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn questions_are_as_strict_in_the_description_as_in_the_code() {
    let kinds = schema("Question")["discriminator"]["mapping"].as_object().unwrap();
    assert_eq!(kinds.len(), KINDS.len());
    for (kind, target) in kinds {
        let question = description()
            .pointer(target.as_str().unwrap().strip_prefix('#').unwrap())
            .unwrap();
        // A cohort has one of two forms, which are both whole.
        let question = question.pointer("/oneOf/0").unwrap_or(question);
        assert_eq!(question["additionalProperties"], false, "{kind}");
        assert_eq!(question["properties"]["kind"]["enum"], json!([kind]));
        assert!(
            question["required"].as_array().unwrap().contains(&json!("kind")),
            "{kind}"
        );
        // Every field is read, and what is not needed may be left out.
        let least = match kind.as_str() {
            "trends" | "stickiness" => json!({"kind": kind, "series": [{}]}),
            "funnel" => json!({"kind": kind, "steps": [{}, {}]}),
            "cohort" => json!({"kind": kind, "cohort": 1}),
            _ => json!({"kind": kind}),
        };
        let read = Question::from_value(least.clone()).expect(kind);
        let written = serde_json::to_value(&read).unwrap();
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(fields(&written), fields(&question["properties"]), "{kind}");
        let required: BTreeSet<String> = serde_json::from_value(question["required"].clone()).unwrap();
        assert!(required.is_subset(&fields(&least)), "{kind}: {required:?}");
        for (name, field) in question["properties"].as_object().unwrap() {
            assert!(
                field["default"].is_null() || field["default"] == written[name],
                "{kind}.{name}: {} is {}",
                field["default"],
                written[name]
            );
        }
    }
}

#[test]
fn the_fields_of_an_event_are_those_that_are_read() {
    let fields = |name: &str| {
        schema(name)["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    let event = format!("{:?}", serde_json::from_str::<RawEvent<'_>>("{}").unwrap());
    let batch = format!("{:?}", serde_json::from_str::<RawBatch<'_>>(r#"{"batch":[]}"#).unwrap());
    for (name, shown) in [("SentEvent", event), ("Batch", batch)] {
        let read = shown.split([' ', '{']).filter_map(|word| word.strip_suffix(':'));
        assert_eq!(
            read.map(str::to_owned).collect::<BTreeSet<_>>(),
            fields(name),
            "{shown}"
        );
    }
}

#[test]
fn the_fields_of_a_receipt_are_those_that_are_written() {
    let receipt = Receipt {
        results: vec![Refused {
            index: 0,
            id: Some(trailmark_protocol::Uuid::nil()),
            verdict: Verdict::Dropped,
            reason: Reason::TooLarge.as_str().into(),
            detail: String::new(),
        }],
        ..Receipt::default()
    };
    let written: Value = serde_json::from_str(&receipt.to_json()).unwrap();
    for (value, name) in [(&written, "Receipt"), (&written["results"][0], "Refused")] {
        let written: BTreeSet<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(
            written,
            schema(name)["properties"].as_object().unwrap().keys().collect(),
            "{name}"
        );
    }
    assert!(json!(["drop", "retry"]) == schema("RefusedResult")["enum"]);
    assert_eq!(written["results"][0]["result"], "drop");
}

#[test]
fn every_example_question_is_one() {
    let examples = |path: &str| {
        let content = &description()["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        let examples = content["examples"].as_object().unwrap().values();
        examples.map(|example| example["value"].to_string()).collect::<Vec<_>>()
    };
    let questions = examples("/api/v1/query");
    assert_eq!(questions.len(), KINDS.len());
    for question in questions {
        assert!(Question::read(question.as_bytes()).is_ok(), "{question}");
    }
    for who in examples("/api/v1/query/persons") {
        assert!(WhoIs::read(who.as_bytes()).is_ok(), "{who}");
    }
}
