//! Who is asking: the key, wherever a client may put it, and what it opens.

use http::{HeaderMap, Uri, header};

use super::keyring::Grant;
use super::problem::{Code, Problem};
use super::query_string;
use crate::app::App;
use crate::store::KeyKind;

/// The key in `Authorization: Bearer …`, or in `?key=` for clients that cannot set headers.
#[must_use]
pub fn presented_key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer
        .map(|(_, key)| key.trim().to_owned())
        .or_else(|| query_string::get(uri, "key"))
}

/// What `key` opens, if it is of the needed kind and within its rate.
///
/// # Errors
/// [`Code::MissingKey`], [`Code::UnknownKey`], [`Code::WrongKeyKind`], [`Code::RateLimited`],
/// [`Code::KeyringUnavailable`].
pub async fn authorise(app: &App, key: Option<&str>, needed: KeyKind) -> Result<Grant, Problem> {
    let key = key
        .filter(|key| !key.is_empty())
        .ok_or_else(|| Problem::new(Code::MissingKey, "there is no key"))?;
    let grant = app.keyring.grant(key, &app.store).await?;
    let opened = open(app, grant, needed);
    if let (Err(problem), KeyKind::Write) = (&opened, needed) {
        app.request_refused(grant.project_id, app.clock.now(), problem);
    }
    opened
}

fn open(app: &App, grant: Grant, needed: KeyKind) -> Result<Grant, Problem> {
    if grant.kind != needed {
        let detail = format!(
            "this is a {} key, a {} key is needed",
            grant.kind.as_str(),
            needed.as_str()
        );
        return Err(Problem::new(Code::WrongKeyKind, detail));
    }
    app.limits.check_key((grant.project_id, grant.key_id))?;
    Ok(grant)
}
