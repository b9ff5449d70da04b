//! All that is written to Postgres (DESIGN §4.3–4.5). Data flows: payloads → `group` (what to store) → `dictionary`
//! (names and ids to integers) → `weeks` (partitions) → `write` (one transaction: `rows` by COPY, `identity`, `registers`,
//! `installs`, `dead_letters`, cursor). What is refused for an erased person, and why none slips through: `tombstones`.

mod error;
mod pg_time;
mod random;
mod connect;
mod projects;
mod keys;
mod users;
mod sessions;
mod login_failures;
mod weeks;
mod tombstones;
mod group;
mod dictionary;
mod rows;
mod identity;
mod region;
mod registers;
mod installs;
mod late;
mod erasure_requests;
mod write;
mod existing;
mod isolate;
mod dead_letters;
mod aliases;
mod cohorts;
mod erasures;
mod removal;
mod inspect;
pub mod notes;
pub mod issues;
mod issues_read;
mod issues_watch;

pub use aliases::Withdrawn;
pub use cohorts::{CohortRow, HeldCohorts, ListedIds};
pub use connect::Store;
pub use dead_letters::{DeadLetter, Replayed};
pub use erasure_requests::ErasureRequest;
pub use erasures::Erasure;
pub use error::{ErrorClass, StoreError};
pub use inspect::Vitals;
pub use issues_read::{Counted, IssueFilter, IssuePart, IssueRelease, IssueRow, SampleRow};
pub use issues_watch::{BusyQuarter, FreshIssue};
pub use keys::{ApiKey, KeyKind, KeyRow, NewKey, hash_key};
pub use login_failures::LoginFailures;
pub use pg_time::PgTime;
pub use projects::Project;
pub use random::{CHARS_256_BITS, random_text};
pub use sessions::{NewSession, Opening, SessionUser, TokenRow};
pub use tombstones::Tombstones;
pub use users::{Role, User, UserWithPassword, normal_email};
pub use weeks::WEEKS_AHEAD;
pub use write::Written;
