//! Positions and comparisons against a slow oracle that shares no code with them.
//!
//! Random histories of a small world are folded as the daemon folds them, and read again from
//! the records by the oracle, for every `known_at` and for every `as_of` at which an answer
//! can change, of every actor on every topic, with and without parts, by whose readings and
//! whose trust the dice say.

#![allow(dead_code)]
mod actors;
mod asking;
mod calendar;
mod cases;
mod change;
mod coverage;
mod front;
mod generator;
mod hearing;
mod oracle;
mod readings;
mod scribe;
mod sources;
mod trust;
mod world;

/// How long a history is at most. An answer rests on a handful of statements; what matters is
/// how their dates, versions, readings and voices lie to each other.
const STEPS_MAX: usize = 32;

/// Histories a run, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 64;
