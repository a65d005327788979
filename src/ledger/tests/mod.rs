//! The room as its users see it, on the twin in memory.

mod appending;
mod faults;
pub mod fixture;
mod power_cuts;
mod reading;
mod restarts;
