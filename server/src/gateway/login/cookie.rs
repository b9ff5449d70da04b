//! The cookie that holds a session's token. Pure.
//!
//! It is always `Secure`, so browsers keep it only when it came over https, or from `localhost` or a loopback address,
//! which Chromium and Firefox take for as good (<https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy>; Safari does
//! not). Behind plain http anywhere else a login succeeds and its session is lost at once: that is meant.

use http::{HeaderMap, HeaderValue, header};

/// The value of the cookie `name`, if a request carries one. The first counts: browsers send the one of the longest path
/// first (RFC 6265 §5.4), and of `__Host-` cookies there is only one.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// `Set-Cookie` of a token, for so many seconds.
#[must_use]
pub fn set(name: &str, token: &str, seconds: u64) -> HeaderValue {
    value(&format!(
        "{name}={token}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax"
    ))
}

/// `Set-Cookie` that removes it.
#[must_use]
pub fn clear(name: &str) -> HeaderValue {
    set(name, "", 0)
}

/// Names are checked with the configuration, and tokens are letters and digits: what they make is always a value.
fn value(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(lines: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        read(&headers, "__Host-sid").map(str::to_owned)
    }

    #[test]
    fn the_cookie_is_found_among_others_and_by_its_whole_name() {
        assert_eq!(read_from(&["a=b; __Host-sid=x;c=d"]).as_deref(), Some("x"));
        assert_eq!(
            read_from(&["a=b", "__Host-sid=x"]).as_deref(),
            Some("x"),
            "HTTP/2 splits"
        );
        assert_eq!(read_from(&["__Host-sid=x=y; __Host-sid=z"]).as_deref(), Some("x=y"));
        for lines in [&[][..], &["my__Host-sid=x"], &["__Host-sid"], &["__host-sid=x"]] {
            assert_eq!(read_from(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn scripts_and_other_sites_do_not_get_it_and_a_log_does_not_show_it() {
        let set = set("__Host-sid", "t", 60);
        assert_eq!(set, "__Host-sid=t; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(format!("{set:?}"), "Sensitive");
        assert!(
            clear("__Host-sid")
                .to_str()
                .unwrap()
                .starts_with("__Host-sid=; Max-Age=0; Path=/; Secure")
        );
    }
}
