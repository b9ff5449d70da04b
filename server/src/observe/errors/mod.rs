//! Errors become issues.
//!
//! An `$exception` is [`read`](mod@read) as it was sent; [`group`](mod@group) says which issue it is of, by what of its
//! [`frames`], their [`function`]s and [`mod@file`]s, or of its [`message`] stays the same from one time to the next; a
//! [`batch`](mod@batch) adds up what is to be stored of many (`store::issues::fold`). What an issue is at a moment is its
//! [`state`]; [`spike`] says when it happens far more often than usual, [`settle`](mod@settle) moves states on as time
//! passes, [`detect`] tells the problems, [`http`] shows and changes issues.

pub mod read;
pub mod group;
pub mod frames;
pub mod function;
pub mod file;
pub mod message;
pub mod batch;
pub mod state;
pub mod spike;
pub mod detect;
pub mod settle;
pub mod http;
mod answer;

pub use group::{ALGORITHM, Group, Key, group};
pub use read::{Level, Occurred, read};
pub use state::State;
