//! A client without a thread, a network and a clock of its own: what the conformance vectors put behind a binding's
//! public functions, so that it is those that are compared.

use std::sync::Arc;

use super::Client;
use super::shared::Shared;
use crate::{Engine, Timestamp};

impl Client {
    /// A client around this engine that nobody drives.
    pub fn scripted(engine: Engine, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::new(Arc::new(Shared::new(engine, Arc::new(clock), None)), None, Vec::new())
    }

    /// Hands out the engine, for whoever drives it by script.
    pub fn with_engine<T>(&self, change: impl FnOnce(&mut Engine) -> T) -> T {
        self.shared().change(|engine, _| change(engine))
    }
}
