//! Texts that nobody can guess: keys, tokens, passwords that are made for people.

use trailmark_protocol::{Timestamp, Uuid, id};

use super::error::StoreError;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random characters that make 256 bits (43 × log₂ 62 = 256.03).
pub const CHARS_256_BITS: usize = 43;

/// The greatest multiple of 62 below 256: bytes from here on would favour the first letters.
const FAIR_BYTES: u8 = 248;

/// `prefix`, and then this many random letters and digits of the platform's generator.
///
/// # Errors
/// [`StoreError::NoEntropy`].
pub fn random_text(prefix: &str, chars: usize) -> Result<String, StoreError> {
    let mut text = String::from(prefix);
    let length = text.len() + chars;
    while text.len() < length {
        let mut bytes = [0u8; 64];
        getrandom::fill(&mut bytes).map_err(StoreError::NoEntropy)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BYTES);
        text.extend(
            fair.take(length - text.len())
                .map(|byte| char::from(ALPHABET[usize::from(byte % 62)])),
        );
    }
    Ok(text)
}

/// A UUIDv7 made at `at`.
///
/// # Errors
/// [`StoreError::NoEntropy`].
pub(super) fn uuid_v7(at: Timestamp) -> Result<Uuid, StoreError> {
    let mut tail = [0; 10];
    getrandom::fill(&mut tail).map_err(StoreError::NoEntropy)?;
    Ok(id::v7(at.millis().max(0).cast_unsigned(), tail))
}
