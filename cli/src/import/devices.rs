//! How many different devices there were, in bounded memory.

use std::collections::HashSet;

use trailmark_protocol::Uuid;

/// The most devices that are told apart: 1,048,576, which takes about 20 MiB.
const TOLD_APART: usize = 1 << 20;

/// Counts different devices, exactly up to a bound.
#[derive(Debug, Default)]
pub struct Devices(HashSet<Uuid>);

impl Devices {
    /// Notes a device.
    pub fn note(&mut self, device: Uuid) {
        if self.0.len() < TOLD_APART {
            self.0.insert(device);
        }
    }

    /// How many there were; at the bound, at least so many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether there may have been more.
    #[must_use]
    pub fn is_lower_bound(&self) -> bool {
        self.0.len() == TOLD_APART
    }
}
