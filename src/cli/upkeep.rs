//! How far long work is: shown on a terminal with its rate and the time left, quiet
//! in a pipe.

use indicatif::{ProgressBar, ProgressStyle};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Entries of the ledger, whose number is known.
    Entries,
    /// Bytes, whose number is known.
    Bytes,
    /// Bytes, whose number is not known before their end.
    BytesSoFar,
    /// Rows, whose number is not known before their end.
    Rows,
}

/// A bar for what is counted.
pub fn progress(counted: Counted) -> ProgressBar {
    let (bar, template) = match counted {
        Counted::Entries => (
            ProgressBar::new(0),
            "{bar:40} {human_pos} of {human_len} entries, {per_sec}, {eta} left",
        ),
        Counted::Bytes => (
            ProgressBar::new(0),
            "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        ),
        Counted::BytesSoFar => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes}, {bytes_per_sec}",
        ),
        Counted::Rows => (
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} rows compared, {per_sec}",
        ),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
