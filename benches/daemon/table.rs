//! Prints each figure as it comes, beside its floor.

use std::time::Duration;

use crate::load::Rate;

/// The head of the table.
pub fn heading() {
    println!(
        "{:<52} {:>11}   {:<30} {:>11} {:>7} {:>7}",
        "figure", "ours", "floor", "", "ratio", "wanted"
    );
}

/// So many a second, of which more is better.
pub fn rate(name: &str, ours: Rate, floor: &str, theirs: Rate, wanted: f64) {
    let ratio = ours.per_second() / theirs.per_second();
    println!(
        "{name:<52} {:>9.0}/s   {floor:<30} {:>9.0}/s {ratio:>7.2} {:>7}",
        ours.per_second(),
        theirs.per_second(),
        format!("≥ {wanted}"),
    );
}

/// A time, of which less is better.
pub fn latency(name: &str, ours: Duration, floor: &str, theirs: Duration, wanted: f64) {
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "{name:<52} {:>8} µs   {floor:<30} {:>8} µs {ratio:>7.2} {:>7}",
        ours.as_micros(),
        theirs.as_micros(),
        format!("≤ {wanted}"),
    );
}

/// A figure with a bound of its own.
pub fn bound(name: &str, ours: f64, wanted: f64) {
    println!("{name:<52} {ours:>11.2} {:>61}", format!("≤ {wanted}"));
}

/// A figure by itself.
pub fn figure(name: &str, ours: f64) {
    println!("{name:<52} {ours:>11.0}");
}
