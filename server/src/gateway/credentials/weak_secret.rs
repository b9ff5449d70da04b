//! Secrets that anybody can guess, whatever their length.

use crate::gateway::units::Secret;

/// RFC 7518 §3.2: a key of the same size as the hash output or larger, 256 bits for HS256.
const LEAST_BYTES: usize = 32;

/// A random text of 32 characters, even in hexadecimal, has about 14 different ones; `aaaa…` and `abababab…` have not.
const LEAST_DIFFERENT: usize = 8;

/// What secrets of tutorials, examples and other products' defaults are made of, letters and digits only. No random text
/// of any length that fits a line contains one by chance: the shortest has 8 characters.
const WELL_KNOWN: [&str; 16] = [
    "yoursecret",
    "yoursupersecret",
    "your256bit",
    "yourjwt",
    "mysecret",
    "supersecret",
    "secretkey",
    "jwtsecret",
    "astringsecret",
    "changeme",
    "changethis",
    "changeit",
    "replaceme",
    "placeholder",
    "password",
    "123456789",
];

/// Why `secret` must not sign tokens, if so.
#[must_use]
pub fn problem(secret: &Secret) -> Option<&'static str> {
    let text = secret.reveal();
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    let mut different = text.as_bytes().to_vec();
    different.sort_unstable();
    different.dedup();
    if WELL_KNOWN.iter().any(|known| letters.contains(known)) {
        Some("it is well known; make one: openssl rand -base64 32")
    } else if text.len() < LEAST_BYTES {
        Some("it is shorter than 32 bytes; make one: openssl rand -base64 32")
    } else if different.len() < LEAST_DIFFERENT {
        Some("it repeats a few characters; make one: openssl rand -base64 32")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> &'static str {
        problem(&Secret::new(text)).unwrap_or("")
    }

    #[test]
    fn secrets_of_tutorials_and_of_products_are_well_known_also_when_they_are_long() {
        for text in [
            "your-secret-key",
            "your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "super-secret-jwt-token-with-at-least-32-characters-long",
            "YOUR_SECRET_KEY_please_change_this_in_production",
            "changeme-changeme-changeme-changeme",
            "01234567890123456789012345678901",
        ] {
            assert!(refused(text).contains("well known"), "{text}");
        }
    }

    #[test]
    fn short_and_repeated_ones_are_refused() {
        assert!(
            refused("f3Zr0q9XnLk2VbT7yWc5HdJ8mPs1QaE").contains("shorter"),
            "31 bytes"
        );
        assert!(refused(&"ab".repeat(40)).contains("repeats"));
    }

    #[test]
    fn a_random_one_of_32_bytes_is_fine() {
        for text in ["f3Zr0q9XnLk2VbT7yWc5HdJ8mPs1QaEu", "8d1f0ab37c5e492266b0d4f1a97e3c58"] {
            assert_eq!(problem(&Secret::new(text)), None, "{text}");
        }
    }
}
