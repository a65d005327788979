//! What tests share: a daemon in this process over a real socket, clients, and records.

// Each test file uses a part of it.
#![allow(dead_code, unreachable_pub, unused_imports, missing_docs)]

pub mod archive;
pub mod client;
pub mod daemon;
pub mod http;
pub mod mirror;
pub mod records;
pub mod status;
pub mod stores;

pub use archive::TestArchive;
pub use client::Client;
pub use records::Signer;
pub use status::{assert_blames, assert_status};
