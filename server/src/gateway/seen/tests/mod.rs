//! The parts together, over real sockets.

mod deployed;
mod exports;
mod requests;
mod support;
