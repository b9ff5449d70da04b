//! Where a log is read from: a file, a gzip file, or standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One read from the disk: 64 KiB.
const BUFFER_BYTES: usize = 64 * 1024;

/// How every gzip stream begins (RFC 1952 §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An opened log and the bar that shows how far it has been read.
pub struct Source {
    /// The log's text, unpacked.
    pub text: Box<dyn BufRead + Send>,
    /// Moves as `text` is read; shown only at a terminal.
    pub progress: ProgressBar,
}

/// Opens `path`; `-` is standard input. Gzip is known by its first bytes, not by the file's name.
///
/// # Errors
/// The file cannot be opened or read.
pub fn open(path: &Path) -> io::Result<Source> {
    if path == Path::new("-") {
        let progress = bar(None);
        return Ok(Source {
            text: unpack(progress.wrap_read(io::stdin()))?,
            progress,
        });
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let progress = bar(metadata.is_file().then_some(metadata.len()));
    Ok(Source {
        text: unpack(progress.wrap_read(file))?,
        progress,
    })
}

fn unpack(raw: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, raw);
    if raw.fill_buf()?.starts_with(&GZIP_MAGIC) {
        // Rotated logs are often several gzip streams, one after the other.
        return Ok(Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            MultiGzDecoder::new(raw),
        )));
    }
    Ok(Box::new(raw))
}

/// A bar on stderr; hidden where stderr is no terminal.
fn bar(len: Option<u64>) -> ProgressBar {
    let template = match len {
        Some(_) => "importing {bar:32} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        None => "importing {spinner} {bytes} {bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = len.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.with_style(style)
}
