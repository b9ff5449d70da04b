//! Latency: how many requests each endpoint answers, how many fail, and how long they take.
//!
//! `$request` events come from three sides: the gateway counts many requests in one, a server tells of those it answered,
//! an app of those it made. [`read`] reads them, [`template`] makes of `/users/7` the endpoint `/users/:id`, [`tally`] adds
//! them up by minute, hour and day, and [`catalogue`] bounds how many endpoints there are; `store::endpoints::fold` keeps
//! the sums. From them [`list`] and [`series`] answer what [`http`] is asked, [`usual`] tells what an endpoint usually is
//! like, and [`detect`] which one is slower, or fails more, than that.

pub mod endpoint;
pub mod template;
pub mod durations;
pub mod tally;
pub mod read;
pub mod catalogue;
pub mod gather;
pub mod cover;
pub mod usual;
pub mod judge;
pub mod since;
pub mod detect;
pub mod list;
pub mod series;
pub mod http;

pub use endpoint::{Endpoint, Source};
pub use tally::{Span, Tally};
pub use usual::Usual;
