//! Conditional requests (RFC 9111 §4.3): the caller's, answered from what is stored, and ours to the upstream.

use http::{HeaderMap, HeaderName, StatusCode, header};

use super::directives::listed;
use super::lifetime::time_in;

/// The conditions that a cache answers itself (RFC 9111 §4.3.2).
pub(super) const CONDITIONS: [HeaderName; 2] = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];

/// Of a stored answer what a 304 does not change: what describes the stored bytes (RFC 9111 §3.2), and what belongs to one
/// connection.
const OF_THE_BODY: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_RANGE,
    header::TRANSFER_ENCODING,
];

/// Whether the caller has this answer already (RFC 9110 §13.2.2). Only answers of 200 are compared.
pub(super) fn is_known(request: &HeaderMap, status: StatusCode, answer: &HeaderMap) -> bool {
    if status != StatusCode::OK {
        return false;
    }
    if request.contains_key(header::IF_NONE_MATCH) {
        let tag = answer.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        return listed(request, &header::IF_NONE_MATCH)
            .any(|known| known == "*" || tag.is_some_and(|tag| opaque(tag) == opaque(&known)));
    }
    let changed_at = time_in(answer, &header::LAST_MODIFIED).or_else(|| time_in(answer, &header::DATE));
    let known_since = time_in(request, &header::IF_MODIFIED_SINCE);
    changed_at
        .zip(known_since)
        .is_some_and(|(changed, known)| changed <= known)
}

/// Weak comparison (RFC 9110 §8.8.3.2).
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether the upstream can be asked if this answer still holds.
pub(super) fn has_validator(answer: &HeaderMap) -> bool {
    answer.contains_key(header::ETAG) || answer.contains_key(header::LAST_MODIFIED)
}

/// Asks the upstream whether `stored` still holds, in place of what the caller asked (RFC 9111 §4.3.1).
pub(super) fn ask_about(stored: &HeaderMap, request: &mut HeaderMap) {
    forget(request);
    if let Some(tag) = stored.get(header::ETAG) {
        request.insert(header::IF_NONE_MATCH, tag.clone());
    }
    if let Some(at) = stored.get(header::LAST_MODIFIED) {
        request.insert(header::IF_MODIFIED_SINCE, at.clone());
    }
}

/// Asks for the answer whatever the caller has.
pub(super) fn forget(request: &mut HeaderMap) {
    for name in CONDITIONS {
        request.remove(name);
    }
}

/// Whether a 304 is about `stored` (RFC 9111 §4.3.4): its validator is that of the stored answer, or it has none.
pub(super) fn is_about(stored: &HeaderMap, not_modified: &HeaderMap) -> bool {
    let tag = |headers: &HeaderMap| {
        headers
            .get(header::ETAG)
            .and_then(|tag| Some(opaque(tag.to_str().ok()?).to_owned()))
    };
    match (tag(not_modified), not_modified.get(header::LAST_MODIFIED)) {
        (Some(new), _) => tag(stored) == Some(new),
        (None, Some(new)) => stored.get(header::LAST_MODIFIED) == Some(new),
        (None, None) => true,
    }
}

/// The stored headers with those of a 304 in their place (RFC 9111 §3.2).
pub(super) fn refreshed(stored: &HeaderMap, not_modified: &HeaderMap) -> HeaderMap {
    let mut headers = stored.clone();
    // Both belong to the answer that brought them, not to this one.
    headers.remove(header::AGE);
    headers.remove(header::DATE);
    let news = || not_modified.keys().filter(|name| !OF_THE_BODY.contains(name));
    for name in news() {
        headers.remove(name);
    }
    for name in news() {
        for value in not_modified.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    headers
}

/// Takes from an answer's headers what a 304 does not repeat: the caller has it with its body (RFC 9110 §15.4.5).
pub(super) fn without_body(headers: &mut HeaderMap) {
    for name in OF_THE_BODY {
        headers.remove(name);
    }
    headers.remove(header::CONTENT_LANGUAGE);
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    const EARLY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATE: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn known(request: &[(HeaderName, &'static str)], answer: &[(HeaderName, &'static str)]) -> bool {
        is_known(&headers(request), StatusCode::OK, &headers(answer))
    }

    #[test]
    fn a_tag_is_compared_weakly_and_decides_alone() {
        let tag = [(header::ETAG, "\"a,b\""), (header::LAST_MODIFIED, EARLY)];
        assert!(known(&[(header::IF_NONE_MATCH, "\"x\", W/\"a,b\"")], &tag));
        assert!(known(&[(header::IF_NONE_MATCH, "*")], &tag));
        assert!(!known(
            &[(header::IF_NONE_MATCH, "\"x\""), (header::IF_MODIFIED_SINCE, LATE)],
            &tag
        ));
        assert!(!known(&[(header::IF_NONE_MATCH, "\"x\"")], &[]));
    }

    #[test]
    fn a_date_is_known_from_its_second_on() {
        let answer = [(header::LAST_MODIFIED, LATE)];
        assert!(known(&[(header::IF_MODIFIED_SINCE, LATE)], &answer));
        assert!(!known(&[(header::IF_MODIFIED_SINCE, EARLY)], &answer));
        assert!(!known(&[(header::IF_MODIFIED_SINCE, "yesterday")], &answer));
        assert!(!known(&[], &answer));
    }

    #[test]
    fn only_a_200_is_left_out_because_it_is_known() {
        let tag = headers(&[(header::ETAG, "\"a\"")]);
        let request = headers(&[(header::IF_NONE_MATCH, "\"a\"")]);
        assert!(!is_known(&request, StatusCode::NOT_FOUND, &tag));
    }

    #[test]
    fn a_304_about_something_else_is_seen() {
        let stored = headers(&[(header::ETAG, "W/\"a\""), (header::LAST_MODIFIED, EARLY)]);
        assert!(is_about(&stored, &headers(&[(header::ETAG, "\"a\"")])));
        assert!(is_about(&stored, &headers(&[(header::LAST_MODIFIED, EARLY)])));
        assert!(is_about(&stored, &headers(&[])));
        assert!(!is_about(&stored, &headers(&[(header::ETAG, "\"b\"")])));
        assert!(!is_about(&stored, &headers(&[(header::LAST_MODIFIED, LATE)])));
    }

    #[test]
    fn a_304_brings_new_headers_and_leaves_what_describes_the_body() {
        let x = HeaderName::from_static("x-many");
        let old = [
            (x.clone(), "1"),
            (x.clone(), "2"),
            (header::CONTENT_TYPE, "text/plain"),
            (header::AGE, "9"),
        ];
        let new = [
            (x.clone(), "3"),
            (x.clone(), "4"),
            (header::CONTENT_TYPE, "text/html"),
            (header::VARY, "accept"),
        ];
        let merged = refreshed(&headers(&old), &headers(&new));
        assert_eq!(merged.get_all(&x).iter().collect::<Vec<_>>(), ["3", "4"]);
        assert_eq!(
            (&merged[header::CONTENT_TYPE], &merged[header::VARY]),
            (&"text/plain".parse().unwrap(), &"accept".parse().unwrap())
        );
        assert!(!merged.contains_key(header::AGE));
    }
}
