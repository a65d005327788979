//! The clock by which the ledger records, and when it is not to be trusted.
//!
//! Transaction time is written into history and never corrected, so a clock that ran backwards,
//! or that jumped away from the monotonic clock of the same run, is not written at all.

use std::time::{Duration, SystemTime};

use crate::record::Micros;

/// How far the wall clock may drift from the monotonic clock within a run.
pub const DRIFT_MAX: Duration = Duration::from_secs(5);

/// What time it is.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Micros;

    /// Time since some fixed moment of this run, at the pace of real time, also while the
    /// machine is suspended. Never set back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    #[cfg(not(target_os = "linux"))]
    started: std::time::Instant,
}

impl SystemClock {
    /// The machine's clocks, from here on.
    #[must_use]
    pub fn start() -> Self {
        Self {
            #[cfg(not(target_os = "linux"))]
            started: std::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Micros(micros(since)),
            Err(error) => Micros(-micros(error.duration())),
        }
    }

    #[cfg(target_os = "linux")]
    fn monotonic(&self) -> Duration {
        // The one clock that goes on while a machine is suspended, as the wall clock does.
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    #[cfg(not(target_os = "linux"))]
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Compares the two clocks within a run.
#[derive(Debug)]
pub(super) struct ClockWatch {
    /// Both clocks when the run began.
    began: (Micros, Duration),
}

impl ClockWatch {
    pub fn start(clock: &dyn Clock) -> Self {
        Self {
            began: (clock.now(), clock.monotonic()),
        }
    }

    /// The time to record by, which must lie after `last`.
    pub fn read(&self, clock: &dyn Clock, last: Option<Micros>) -> Result<Micros, ClockJump> {
        let now = clock.now();
        if let Some(last) = last.filter(|last| now <= *last) {
            return Err(ClockJump::NotAfter { now, last });
        }
        let (wall, monotonic) = self.began;
        let passed = clock.monotonic().saturating_sub(monotonic).as_micros();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let drift = now.0.saturating_sub(wall.0).abs_diff(passed);
        if u128::from(drift) > DRIFT_MAX.as_micros() {
            return Err(ClockJump::Drifted { micros: drift });
        }
        Ok(now)
    }
}

/// Why the clock is not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ClockJump {
    /// It does not lie after what was recorded last.
    #[error("the daemon's clock says {now}, which is not after the newest entry, {last}")]
    NotAfter {
        /// What it says.
        now: Micros,
        /// When the newest entry was recorded.
        last: Micros,
    },
    /// It went another way than the monotonic clock.
    #[error("the daemon's clock has jumped by {} ms since the daemon started", .micros / 1000)]
    Drifted {
        /// How far.
        micros: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::fixture::TestClock;

    #[test]
    fn a_clock_that_drifts_more_than_five_seconds_either_way_is_not_believed() {
        // Reading the clock takes a microsecond.
        for (drift, believed) in [
            (0, true),
            (4_999_999, true),
            (5_000_000, false),
            (-5_000_001, true),
            (-5_000_002, false),
        ] {
            let clock = TestClock::new();
            let watch = ClockWatch::start(&clock);
            clock.pass(3_600_000_000);
            clock.set_by(drift);
            assert_eq!(watch.read(&clock, None).is_ok(), believed, "{drift}");
        }
    }

    #[test]
    fn a_clock_that_is_not_after_the_newest_entry_is_not_believed() {
        let clock = TestClock::new();
        let watch = ClockWatch::start(&clock);
        let now = watch.read(&clock, None).unwrap();
        assert_eq!(watch.read(&clock, Some(now)), Ok(Micros(now.0 + 1)));
        let last = Micros(now.0 + 2);
        let (now, jump) = (last, watch.read(&clock, Some(last)));
        assert_eq!(jump, Err(ClockJump::NotAfter { now, last }));
        assert!(watch.read(&clock, Some(Micros(now.0 + 9))).is_err());
    }

    #[test]
    fn the_machine_s_monotonic_clock_does_not_run_backwards() {
        let clock = SystemClock::start();
        let first = clock.monotonic();
        assert!(clock.monotonic() >= first);
        assert!(clock.now() > Micros(1_600_000_000_000_000));
    }
}
