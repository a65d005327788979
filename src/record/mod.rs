//! What can be put on record.

mod date;
mod id;

pub use date::{Date, DateError, Interval, format_instant};
pub use id::{ContentId, IdError, Slug};
