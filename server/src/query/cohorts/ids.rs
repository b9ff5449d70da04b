//! Ids as they are uploaded: a JSON array of texts, or CSV with the id in the first column.

use trailmark_protocol::limits::ID_CHARS;

use crate::query::QueryError;
use crate::query::ask::question::read_text;
use crate::query::params::storable;

/// Most ids of one upload: 50,000. Each is an index probe of 20 µs, so that is a second.
pub(super) const IDS_MAX: usize = 50_000;

/// First lines that name the column. No app calls a person so: they are junk ids elsewhere, too.
const HEADS: [&str; 4] = ["id", "user_id", "anonymous_id", "distinct_id"];

/// In what form ids come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
}

impl Form {
    /// By the `Content-Type`; JSON where there is none.
    pub(super) fn of(content_type: Option<&str>) -> Result<Self, QueryError> {
        match content_type.map(|text| text.split(';').next().unwrap_or_default().trim()) {
            None | Some("" | "application/json") => Ok(Self::Json),
            Some("text/csv") => Ok(Self::Csv),
            Some(_) => Err(QueryError::parameter("Content-Type", "is application/json or text/csv")),
        }
    }

    /// Reads ids.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub(super) fn read(self, body: &[u8]) -> Result<Vec<String>, QueryError> {
        let ids = match self {
            Self::Json => read_text(body)?,
            Self::Csv => csv(body)?,
        };
        if ids.len() > IDS_MAX {
            return Err(QueryError::parameter(
                ".",
                "has more than 50,000 ids; send them in parts",
            ));
        }
        for (index, id) in ids.iter().enumerate() {
            storable(&format!("[{index}]"), id, ID_CHARS)?;
        }
        Ok(ids)
    }
}

fn csv(body: &[u8]) -> Result<Vec<String>, QueryError> {
    let text = std::str::from_utf8(body).map_err(|_| QueryError::parameter(".", "is no UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut ids: Vec<String> = text.lines().map(first_field).filter(|id| !id.is_empty()).collect();
    if ids
        .first()
        .is_some_and(|first| HEADS.contains(&first.to_lowercase().as_str()))
    {
        ids.remove(0);
    }
    Ok(ids)
}

/// The first field of a line (RFC 4180; an id has no line break in it).
fn first_field(line: &str) -> String {
    let Some(quoted) = line.trim_start().strip_prefix('"') else {
        return line.split(',').next().unwrap_or_default().trim().to_owned();
    };
    let mut field = String::new();
    let mut rest = quoted.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '"' && rest.next_if_eq(&'"').is_none() {
            break;
        }
        field.push(c);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_the_id_in_its_first_column_and_may_name_it() {
        let csv = "\u{feff}User_ID,plan\r\nann,pro\r\n\r\n\"a,\"\"b\"\"\",free\n bob \n";
        assert_eq!(Form::Csv.read(csv.as_bytes()).unwrap(), ["ann", "a,\"b\"", "bob"]);
        assert_eq!(Form::Csv.read(b"").unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_no_list_of_ids_is_refused_by_its_place() {
        let problem = |body: &str| Form::Json.read(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(Form::Json.read(br#"["ann","b"]"#).unwrap(), ["ann", "b"]);
        assert!(problem(r#"["a",7]"#).starts_with("`[1]` invalid type"));
        assert_eq!(problem(r#"["a",""]"#), "`[1]` is empty");
        assert!(problem(r#"{"ids":[]}"#).starts_with("`.` invalid type"));
        assert!(problem(&format!("[{}\"a\"]", "\"a\",".repeat(IDS_MAX))).starts_with("`.` has more than 50,000"));
        assert!(Form::Csv.read(b"a\xff").is_err());
        assert!(Form::of(Some("image/png")).is_err());
        assert_eq!(Form::of(Some("text/csv; charset=utf-8")).unwrap(), Form::Csv);
    }
}
