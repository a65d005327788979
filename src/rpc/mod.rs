//! rpc

pub mod proto;
