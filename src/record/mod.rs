//! What can be put on record.

mod date;
mod id;
pub mod proto;

pub use date::{Date, DateError, Interval};
pub use id::{ContentId, IdError, Slug};
