//! A request's target and its `Host`s, each on a line, read as the gateway reads them: there is one spelling of the path,
//! and it is that of RFC 3986 put together slowly.
#![no_main]

use http::{Request, Uri};
use libfuzzer_sys::fuzz_target;
use trailmark_fuzz::spelling::{is_unreserved, spelled};
use trailmark_server::gateway::problem::Code;
use trailmark_server::gateway::reading::Reading;
use trailmark_server::gateway::routing::path::canonical;

fuzz_target!(|text: &str| {
    let (target, hosts) = text.split_once('\n').unwrap_or((text, ""));
    the_spelling_is_one(target);
    if let Ok(uri) = Uri::try_from(target) {
        the_reading_is_one(&uri, hosts);
    }
});

fn the_spelling_is_one(path: &str) {
    let one = canonical(path).ok();
    assert_eq!(one.as_deref(), spelled(path).as_deref(), "of {path:?}");
    let Some(one) = one else { return };
    assert_eq!(canonical(&one).as_deref(), Ok(&*one), "its own spelling");
    assert!(one.starts_with('/') && !one.contains("//"));
    assert!(one.split('/').all(|segment| !matches!(segment, "." | "..")));
    let bytes: Vec<_> = percent_encoding::percent_decode_str(&one).collect();
    let is_one_character = |byte: &u8| *byte >= 0x20 && !b"\x7f\\".contains(byte);
    assert!(bytes.iter().all(is_one_character), "{one}");
    let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
    assert_eq!(slashes(&bytes), slashes(one.as_bytes()), "no escaped slash in {one}");
    for escape in one.split('%').skip(1) {
        let byte = u8::from_str_radix(&escape[..2], 16);
        assert!(byte.is_ok_and(|byte| !is_unreserved(byte)), "{one}");
        assert_eq!(escape[..2], escape[..2].to_uppercase(), "{one}");
    }
}

fn the_reading_is_one(uri: &Uri, hosts: &str) {
    let Some(reading) = read(uri, hosts) else { return };
    assert_eq!(reading.path(), canonical(uri.path()).expect("it was read"));
    if let Some(host) = reading.host() {
        assert!(
            !host.is_empty() && !host.contains([' ', '/', '@', ',', '?', '#', '\\', '%']),
            "{host}"
        );
    }
    // What goes on is read as the same by who comes next.
    let uri = Uri::try_from(reading.path()).expect("what goes on is a target");
    let host = reading.authority().unwrap_or("none");
    let again = read(&uri, host).expect("what goes on can be read");
    assert_eq!((again.path(), again.authority()), (reading.path(), Some(host)));
}

fn read(uri: &Uri, hosts: &str) -> Option<Reading> {
    let request = Request::get(uri.clone());
    let request = hosts
        .lines()
        .fold(request, |request, host| request.header("host", host));
    let (parts, ()) = request.body(()).ok()?.into_parts();
    match Reading::of(&parts) {
        Ok(reading) => Some(reading),
        Err(problem) => {
            assert_eq!(problem.code(), Code::MalformedRequest);
            assert!(problem.detail().len() < 200);
            None
        }
    }
}
