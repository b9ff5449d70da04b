//! Undoing `Content-Encoding`, never further than the limit: a bomb costs what the limit allows and is refused.

use std::io::Read;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use trailmark_protocol::limits::DECODED_BYTES;

use crate::gateway::body::Metered;
use crate::gateway::problem::{Code, Problem};

/// Bytes decompressed between two looks at the limit.
const CHUNK: usize = 16 * 1024;

/// The largest zstd window accepted: 2^23 bytes, what RFC 8878 §3.1.1.1.2 asks every decoder to support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A coding of request bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or bare RFC 1951 as some clients send it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The coding of a body: what the header says; without one, gzip is recognised by its magic bytes, because a beacon
    /// cannot set headers.
    ///
    /// # Errors
    /// [`Code::UnsupportedEncoding`].
    pub fn of(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let name = values
            .next()
            .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
        if values.next().is_some() {
            return Err(unsupported("more than one"));
        }
        match name.as_deref() {
            None | Some("" | "identity") if body.starts_with(&[0x1f, 0x8b]) => Ok(Self::Gzip),
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip),
            Some("deflate") => Ok(Self::Deflate),
            Some("br") => Ok(Self::Brotli),
            Some("zstd") => Ok(Self::Zstd),
            Some(other) => Err(unsupported(other)),
        }
    }
}

fn unsupported(name: &str) -> Problem {
    Problem::new(
        Code::UnsupportedEncoding,
        format!("the Content-Encoding `{name}` is not spoken here"),
    )
}

/// The body with its coding undone.
///
/// # Errors
/// [`Code::InvalidEncoding`] if it is cut or corrupt, [`Code::BodyTooLarge`] beyond [`DECODED_BYTES`],
/// [`Code::Overloaded`] when the budget is used up.
pub fn decompress(coding: Coding, body: Metered) -> Result<Metered, Problem> {
    decompress_within(coding, body, DECODED_BYTES)
}

/// The same with a limit of its own, in bytes.
///
/// # Errors
/// As [`decompress`].
pub fn decompress_within(coding: Coding, body: Metered, limit: usize) -> Result<Metered, Problem> {
    let wire = body.as_slice();
    let decoded = Metered::new(body.budget(), limit);
    match coding {
        Coding::Identity => Ok(body),
        Coding::Gzip => drain(&mut flate2::read::MultiGzDecoder::new(wire), decoded),
        Coding::Deflate if is_zlib(wire) => {
            let mut decoder = flate2::read::ZlibDecoder::new(wire);
            let decoded = drain(&mut decoder, decoded)?;
            all(decoder.total_in() == wire.len() as u64, decoded)
        }
        Coding::Deflate => {
            let mut decoder = flate2::read::DeflateDecoder::new(wire);
            let decoded = drain(&mut decoder, decoded)?;
            all(decoder.total_in() == wire.len() as u64, decoded)
        }
        Coding::Brotli => {
            let mut decoder = brotli_decompressor::Decompressor::new(wire, CHUNK);
            let decoded = drain(&mut decoder, decoded)?;
            // Asked again after its end, it fails if there is more in its buffer.
            let is_end = matches!(decoder.read(&mut [0]), Ok(0));
            all(is_end && decoder.get_ref().is_empty(), decoded)
        }
        Coding::Zstd => drain(&mut zstd_decoder(wire)?, decoded),
    }
}

/// What stands behind the end of a coding is not passed over in silence.
fn all(is_all: bool, decoded: Metered) -> Result<Metered, Problem> {
    let more = || {
        Problem::new(
            Code::InvalidEncoding,
            "there is more behind the end of the compressed body",
        )
    };
    is_all.then_some(decoded).ok_or_else(more)
}

/// A zlib stream starts with method 8 and a two-byte header divisible by 31 (RFC 1950 §2.2).
fn is_zlib(wire: &[u8]) -> bool {
    matches!(wire, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
}

fn zstd_decoder(wire: &[u8]) -> Result<impl Read, Problem> {
    let mut decoder = zstd::stream::read::Decoder::new(wire).map_err(invalid)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(invalid)?;
    Ok(decoder)
}

fn drain(decoder: &mut impl Read, mut decoded: Metered) -> Result<Metered, Problem> {
    let mut chunk = [0; CHUNK];
    loop {
        match decoder.read(&mut chunk).map_err(invalid)? {
            0 => return Ok(decoded),
            read => decoded.extend(&chunk[..read])?,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn invalid(error: std::io::Error) -> Problem {
    Problem::new(Code::InvalidEncoding, format!("the body does not decompress: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::gateway::body::Budget;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(coding: Coding, wire: &[u8]) -> Result<Vec<u8>, Code> {
        let mut body = Metered::new(&Budget::new(64 << 20), usize::MAX);
        body.extend(wire).unwrap();
        decompress(coding, body)
            .map(|decoded| decoded.as_slice().to_vec())
            .map_err(|problem| problem.code())
    }

    #[test]
    fn every_coding_gives_back_what_was_sent() {
        let plain = br#"{"batch":[]}"#.repeat(100);
        // Without the header of RFC 1950 and its checksum.
        let zlib_wire = zlib(&plain);
        let raw_deflate = &zlib_wire[2..zlib_wire.len() - 4];
        assert_eq!(decode(Coding::Gzip, &gzip(&plain)).unwrap(), plain);
        assert_eq!(decode(Coding::Deflate, &zlib(&plain)).unwrap(), plain);
        assert_eq!(decode(Coding::Deflate, raw_deflate).unwrap(), plain);
        assert_eq!(
            decode(Coding::Zstd, &zstd::encode_all(&plain[..], 3).unwrap()).unwrap(),
            plain
        );
        // "ab" as the reference encoder writes it: there is no encoder among our parts.
        assert_eq!(
            decode(Coding::Brotli, &[0x8b, 0x00, 0x80, 0x61, 0x62, 0x03]).unwrap(),
            b"ab"
        );
    }

    #[test]
    fn a_cut_or_corrupt_body_is_refused() {
        let wire = gzip(&b"hello".repeat(100));
        assert_eq!(
            decode(Coding::Gzip, &wire[..wire.len() - 9]),
            Err(Code::InvalidEncoding)
        );
        assert_eq!(decode(Coding::Zstd, b"not zstd"), Err(Code::InvalidEncoding));
        assert_eq!(decode(Coding::Deflate, b"not deflate"), Err(Code::InvalidEncoding));
        assert_eq!(decode(Coding::Brotli, b"not brotli at all"), Err(Code::InvalidEncoding));
        let zstd = zstd::encode_all(&b"hello".repeat(100)[..], 3).unwrap();
        assert_eq!(
            decode(Coding::Zstd, &zstd[..zstd.len() - 3]),
            Err(Code::InvalidEncoding)
        );
    }

    #[test]
    fn what_stands_behind_the_end_is_refused() {
        let brotli: &[u8] = &[0x8b, 0x00, 0x80, 0x61, 0x62, 0x03];
        let (zlib, gzip) = (zlib(b"{}"), gzip(b"{}"));
        let zstd = zstd::encode_all(&b"{}"[..], 3).unwrap();
        for (coding, wire) in [
            (Coding::Gzip, &gzip[..]),
            (Coding::Deflate, &zlib),
            (Coding::Deflate, &zlib[2..zlib.len() - 4]),
            (Coding::Brotli, brotli),
            (Coding::Zstd, &zstd),
        ] {
            assert!(decode(coding, wire).is_ok(), "{coding:?}");
            for more in [b"x".to_vec(), vec![b'x'; 2 * CHUNK]] {
                let more = [wire, &more].concat();
                assert_eq!(decode(coding, &more), Err(Code::InvalidEncoding), "{coding:?}");
            }
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let zeros = vec![0; DECODED_BYTES + 1];
        assert_eq!(decode(Coding::Gzip, &gzip(&zeros)), Err(Code::BodyTooLarge));
        assert_eq!(
            decode(Coding::Zstd, &zstd::encode_all(&zeros[..], 3).unwrap()),
            Err(Code::BodyTooLarge)
        );
    }

    #[test]
    fn gzip_is_recognised_without_its_header() {
        assert_eq!(Coding::of(&HeaderMap::new(), &gzip(b"x")).unwrap(), Coding::Gzip);
        assert_eq!(Coding::of(&HeaderMap::new(), b"{}").unwrap(), Coding::Identity);
    }

    #[test]
    fn nested_and_unknown_codings_are_refused() {
        for value in ["gzip, gzip", "compress"] {
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, value.parse().unwrap())]);
            assert_eq!(Coding::of(&headers, b"").unwrap_err().code(), Code::UnsupportedEncoding);
        }
    }
}
