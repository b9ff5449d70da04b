//! Answers from the rows, for one project at a time (DESIGN §4.4, §4.5).
//!
//! A request's way: [`http`] (key to project, one of the [`turns`]) → [`params`] (strict reading of the query
//! string) → [`Reader`] (one consistent [`snapshot`] of the project, under time limits) → [`events`], [`stats`],
//! [`persons`], [`timeline`], [`sessions`], [`explain`] or one of their kin → JSON. Everything but [`http`], [`lists`] and
//! [`cohorts`] needs no more than a pool, a project and typed parameters.
//!
//! Two rules hold by construction. A statement is made by [`snapshot::Snapshot::select`] alone, which binds the project
//! as `$1`, so no answer crosses from one project into another. And the text of a statement is a constant: what a
//! request says is only ever bound.

pub mod error;
pub mod params;
pub mod parameters;
pub mod time;
pub mod snapshot;
pub mod identity;
pub mod names;
pub mod windows;
pub mod events;
pub mod event_names;
pub mod properties;
pub mod sessions;
pub mod stats;
pub mod person;
pub mod persons;
pub mod timeline;
pub mod explain;
pub mod export;
pub mod events_export;
pub mod delivery;
pub mod columns;
pub mod ask;
pub mod cohorts;
pub mod reader;
pub mod turns;
pub mod http;
pub mod lists;

pub use delivery::{Delivery, InstallPage};
pub use error::QueryError;
pub use events::{EventFilter, EventPage, EventRow};
pub use events_export::EventsExport;
pub use explain::Explanation;
pub use export::Export;
pub use http::router;
pub use params::{Page, TimeRange};
pub use person::Person;
pub use reader::Reader;
pub use stats::Stats;
