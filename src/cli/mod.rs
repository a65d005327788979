//! The command line: what people type.

pub mod authoring;
