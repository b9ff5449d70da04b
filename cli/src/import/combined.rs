//! One line of a web server's log, in the "combined" format of Apache and nginx, or in the older "common" one:
//!
//! ```text
//! host ident user [17/May/2015:10:05:03 +0000] "GET /path?query HTTP/1.1" 200 203023 "referrer" "user agent"
//! ```
//!
//! The two servers escape differently inside quotes (`\"` and `\x22`); both are read. Whatever follows the user agent
//! (response times, forwarded addresses) is left alone, because many sites append it.

use std::borrow::Cow;

use trailmark_protocol::Timestamp;

/// One request, as the log tells it. Bytes that are not UTF-8 have become U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The client's address, or its name where the server looked names up.
    pub host: Cow<'a, str>,
    /// When the request came, by the server's clock and zone.
    pub at: Timestamp,
    /// What was asked for.
    pub line: RequestLine<'a>,
    /// The status of the answer, three digits.
    pub status: u16,
    /// The size of the answer's body; absent where the log says `-`.
    pub bytes: Option<u64>,
    /// The page the visitor came from; absent where the log says `-`.
    pub referrer: Option<Cow<'a, str>>,
    /// The visitor's browser; absent where the log says `-`.
    pub user_agent: Option<Cow<'a, str>>,
}

/// The first line of an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestLine<'a> {
    /// `METHOD target [protocol]`.
    Http {
        /// `GET`, `POST`, …
        method: String,
        /// The target up to its `?`.
        path: String,
        /// What follows the first `?`, without it.
        query: Option<String>,
        /// `HTTP/1.1`; absent for HTTP/0.9.
        protocol: Option<String>,
    },
    /// Anything else that reached the port: TLS handshakes, probes, and `-` for a connection that said nothing.
    Other(Cow<'a, str>),
}

/// Why a line is not a request. The text is for people and says what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing but white space.
    Empty,
    /// Longer than an import reads.
    TooLong,
    /// The line ends before this field.
    Missing(&'static str),
    /// The quote around this field is never closed, or something is glued to it.
    BadQuote(&'static str),
    /// Not a time, or a day that does not exist.
    BadTime,
    /// Before the first web server.
    BeforeTheWeb,
    /// After today, by more than any time zone or clock explains.
    InTheFuture,
    /// Not three digits.
    BadStatus,
    /// Neither a number nor `-`.
    BadBytes,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("the line is empty"),
            Self::TooLong => f.write_str("the line is longer than 64 KiB"),
            Self::Missing(field) => write!(f, "the line ends before its {field}"),
            Self::BadQuote(field) => write!(f, "the quotes around the {field} do not close"),
            Self::BadTime => f.write_str("the time is not a [day/Month/year:hh:mm:ss ±hhmm] that exists"),
            Self::BeforeTheWeb => f.write_str("the time is before 1990"),
            Self::InTheFuture => f.write_str("the time is in the future"),
            Self::BadStatus => f.write_str("the status is not three digits"),
            Self::BadBytes => f.write_str("the size is neither a number nor -"),
        }
    }
}

/// 1990-01-01T00:00:00Z, the year of the first web server: an earlier line has a broken clock.
const FIRST_WEB_SERVER: Timestamp = Timestamp::from_millis(631_152_000_000);

/// Reads one line, without its line feed.
///
/// # Errors
/// [`Malformed`], which says the first thing that is wrong, from left to right.
pub fn parse_line(line: &[u8]) -> Result<Request<'_>, Malformed> {
    let mut rest = Rest(line.trim_ascii());
    if rest.0.is_empty() {
        return Err(Malformed::Empty);
    }
    let host = String::from_utf8_lossy(rest.word("time")?);
    let at = parse_time(rest.bracketed("time")?)?;
    let line = request_line(unescape(rest.quoted("request")?));
    let status = parse_status(rest.word("size")?)?;
    let bytes = parse_bytes(rest.last_word("size")?)?;
    // The common format ends here.
    let common = rest.0.is_empty();
    let (referrer, user_agent) = if common {
        (None, None)
    } else {
        (present(rest.quoted("referrer")?), present(rest.quoted("user agent")?))
    };
    Ok(Request {
        host,
        at,
        line,
        status,
        bytes,
        referrer,
        user_agent,
    })
}

/// What is still to be read of the line. Fields are separated by one space.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The text up to the next space; `next` is what must follow it.
    fn word(&mut self, next: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|b| *b == b' ').ok_or(Malformed::Missing(next))?;
        Ok(self.take(end, 1))
    }

    /// The text up to the next space or the end of the line.
    fn last_word(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|b| *b == b' ').unwrap_or(self.0.len());
        match self.take(end, 1) {
            [] => Err(Malformed::Missing(field)),
            word => Ok(word),
        }
    }

    /// The text in the next pair of brackets. What is before them (ident and user, which may hold spaces) is skipped.
    fn bracketed(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let open = self
            .0
            .iter()
            .position(|b| *b == b'[')
            .ok_or(Malformed::Missing(field))?;
        self.take(open, 1);
        let close = self.0.iter().position(|b| *b == b']').ok_or(Malformed::BadTime)?;
        Ok(self.take(close, 2))
    }

    /// The text in quotes that starts here, still escaped.
    fn quoted(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        match self.0 {
            [] => return Err(Malformed::Missing(field)),
            [b'"', ..] => self.take(0, 1),
            _ => return Err(Malformed::BadQuote(field)),
        };
        let close = closing_quote(self.0).ok_or(Malformed::BadQuote(field))?;
        match self.0.get(close + 1) {
            None | Some(b' ') => Ok(self.take(close, 2)),
            Some(_) => Err(Malformed::BadQuote(field)),
        }
    }

    /// Takes `len` bytes and drops `separator` bytes after them, as far as there are any.
    fn take(&mut self, len: usize, separator: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest.get(separator..).unwrap_or_default();
        taken
    }
}

/// Where the first quote is that no backslash escapes.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })
}

fn present(raw: &[u8]) -> Option<Cow<'_, str>> {
    (raw != b"-" && !raw.is_empty()).then(|| unescape(raw))
}

/// Undoes the escapes of Apache (`\"`, `\\`, `\n`, …, `\xhh`) and nginx (`\xHH`). An unknown escape stays as it is.
fn unescape(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, used) = if first == b'\\' { escape(after) } else { (first, 0) };
        plain.push(byte);
        rest = after.get(used..).unwrap_or_default();
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// The byte that `\` and `after` stand for, and how many bytes of `after` it took.
fn escape(after: &[u8]) -> (u8, usize) {
    match after {
        [b'"', ..] => (b'"', 1),
        [b'\\', ..] => (b'\\', 1),
        [b'b', ..] => (0x08, 1),
        [b't', ..] => (b'\t', 1),
        [b'n', ..] => (b'\n', 1),
        [b'v', ..] => (0x0b, 1),
        [b'f', ..] => (0x0c, 1),
        [b'r', ..] => (b'\r', 1),
        [b'x', high, low, ..] => hex(*high)
            .zip(hex(*low))
            .map_or((b'\\', 0), |(high, low)| (high << 4 | low, 3)),
        _ => (b'\\', 0),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn request_line(text: Cow<'_, str>) -> RequestLine<'_> {
    let words: Vec<&str> = text.split(' ').collect();
    let (method, target, protocol) = match words[..] {
        [method, target] => (method, target, None),
        [method, target, protocol] if protocol.starts_with("HTTP/") => (method, target, Some(protocol)),
        _ => return RequestLine::Other(text),
    };
    let is_method = !method.is_empty()
        && method
            .bytes()
            .all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'));
    if !is_method || method == "-" || target.is_empty() {
        return RequestLine::Other(text);
    }
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let (method, path, protocol) = (method.to_owned(), path.to_owned(), protocol.map(str::to_owned));
    RequestLine::Http {
        method,
        path,
        query,
        protocol,
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `17/May/2015:10:05:03 +0000` by turning it into RFC 3339, whose reader knows the calendar.
fn parse_time(text: &[u8]) -> Result<Timestamp, Malformed> {
    let rfc3339 = std::str::from_utf8(text)
        .ok()
        .and_then(to_rfc3339)
        .ok_or(Malformed::BadTime)?;
    let at = Timestamp::parse(&rfc3339).ok_or(Malformed::BadTime)?;
    if at < FIRST_WEB_SERVER {
        Err(Malformed::BeforeTheWeb)
    } else {
        Ok(at)
    }
}

fn to_rfc3339(text: &str) -> Option<String> {
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, rest) = rest.split_once(':')?;
    let (clock, zone) = rest.split_once(' ')?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let (hours, minutes) = zone.split_at_checked(3)?;
    Some(format!("{year}-{month:02}-{day}T{clock}{hours}:{minutes}"))
}

fn parse_status(word: &[u8]) -> Result<u16, Malformed> {
    let three_digits = word.len() == 3 && word.iter().all(u8::is_ascii_digit);
    let status = std::str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    status.filter(|_| three_digits).ok_or(Malformed::BadStatus)
}

fn parse_bytes(word: &[u8]) -> Result<Option<u64>, Malformed> {
    if word == b"-" {
        return Ok(None);
    }
    let digits = word.iter().all(u8::is_ascii_digit);
    let bytes = std::str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    bytes.filter(|_| digits).map(Some).ok_or(Malformed::BadBytes)
}
