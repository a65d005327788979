//! What can be put on record.

mod canonical;
mod date;
mod entry;
pub mod envelope;
mod id;
mod instant;
pub mod proto;
mod reading;

pub use canonical::{MalformedRecord, decode};
pub use date::{Date, DateError, Interval, format_instant};
pub use entry::{ENTRY_BYTES_MAX, Entry, EntryError};
pub use envelope::{KeyError, SigningKey, VerifierKey};
pub use id::{ContentId, IdError, Slug};
pub use instant::Micros;
pub use reading::{Basis, Condition, ConditionKind, Engagement, Polarity, Stance, Strength};
