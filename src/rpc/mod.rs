//! rpc

pub mod proto;
mod status;

pub use status::{DOMAIN, Failure, Reason};
