//! Files that are built in, as browsers want them: compressed ahead, with their type, a tag to ask again with, and how long
//! they may be kept.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::coding::Coding;

/// A year, which is as long as caches keep anything: for files that have their content's hash in their name.
pub const KEPT_FOR_EVER: &str = "public, max-age=31536000, immutable";

/// One form of a file.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What is in it.
    pub bytes: Bytes,
    /// SHA-256 of that.
    pub hash: [u8; 32],
}

impl From<rust_embed::EmbeddedFile> for Stored {
    fn from(file: rust_embed::EmbeddedFile) -> Self {
        let bytes = match file.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => bytes.into(),
        };
        Self {
            bytes,
            hash: file.metadata.sha256_hash(),
        }
    }
}

/// The file `name`, in the form which the client that sent `asked` likes best of those that `lookup` finds; it may be kept
/// as `keep` says, which is a `Cache-Control`. Nothing if there is no such file.
#[must_use]
pub fn answer(
    name: &str,
    asked: &HeaderMap,
    keep: &'static str,
    lookup: impl Fn(&str) -> Option<Stored>,
) -> Option<Response> {
    let kind = kind(name)?;
    let find = |coding: Coding| Some((coding, lookup(&format!("{name}{}", coding.suffix()))?));
    let (coding, stored) = Coding::wished(asked).into_iter().find_map(find)?;
    let tag = tag(&stored.hash);
    let mut response = if is_known(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        whole(kind, coding, stored.bytes)
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
    Some(response)
}

fn whole(kind: &'static str, coding: Coding, bytes: Bytes) -> Response {
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(coding) = coding.name() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// The type of a file by the end of its name; nothing for what is no file of ours. A name is letters, digits, `-`, `_` and
/// `.`, so it never leads out of its folder.
fn kind(name: &str) -> Option<&'static str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let (_, end) = name.rsplit_once('.').filter(|_| name.bytes().all(is_plain))?;
    match end {
        "js" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "json" => Some("application/json"),
        _ => None,
    }
}

/// The tag of one form: half a SHA-256 is enough to tell any two files apart.
fn tag(hash: &[u8; 32]) -> String {
    let half = u128::from_be_bytes(std::array::from_fn(|at| hash[at]));
    format!("\"{half:032x}\"")
}

/// Whether the client has what is tagged so: `If-None-Match`, compared weakly (RFC 9110 §13.1.2).
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let values = asked.get_all(header::IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use http::HeaderName;

    use super::*;

    /// `app.js` in all forms, `logo.svg` as it is.
    fn lookup(name: &str) -> Option<Stored> {
        let (bytes, first) = match name {
            "app.js" => (&b"plain"[..], 1),
            "app.js.br" => (&b"brotli"[..], 2),
            "app.js.gz" => (&b"gzip"[..], 3),
            "logo.svg" => (&b"<svg/>"[..], 4),
            "README.md" | "../app.js" => (&b"no"[..], 5),
            _ => return None,
        };
        let mut hash = [0; 32];
        hash[0] = first;
        Some(Stored {
            bytes: Bytes::from_static(bytes),
            hash,
        })
    }

    fn get(name: &str, headers: &[(HeaderName, &str)]) -> Option<Response> {
        let headers = headers.iter().cloned();
        let asked = headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
        answer(name, &HeaderMap::from_iter(asked), "no-cache", lookup)
    }

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_form_that_the_client_likes_best_is_sent_and_named() {
        let forms = [
            ("br, gzip", Some("br"), "brotli"),
            ("gzip", Some("gzip"), "gzip"),
            ("", None, "plain"),
        ];
        for (accept, coding, body) in forms {
            let response = get("app.js", &[(header::ACCEPT_ENCODING, accept)]).unwrap();
            let headers = response.headers().clone();
            assert_eq!(
                headers.get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap()),
                coding
            );
            assert_eq!(headers[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert_eq!(headers[header::VARY], "accept-encoding");
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(text(response).await, body);
        }
    }

    #[tokio::test]
    async fn a_form_that_is_not_there_is_replaced_by_the_next() {
        let response = get("logo.svg", &[(header::ACCEPT_ENCODING, "br, gzip")]).unwrap();
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(text(response).await, "<svg/>");
    }

    #[tokio::test]
    async fn who_has_the_form_already_gets_no_body() {
        let brotli = (header::ACCEPT_ENCODING, "br");
        let tag = get("app.js", std::slice::from_ref(&brotli)).unwrap().headers()[header::ETAG].clone();
        let tag = tag.to_str().unwrap();
        for known in [tag, "*", &format!("W/{tag}"), &format!("\"other\", {tag}")] {
            let response = get("app.js", &[brotli.clone(), (header::IF_NONE_MATCH, known)]).unwrap();
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(response.headers()[header::ETAG], tag);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
            assert_eq!(text(response).await, "");
        }
        let gzip = get(
            "app.js",
            &[(header::ACCEPT_ENCODING, "gzip"), (header::IF_NONE_MATCH, tag)],
        );
        assert_eq!(gzip.unwrap().status(), StatusCode::OK, "another form has another tag");
    }

    #[test]
    fn names_that_are_no_files_of_ours_find_nothing() {
        for name in [
            "",
            "app",
            "README.md",
            "../app.js",
            "app.js.br",
            "a/app.js",
            "none.js",
            "%2e.js",
        ] {
            assert!(get(name, &[]).is_none(), "{name}");
        }
    }
}
