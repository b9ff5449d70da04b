//! Randomness is an input, like time: the platform provides it, a test scripts it.

/// Unpredictable bytes from the platform.
///
/// ```
/// use trailmark_core::Entropy;
///
/// /// The same bytes each time: for a test.
/// struct Counting(u8);
///
/// impl Entropy for Counting {
///     fn fill(&mut self, bytes: &mut [u8]) {
///         for byte in bytes {
///             self.0 = self.0.wrapping_add(1);
///             *byte = self.0;
///         }
///     }
/// }
/// # let mut two = [0; 2];
/// # Counting(0).fill(&mut two);
/// # assert_eq!(two, [1, 2]);
/// ```
pub trait Entropy: Send {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// `N` bytes of it.
pub(crate) fn bytes<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
