//! Storage: where a client keeps its bytes over restarts. The engine decides what is written; a driver moves the bytes.

/// A place for a handful of files that belong to one client alone.
///
/// The engine only ever appends to files, reads them whole and removes them, so that a flat directory, a key-value store
/// or a test's memory can be one. Calls are made on the thread of whoever captures: they must be short.
///
/// ```
/// use std::collections::BTreeMap;
/// use trailmark_core::{Storage, StorageError};
///
/// /// Files that end with the process: for a test.
/// #[derive(Default)]
/// struct InMemory(BTreeMap<String, Vec<u8>>);
///
/// impl Storage for InMemory {
///     fn list(&mut self) -> Result<Vec<String>, StorageError> {
///         Ok(self.0.keys().cloned().collect())
///     }
///     fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
///         self.0.get(file).cloned().ok_or_else(|| StorageError(format!("no {file}")))
///     }
///     fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
///         self.0.entry(file.to_owned()).or_default().extend_from_slice(bytes);
///         Ok(())
///     }
///     fn remove(&mut self, file: &str) -> Result<(), StorageError> {
///         self.0.remove(file);
///         Ok(())
///     }
/// }
/// # let mut files = InMemory::default();
/// # files.append("a", b"x").unwrap();
/// # assert_eq!(files.list().unwrap(), ["a"]);
/// ```
pub trait Storage: Send {
    /// The names of all files, in any order.
    ///
    /// # Errors
    /// What the system says. This is so for every method.
    fn list(&mut self) -> Result<Vec<String>, StorageError>;

    /// The whole content of a file.
    ///
    /// # Errors
    /// See [`Storage::list`]; also if there is no such file.
    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError>;

    /// Adds bytes at the end of a file, which is made if it is not there. When it returns, the bytes survive the death
    /// of this process; whether they survive the loss of power is the storage's own, documented choice.
    ///
    /// # Errors
    /// See [`Storage::list`]. Any part of the bytes may have been written.
    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Removes a file.
    ///
    /// # Errors
    /// See [`Storage::list`].
    fn remove(&mut self, file: &str) -> Result<(), StorageError>;
}

/// Why the storage failed, in the system's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageError(pub String);

impl std::fmt::Display for StorageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StorageError {}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
