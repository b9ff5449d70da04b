//! Callbacks into the app, for languages that can be called from any thread.

use std::panic::resume_unwind;
use std::sync::Arc;

use trailmark_core::{ClientBuilder, Properties};

use crate::capture::with;
use crate::report::Notice;

/// An event on its way to being captured. See [`trailmark_core::Draft`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct Draft {
    /// Its name. That of a reserved event (`$…`) stays, whatever is written here.
    pub name: String,
    /// A JSON object.
    pub properties: String,
    /// Person properties of which the last writer wins, as a JSON object.
    pub set: String,
    /// Person properties of which the first writer wins, as a JSON object.
    pub set_once: String,
}

/// The app's callback failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// It threw.
    #[error("{detail}")]
    Failed {
        /// What it threw.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { detail: error.reason }
    }
}

/// May change an event before it is captured, or drop it.
#[uniffi::export(with_foreign)]
pub trait BeforeSend: Send + Sync + std::fmt::Debug {
    /// The event as it is to be captured; nothing to drop it. If this throws, it stays as it was, which is counted.
    fn before_send(&self, event: Draft) -> Result<Option<Draft>, CallbackError>;
}

/// Is told what somebody should know.
#[uniffi::export(with_foreign)]
pub trait OnNotice: Send + Sync + std::fmt::Debug {
    /// Something was dropped, refused, cut, or fails.
    fn on_notice(&self, notice: Notice) -> Result<(), CallbackError>;
}

/// The settings with the callbacks in them.
pub(crate) fn hooked(
    to: ClientBuilder,
    before_send: Option<Arc<dyn BeforeSend>>,
    on_notice: Option<Arc<dyn OnNotice>>,
) -> ClientBuilder {
    let to = with(to, before_send, |to, hook| {
        to.before_send(move |draft| changed(&*hook, draft))
    });
    with(to, on_notice, |to, told| {
        to.on_error(move |notice| drop(told.on_notice(notice.into())))
    })
}

fn changed(hook: &dyn BeforeSend, mut draft: trailmark_core::Draft) -> Option<trailmark_core::Draft> {
    // As if the hook had panicked, which the core counts; `panic!` would also print it.
    let failed = |error| resume_unwind(Box::new(error));
    let after = hook.before_send(mirror(&draft)).unwrap_or_else(failed)?;
    draft.name = after.name;
    draft.properties = Properties::accept(&after.properties);
    draft.set = Properties::accept(&after.set);
    draft.set_once = Properties::accept(&after.set_once);
    Some(draft)
}

fn mirror(draft: &trailmark_core::Draft) -> Draft {
    let text = |properties: &Properties| properties.as_json().to_owned();
    Draft {
        name: draft.name.clone(),
        properties: text(&draft.properties),
        set: text(&draft.set),
        set_once: text(&draft.set_once),
    }
}
