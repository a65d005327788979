//! The service messages, generated from `proto/onrecord/v1`.
#![allow(missing_docs, clippy::all, clippy::pedantic)]

tonic::include_proto!("onrecord.v1");

/// The descriptors of all protos with comments and custom options, for reflection and JSON.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/onrecord.descriptors"));
