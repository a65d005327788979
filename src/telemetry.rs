//! What the daemon tells about itself while it runs, on standard error: standard output
//! belongs to the one line that gives its address.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::LevelFilter;

use crate::config::{Log, LogLevel};

/// Starts logging for the whole process. Whoever came first stands: a process that runs
/// several daemons logs as its first one does.
pub fn start(log: Log) {
    let level = match log.level {
        LogLevel::Off => return,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false);
    let terminal = std::io::stderr().is_terminal();
    let started = if log.json {
        lines.json().try_init()
    } else {
        lines.with_ansi(terminal).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging had been started before");
    }
}
