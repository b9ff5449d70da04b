//! Single values out of a query string.

use http::Uri;

/// The first value of `name`, percent-decoded, `+` read as a space.
#[must_use]
pub fn get(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(key, _)| *key == name)?;
    let spaced = found.1.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let uri: Uri = "/v1/batch?key=tm_pk_x&sent_at=2026-11-20T21%3A13%3A05Z&a=b+c&bad=%ff".parse().unwrap();
        assert_eq!(get(&uri, "key").as_deref(), Some("tm_pk_x"));
        assert_eq!(get(&uri, "sent_at").as_deref(), Some("2026-11-20T21:13:05Z"));
        assert_eq!(get(&uri, "a").as_deref(), Some("b c"));
        assert_eq!(get(&uri, "bad"), None);
        assert_eq!(get(&uri, "none"), None);
    }
}
