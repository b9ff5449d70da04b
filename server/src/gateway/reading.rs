//! The one way to read a request, or why there is none.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, header};

use super::problem::{Code, Problem};
use super::routing::{host, path};

/// How a request is read by everything behind the door. It shares its texts with the request.
#[derive(Debug)]
pub struct Reading {
    uri: Uri,
    host: Option<HeaderValue>,
    /// The one spelling of the path, where it is another than the client's.
    canonical: Option<String>,
}

/// What stands before an id of a person in paths of our own.
const ID_FOLLOWS: [&str; 3] = ["/v1/persons/", "/api/v1/persons/", "/people/"];

impl Reading {
    /// Reads the head of a request.
    ///
    /// # Errors
    /// [`Code::MalformedRequest`] if a service behind could read it in another way; [`Code::MethodNotSupported`] for
    /// CONNECT, which would make this an open proxy.
    pub fn of(parts: &Parts) -> Result<Self, Problem> {
        let malformed = |detail: String| Problem::new(Code::MalformedRequest, detail);
        if parts.method == Method::CONNECT {
            return Err(Problem::new(Code::MethodNotSupported, "CONNECT is not served"));
        }
        if has_two_lengths(&parts.headers) {
            return Err(malformed(
                "Content-Length and Transfer-Encoding exclude each other".to_owned(),
            ));
        }
        if has_other_codings(&parts.headers) {
            return Err(malformed("the only Transfer-Encoding is chunked".to_owned()));
        }
        host::authority(parts.version, &parts.uri, &parts.headers).map_err(|detail| malformed(detail.to_owned()))?;
        let path = path::canonical(parts.uri.path()).map_err(|error| malformed(error.to_string()))?;
        let canonical = match path {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(path) => Some(path),
        };
        Ok(Self {
            uri: parts.uri.clone(),
            host: parts.headers.get(header::HOST).cloned(),
            canonical,
        })
    }

    /// Reads a request of our own whose path holds somebody's id: that is anything, escaped slashes and control characters
    /// included, and is read as `_`. What is matched with routes is then not what is sent, so nobody but us may answer it.
    #[must_use]
    pub fn of_an_id(parts: &Parts) -> Option<Self> {
        let path = parts.uri.path();
        let begins = ID_FOLLOWS.into_iter().find(|begins| path.starts_with(begins))?;
        let id = path[begins.len()..].split('/').next().unwrap_or_default();
        let rest = &path[begins.len() + id.len()..];
        let stand_in = format!("{begins}_{rest}");
        let is_plain =
            path.len() <= path::LONGEST && matches!(path::canonical(&stand_in), Ok(std::borrow::Cow::Borrowed(_)));
        if id.is_empty() || !is_plain {
            return None;
        }
        let mut own = parts.clone();
        own.uri = stand_in.parse().ok().filter(|_| parts.uri.authority().is_none())?;
        Self::of(&own).ok()
    }

    /// The one spelling of the path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.canonical.as_deref().unwrap_or(self.uri.path())
    }

    /// Host and port, as the client wrote them.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        let target = self.uri.authority().map(http::uri::Authority::as_str);
        target.or_else(|| self.host.as_ref()?.to_str().ok())
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.authority().map(host::host)
    }

    /// `Host`, to be shared.
    #[must_use]
    pub fn host_header(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }
}

/// The classic of request smuggling (RFC 9112 §6.1): each of two servers believes the other field.
fn has_two_lengths(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH)
}

/// A coding below `chunked`, or `chunked` twice (RFC 9112 §6.1, §7). The field ends here, so a service would take a body
/// that is coded for a plain one.
fn has_other_codings(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    codings.next().is_some_and(|first| !is_chunked(first)) || codings.next().is_some()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn read(request: http::request::Builder) -> Result<Reading, Problem> {
        Reading::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_request_has_one_host_and_one_path() {
        let reading = read(Request::get("/a//b/../c?x=1").header("host", "API.example:80")).unwrap();
        assert_eq!((reading.path(), reading.host()), ("/a/c", Some("API.example")));
        assert_eq!(reading.authority(), Some("API.example:80"));
    }

    #[test]
    fn an_id_of_a_person_may_be_anything_and_nothing_else_may() {
        let of_an_id = |path: &str| {
            let request = Request::get(path).header("host", "a").body(()).unwrap();
            Reading::of_an_id(&request.into_parts().0).map(|reading| reading.path().to_owned())
        };
        assert_eq!(
            of_an_id("/v1/persons/a%2Fb%00/export?x=1").as_deref(),
            Some("/v1/persons/_/export")
        );
        assert_eq!(of_an_id("/people/%5C..").as_deref(), Some("/people/_"));
        for path in [
            "/v1/persons/a%2Fb/../x",
            "/v1/persons//x",
            "/v1/persons/",
            "/v1/persons/a/b%2Fc",
            "/orders/a%2Fb",
        ] {
            assert_eq!(of_an_id(path), None, "{path}");
        }
    }

    #[test]
    fn what_others_could_read_differently_is_refused() {
        let get = || Request::get("/").header("host", "a");
        assert!(read(get()).is_ok());
        assert_eq!(read(Request::get("/")).unwrap_err().code(), Code::MalformedRequest);
        assert_eq!(
            read(Request::get("/a%2fb").header("host", "a")).unwrap_err().code(),
            Code::MalformedRequest
        );
        let two = get()
            .header("content-length", "1")
            .header("transfer-encoding", "chunked");
        assert_eq!(read(two).unwrap_err().code(), Code::MalformedRequest);
        assert!(read(get().header("transfer-encoding", "Chunked")).is_ok());
        for coding in ["gzip, chunked", "chunked, chunked"] {
            let coded = read(get().header("transfer-encoding", coding));
            assert_eq!(coded.unwrap_err().code(), Code::MalformedRequest);
        }
        let connect = read(get().method(Method::CONNECT));
        assert_eq!(connect.unwrap_err().code(), Code::MethodNotSupported);
    }
}
