//! Questions about what people do: trends, funnels, retention and their kin, answered from the rows.
//!
//! A question's way: [`question`] (JSON, read strictly; what is wrong is named by its path) → [`calendar`] (the moments at
//! which its periods begin, in its time zone) → [`sql`] (statements of constant fragments and bound values, which select
//! and reduce) → one module for each kind, whose pure part decides what statements cannot say well → [`answer`].
//!
//! Events of a person are in one order everywhere: by `timestamp`, then by the install's `seq`, then by id. Two events of
//! the same moment have an order, so they convert in a funnel.

pub mod question;
pub mod calendar;
pub mod answer;
pub mod sql;
