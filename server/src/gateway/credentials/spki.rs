//! The public key in a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), of the kinds we take. Forty lines instead of an ASN.1
//! library: four shapes, each with a fixed head.

/// A public key's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicKey<'a> {
    /// RSA: modulus and exponent, without leading zeros.
    Rsa {
        /// The modulus.
        n: &'a [u8],
        /// The exponent.
        e: &'a [u8],
    },
    /// A point on P-256, uncompressed.
    P256(&'a [u8]),
    /// A point on P-384, uncompressed.
    P384(&'a [u8]),
    /// An Ed25519 key.
    Ed25519(&'a [u8]),
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// What is in the AlgorithmIdentifier: 1.2.840.113549.1.1.1 and NULL (RFC 8017 A.1).
const RSA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0];
/// 1.2.840.10045.2.1 with 1.2.840.10045.3.1.7 (RFC 5480 §2.1.1).
const P256: &[u8] = &[
    0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
];
/// 1.2.840.10045.2.1 with 1.3.132.0.34.
const P384: &[u8] = &[
    0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 5, 0x2b, 0x81, 0x04, 0, 0x22,
];
/// 1.3.101.112 (RFC 8410 §3).
const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];

/// The key in `der`; `None` for another kind of key, or no key.
#[must_use]
pub fn read(der: &[u8]) -> Option<PublicKey<'_>> {
    let (info, []) = element(SEQUENCE, der)? else {
        return None;
    };
    let (algorithm, rest) = element(SEQUENCE, info)?;
    let (bits, []) = element(BIT_STRING, rest)? else {
        return None;
    };
    let (0, key) = bits.split_first()? else { return None };
    match algorithm {
        RSA => rsa(key),
        P256 => Some(PublicKey::P256(key)),
        P384 => Some(PublicKey::P384(key)),
        ED25519 => Some(PublicKey::Ed25519(key)),
        _ => None,
    }
}

fn rsa(key: &[u8]) -> Option<PublicKey<'_>> {
    let (numbers, []) = element(SEQUENCE, key)? else {
        return None;
    };
    let (n, rest) = element(INTEGER, numbers)?;
    let (e, []) = element(INTEGER, rest)? else { return None };
    let (n, e) = (without_zeros(n), without_zeros(e));
    Some(PublicKey::Rsa { n, e })
}

/// A number without the zeros before it, which ring refuses and DER puts before a high bit.
pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The content of the element that `der` starts with, and what follows it. Two bytes of length are enough: a key of 8192
/// bits, the longest that ring takes, is about 1 KiB.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match *der {
        [found, 0x82, high, low, ref rest @ ..] if found == tag => (usize::from(high) << 8 | usize::from(low), rest),
        [found, 0x81, length, ref rest @ ..] if found == tag => (usize::from(length), rest),
        [found, length @ 0..=0x7f, ref rest @ ..] if found == tag => (usize::from(length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
