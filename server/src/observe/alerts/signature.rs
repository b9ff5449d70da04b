//! How a receiver knows that a webhook is ours: Standard Webhooks 1.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// Random bytes of a secret: 32, as many as the hash has. (The standard asks for 24 to 64.)
const SECRET_BYTES: usize = 32;

/// A new secret: `whsec_` and random bytes in base64.
///
/// # Errors
/// The platform gives no random bits.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// What goes into `webhook-signature`: one signature for each secret, with a space between.
#[must_use]
pub fn signatures<'a>(secrets: impl IntoIterator<Item = &'a str>, id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .into_iter()
        .filter_map(|secret| signature(secret, id, timestamp, body))
        .collect();
    signatures.join(" ")
}

/// `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; `None` if the secret is none.
fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &bytes));
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    Some(format!("v1,{}", STANDARD.encode(context.sign())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of the standard's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_signature_is_that_of_the_standards_own_libraries() {
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(signatures([SECRET], ID, 1_614_265_330, body), SIGNATURE);
        assert_eq!(
            signatures([SECRET, SECRET], ID, 1_614_265_330, body),
            format!("{SIGNATURE} {SIGNATURE}")
        );
        assert_ne!(signatures([SECRET], ID, 1_614_265_331, body), SIGNATURE);
    }

    #[test]
    fn a_secret_is_new_each_time_and_32_bytes_long() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, two);
        assert_eq!(STANDARD.decode(one.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
        assert_eq!(signatures(["no secret"], ID, 1, b""), "");
    }
}
