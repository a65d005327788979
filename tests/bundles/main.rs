//! Evidence bundles: made in memory, checked by whoever trusts nothing but a key.
#![allow(missing_docs)]

mod doctored;
mod ledger;
#[allow(dead_code, unreachable_pub)]
#[path = "../common/records.rs"]
mod records;
mod whole;
