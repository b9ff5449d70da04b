//! JSON bodies that a route changes, of requests and of answers, in this order: `unwrap` → `remove` → `rename` → `set` →
//! `envelope`.
//!
//! - A body is taken apart only where a rule goes; everything else keeps its bytes, so that 64-bit numbers, long decimals
//!   and the order of members survive.
//! - Bodies are read as a whole, up to the route's `max_body`, and `gzip`, `br`, `zstd` and `deflate` are undone under
//!   the same limit; the changed body goes on without a coding.
//! - JSON is `application/json` and `*/*+json`. Event streams and whatever else is no JSON are left alone in answers; in
//!   requests they are refused, or a client could walk past `set` with another `Content-Type`.
//! - `Cache-Control: no-transform` in an answer is respected (RFC 9110 §7.7). In a request it is not: the gateway answers
//!   for what its services get.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use super::{Limits, Scope, sift, whole};
use crate::gateway::body::Metered;
use crate::gateway::problem::{Code, Problem};
use path::Path;
use rules::{Rules, Setting, Side};

mod path;
mod tree;
mod rules;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod message_tests;

/// `request_body` and `response_body` of a route. Places are paths such as `order.total` and `items[].price`; a body that is
/// a list itself begins with `[]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BodyRulesConfig {
    /// The member that becomes the whole body, before anything else is done: `data`. A body without it stays.
    pub unwrap: Option<String>,
    /// Members that go.
    pub remove: Vec<String>,
    /// Members that get another name in the same object: `mail = "email"`, `"items[].cost" = "price"`. A member that has
    /// that name already goes.
    pub rename: BTreeMap<String, String>,
    /// Members that get this value; objects on the way to them are made. Texts are templates, also within lists and
    /// objects; `"${claims.level}"` alone keeps the claim's type. Where a template renders to nothing, the member is left
    /// out, and one that the client sent too.
    pub set: BTreeMap<String, Value>,
    /// The name of the one member that the whole body becomes, after everything else: `data`.
    pub envelope: Option<String>,
    /// Also change answers of `application/problem+json`, which are errors and usually of a shape of their own.
    pub problem_json: bool,
}

/// Body rules, checked and ready.
#[derive(Debug, Clone, Default)]
pub struct BodyRules {
    rules: Rules,
    problem_json: bool,
}

impl BodyRulesConfig {
    /// The rules, checked.
    ///
    /// # Errors
    /// Every path, name and template that does not read, and renamings whose outcome would depend on their order.
    pub fn compile(&self) -> Result<BodyRules, Vec<String>> {
        let mut problems = Vec::new();
        let rules = Rules {
            unwrap: sift("unwrap", self.unwrap.iter().map(|text| single(text)), &mut problems).pop(),
            remove: sift(
                "remove",
                self.remove.iter().map(|text| Path::parse(text)),
                &mut problems,
            ),
            rename: sift("rename", self.rename.iter().map(renaming), &mut problems),
            set: sift("set", self.set.iter().map(setting), &mut problems),
            envelope: sift("envelope", self.envelope.iter().map(|text| name(text)), &mut problems).pop(),
        };
        problems.extend(tangles(&rules.rename));
        let problem_json = self.problem_json;
        if problems.is_empty() {
            Ok(BodyRules { rules, problem_json })
        } else {
            Err(problems)
        }
    }
}

fn single(text: &str) -> Result<Path, String> {
    let path = Path::parse(text)?;
    if path.is_single() {
        Ok(path)
    } else {
        Err(format!("\"{text}\" leads to more than one place"))
    }
}

fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['.', '[', ']']) {
        return Err(format!("\"{text}\" is no name of one member"));
    }
    Ok(text.to_owned())
}

fn renaming((from, to): (&String, &String)) -> Result<(Path, String), String> {
    Ok((Path::parse(from)?, name(to)?))
}

fn setting((path, value): (&String, &Value)) -> Result<(Path, Setting), String> {
    let setting = Setting::parse(value).map_err(|problem| format!("{path}: {problem}"))?;
    Ok((Path::parse(path)?, setting))
}

/// Renamings in one object of which one takes what the other gives.
fn tangles(renames: &[(Path, String)]) -> Vec<String> {
    let is_tangled = |(path, to): &&(Path, String)| {
        let beside = renames.iter().filter(|(other, _)| other.steps == path.steps);
        let mut others = beside.filter(|(other, _)| other != path);
        *path.name == **to || others.any(|(other, taken)| *other.name == **to || taken == to)
    };
    let told = |(path, to): &(Path, String)| format!("rename: `{path}` to \"{to}\" meets another of that name");
    renames.iter().filter(is_tangled).map(told).collect()
}

impl BodyRules {
    /// A request with its body changed. One without a body stays as it is.
    ///
    /// # Errors
    /// [`Code::InvalidJson`] if it is no JSON, or if something cannot be set in it; what [`whole::read`] and
    /// [`whole::decode`] refuse.
    pub async fn request(
        &self,
        request: Request<Body>,
        scope: &Scope<'_>,
        limits: &Limits<'_>,
    ) -> Result<Request<Body>, Problem> {
        if hyper::body::Body::is_end_stream(request.body()) {
            return Ok(request);
        }
        let (mut parts, body) = request.into_parts();
        let plain = whole::json(&parts.headers, body, limits).await?;
        if plain.as_slice().is_empty() {
            return Ok(Request::from_parts(parts, Body::empty()));
        }
        let changed = self.rules.apply(plain.as_slice(), Side::Request, scope);
        let changed = changed.map_err(|unfit| Problem::new(Code::InvalidJson, unfit.0))?;
        whole::corrected(&mut parts.headers, changed.len());
        Ok(Request::from_parts(parts, Body::from(changed)))
    }

    /// The answer to a request of `method`, with its body changed; one that is no JSON, or only a part of one, as it is.
    ///
    /// # Errors
    /// [`Code::BadGateway`] if it is over the limit or breaks off, [`Code::GatewayTimeout`] if it does not come,
    /// [`Code::Overloaded`] if too many bodies are in memory.
    pub async fn response(
        &self,
        method: &Method,
        mut response: Response<Body>,
        scope: &Scope<'_>,
        limits: &Limits<'_>,
    ) -> Result<Response<Body>, Problem> {
        if response.status() == StatusCode::NOT_MODIFIED {
            whole::weaken(response.headers_mut());
        }
        if !self.concerns(&response) {
            return Ok(response);
        }
        if method == Method::HEAD {
            whole::as_changed(response.headers_mut());
            return Ok(response);
        }
        let (mut parts, body) = response.into_parts();
        let wire = whole::read(body, limits).await.map_err(whole::of_upstream)?;
        let original = Bytes::copy_from_slice(wire.as_slice());
        let body = match self.changed(&parts.headers, wire, scope, limits).await? {
            Some(changed) => {
                whole::corrected(&mut parts.headers, changed.len());
                Body::from(changed)
            }
            None => Body::from(original),
        };
        Ok(Response::from_parts(parts, body))
    }

    /// The path parameters that the rules speak of: the route must have them.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.rules.path_parameters().into_iter()
    }

    async fn changed(
        &self,
        headers: &HeaderMap,
        wire: Metered,
        scope: &Scope<'_>,
        limits: &Limits<'_>,
    ) -> Result<Option<Vec<u8>>, Problem> {
        match whole::decode(headers, wire, limits).await {
            Ok(plain) => Ok(self.rules.apply(plain.as_slice(), Side::Response, scope).ok()),
            Err(problem) if matches!(problem.code(), Code::UnsupportedEncoding | Code::InvalidEncoding) => Ok(None),
            Err(problem) => Err(whole::of_upstream(problem)),
        }
    }

    /// Whether an answer is one whole JSON text that may be changed.
    fn concerns(&self, response: &Response<Body>) -> bool {
        let has_body = !matches!(response.status().as_u16(), 100..=199 | 204 | 205 | 206 | 304);
        let media = whole::media_type(response.headers());
        let is_wanted =
            |media: &str| whole::is_json(media) && (self.problem_json || media != "application/problem+json");
        has_body && media.as_deref().is_some_and(is_wanted) && !is_final(response.headers())
    }
}

fn is_final(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    let mut directives = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    directives.any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}
