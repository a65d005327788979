//! Up to which moment the ledger's past is settled: that no entry can still come to be recorded
//! at it, or before.
//!
//! A frame takes its time when its first record is judged, and is shown once it is durable. In
//! between, what was recorded by that time is not known yet. And whoever was told how much was
//! recorded by some time must never see more recorded by it: later frames take later times.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::clock::ClockJump;
use crate::record::Micros;

/// See the module.
#[derive(Debug)]
pub(super) struct Settled {
    /// The least time of the frames that have one and are not shown.
    unsettled: watch::Sender<Option<Micros>>,
    /// The greatest time that somebody was told about. Held while a frame takes its time.
    told: Mutex<Option<Micros>>,
}

impl Default for Settled {
    fn default() -> Self {
        Self {
            unsettled: watch::Sender::new(None),
            told: Mutex::default(),
        }
    }
}

impl Settled {
    /// Has a frame take its time: as `read` gives it, after `last`, and after whatever somebody
    /// was told about.
    pub fn take(
        &self,
        last: Option<Micros>,
        read: impl FnOnce(Option<Micros>) -> Result<Micros, ClockJump>,
    ) -> Result<Micros, ClockJump> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let time = read(last.max(*told))?;
        self.unsettled.send_if_modified(|unsettled| {
            let first = unsettled.is_none();
            unsettled.get_or_insert(time);
            first
        });
        Ok(time)
    }

    /// Says which is now the least time of the frames that are not shown.
    pub fn settle(&self, unsettled: Option<Micros>) {
        self.unsettled.send_replace(unsettled);
    }

    /// Waits until everything that was recorded by `time`, which has passed, is shown. For
    /// ever, if it never is: the caller bounds the wait.
    pub async fn by(&self, time: Micros) {
        let settled = |unsettled: &Option<Micros>| unsettled.is_none_or(|it| it > time);
        let mut changes = self.unsettled.subscribe();
        loop {
            // This holds the sender, so that the wait ends by what it waits for.
            let _ = changes.wait_for(settled).await;
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if settled(&self.unsettled.borrow()) {
                *told = (*told).max(Some(time));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_time_is_settled_once_no_frame_is_on_its_way_that_took_it_or_an_earlier_one() {
        let settled = Settled::default();
        settled.by(Micros(3)).await;
        assert_eq!(settled.take(None, |_| Ok(Micros(5))), Ok(Micros(5)));
        settled.by(Micros(4)).await;
        let at_five = settled.by(Micros(5));
        tokio::pin!(at_five);
        tokio::select! {
            biased;
            () = &mut at_five => panic!("the frame of that time is not shown"),
            () = std::future::ready(()) => {}
        }
        // The next frame took its time before this one was shown.
        settled.take(Some(Micros(5)), |_| Ok(Micros(7))).unwrap();
        settled.settle(Some(Micros(7)));
        at_five.await;
        settled.settle(None);
        settled.by(Micros(9)).await;
    }

    #[tokio::test]
    async fn what_somebody_was_told_about_is_never_taken_again() {
        let settled = Settled::default();
        settled.by(Micros(9)).await;
        settled.by(Micros(3)).await;
        let mut asked = None;
        let _ = settled.take(Some(Micros(4)), |last| {
            asked = last;
            Ok(Micros(10))
        });
        assert_eq!(asked, Some(Micros(9)));
    }
}
