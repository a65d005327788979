//! The record messages, generated from `proto/onrecord/record/v1`.
#![allow(missing_docs, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/onrecord.record.v1.rs"));
