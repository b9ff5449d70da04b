//! The dashboard, which people look at: its [`files`] here, its program in `server/ui`; and what a team keeps there beside its
//! saved questions: [`boards`] of them, [`shares`] that show them to others, and [`annotations`] on the time line. All else that
//! it shows it asks for through the API, with the session of whoever is logged in.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub mod files;
pub mod boards;
pub mod shares;
pub mod annotations;

/// The routes of what is kept here.
pub fn router() -> OpenApiRouter<Arc<App>> {
    boards::router().merge(shares::router()).merge(annotations::router())
}
