//! Takes away what a client must not hand on: headers that are for one connection only, and those that a service believes
//! because only the gateway can have written them.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What begins like this is the gateway's to say.
const OWNED_PREFIXES: [&str; 6] = [
    "x-user-",
    "x-auth-",
    "x-gateway-",
    "x-consumer-",
    "x-forwarded-",
    "x-api-key-id",
];

/// Further names that are the gateway's to say.
const OWNED: [&str; 4] = ["forwarded", "x-real-ip", "x-request-id", "x-original-url"];

/// Whether a header is for one connection only (RFC 9110 §7.6.1), also if `Connection` does not name it. `trailer` is not: it
/// announces what follows the body, and trailers are kept.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Decided by, before there are trailers: where a request goes, how long it is, who sends it.
fn is_never_a_trailer(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "trailer" | "authorization" | "cookie")
}

/// Whether only the gateway may write a header of this name.
#[must_use]
pub fn is_owned(name: &str) -> bool {
    // Nearly all names are none of ours by their first letter.
    matches!(name.as_bytes().first(), Some(b'x' | b'f'))
        && (OWNED.contains(&name) || OWNED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

fn is_forged(name: &str) -> bool {
    is_owned(name) || name.contains('_')
}

/// Takes from a client's request what ends here.
///
/// First what `Connection` names: later, it could name a header that the gateway has written. Names with an underscore go
/// too, as nginx does by default: many services read `X_User_Id` and `X-User-Id` as the same variable.
pub fn request(headers: &mut HeaderMap) {
    let takes_trailers = asks_for_trailers(headers);
    remove_nominated(headers);
    remove(headers, |name| is_hop_by_hop(name) || is_forged(name));
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Takes from a request's trailers what must come before the body, or from nobody but the gateway: services may read them
/// as headers (RFC 9110 §6.5.1).
pub fn trailers(trailers: &mut HeaderMap) {
    remove(trailers, |name| {
        is_hop_by_hop(name) || is_never_a_trailer(name) || is_forged(name)
    });
}

/// Takes from a message the headers that were for one connection only.
pub fn hop_by_hop(headers: &mut HeaderMap) {
    remove_nominated(headers);
    remove(headers, is_hop_by_hop);
}

/// One look at each name, where a look for each that may be there would hash them all.
fn remove(headers: &mut HeaderMap, is_unwanted: impl Fn(&str) -> bool) {
    while let Some(name) = headers.keys().find(|name| is_unwanted(name.as_str())).cloned() {
        headers.remove(name);
    }
}

/// Removes what `Connection` names, in all its lines; but what frames the body and says whom it is for is nobody's to name.
fn remove_nominated(headers: &mut HeaderMap) {
    // Nearly all that say anything say this, which goes anyway.
    let names_nothing = |line: &HeaderValue| line == "keep-alive" || line == "close";
    let lines = headers.get_all(header::CONNECTION);
    if lines.iter().all(names_nothing) {
        return;
    }
    let names = lines
        .iter()
        .flat_map(|line| line.to_str().unwrap_or_default().split(','));
    let names: Vec<_> = names
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| *name != header::CONTENT_LENGTH && *name != header::HOST)
        .collect();
    for name in names {
        headers.remove(name);
    }
}

fn asks_for_trailers(headers: &HeaderMap) -> bool {
    let mut te = headers
        .get_all(header::TE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    te.any(|value| {
        value
            .split(',')
            .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        let pairs = list.iter().map(|(name, value)| {
            (
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            )
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    fn left(list: &[(&str, &str)]) -> Vec<String> {
        let mut headers = headers(list);
        request(&mut headers);
        headers.keys().map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn an_identity_that_a_client_claims_is_gone_in_every_spelling() {
        let claims = [
            ("X-User-Id", "999"),
            ("x-user-id", "998"),
            ("X_User_Id", "997"),
            ("x-user_role", "root"),
            ("X-User-Anything", "1"),
            ("X-Gateway-Signature", "00"),
            ("X-Forwarded-For", "6.6.6.6"),
            ("Forwarded", "for=6.6.6.6"),
            ("X-Real-Ip", "6.6.6.6"),
            ("X-Request-Id", "abc"),
            ("X-Consumer-Id", "1"),
        ];
        assert_eq!(left(&claims), Vec::<String>::new());
    }

    #[test]
    fn trailers_say_nothing_of_who_sends_them_or_how_the_message_is_framed() {
        let mut sent = headers(&[
            ("x-user-id", "999"),
            ("x_user_role", "root"),
            ("authorization", "Bearer x"),
            ("content-length", "3"),
            ("transfer-encoding", "chunked"),
            ("grpc-status", "0"),
            ("x-checksum", "1"),
        ]);
        trailers(&mut sent);
        let left = sent
            .keys()
            .map(HeaderName::as_str)
            .collect::<std::collections::BTreeSet<_>>();
        assert_eq!(left.into_iter().collect::<Vec<_>>(), ["grpc-status", "x-checksum"]);
    }

    #[test]
    fn what_is_for_one_connection_ends_here_also_when_connection_names_it() {
        let sent = [
            ("Connection", "close, X-Secret, content-length"),
            ("Connection", "x-other,,  ;bad name"),
            ("X-Secret", "1"),
            ("X-Other", "1"),
            ("Content-Length", "3"),
            ("Trailer", "x-sum"),
            ("Keep-Alive", "timeout=5"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AA"),
            ("Accept", "*/*"),
        ];
        let mut left = left(&sent);
        left.sort_unstable();
        assert_eq!(left, ["accept", "content-length", "trailer"]);
    }

    #[test]
    fn grpc_may_still_ask_for_trailers() {
        assert_eq!(
            left(&[("TE", "gzip, Trailers;q=1"), ("Connection", "te")]),
            Vec::<String>::new()
        );
        assert_eq!(left(&[("TE", "gzip, trailers"), ("Connection", "te")]), ["te"]);
        assert_eq!(left(&[("TE", "gzip")]), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nothing_that_services_believe_is_left(names in proptest::collection::vec("[xX][-_]([uU]ser|gateway|forwarded|AUTH)[-_][a-z]{1,8}", 0..6), nominated in "[a-z-]{0,12}") {
            let mut list: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
            list.push(("connection", &nominated));
            list.push(("accept", "*/*"));
            let left = left(&list);
            prop_assert!(left.iter().all(|name| name == "accept"), "{left:?}");
        }
    }
}
