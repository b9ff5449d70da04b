//! Lines of a file of any size, in bounded memory.

use std::io::{BufRead, Read};

/// The longest line an import reads: 64 KiB, as much as an event may hold. Apache and nginx cut request lines and
/// headers at 8 KiB each, so an honest line stays below three times that.
pub const LINE_BYTES: usize = 64 * 1024;

/// Reads lines one at a time into one buffer.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
}

/// One line of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// The line, without its line feed.
    Whole(&'a [u8]),
    /// A line longer than [`LINE_BYTES`]; it was skipped without being kept.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
        }
    }

    /// The next line, or `None` at the end.
    ///
    /// # Errors
    /// Whatever reading the input gives: a disk error, a broken gzip stream.
    pub fn read(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        // One byte more than a line may have: its line feed, or the proof that it is too long.
        let limit = LINE_BYTES as u64 + 1;
        let read = Read::by_ref(&mut self.input)
            .take(limit)
            .read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() > LINE_BYTES {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Whole(&self.buffer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(input: &[u8]) -> Vec<Option<usize>> {
        let mut lines = Lines::new(std::io::BufReader::with_capacity(7, input));
        let mut all = Vec::new();
        while let Some(line) = lines.read().unwrap() {
            all.push(match line {
                Line::Whole(line) => Some(line.len()),
                Line::TooLong => None,
            });
        }
        all
    }

    #[test]
    fn the_last_line_counts_with_and_without_its_line_feed() {
        assert_eq!(lengths(b"ab\n\nc"), [Some(2), Some(0), Some(1)]);
        assert_eq!(lengths(b"ab\n"), [Some(2)]);
        assert_eq!(lengths(b""), []);
    }

    #[test]
    fn a_line_over_the_bound_is_skipped_and_the_next_one_is_read() {
        let fits = vec![b'x'; LINE_BYTES];
        let too_long = vec![b'y'; LINE_BYTES * 3];
        let input = [&fits[..], b"\n", &too_long, b"\nnext\n", &too_long].concat();
        assert_eq!(lengths(&input), [Some(LINE_BYTES), None, Some(4), None]);
    }
}
