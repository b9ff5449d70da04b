//! Regular expressions of monitors. They are Postgres' own, so only Postgres knows whether one is valid.

use super::target::{Expectation, HttpTarget};
use crate::query::error::QueryError;
use crate::store::{Searched, Store, StoreError};

/// Refuses what is no regular expression.
///
/// # Errors
/// It is none, and where; else what stands in the way.
pub(super) async fn check(store: &Store, http: Option<&HttpTarget>) -> Result<(), QueryError> {
    let expected = http.map(|http| http.expected_body.as_slice()).unwrap_or_default();
    for (index, expectation) in expected.iter().enumerate() {
        let Expectation::Matches(pattern) = expectation else {
            continue;
        };
        let problem = match searched(store, pattern).await.map_err(QueryError::Store)? {
            Searched::Found | Searched::NotFound => continue,
            Searched::TooSlow => "is too complex a regular expression".to_owned(),
            Searched::Invalid(why) => format!("is an {why}"),
        };
        let path = format!("http.expected_body[{index}].matches");
        return Err(QueryError::parameter(&path, problem));
    }
    Ok(())
}

/// A pattern with a NUL cannot even be asked about; [`rules`](super::rules) refuses it.
async fn searched(store: &Store, pattern: &str) -> Result<Searched, StoreError> {
    match pattern.contains('\0') {
        true => Ok(Searched::NotFound),
        false => store.search_text(pattern, "").await,
    }
}
