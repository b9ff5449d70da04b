//! Single values out of a query string.

use http::Uri;

/// The first value of `name`, decoded as forms are: percent escapes, `+` for a space.
#[must_use]
pub fn get(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let uri: Uri = "/v1/batch?key=tm_pk_x&sent_at=2026-11-20T21%3A13%3A05Z&a=b+c"
            .parse()
            .unwrap();
        assert_eq!(get(&uri, "key").as_deref(), Some("tm_pk_x"));
        assert_eq!(get(&uri, "sent_at").as_deref(), Some("2026-11-20T21:13:05Z"));
        assert_eq!(get(&uri, "a").as_deref(), Some("b c"));
        assert_eq!(get(&uri, "none"), None);
    }
}
