//! Where a page of installs ends.

use serde::{Serialize, Serializer};
use trailmark_protocol::limits::ID_CHARS;

use super::Install;
use crate::query::error::QueryError;
use crate::query::params::storable;

/// A place in the list of installs: how many events the install lost, and its id. Written `12:install-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallCursor {
    /// What it had lost.
    pub lost: i64,
    /// The install.
    pub install_id: String,
}

impl InstallCursor {
    /// The place behind an install.
    #[must_use]
    pub fn behind(install: &Install) -> Self {
        Self {
            lost: install.lost,
            install_id: install.install_id.clone(),
        }
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let refused = || QueryError::parameter("cursor", "is none that this server gave out");
        let (lost, install_id) = text.split_once(':').ok_or_else(refused)?;
        let lost = lost.parse().ok().filter(|lost| *lost >= 0).ok_or_else(refused)?;
        let install_id = storable("cursor", install_id, ID_CHARS)?.to_owned();
        Ok(Self { lost, install_id })
    }
}

impl std::fmt::Display for InstallCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.lost, self.install_id)
    }
}

impl Serialize for InstallCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_server_gave_out_is_refused() {
        for bad in [
            "",
            ":",
            "7",
            "7:",
            "-1:i",
            "x:i",
            "1.5:i",
            "99999999999999999999:i",
            "7:a\0",
        ] {
            assert!(InstallCursor::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back(lost in 0..=i64::MAX, install_id in "[^\0]{1,40}") {
            let cursor = InstallCursor { lost, install_id };
            prop_assert_eq!(InstallCursor::parse(&cursor.to_string()).unwrap(), cursor);
        }
    }
}
