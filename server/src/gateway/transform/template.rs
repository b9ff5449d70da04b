//! `${claims.tenant}-x`: texts of the gateway's file that are filled from each request.
//!
//! | name | what it stands for |
//! | --- | --- |
//! | `${claims.NAME}` | a claim; `${claims.a.b}` walks objects, and a name that has dots itself is found too |
//! | `${user}` `${email}` `${key}` | the caller's user, e-mail address, name of its API key |
//! | `${role}` `${roles}` `${scopes}` | its first role, all roles, all scopes |
//! | `${path.NAME}` | a parameter of the route's path |
//! | `${request_id}` `${client_ip}` `${route}` | the request's id, the client's address, the route's id |
//!
//! In a header field everything but printable ASCII is percent-encoded, so that no claim can end a line; an array is
//! joined with commas, and a comma within one of its elements is encoded, so that no element can pass for two. Whoever reads
//! the field is not meant to decode it: a `%` stays as it is.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value};

use super::Scope;

/// What must not stand in a field's element: RFC 9110 §5.5 for controls, §5.6.1 for the comma between elements.
const ELEMENT: &AsciiSet = &CONTROLS.add(b',');

/// A text with places to be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Box<[Part]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Variable(Variable),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Variable {
    Claim(Box<str>),
    User,
    Email,
    Key,
    Role,
    Roles,
    Scopes,
    Path(Box<str>),
    RequestId,
    ClientIp,
    Route,
}

/// What a variable stands for in one request.
enum Found<'a> {
    Text(Cow<'a, str>),
    Texts(&'a [String]),
    Json(&'a Value),
}

/// Where a text will stand.
#[derive(Clone, Copy)]
enum Place {
    Header,
    Json,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A `${` without an end, or a name that stands for nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let unfinished = || format!("\"{text}\" has a `${{` without its `}}`");
            let (name, after) = after.split_once('}').ok_or_else(unfinished)?;
            parts.extend((!before.is_empty()).then(|| Part::Text(before.into())));
            parts.push(Part::Variable(Variable::parse(name)?));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.into())));
        Ok(Self(parts.into()))
    }

    /// The text as the value of a header field; nothing if something that it speaks of is missing, `null`, or an empty
    /// list.
    #[must_use]
    pub fn render<'a>(&'a self, scope: &Scope<'a>) -> Option<Cow<'a, str>> {
        self.fill(scope, Place::Header)
    }

    /// The text as a JSON value: a variable that stands alone keeps its type. Nothing if something that it speaks of is
    /// missing or `null`.
    #[must_use]
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match &*self.0 {
            [Part::Variable(variable)] => variable.find(scope).map(Found::into_json),
            _ => self.fill(scope, Place::Json).map(|text| Value::from(text.into_owned())),
        }
    }

    /// The path parameters that it speaks of: the route must have them.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(Variable::Path(name)) => Some(&**name),
            _ => None,
        })
    }

    fn fill<'a>(&'a self, scope: &Scope<'a>, place: Place) -> Option<Cow<'a, str>> {
        match &*self.0 {
            [] => Some(Cow::Borrowed("")),
            [part] => part.fill(scope, place),
            parts => {
                let filled = parts.iter().map(|part| part.fill(scope, place));
                filled.collect::<Option<String>>().map(Cow::Owned)
            }
        }
    }
}

impl Part {
    fn fill<'a>(&'a self, scope: &Scope<'a>, place: Place) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(place.fit(Cow::Borrowed(text), CONTROLS)),
            Self::Variable(variable) => variable.find(scope)?.into_text(place),
        }
    }
}

impl Place {
    /// `text` without what this place cannot hold.
    fn fit<'a>(self, text: Cow<'a, str>, refused: &'static AsciiSet) -> Cow<'a, str> {
        match (self, text) {
            (Self::Json, text) => text,
            (Self::Header, Cow::Borrowed(text)) => utf8_percent_encode(text, refused).into(),
            (Self::Header, Cow::Owned(text)) => utf8_percent_encode(&text, refused).to_string().into(),
        }
    }
}

impl Variable {
    fn parse(name: &str) -> Result<Self, String> {
        let (family, member) = name.split_once('.').unwrap_or((name, ""));
        Ok(match (family, member) {
            ("claims", claim) if !claim.is_empty() => Self::Claim(claim.into()),
            ("path", parameter) if !parameter.is_empty() => Self::Path(parameter.into()),
            _ => match name {
                "user" => Self::User,
                "email" => Self::Email,
                "key" => Self::Key,
                "role" => Self::Role,
                "roles" => Self::Roles,
                "scopes" => Self::Scopes,
                "request_id" => Self::RequestId,
                "client_ip" => Self::ClientIp,
                "route" => Self::Route,
                _ => return Err(format!("`${{{name}}}` stands for nothing; there are {NAMES}")),
            },
        })
    }

    fn find<'a>(&self, scope: &Scope<'a>) -> Option<Found<'a>> {
        let text = |text: &'a str| Found::Text(Cow::Borrowed(text));
        match self {
            Self::Claim(path) => claim(&scope.caller?.claims, path).map(Found::Json),
            Self::User => scope.caller?.user.as_deref().map(text),
            Self::Email => scope.caller?.email.as_deref().map(text),
            Self::Key => scope.caller?.key.as_deref().map(text),
            Self::Role => scope.caller?.roles.first().map(|role| text(role)),
            Self::Roles => Some(Found::Texts(&scope.caller?.roles)),
            Self::Scopes => Some(Found::Texts(&scope.caller?.scopes)),
            Self::Path(wanted) => {
                let found = scope.path.iter().find(|(name, _)| *name == &**wanted);
                found.map(|(_, value)| text(value))
            }
            Self::RequestId => Some(text(scope.request_id)),
            Self::ClientIp => Some(Found::Text(scope.client_ip.to_string().into())),
            Self::Route => Some(text(scope.route)),
        }
    }
}

/// What an unknown name is answered with.
const NAMES: &str = "claims.NAME, path.NAME, user, email, key, role, roles, scopes, request_id, client_ip and route";

/// The claim at `path`. The longest name goes first: some issuers name claims `https://id.example/roles`.
fn claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(path) {
        return (!found.is_null()).then_some(found);
    }
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let within = claims.get(&path[..dot])?.as_object()?;
        claim(within, &path[dot + 1..])
    })
}

impl<'a> Found<'a> {
    fn into_json(self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.into_owned()),
            Self::Texts(texts) => Value::from(texts),
            Self::Json(value) => value.clone(),
        }
    }

    fn into_text(self, place: Place) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(place.fit(text, CONTROLS)),
            Self::Texts(texts) => join(texts.iter().map(|text| place.fit(text.into(), ELEMENT))),
            Self::Json(Value::Array(values)) => {
                let given = values.iter().filter(|value| !value.is_null());
                join(given.map(|value| place.fit(plain(value), ELEMENT)))
            }
            Self::Json(value) => Some(place.fit(plain(value), CONTROLS)),
        }
    }
}

/// A text as it is, everything else as JSON.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn join<'a>(texts: impl Iterator<Item = Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let joined = texts.reduce(|joined, text| joined + "," + text);
    joined.filter(|joined| !joined.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::gateway::transform::tests::{ann, caller, scope};

    fn render(template: &str, claims: Value) -> Option<String> {
        let caller = caller(claims);
        let template = Template::parse(template).unwrap();
        template.render(&scope(Some(&caller))).map(Cow::into_owned)
    }

    #[test]
    fn every_name_stands_for_its_fact() {
        let ann = ann();
        for (name, value) in [
            ("claims.tenant", "acme"),
            ("claims.level", "7"),
            ("claims.beta", "true"),
            ("claims.groups", "a,b"),
            ("claims.org.id", "o1"),
            ("claims.org", "{\"id\":\"o1\"}"),
            ("user", "u1"),
            ("email", "ann@example.com"),
            ("role", "admin"),
            ("roles", "admin,user"),
            ("scopes", "orders:read"),
            ("request_id", "r-1"),
            ("client_ip", "192.0.2.7"),
            ("path.rest", "a/b"),
            ("route", "users"),
        ] {
            let template = Template::parse(&format!("<${{{name}}}>")).unwrap();
            let rendered = template.render(&scope(Some(&ann)));
            assert_eq!(rendered.as_deref(), Some(&*format!("<{value}>")), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_and_an_unfinished_one_are_refused_when_the_file_is_read() {
        for template in [
            "${tenant}",
            "${}",
            "${claims}",
            "${claims.}",
            "${path}",
            "${USER}",
            "${user.id}",
            "${ user }",
        ] {
            let error = Template::parse(template).unwrap_err();
            assert!(error.contains("client_ip"), "{template}: {error}");
        }
        assert!(Template::parse("a${user").unwrap_err().contains("without its `}`"));
    }

    #[test]
    fn what_is_missing_leaves_the_whole_text_out() {
        for template in [
            "${claims.none}",
            "x-${claims.none}",
            "${claims.tenant.id}",
            "${key}",
            "${path.id}",
        ] {
            assert_eq!(
                render(template, json!({"tenant": "acme", "none": null})),
                None,
                "{template}"
            );
        }
        assert_eq!(render("${claims.list}", json!({"list": [null]})), None);
        assert_eq!(render("${claims.text}", json!({"text": ""})).as_deref(), Some(""));
        let nobody = scope(None);
        assert_eq!(Template::parse("${user}").unwrap().render(&nobody), None);
        assert_eq!(Template::parse("").unwrap().render(&nobody).as_deref(), Some(""));
    }

    #[test]
    fn a_claim_whose_name_has_dots_is_found() {
        let claims = json!({"https://id.example/org": {"id": 1}, "a.b": 2, "a": {"b": 3, "c": 4}});
        assert_eq!(
            render("${claims.https://id.example/org.id}", claims.clone()).as_deref(),
            Some("1")
        );
        assert_eq!(render("${claims.a.b} ${claims.a.c}", claims).as_deref(), Some("2 4"));
    }

    #[test]
    fn no_claim_ends_a_line_or_passes_for_two() {
        let evil = json!({"t": "a\r\nX-User-Role: root\0", "l": ["user,admin", "b\n"], "u": "Jörg\u{85}"});
        assert_eq!(
            render("${claims.t}", evil.clone()).as_deref(),
            Some("a%0D%0AX-User-Role: root%00")
        );
        assert_eq!(
            render("${claims.l}", evil.clone()).as_deref(),
            Some("user%2Cadmin,b%0A")
        );
        assert_eq!(render("${claims.u}", evil).as_deref(), Some("J%C3%B6rg%C2%85"));
    }

    #[test]
    fn json_keeps_types_where_a_variable_stands_alone() {
        let ann = ann();
        let value = |template: &str| Template::parse(template).unwrap().value(&scope(Some(&ann)));
        assert_eq!(value("${claims.level}"), Some(json!(7)));
        assert_eq!(value("${claims.groups}"), Some(json!(["a", "b"])));
        assert_eq!(value("${claims.org}"), Some(json!({"id": "o1"})));
        assert_eq!(value("${roles}"), Some(json!(["admin", "user"])));
        assert_eq!(
            value("v${claims.level}\n"),
            Some(json!("v7\n")),
            "JSON may hold any text"
        );
        assert_eq!(value("${claims.none}"), None);
    }

    #[test]
    fn the_path_parameters_it_needs_are_known() {
        let template = Template::parse("${path.a}/${user}/${path.b}").unwrap();
        assert_eq!(template.path_parameters().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_parser(text in "(\\$|\\{|\\}|claims|path|\\.|user|é|\r)*") {
            if let Ok(template) = Template::parse(&text) {
                let ann = ann();
                let _ = (template.render(&scope(Some(&ann))), template.value(&scope(None)));
            }
        }

        #[test]
        fn whatever_a_claim_holds_the_field_is_printable_ascii(text in ".*", more in any::<Vec<String>>()) {
            let claims = json!({"t": &text, "l": more, "o": {&text: &text}});
            for template in ["${claims.t}", "${claims.l}", "x${claims.o}", "é\n${claims.t}"] {
                let rendered = render(template, claims.clone()).unwrap_or_default();
                prop_assert!(rendered.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{rendered:?}");
                prop_assert!(HeaderValue::from_str(&rendered).is_ok());
            }
        }

        #[test]
        fn a_printable_claim_is_given_as_it_is(text in "[ -~]*") {
            prop_assert_eq!(render("${claims.t}", json!({"t": &text})), Some(text));
        }
    }
}
