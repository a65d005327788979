//! The messages of evidence bundles, generated from `proto/onrecord/bundle/v1`.
#![allow(missing_docs, clippy::pedantic, clippy::large_enum_variant)]

include!(concat!(env!("OUT_DIR"), "/onrecord.bundle.v1.rs"));
