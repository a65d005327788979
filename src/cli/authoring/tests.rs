//! The form, line by line; whole runs against an archive in memory; the example that ships.

mod example;
mod form;
mod memory;
mod runs;
