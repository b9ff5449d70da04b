//! The engine under a fake clock and scripted answers. No network, no thread, no sleep.

mod harness;
mod disk;
mod capturing;
mod identity;
mod sending;
mod flushing;
mod storing;
mod sessions;
mod registering;
mod consent;
mod killed;
mod laws;
