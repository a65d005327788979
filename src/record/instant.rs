//! Instants of transaction time: microseconds since 1970-01-01T00:00:00Z.

use std::fmt;

use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Micros(pub i64);

impl Micros {
    const PER_SECOND: i64 = 1_000_000;
    /// 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z, in seconds: what a Timestamp may hold.
    const TIMESTAMP_SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

    /// As a protobuf timestamp.
    #[must_use]
    pub fn to_timestamp(self) -> Timestamp {
        Timestamp {
            seconds: self.whole_seconds(),
            nanos: i32::try_from(self.0.rem_euclid(Self::PER_SECOND) * 1000).unwrap_or_default(),
        }
    }

    /// From a protobuf timestamp; none if it is outside the years 1 to 9999, or its
    /// nanoseconds are out of range or no whole number of microseconds.
    #[must_use]
    pub fn from_timestamp(time: &Timestamp) -> Option<Self> {
        let valid = Self::TIMESTAMP_SECONDS.contains(&time.seconds)
            && (0..1_000_000_000).contains(&time.nanos)
            && time.nanos % 1000 == 0;
        valid.then(|| Self(time.seconds * Self::PER_SECOND + i64::from(time.nanos) / 1000))
    }

    /// The second that this moment lies in, since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(Self::PER_SECOND)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{} µs after 1970", self.0),
        }
    }
}
