//! The `Retry-After` header in seconds. JavaScript reads a date: a parser of our own would be a fortieth of what a page loads.

use trailmark_protocol::json::write_u64;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Unix milliseconds, or NaN.
    #[wasm_bindgen(js_namespace = Date)]
    fn parse(text: &str) -> f64;
}

/// A date as the seconds that are left until then, by the server's own clock where its `date` header tells it; anything
/// else as it is.
pub(crate) fn in_seconds(retry_after: String, date: Option<String>, now: f64) -> String {
    if retry_after.bytes().all(|byte| byte.is_ascii_digit()) {
        return retry_after;
    }
    let then = http_date(retry_after.clone());
    let from = date.map_or(f64::NAN, http_date);
    let from = if from.is_nan() { now } else { from };
    if then.is_nan() {
        return retry_after;
    }
    let mut seconds = String::new();
    // A date that has passed is no wait: the conversion saturates at zero.
    write_u64(&mut seconds, ((then - from) / 1000.0) as u64);
    seconds
}

/// All forms are in GMT. The one of `asctime` does not say so, and JavaScript would take it for local time.
fn http_date(mut text: String) -> f64 {
    if !text.ends_with("GMT") {
        text.push_str(" GMT");
    }
    parse(&text)
}
