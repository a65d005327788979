//! What the daemon does in a second, over gRPC on loopback, each figure with its floor from
//! the same run: what the machine could do if the daemon added nothing.
//!
//! `ONRECORD_BENCH_RECORDS` sets how many statements the large ledger holds.

// Figures are printed to three digits: that a double holds fewer than a count is no loss.
#![allow(clippy::cast_precision_loss)]

#[allow(dead_code)] // the test of kill -9 uses it too
mod daemon;
mod floor;
mod load;
mod records;
mod table;

use std::time::{Duration, Instant};

use daemon::Daemon;
use load::Rate;
use records::Author;

/// Statements in the large ledger, unless the environment says otherwise.
const RECORDS: usize = 1_000_000;
/// Statements signed beforehand for one timed stretch.
const CHUNK: usize = 50_000;
/// Projections that are rebuilt by themselves: one that keeps little of each record, and one
/// that keeps much.
const REBUILT: [&str; 2] = ["statements", "positions"];
/// Clients of the unary figures.
const CLIENTS: usize = 64;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Fallible<()> {
    // `cargo test --benches` runs this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let total = match std::env::var("ONRECORD_BENCH_RECORDS") {
        Ok(count) => count.parse()?,
        Err(_) => RECORDS,
    };
    table::heading();
    let directory = tempfile::tempdir()?;
    let mut daemon = Daemon::start(directory.path())?;
    let mut author = Author::found(&daemon).await?;

    latency(&daemon, &mut author).await?;
    unary(&daemon, &mut author).await?;
    streamed(&daemon, &mut author, total).await?;
    positions(&daemon).await?;
    footprint(&daemon, &author, total)?;
    replay(&mut daemon, &author).await?;
    daemon.stop()
}

/// One append at a time against one synced frame.
async fn latency(daemon: &Daemon, author: &mut Author) -> Fallible<()> {
    let envelopes = author.statements(2_000);
    let floor = floor::synced_frame(&envelopes)?;
    let ours = load::one_at_a_time(daemon, envelopes).await?;
    table::latency(
        "append, one at a time, p50",
        ours,
        "one synced frame",
        floor,
        5.0,
    );
    Ok(())
}

/// Unary appends from many clients against a unary echo.
async fn unary(daemon: &Daemon, author: &mut Author) -> Fallible<()> {
    let envelopes = author.statements(20_000);
    let floor = floor::unary_echo(&envelopes, CLIENTS).await?;
    let ours = load::unary_appends(daemon, envelopes, CLIENTS).await?;
    table::rate("appends, 64 unary clients", ours, "unary echo", floor, 0.4);
    Ok(())
}

/// One stream against one core's batch verification; then how far the projections lag.
async fn streamed(daemon: &Daemon, author: &mut Author, total: usize) -> Fallible<()> {
    let floor = floor::batch_verification(&author.statements(8_192));
    let mut spent = Duration::ZERO;
    let mut done = 0;
    let mut lag_max = Duration::ZERO;
    while done < total {
        let envelopes = author.statements(CHUNK.min(total - done));
        done += envelopes.len();
        spent += load::stream(daemon, envelopes).await?;
        let acknowledged = Instant::now();
        daemon.caught_up().await?;
        lag_max = lag_max.max(acknowledged.elapsed());
    }
    let ours = Rate::of(done, spent);
    table::rate(
        "signed appends, one stream",
        ours,
        "batch verification, one core",
        floor,
        0.3,
    );
    table::bound(
        "projections behind the last answer, s",
        lag_max.as_secs_f64(),
        2.0,
    );
    Ok(())
}

/// Positions at the head against a unary echo.
async fn positions(daemon: &Daemon) -> Fallible<()> {
    let questions = Author::questions(40_000);
    let floor = floor::unary_echo(&questions, CLIENTS).await?;
    let ours = load::positions(daemon, questions, CLIENTS).await?;
    table::rate(
        "GetPosition at the head, 64 clients",
        ours,
        "unary echo",
        floor,
        0.5,
    );
    Ok(())
}

/// Memory and disk after the large ledger.
fn footprint(daemon: &Daemon, author: &Author, total: usize) -> Fallible<()> {
    let million = total as f64 / 1e6;
    table::bound(
        &format!("resident memory, MB, after {million} million records"),
        daemon.resident_bytes()? as f64 / 1e6,
        600.0,
    );
    table::bound(
        "bytes on disk a byte of payload",
        daemon.bytes_on_disk()? as f64 / author.payload_bytes() as f64,
        2.0,
    );
    Ok(())
}

/// All projections from entry 0; then one at a time, beside the one that answers.
async fn replay(daemon: &mut Daemon, author: &Author) -> Fallible<()> {
    daemon.forget_projections()?;
    let started = Instant::now();
    daemon.restart()?;
    daemon.caught_up().await?;
    let ours = Rate::of(author.records(), started.elapsed());
    table::figure(
        "replay of all projections, with the start, records/s",
        ours.per_second(),
    );
    for name in REBUILT {
        let ours = Rate::of(author.records(), load::rebuild(daemon, name).await?);
        table::figure(&format!("rebuild of {name}, records/s"), ours.per_second());
    }
    Ok(())
}
