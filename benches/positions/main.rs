//! How long a question for a position takes, in process, as what it is asked of grows: ledgers
//! of three sizes, each ten times the one before, for random dates and random `known_at`. All
//! sizes are asked in turn, so that whatever else the machine does disturbs them alike, and
//! times are those of the processor.
//!
//! Spread over a thousand pairs, each pair grows with the ledger, from 10 statements, all of which
//! are read, to 1,000, of which the index finds a hundred or two: the figures tell what the one
//! and the other cost, and their ratio little.
//!
//! Besides, what a record costs at a rebuild.
//!
//! Words given as arguments choose the ledgers whose names hold one of them;
//! `ONRECORD_BENCH_STATEMENTS` sets how many entries the largest ledger holds.

// Figures are printed to three digits: that a double holds fewer than a count is no loss.
#![allow(clippy::cast_precision_loss)]

mod archive;
mod dice;
mod ledger;
mod rebuild;

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use archive::Archive;
use dice::Dice;
use ledger::{Pairs, START, Shape};
use mimalloc::MiMalloc;
use onrecord::position::{Question, position};
use onrecord::projection::positions::{Terms, answer, collect};
use rustix::time::{ClockId, clock_gettime};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Entries in the largest ledger, unless the environment says otherwise.
const ENTRIES: u64 = 1_000_000;
/// Questions for each figure.
const QUESTIONS: usize = 2_000;
/// Questions before any is timed.
const WARMING: usize = 200;
/// The most testimonies in each list of an answer, as the daemon has it.
const PAGE: usize = 100;

/// In seconds.
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// When what is asked for was known, in hundredths of the ledger.
const KNOWN: [(&str, Range<u64>); 2] = [("recent", 90..100), ("early", 5..15)];

fn main() -> Fallible<()> {
    // `cargo test --benches` runs this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| {
        let mut words = wanted.iter().filter(|it| !it.starts_with('-')).peekable();
        words.peek().is_none() || words.any(|it| name.contains(it.as_str()))
    };
    let most = match std::env::var("ONRECORD_BENCH_STATEMENTS") {
        Ok(count) => count.parse()?,
        Err(_) => ENTRIES,
    };
    for shape in [
        Shape {
            name: "all on one pair",
            pairs: Pairs::Fixed(1),
            pace: HOUR,
            is_held: false,
            is_own: false,
        },
        Shape {
            name: "one pair, one stance held throughout",
            pairs: Pairs::Fixed(1),
            pace: HOUR,
            is_held: true,
            is_own: false,
        },
        Shape {
            name: "spread, 1,000 a pair",
            pairs: Pairs::Each(1_000),
            pace: DAY,
            is_held: false,
            is_own: false,
        },
        Shape {
            name: "spread, over 1,000 pairs",
            pairs: Pairs::Fixed(1_000),
            pace: DAY,
            is_held: false,
            is_own: false,
        },
    ] {
        if is_wanted(shape.name) {
            measure(&shape, most)?;
        }
    }
    if is_wanted("rebuild") {
        rebuild::measure(most)?;
    }
    Ok(())
}

fn measure(shape: &Shape, most: u64) -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let sizes = [most / 100, most / 10, most];
    println!("\n{}", shape.name);
    let mut archives = Vec::new();
    for size in sizes {
        let archive = Archive::fold(directory.path(), shape, size)?;
        println!(
            "  {size:>9} entries folded: {:>8.0}/s, {:>5.0} bytes each on disk; resident {} MB",
            size as f64 / archive.folding.as_secs_f64(),
            archive.bytes_on_disk() as f64 / size as f64,
            archive::resident_mb()?,
        );
        archives.push(archive);
    }
    for (name, known) in KNOWN {
        let mut times = [const { Vec::new() }; 3];
        let (mut picked, mut read) = ([0; 3], [0; 3]);
        let mut dice = Dice::new(7);
        for number in 0..WARMING + QUESTIONS {
            for (which, archive) in archives.iter().enumerate() {
                let asked = ask(archive, shape, &known, &mut dice)?;
                if number >= WARMING {
                    times[which].push(asked.time);
                    picked[which] += usize::from(asked.is_picked);
                    read[which] += asked.read;
                }
            }
        }
        for each in &mut times {
            each.sort_unstable();
        }
        let at = |part: f64| times.each_ref().map(|times| quantile(times, part));
        row(&format!("  {name} known_at, median"), at(0.5));
        row(&format!("  {name} known_at, 99th percentile"), at(0.99));
        let each = |counts: [usize; 3]| counts.map(|it| it as f64 / QUESTIONS as f64);
        println!(
            "    statements read for each: {:.1?}; by the index: {:.2?}",
            each(read),
            each(picked)
        );
    }
    if let Some(smallest) = archives.first() {
        println!(
            "  everything read, {} entries: {:?}",
            smallest.size,
            whole(smallest)?
        );
    }
    Ok(())
}

struct Asked {
    time: Duration,
    is_picked: bool,
    read: usize,
}

/// Asks for a random pair's position at a random date.
fn ask(archive: &Archive, shape: &Shape, known: &Range<u64>, dice: &mut Dice) -> Fallible<Asked> {
    let subject = ledger::subject(dice.below(shape.pairs.count(archive.size)))?;
    let bound = |hundredths: u64| archive.size * hundredths / 100;
    let known_at = dice.between(bound(known.start), bound(known.end));
    let as_of = START + dice.below(archive.span.unsigned_abs()).cast_signed();
    let terms = Terms::default();
    let started = processor_time();
    let answer = answer(&archive.tables, &subject, &terms, known_at, (as_of, PAGE))?;
    let answer = answer.ok_or("an actor is not on record")?;
    black_box(&answer.position());
    Ok(Asked {
        time: processor_time().saturating_sub(started),
        is_picked: answer.exact.is_some(),
        read: answer.collected.testimonies.len(),
    })
}

/// The time that a question takes which reads everything on its pair: the median of a few.
fn whole(archive: &Archive) -> Fallible<Duration> {
    let subject = ledger::subject(0)?;
    let timed = |_| {
        let started = processor_time();
        let found = collect(&archive.tables, &subject, &Terms::default(), archive.size)?;
        let found = found.ok_or("an actor is not on record")?;
        let question = Question {
            as_of: START + archive.span,
            has_voice: true,
        };
        black_box(position(&found.testimonies, question, PAGE));
        Ok(processor_time().saturating_sub(started))
    };
    let mut taken = (0..9).map(timed).collect::<Fallible<Vec<_>>>()?;
    taken.sort_unstable();
    Ok(quantile(&taken, 0.5))
}

/// How long this thread has run on a processor: what else the machine does is not counted, and
/// neither is a wait for a disk, of which there is none once the rows have been read.
#[must_use]
pub fn processor_time() -> Duration {
    time_by(ClockId::ThreadCPUTime)
}

/// The time by a clock.
fn time_by(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

fn quantile(sorted: &[Duration], part: f64) -> Duration {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // an index
    let place = (sorted.len() as f64 * part) as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// A figure for each size, and how many times the first the last is.
fn row(name: &str, figures: [Duration; 3]) {
    let [small, middling, large] = figures.map(|it| it.as_secs_f64() * 1e6);
    println!(
        "{name:<40} {small:>9.0} µs {middling:>9.0} µs {large:>9.0} µs {:>7.2}",
        large / small
    );
}
