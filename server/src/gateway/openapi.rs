//! `GET /openapi.json`: the API as OpenAPI 3.1, generated from the handlers. What a handler does not say of itself is
//! here: who the API is, its keys, its sections.

use std::sync::{Arc, LazyLock};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::problem::Problem;
use super::refusals::AnyRefused;
use crate::app::App;

/// What is not said by the handlers themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trailmark",
        description = "Self-hosted product analytics: events in, answers out. Times are RFC 3339; in answers they are in UTC. Every answer carries `X-Request-Id`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem)),
    tags(
        (name = "ingest", description = "Events in: a write key."),
        (name = "query", description = "Questions about what people do: a secret key."),
        (name = "read", description = "What is stored: a secret key."),
        (name = "health", description = "What is broken, and who is told: a secret key, or a session."),
        (name = "live", description = "What happens, as it happens: a secret key."),
        (name = "persons", description = "Who they are, and their right to leave: a secret key."),
        (name = "monitors", description = "Whether what you run answers: a secret key, or a session."),
        (name = "alerts", description = "Who is told of what is broken: a secret key, or a session."),
        (name = "auth", description = "Logging in: users of the installation, and their sessions."),
        (name = "settings", description = "The installation: its users, projects, keys, servers. A session."),
        (name = "server", description = "The server itself, and its files: no key."),
    ),
    modifiers(&Keys)
)]
struct Api;

/// How a key is shown.
struct Keys;

/// Names of the security schemes.
pub const SECRET_KEY: &str = "secret_key";

impl Modify for Keys {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = |text: &str| {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(text.to_owned());
            SecurityScheme::Http(scheme)
        };
        let query = ApiKeyValue::with_description("key", "A write key, for beacons, which cannot set headers.");
        let cookie = ApiKeyValue::with_description(
            "__Host-sid",
            "The session of a login. It says which project it means with `Trailmark-Project: 1` or `?project=1`. What changes something takes its `X-Csrf-Token` and the role `admin`.",
        );
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(SECRET_KEY, bearer("`tm_sk_…`: reads and administers its project."));
        components.add_security_scheme("share_token", bearer("`tm_sh_…`: shows what one link shows."));
        components.add_security_scheme("write_key", bearer("`tm_pk_…`: sends events, nothing else."));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.add_security_scheme("invitation", bearer("`tm_in_…`: a link that works once."));
        components.add_security_scheme("write_key_in_query", SecurityScheme::ApiKey(ApiKey::Query(query)));
    }
}

/// The routes, with the description of the whole.
pub fn describe(routes: OpenApiRouter<Arc<App>>) -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Api::openapi()).merge(routes)
}

/// The description of this server's API, as JSON.
#[must_use]
pub fn description() -> &'static Value {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
        let described = super::described().into_openapi();
        // Maps with texts as keys, which always serialise.
        let mut described = serde_json::to_value(described).unwrap_or_default();
        tidy(&mut described);
        described
    });
    &DESCRIPTION
}

/// The description of this server's API.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "server", responses(
    (status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json"),
    AnyRefused,
))]
pub async fn openapi() -> Response {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| description().to_string().into());
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], TEXT.clone()).into_response()
}

/// Makes of what the derive macros write what a reader outside of the code expects: texts without links into the code,
/// and parameters that are left out and never `null`.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(_)), Some(schema)) = (fields.get("in").cloned(), fields.get_mut("schema")) {
                without_null(schema);
            }
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "description" | "summary") => *text = unlinked(text),
                    value => tidy(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// `["string", "null"]` is `"string"`.
fn without_null(schema: &mut Value) {
    let Some(Value::Array(types)) = schema.get_mut("type") else {
        return;
    };
    types.retain(|name| name != "null");
    if let [one] = types.as_slice() {
        schema["type"] = one.clone();
    }
}

/// Links of rustdoc as what they show.
fn unlinked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, after)) = after.split_once("`]") else {
            break;
        };
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        plain.extend([before, "`", name, "`"]);
        rest = target.map_or(after, |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_code_become_what_they_show() {
        assert_eq!(
            unlinked("See [`Trends`](super::Trends), [`Of`]."),
            "See `Trends`, `Of`."
        );
        assert_eq!(unlinked("a [`b"), "a [`b");
        assert_eq!(unlinked("[1], (2)"), "[1], (2)");
    }
}
