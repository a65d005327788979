//! Checks an evidence bundle with the library alone: no daemon, no network, no disk but the file.
//!
//! `cargo run --no-default-features --example verify_bundle -- FILE VKEY`

use std::process::ExitCode;

use onrecord::bundle::{NOT_PROVEN, Trusted, check};
use onrecord::merkle::{NoteKey, WitnessPolicy};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err("give the bundle's file and the archive's verifier key".into());
    };
    let keys: [NoteKey; 1] = [key.parse()?];
    let trusted = Trusted {
        keys: &keys,
        witnesses: &WitnessPolicy::nobody(),
    };
    let report = check(&std::fs::read(file)?, &trusted);
    for line in &report.lines {
        let (verdict, about) = (line.outcome.name(), line.check.name());
        println!("{verdict:9} {about:10} {}", line.outcome);
    }
    println!("{} could not be checked", report.unchecked());
    println!("a yes does not say {}", NOT_PROVEN.join(", nor "));
    Ok(if report.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
