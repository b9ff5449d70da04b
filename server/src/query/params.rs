//! Query strings, read strictly: an unknown, doubled or unreadable parameter is refused by name, never passed over.
//! A misspelt filter that is passed over answers another question than the one that was asked.

use percent_encoding::percent_decode_str;
use trailmark_protocol::{Timestamp, Uuid};

use super::delivery::{InstallCursor, InstallPage};
use super::error::QueryError;
use crate::gateway::access::PROJECT;

/// Most rows on one page. At the usual 500 bytes an event, 1,000 rows are half a megabyte.
pub const LIMIT_MAX: u32 = 1_000;

/// Rows on a page where `limit` does not say.
pub const LIMIT_DEFAULT: u32 = 100;

/// The parameters of a request, each known and there once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// From when, inclusive, to when, exclusive; open where there is none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment inside.
    pub from: Option<Timestamp>,
    /// The first moment after it.
    pub to: Option<Timestamp>,
}

impl TimeRange {
    /// Whether it is open at both ends.
    #[must_use]
    pub fn is_all(self) -> bool {
        self == Self::default()
    }
}

/// Which rows of a list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many rows: 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Only rows older than this one, the last of the page before.
    pub before: Option<Uuid>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: LIMIT_DEFAULT,
            before: None,
        }
    }
}

impl Params {
    /// Reads a query string in which only `known` parameters may appear. `property.*` stands for all that begin so, `event+`
    /// for one that may be given several times. `project`, with which a session says which one it means, is read by [`Access`](crate::gateway::access::Access) alone.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn parse(query: &str, known: &[&'static str]) -> Result<Self, QueryError> {
        let mut params = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).unwrap_or_else(|| name.to_owned());
            if name == PROJECT {
                continue;
            }
            if !known.iter().any(|known| takes(known, &name)) {
                return Err(QueryError::parameter(&name, unknown(&name, known)));
            }
            let is_list = known.iter().any(|known| list(known) == Some(&name));
            if params.get(&name).is_some() && !is_list {
                return Err(QueryError::parameter(&name, "is given twice"));
            }
            let value = decode(value).ok_or_else(|| QueryError::parameter(&name, "is not percent-encoded UTF-8"))?;
            params.0.push((name, value));
        }
        Ok(params)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Those whose names begin so, by the rest of their names.
    pub fn beginning_with<'a>(&'a self, beginning: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let rest = move |(name, value): &'a (String, String)| Some((name.strip_prefix(beginning)?, value.as_str()));
        self.0.iter().filter_map(rest)
    }

    /// One of some words.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn word(&self, name: &str, words: &[&'static str]) -> Result<Option<&'static str>, QueryError> {
        let refused = || QueryError::parameter(name, format!("is one of {}", words.join(", ")));
        self.get(name)
            .map(|text| words.iter().find(|word| **word == text).copied().ok_or_else(refused))
            .transpose()
    }

    /// A text of 1 to `chars` characters.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn text(&self, name: &str, chars: usize) -> Result<Option<&str>, QueryError> {
        self.get(name).map(|text| storable(name, text, chars)).transpose()
    }

    /// All texts of this name, each of 1 to `chars` characters; `most` of them at most.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn texts(&self, name: &str, chars: usize, most: usize) -> Result<Vec<String>, QueryError> {
        let given = self.0.iter().filter(|(known, _)| known == name);
        let texts: Vec<String> = given
            .map(|(_, text)| storable(name, text, chars).map(str::to_owned))
            .collect::<Result<_, _>>()?;
        if texts.len() > most {
            return Err(QueryError::parameter(name, format!("is given more than {most} times")));
        }
        Ok(texts)
    }

    /// `true` or `false`, which it is where it is not given.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn flag(&self, name: &str) -> Result<bool, QueryError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(QueryError::parameter(name, "is neither true nor false")),
        }
    }

    /// `from` and `to`.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn time_range(&self) -> Result<TimeRange, QueryError> {
        let range = TimeRange {
            from: self.time("from")?,
            to: self.time("to")?,
        };
        match range {
            TimeRange {
                from: Some(from),
                to: Some(to),
            } if from > to => Err(QueryError::parameter("to", "is before `from`")),
            range => Ok(range),
        }
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, QueryError> {
        let refused = || QueryError::parameter(name, "is no RFC 3339 time such as 2026-11-20T21:13:05Z (`+` is `%2B`)");
        self.get(name)
            .map(|text| Timestamp::parse(text).ok_or_else(refused))
            .transpose()
    }

    /// `limit` and `cursor`.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn page(&self) -> Result<Page, QueryError> {
        Ok(Page {
            limit: self.limit()?,
            before: self.cursor(|text| Uuid::try_parse(text).ok())?,
        })
    }

    /// `cursor`, as `read` reads it.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn cursor<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, QueryError> {
        let refused = || QueryError::parameter("cursor", "is none that this server gave out");
        self.get("cursor")
            .map(|text| read(text).ok_or_else(refused))
            .transpose()
    }

    /// `limit` and `cursor` of a list of installs.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn install_page(&self) -> Result<InstallPage, QueryError> {
        Ok(InstallPage {
            limit: self.limit()?,
            after: self.get("cursor").map(InstallCursor::parse).transpose()?,
        })
    }

    /// `limit`: 1 to [`LIMIT_MAX`].
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn limit(&self) -> Result<u32, QueryError> {
        Ok(self.get("limit").map(limit).transpose()?.unwrap_or(LIMIT_DEFAULT))
    }
}

/// The text if an identifier or name can be so: not empty, no longer than is ever stored, without the NUL that
/// Postgres' text cannot hold.
///
/// # Errors
/// [`QueryError::Parameter`].
pub fn storable<'a>(name: &str, text: &'a str, chars: usize) -> Result<&'a str, QueryError> {
    if text.is_empty() {
        return Err(QueryError::parameter(name, "is empty"));
    }
    if text.contains('\0') {
        return Err(QueryError::parameter(name, "holds a NUL character"));
    }
    if text.chars().nth(chars).is_some() {
        return Err(QueryError::parameter(
            name,
            format!("is longer than {chars} characters"),
        ));
    }
    Ok(text)
}

/// Whether what is `known`, or its beginning (`property.*`), is the name.
fn takes(known: &'static str, name: &str) -> bool {
    match known.strip_suffix('*') {
        Some(beginning) => name.len() > beginning.len() && name.starts_with(beginning),
        None => list(known).unwrap_or(known) == name,
    }
}

/// What may be given several times: `event+` is `event`.
fn list(known: &'static str) -> Option<&'static str> {
    known.strip_suffix('+')
}

fn unknown(name: &str, known: &[&'static str]) -> String {
    if name == "key" {
        return "is not read here: a URL is logged, so a secret key goes into the Authorization header".to_owned();
    }
    match known {
        [] => "is unknown; there are no parameters here".to_owned(),
        known => {
            let known: Vec<&str> = known.iter().map(|known| list(known).unwrap_or(known)).collect();
            format!("is unknown; there are {}", known.join(", "))
        }
    }
}

fn limit(text: &str) -> Result<u32, QueryError> {
    let number = text.parse().ok().filter(|number| (1..=LIMIT_MAX).contains(number));
    number.ok_or_else(|| QueryError::parameter("limit", format!("is no whole number from 1 to {LIMIT_MAX}")))
}

/// Form decoding: `+` is a space.
fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: &[&str] = &["event", "from", "to", "limit", "cursor"];

    fn params(query: &str) -> Params {
        Params::parse(query, KNOWN).unwrap()
    }

    fn refusal<T: std::fmt::Debug>(result: Result<T, QueryError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn values_are_decoded() {
        let params = params("event=a+b%2Bc%20%C3%BC&&limit=7");
        assert_eq!(params.text("event", 10).unwrap(), Some("a b+c ü"));
        assert_eq!(params.page().unwrap(), Page { limit: 7, before: None });
        assert_eq!(params.time_range().unwrap(), TimeRange::default());
    }

    #[test]
    fn what_is_unknown_doubled_or_unreadable_is_refused_by_name() {
        for (query, start) in [
            ("evnt=x", "`evnt` is unknown; there are event, from, to"),
            ("event=x&event=x", "`event` is given twice"),
            ("event=%ff", "`event` is not percent-encoded UTF-8"),
            ("%65vent=x&even%74=y", "`event` is given twice"),
            ("key=tm_sk_x", "`key` is not read here"),
            ("a%00'b", "`a\0'b` is unknown"),
        ] {
            let text = refusal(Params::parse(query, KNOWN));
            assert!(text.starts_with(start), "{query}: {text}");
        }
    }

    #[test]
    fn what_may_be_given_several_times_is_read_as_often_and_named_without_its_mark() {
        let params = Params::parse("event=a&from=x&event=b+c", &["event+", "from"]).unwrap();
        assert_eq!(params.texts("event", 10, 2).unwrap(), ["a", "b c"]);
        let refused = refusal(params.texts("event", 10, 1));
        assert_eq!(refused, "`event` is given more than 1 times");
        assert!(refusal(params.texts("event", 2, 2)).contains("is longer than 2 characters"));
        let unknown = refusal(Params::parse("evnt=a", &["event+", "from"]));
        assert_eq!(unknown, "`evnt` is unknown; there are event, from");
        let doubled = refusal(Params::parse("from=a&from=b", &["event+", "from"]));
        assert_eq!(doubled, "`from` is given twice");
    }

    #[test]
    fn a_limit_is_a_whole_number_in_its_bounds() {
        for bad in ["0", "1001", "-1", "1.5", "x", "", "99999999999", "1;DROP"] {
            assert!(
                refusal(params(&format!("limit={bad}")).page()).starts_with("`limit` is no whole number"),
                "{bad}"
            );
        }
        assert_eq!(params("limit=1000").page().unwrap().limit, 1_000);
        assert_eq!(params("").page().unwrap().limit, 100);
    }

    #[test]
    fn a_time_range_has_two_times_in_order() {
        for bad in [
            "yesterday",
            "2026-11-20",
            "2026-11-20T00:00:00+01:00",
            "",
            "2026-02-30T00:00:00Z",
        ] {
            assert!(
                refusal(params(&format!("from={bad}")).time_range()).starts_with("`from` is no RFC 3339"),
                "{bad}"
            );
        }
        let range = params("from=2026-11-20T00:00:00%2B01:00&to=2026-11-20T00:00:00Z")
            .time_range()
            .unwrap();
        assert_eq!(range.to.unwrap().millis() - range.from.unwrap().millis(), 3_600_000);
        let backwards = params("from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z").time_range();
        assert_eq!(refusal(backwards), "`to` is before `from`");
    }

    #[test]
    fn a_text_is_one_that_could_have_been_stored() {
        for (value, problem) in [
            ("", "is empty"),
            ("a%00", "holds a NUL"),
            ("abcd", "is longer than 3 characters"),
        ] {
            let text = refusal(params(&format!("event={value}")).text("event", 3).map(|_| ()));
            assert!(text.contains(problem), "{value}: {text}");
        }
        assert_eq!(params("event=üüü").text("event", 3).unwrap(), Some("üüü"));
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_never_passes_a_parameter_over(query in ".{0,60}") {
            if let Ok(params) = Params::parse(&query, KNOWN) {
                prop_assert_eq!(params.0.len(), query.split('&').filter(|pair| !pair.is_empty()).count());
            }
        }
    }
}
