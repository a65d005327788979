//! Dates.

/// A half-open interval of whole UTC seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First second, since 1970-01-01T00:00:00Z.
    pub earliest: i64,
    /// First second after it.
    pub latest: i64,
}
/// Placeholder.
#[derive(Debug)]
pub struct Date;
/// Placeholder.
#[derive(Debug)]
pub struct DateError;
