//! When a certificate ends: the one field of X.509 that an operator must see, and that rustls keeps to itself.

use jiff::tz::TimeZone;

/// ASN.1 tags (X.690 §8) of what stands before and in the validity.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the certificate `der`, in seconds since 1970; nothing if it is no certificate.
///
/// RFC 5280 §4.1: `Certificate { tbsCertificate { [0] version?, serialNumber, signature, issuer, validity { notBefore,
/// notAfter }, … } … }`.
#[must_use]
pub fn not_after(der: &[u8]) -> Option<i64> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut fields, _) = expect(SEQUENCE, certificate)?;
    if let Some((_, rest)) = expect(VERSION, fields) {
        fields = rest;
    }
    for _serial_signature_issuer in 0..3 {
        fields = value(fields)?.2;
    }
    let (validity, _) = expect(SEQUENCE, fields)?;
    let (_, _, end) = value(validity)?;
    let (kind, end, _) = value(end)?;
    seconds(kind, std::str::from_utf8(end).ok()?)
}

fn expect(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, value, rest) = value(der)?;
    (found == tag).then_some((value, rest))
}

/// The tag and the value that `der` begins with, and what follows.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = der else { return None };
    let (length, rest) = match usize::from(*length) {
        short @ ..0x80 => (short, rest),
        // 0x80 + how many bytes the length takes; certificates are far below 2^24 bytes.
        long => {
            let (length, rest) = rest.split_at_checked(long - 0x80)?;
            (number(length).filter(|_| (1..=3).contains(&length.len()))?, rest)
        }
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((*tag, value, rest))
}

fn number(bytes: &[u8]) -> Option<usize> {
    bytes.iter().try_fold(0_usize, |number, byte| {
        Some(number.checked_mul(256)? + usize::from(*byte))
    })
}

/// RFC 5280 §4.1.2.5: `YYMMDDHHMMSSZ`, of years 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn seconds(kind: u8, text: &str) -> Option<i64> {
    let (year, rest) = match kind {
        UTC_TIME => {
            let year: i16 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let day = jiff::civil::Date::new(year, part(0)?, part(2)?).ok()?;
    let time = jiff::civil::Time::new(part(4)?, part(6)?, part(8)?, 0).ok()?;
    let at = day.to_datetime(time).to_zoned(TimeZone::UTC).ok()?;
    (rest.get(10..) == Some("Z")).then(|| at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;

    fn der(name: &str) -> Vec<u8> {
        let path = format!("{}/src/gateway/tls/fixtures/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        CertificateDer::from_pem_file(path).unwrap().to_vec()
    }

    #[test]
    fn the_end_is_what_openssl_says() {
        // openssl x509 -in … -noout -enddate, and date -d … +%s
        assert_eq!(not_after(&der("one")), Some(ONE_ENDS));
        assert_eq!(not_after(&der("short")), Some(SHORT_ENDS));
    }

    const ONE_ENDS: i64 = 4_948_900_160;
    const SHORT_ENDS: i64 = 1_826_836_160;

    #[test]
    fn both_ways_to_write_a_time_are_read() {
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(UTC_TIME, "491331235959Z"), None);
        assert_eq!(seconds(GENERALIZED_TIME, "20500101000000+01"), None);
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_has_no_end_and_does_no_harm(bytes in any::<Vec<u8>>(), cut in any::<usize>(), flip in any::<u8>()) {
            let _ = not_after(&bytes);
            let mut der = der("one");
            let at = cut % der.len();
            der[at] ^= flip;
            let _ = not_after(&der);
            prop_assert_eq!(not_after(&der[..at.min(50)]), None);
        }
    }
}
