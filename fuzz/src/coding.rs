//! Content codings, applied.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// Names of [`packed`]. `raw` is what some clients call deflate: RFC 1951 without the wrapping of RFC 1950.
pub const NAMES: [&str; 5] = ["gzip", "deflate", "raw", "br", "zstd"];

/// `plain` in the coding of that name; nothing if there is none.
#[must_use]
pub fn packed(name: &str, plain: &[u8]) -> Option<Vec<u8>> {
    let fast = Compression::fast();
    let packed = match name {
        "gzip" => written(GzEncoder::new(Vec::new(), fast), plain, GzEncoder::finish),
        "deflate" => written(ZlibEncoder::new(Vec::new(), fast), plain, ZlibEncoder::finish),
        "raw" => written(DeflateEncoder::new(Vec::new(), fast), plain, DeflateEncoder::finish),
        "br" => brotli(plain),
        "zstd" => zstd::encode_all(plain, 1),
        _ => return None,
    };
    packed.ok()
}

fn written<W: Write>(
    mut coder: W,
    plain: &[u8],
    finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>,
) -> std::io::Result<Vec<u8>> {
    coder.write_all(plain)?;
    finish(coder)
}

/// With a small window, which is fast.
fn brotli(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut coder = brotli::CompressorWriter::new(&mut packed, 4096, 1, 16);
    coder.write_all(plain)?;
    coder.flush()?;
    drop(coder);
    Ok(packed)
}
