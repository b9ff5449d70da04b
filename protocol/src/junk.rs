//! Ids that a broken integration sends for everybody: taken as users they would glue strangers into one person.
//! The list is what the field's servers learned to refuse (PostHog's merge service and capture v1).

/// Compared without case and without surrounding quotes and white space.
const JUNK: [&str; 24] = [
    "",
    "0",
    "1",
    "-1",
    "anonymous",
    "anonymous-user",
    "anonymous_id",
    "backend",
    "distinct_id",
    "distinctid",
    "email",
    "false",
    "guest",
    "id",
    "nan",
    "nil",
    "none",
    "not_authenticated",
    "null",
    "[object object]",
    "system",
    "true",
    "undefined",
    "user",
];

/// Whether `id` is one of the well-known junk ids, or a UUID of zeros or of ones only.
///
/// ```
/// use trailmark_protocol::junk::is_junk_id;
/// assert!(is_junk_id("[object Object]") && is_junk_id("\"null\"") && is_junk_id("00000000-0000-0000-0000-000000000000"));
/// assert!(!is_junk_id("u_7"));
/// ```
#[must_use]
pub fn is_junk_id(id: &str) -> bool {
    let bare = id.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
    JUNK.iter().any(|junk| junk.eq_ignore_ascii_case(bare)) || is_blank_uuid(bare)
}

fn is_blank_uuid(id: &str) -> bool {
    id.len() == 36
        && ['0', 'f', 'F']
            .iter()
            .any(|&fill| id.chars().all(|c| c == fill || c == '-'))
}
