//! Devices of the conformance vectors (`sdk-core/tests/vectors`) behind the same [`Client`] that apps hold.

use std::sync::{Arc, Mutex, PoisonError};

use trailmark_core::Engine;
use trailmark_vectors::{Device, Home};

use crate::client::Client;

/// The engine inside of a client.
#[derive(Debug)]
struct Housed(trailmark_core::Client);

impl Home for Housed {
    fn with<T>(&mut self, change: impl FnOnce(&mut Engine) -> T) -> T {
        self.0.with_engine(change)
    }
}

/// What does not fit the format of the files.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum VectorError {
    /// For people.
    #[error("{detail}")]
    Format {
        /// For people.
        detail: String,
    },
}

impl From<String> for VectorError {
    fn from(detail: String) -> Self {
        Self::Format { detail }
    }
}

/// A device whose client is to be called by the test, and which takes all other steps itself.
#[derive(Debug, uniffi::Object)]
pub struct VectorDevice {
    device: Mutex<Device<Housed>>,
    client: Arc<Client>,
}

#[uniffi::export]
impl VectorDevice {
    /// A device as the text of a file says.
    #[uniffi::constructor]
    pub fn new(file: &str) -> Result<Self, VectorError> {
        let house = |engine, clock: trailmark_vectors::Clock| {
            Housed(trailmark_core::Client::scripted(engine, move || clock.now()))
        };
        let device = Device::housed(file, house)?;
        let client = Client::over(device.home().0.clone());
        Ok(Self {
            device: Mutex::new(device),
            client,
        })
    }

    /// The client to call.
    pub fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// Sets the clock, in milliseconds since the start of the file.
    pub fn set_clock(&self, at: i64) {
        self.device().set_clock(at);
    }

    /// Takes a step that is not a call, and returns its outcome as JSON, if it has one.
    pub fn step(&self, step: &str) -> Result<Option<String>, VectorError> {
        Ok(self.device().step(step)?)
    }

    /// Panics inside of a call.
    pub fn panic_inside(&self) {
        self.client.panic_inside();
    }
}

impl VectorDevice {
    fn device(&self) -> std::sync::MutexGuard<'_, Device<Housed>> {
        self.device.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
