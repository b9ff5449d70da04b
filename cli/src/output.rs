//! Data on stdout, as text for people or as JSON for programs; talk on stderr.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Something a command found out: serialised for programs, written out for people.
pub trait Report: Serialize {
    /// Appends the text form, lines ended by line feeds.
    fn text(&self, out: &mut String);
}

/// Where reports go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Prints JSON or text.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints `report` on stdout. A reader that has left (`| head`) is no error.
    ///
    /// # Errors
    /// [`Failure`] if stdout takes nothing, a full disk say.
    pub fn print(self, report: &impl Report) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        match stdout
            .write_all(self.render(report).as_bytes())
            .and_then(|()| stdout.flush())
        {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::failed(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn render(self, report: &impl Report) -> String {
        let mut text = String::new();
        if self.json {
            // Reports are structs of texts and numbers with string keys, which always serialise.
            text = serde_json::to_string_pretty(report).unwrap_or_default();
            text.push('\n');
        } else {
            report.text(&mut text);
        }
        text
    }
}

/// Says something on stderr. A stderr that is closed keeps nobody from working.
pub fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Rows in columns as wide as their widest cell, two spaces apart; the first row is the heading.
#[must_use]
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut out = String::new();
    for row in rows {
        let line = row.iter().zip(widths).fold(String::new(), |mut line, (cell, width)| {
            let _ = write!(line, "{cell:<width$}  ");
            line
        });
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// `12345678` as `12,345,678`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes for people: `512 B`, `4.0 GiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = usize::try_from(bytes.max(1).ilog2() / 10)
        .unwrap_or(0)
        .min(units.len() - 1);
    if unit == 0 {
        return format!("{bytes} B");
    }
    format!("{:.1} {}", bytes as f64 / f64::powi(1024.0, unit as i32), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Answer {
        answer: u32,
    }

    impl Report for Answer {
        fn text(&self, out: &mut String) {
            let _ = writeln!(out, "the answer is {}", self.answer);
        }
    }

    #[test]
    fn a_report_is_text_for_people_and_json_for_programs() {
        assert_eq!(Output::new(false).render(&Answer { answer: 42 }), "the answer is 42\n");
        assert_eq!(
            Output::new(true).render(&Answer { answer: 42 }),
            "{\n  \"answer\": 42\n}\n"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["ID", "NAME"], ["1", "a"], ["100", "ünï"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "ID   NAME\n1    a\n100  ünï\n");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(
            [0, 1023, 1024, 4 << 30, u64::MAX].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "4.0 GiB", "16.0 EiB"]
        );
    }
}
