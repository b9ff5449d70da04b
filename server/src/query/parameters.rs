//! The parameters of reads, as the API's description tells them. They are read by [`Params`](super::params::Params).

use trailmark_protocol::Uuid;
use utoipa::IntoParams;

/// From when to when.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RangeQuery {
    /// The first moment inside; all before it is left out.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    pub from: Option<String>,
    /// The first moment after it.
    #[param(format = DateTime)]
    pub to: Option<String>,
}

/// How much of a list. What its cursors are, each list says itself.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LimitQuery {
    /// Most rows of a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<u32>,
}

/// Which page of a list, newest first.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most rows of a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

/// Which page of the installs, those that lost most first.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InstallQuery {
    /// Most installs of a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}:[^\\x00]{1,200}$")]
    pub cursor: Option<String>,
}

/// Which events.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Those of this name.
    #[param(min_length = 1, max_length = 200)]
    pub event: Option<String>,
    /// Those of the person behind this `user_id` or `anonymous_id`.
    #[param(min_length = 1, max_length = 200)]
    pub person: Option<String>,
}

/// Who.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PersonPath {
    /// A `user_id` or `anonymous_id` of the person; if it is both, the `user_id` is meant.
    #[param(min_length = 1, max_length = 200)]
    pub id: String,
}
