//! The engine under a fake clock and scripted answers. No network, no thread, no sleep.

mod harness;
mod capturing;
mod identity;
mod sending;
mod flushing;
mod laws;
