//! Bodies of requests.

use std::io::Write;

use flate2::Compression;
use serde_json::{Value, json};
use uuid::Uuid;

/// `{"batch":[…]}` of events given as JSON text, which may be broken.
pub(crate) fn batch(events: &[impl AsRef<str>]) -> String {
    let events = events.iter().map(AsRef::as_ref).collect::<Vec<_>>();
    format!(r#"{{"batch":[{}]}}"#, events.join(","))
}

/// An ordinary event with an id of its own.
pub(crate) fn good() -> String {
    event(Uuid::now_v7(), "good", "device-1").to_string()
}

/// An event of a device.
pub(crate) fn event(id: Uuid, name: &str, anonymous_id: &str) -> Value {
    json!({"id": id, "event": name, "anonymous_id": anonymous_id})
}

/// An ordinary event with these properties, given as JSON text.
pub(crate) fn with_properties(properties: &str) -> String {
    format!(r#"{{"event":"e","user_id":"u_7","properties":{properties}}}"#)
}

/// RFC 1952.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// RFC 1950.
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// RFC 1951, as clients send it that misread "deflate".
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// RFC 8878.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// RFC 7932 without an encoder: uncompressed meta-blocks of at most 64 KiB.
pub(crate) fn brotli_stored(bytes: &[u8]) -> Vec<u8> {
    // A window of 2^16 is the single bit 0. A meta-block: not the last (0), four nibbles of length (00), the length - 1
    // in 16 bits, uncompressed (1); filled up to a whole byte.
    let mut out = Vec::new();
    for (block, chunk) in bytes.chunks(1 << 16).enumerate() {
        let bits = ((chunk.len() as u32 - 1) << 3) | (1 << 19);
        let bits = if block == 0 { bits << 1 } else { bits };
        out.extend_from_slice(&bits.to_le_bytes()[..3]);
        out.extend_from_slice(chunk);
    }
    // The last and empty meta-block: 11.
    out.push(0b11);
    out
}

/// 64 MiB of blanks in 102 bytes: `zlib.brotliCompressSync(Buffer.alloc(64 << 20, 32))` of Node 20, quality 9.
pub(crate) const BROTLI_BOMB: &str = "cbffff3f002440e2b14072effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfbbffcffff032001108705a07bff07";

/// [`BROTLI_BOMB`] as bytes.
pub(crate) fn brotli_bomb() -> Vec<u8> {
    let digits = BROTLI_BOMB
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
