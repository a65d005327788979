//! Following a daemon over one subscription after the other: one that goes away is waited for,
//! and the next subscription begins where the last one ended.

use std::time::Duration;

use tonic::Code;

use super::error::CliError;
use super::serve::Signals;
use crate::rpc::proto::WatchedPosition;

/// How long to wait before trying again, the first time; then twice as long each time.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The longest time between two tries.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(5);

/// How often it can be doubled without a thought of overflow.
const DOUBLINGS_MAX: u32 = 16;

/// How often a daemon that went away is tried by a command that is to end: for about a minute.
const TRIES_MAX: u32 = 16;

/// Follows from `place` on until there is nothing more to wait for, or the process is asked to
/// stop. `subscribe` shows what one subscription brings; where it `ends`, a daemon that went away
/// is not waited for without end.
pub async fn follow(
    mut place: Place,
    ends: bool,
    subscribe: impl AsyncFnMut(&mut Place) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let signals = Signals::listen().map_err(CliError::Runtime)?;
    tokio::select! {
        followed = again_and_again(&mut place, ends, subscribe) => followed,
        () = signals.asked_to_stop() => Ok(()),
    }
}

async fn again_and_again(
    place: &mut Place,
    ends: bool,
    mut subscribe: impl AsyncFnMut(&mut Place) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let (mut away, mut answers) = (Away::default(), 0);
    loop {
        let Err(error) = subscribe(place).await else {
            return Ok(());
        };
        // Where nothing ever came, there is nothing to go on with.
        let begun = place.answers > 0 && can_go_on(&error);
        let Some(next) = place.next.filter(|_| begun) else {
            return Err(error);
        };
        if place.answers > answers {
            (away, answers) = (Away::default(), place.answers);
        }
        if ends && away.tries > TRIES_MAX {
            return Err(error);
        }
        if away.tries == 0 {
            let why = went_away(&error);
            eprintln!("onrecord: {why}\nonrecord: trying again, from index {next}");
        }
        tokio::time::sleep(away.try_again_after()).await;
    }
}

/// How far the ledger has been followed.
#[derive(Debug, Default)]
pub struct Place {
    /// The first index that was not considered; none before anything is known.
    next: Option<u64>,
    /// Of what the entry at `next` brought, the last that came.
    after: Option<WatchedPosition>,
    /// How many messages have come.
    answers: u64,
    /// Whether anything was found, or it was asked why nothing was.
    found: bool,
}

impl Place {
    /// At an index; without one, at what comes next.
    pub fn at(next: Option<u64>) -> Self {
        Self {
            next,
            ..Self::default()
        }
    }

    /// The first index that was not considered.
    pub const fn next(&self) -> Option<u64> {
        self.next
    }

    /// Of what the entry there brought, the last that came.
    pub const fn after(&self) -> Option<&WatchedPosition> {
        self.after.as_ref()
    }

    /// All entries below `next` have been considered.
    pub fn move_to(&mut self, next: u64) {
        self.next = Some(next);
        self.after = None;
        self.answers += 1;
    }

    /// All entries below `next` have been considered, and of what the one there brought
    /// everything up to this.
    pub fn move_within(&mut self, next: u64, after: WatchedPosition) {
        self.move_to(next);
        self.after = Some(after);
    }

    /// Something was found.
    pub const fn found(&mut self) {
        self.found = true;
    }

    /// Whether nothing was found yet; told once.
    pub const fn nothing_yet(&mut self) -> bool {
        !std::mem::replace(&mut self.found, true)
    }

    /// The subscription ended, with where to resume if the daemon said so.
    pub fn ended(&mut self, error: &CliError) {
        if let CliError::Answer(answer) = error
            && let Some(next) = answer.resume_from
            && self.next != Some(next)
        {
            self.next = Some(next);
            self.after = None;
        }
    }
}

/// A daemon that does not answer.
#[derive(Default)]
struct Away {
    /// How often it was tried again.
    tries: u32,
}

impl Away {
    /// How long to wait before the next try: twice as long each time, up to a bound.
    fn try_again_after(&mut self) -> Duration {
        let after = AGAIN_AFTER.saturating_mul(1 << self.tries.min(DOUBLINGS_MAX));
        self.tries = self.tries.saturating_add(1);
        after.min(AGAIN_AFTER_MAX)
    }
}

/// Why a daemon is gone, without what to do about it: that is done.
fn went_away(error: &CliError) -> String {
    match error {
        CliError::Answer(answer) => {
            let message = answer.message.split(". ").next().unwrap_or_default();
            format!("{message} ({})", answer.reason)
        }
        error => error.to_string(),
    }
}

/// Whether another subscription may bring what this one did not.
pub fn can_go_on(error: &CliError) -> bool {
    match error {
        CliError::Unreachable { .. } => true,
        CliError::Answer(answer) => matches!(answer.code, Code::Unavailable | Code::Aborted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_after_ever_longer_times_up_to_a_bound() {
        let mut away = Away::default();
        let mut times: Vec<_> = (0..40).map(|_| away.try_again_after()).collect();
        assert_eq!(times[..3], [1, 2, 4].map(|n| n * AGAIN_AFTER));
        assert_eq!(times[39], AGAIN_AFTER_MAX);
        times.sort();
        times.dedup();
        assert_eq!(times.len(), 7, "{times:?}");
    }
}
