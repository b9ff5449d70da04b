//! The schemas of questions, where the derive macros cannot say what strict reading takes: tagged and nested objects
//! without any other field, and fields that go together.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::persons::{Nowhere, WhoIs};
use super::question::{
    Cohort, Criterion, Definition, Event, Filter, Frequency, Funnel, Lifecycle, Math, Of, Op, Paths, Performed,
    Question, Retention, Series, Sessions, Stickiness, Trends,
};
use super::{funnel, lifecycle, paths, retention, sessions, stickiness, trends};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// A schema that is written here. None of them fails to be read; a test compares what was read with what was written.
fn schema(json: Value) -> RefOr<Schema> {
    serde_json::from_value(json).unwrap_or_default()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object of these fields, all needed but for `optional`, and no others.
fn object(fields: &Value, optional: &[&str]) -> Value {
    let names = fields.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let required: Vec<&str> = names.filter(|name| !optional.contains(name)).collect();
    json!({"type": "object", "properties": fields, "required": required, "additionalProperties": false})
}

/// A kind of question: its own fields, and the places of its answer.
struct Kind {
    kind: &'static str,
    question: String,
    place: String,
    schema: RefOr<Schema>,
    schemas: Schemas,
}

impl Kind {
    fn of<Q: ToSchema, P: ToSchema>(kind: &'static str) -> Self {
        let mut schemas = vec![(P::name().into_owned(), P::schema())];
        Q::schemas(&mut schemas);
        P::schemas(&mut schemas);
        Self {
            kind,
            question: format!("{}Question", Q::name()),
            place: P::name().into_owned(),
            schema: tagged(kind, Q::schema()),
            schemas,
        }
    }

    fn all() -> [Self; 8] {
        [
            Self::of::<Trends, trends::Spot>("trends"),
            Self::of::<Funnel, funnel::Spot>("funnel"),
            Self::of::<Retention, retention::Spot>("retention"),
            Self::of::<Paths, paths::Spot>("paths"),
            Self::of::<Lifecycle, lifecycle::Spot>("lifecycle"),
            Self::of::<Stickiness, stickiness::Spot>("stickiness"),
            Self::of::<Sessions, sessions::Spot>("sessions"),
            Self {
                schema: cohort(),
                ..Self::of::<Cohort, Nowhere>("cohort")
            },
        ]
    }
}

/// The schema of an object that also has its kind. (`allOf` cannot add a field where no other one is allowed.)
fn tagged(kind: &str, schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = schema else {
        return schema;
    };
    object.properties.insert(
        "kind".to_owned(),
        self::schema(json!({"type": "string", "enum": [kind]})),
    );
    object.required.insert(0, "kind".to_owned());
    RefOr::T(Schema::Object(object))
}

/// Exactly one of the two; the other may be there as `null`.
fn cohort() -> RefOr<Schema> {
    let (kind, nothing) = (json!({"type": "string", "enum": ["cohort"]}), json!({"type": "null"}));
    let number = json!({"type": "integer", "format": "int64", "description": "The number of one that is kept."});
    let definition = reference(&Definition::name());
    schema(json!({
        "oneOf": [
            object(&json!({"kind": kind, "cohort": number, "definition": nothing}), &["definition"]),
            object(&json!({"kind": kind, "cohort": nothing, "definition": definition}), &["cohort"]),
        ],
        "description": "How many persons are in a cohort that is kept, or in one that is only described.",
    }))
}

impl ToSchema for Question {
    fn schemas(schemas: &mut Schemas) {
        for kind in Kind::all() {
            schemas.push((kind.question, kind.schema));
            schemas.extend(kind.schemas);
        }
    }
}

impl PartialSchema for Question {
    fn schema() -> RefOr<Schema> {
        let kinds = Kind::all();
        let refs: Vec<Value> = kinds.iter().map(|kind| reference(&kind.question)).collect();
        let mapping = kinds.iter().map(|kind| {
            let target = format!("#/components/schemas/{}", kind.question);
            (kind.kind.to_owned(), target.into())
        });
        let mapping: serde_json::Map<String, Value> = mapping.collect();
        schema(json!({
            "oneOf": refs,
            "description": "A question, by its kind.",
            "discriminator": {"propertyName": "kind", "mapping": mapping},
        }))
    }
}

impl ToSchema for WhoIs {
    fn schemas(schemas: &mut Schemas) {
        Question::schemas(schemas);
    }
}

impl PartialSchema for WhoIs {
    fn schema() -> RefOr<Schema> {
        let of_kind = |kind: Kind| {
            let fields = json!({
                "query": reference(&kind.question),
                "at": reference(&kind.place),
                "limit": {"type": ["integer", "null"], "format": "int32", "minimum": 1, "maximum": 1000, "default": 100},
                "cursor": {"type": ["integer", "null"], "format": "int64", "description": "`next_cursor` of the page before."},
            });
            object(&fields, &["limit", "cursor"])
        };
        let kinds = Kind::all().map(of_kind);
        schema(json!({
            "oneOf": kinds,
            "description": "A question, and a place in its answer.",
        }))
    }
}

impl ToSchema for Series {
    fn schemas(schemas: &mut Schemas) {
        Event::schemas(schemas);
        schemas.push((Filter::name().into_owned(), Filter::schema()));
    }
}

impl PartialSchema for Series {
    fn schema() -> RefOr<Schema> {
        let (of_property, counts): (Vec<Math>, Vec<Math>) = Math::ALL.iter().partition(|math| math.needs_property());
        let with = |math: Value, property: Value, optional: &[&str]| {
            let name =
                |what: &str| json!({"type": ["string", "null"], "minLength": 1, "maxLength": 200, "description": what});
            let fields = json!({
                "event": name("The name of its events; any event where there is none."),
                "name": name("What the answer calls it; the event's name by default."),
                "math": math,
                "math_property": property,
                "filters": {"oneOf": [{"type": "null"}, reference(&Filter::name())]},
            });
            object(&fields, &[&["event", "name", "filters"], optional].concat())
        };
        let property = json!({"type": "string", "minLength": 1, "maxLength": 512});
        schema(json!({
            "oneOf": [
                with(
                    json!({"type": "string", "enum": counts, "default": Math::default()}),
                    json!({"type": "null"}),
                    &["math", "math_property"],
                ),
                with(json!({"type": "string", "enum": of_property}), property, &[]),
            ],
            "description": "A line of a trend: events of a name, and what is made of them.",
        }))
    }
}

impl ToSchema for Filter {}

impl PartialSchema for Filter {
    fn schema() -> RefOr<Schema> {
        let filters = json!({"type": "array", "items": reference(&Filter::name()), "maxItems": 100});
        let text = json!({"type": "string", "maxLength": 8192});
        let plain = json!({"type": ["string", "number", "boolean", "null"], "maxLength": 8192});
        let some = |items: &Value| json!({"type": "array", "items": items, "minItems": 1, "maxItems": 1000});
        let time = json!({"type": "string", "format": "date-time"});
        let two = json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2});
        schema(json!({
            "oneOf": [
                object(&json!({"and": filters}), &[]),
                object(&json!({"or": filters}), &[]),
                condition(&[Op::Is, Op::IsNot], Some(json!({"oneOf": [plain, some(&plain)]}))),
                condition(&[Op::Contains, Op::NotContains], Some(json!({"oneOf": [text, some(&text)]}))),
                condition(&[Op::Regex], Some(json!({"type": "string", "maxLength": 500}))),
                condition(&[Op::Gt, Op::Gte, Op::Lt, Op::Lte], Some(json!({"oneOf": [{"type": "number"}, time]}))),
                condition(&[Op::Between], Some(two)),
                condition(&[Op::IsSet, Op::IsNotSet], None),
                object(&json!({
                    "type": {"type": "string", "enum": [Of::Event, Of::Person, Of::Session, Of::Cohort]},
                    "op": {"type": "string", "enum": [Op::InCohort, Op::NotInCohort]},
                    "value": {"type": "integer", "format": "int64"},
                }), &["type"]),
            ],
            "description": "All of these (`and`), one of these at least (`or`), or a condition on a property. At most 100 \
                            conditions, nested at most 8 deep.",
        }))
    }
}

fn condition(ops: &[Op], value: Option<Value>) -> Value {
    let mut fields = json!({
        "type": {"type": "string", "enum": [Of::Event, Of::Person, Of::Session], "default": Of::Event},
        "property": {"type": "string", "minLength": 1, "maxLength": 512},
        "op": {"type": "string", "enum": ops},
    });
    if let Some(value) = value {
        fields["value"] = value;
    }
    object(&fields, &["type"])
}

impl ToSchema for Definition {
    fn schemas(schemas: &mut Schemas) {
        schemas.push((Criterion::name().into_owned(), Criterion::schema()));
        Criterion::schemas(schemas);
    }
}

impl PartialSchema for Definition {
    fn schema() -> RefOr<Schema> {
        let criteria = json!({"type": "array", "items": reference(&Criterion::name()), "minItems": 1, "maxItems": 20});
        schema(json!({
            "oneOf": [object(&json!({"and": criteria}), &[]), object(&json!({"or": criteria}), &[])],
            "description": "What is to be so of a cohort's persons: all of these, or one of these at least.",
        }))
    }
}

impl ToSchema for Criterion {
    fn schemas(schemas: &mut Schemas) {
        schemas.push((Filter::name().into_owned(), Filter::schema()));
        schemas.push((Performed::name().into_owned(), Performed::schema()));
        Performed::schemas(schemas);
    }
}

impl PartialSchema for Criterion {
    fn schema() -> RefOr<Schema> {
        let performed = reference(&Performed::name());
        let filter = reference(&Filter::name());
        schema(json!({
            "oneOf": [
                object(&json!({"performed": performed}), &[]),
                object(&json!({"not_performed": performed}), &[]),
                object(&json!({"person": filter}), &[]),
                object(&json!({"in_cohort": {"type": "integer", "format": "int64"}}), &[]),
            ],
            "description": "They did this; they did not; this is known of them (all `type`s are `person`); they are in this \
                            other cohort, which is kept.",
        }))
    }
}

impl ToSchema for Frequency {}

impl PartialSchema for Frequency {
    fn schema() -> RefOr<Schema> {
        let times = json!({"type": "integer", "format": "int32", "minimum": 1});
        let each = ["at_least", "exactly", "at_most"].map(|name| object(&json!({name: times}), &[]));
        schema(json!({
            "oneOf": each,
            "description": "How often.",
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::ask::question::KINDS;

    #[test]
    fn every_kind_of_question_has_a_schema() {
        assert_eq!(Kind::all().map(|kind| kind.kind), KINDS);
    }

    #[test]
    fn no_word_of_a_schema_is_lost_on_the_way() {
        let written = object(
            &json!({
                "a": {"oneOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]},
                "b": {"type": ["string", "null"], "maxLength": 3, "minLength": 1, "enum": ["x"], "default": "x"},
                "c": {"type": "array", "items": reference("Filter"), "minItems": 2, "maxItems": 4},
                "d": {"type": ["integer", "null"], "format": "int32", "minimum": 1, "maximum": 2, "description": "d"},
            }),
            &["b"],
        );
        assert_eq!(serde_json::to_value(schema(written.clone())).unwrap(), written);
    }
}
