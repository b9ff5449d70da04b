//! The Dart back end, on the library that is built beside these tests and on interfaces written for them.

mod source;
mod refusals;
mod abi;
