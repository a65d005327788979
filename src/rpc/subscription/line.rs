//! What all subscriptions have in common: a line to the client, on which something is said often
//! enough, and an end that names the index to resume from.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::outbox::{Ended, Outbox};
use crate::rpc::{Failure, Reason};

/// The way to one subscriber.
pub struct Line<T> {
    outbox: Outbox<T>,
    heartbeat: Duration,
    /// When the last message was put on its way.
    sent_at: Instant,
}

impl<T> Line<T> {
    /// A line that is to be heard of once a `heartbeat`.
    pub(super) fn new(outbox: Outbox<T>, heartbeat: Duration) -> Self {
        Self {
            outbox,
            heartbeat,
            sent_at: Instant::now(),
        }
    }

    /// Puts a message of about so many bytes on its way.
    pub async fn send(&mut self, message: T, bytes: usize) -> Result<(), Ended> {
        self.outbox.send(message, bytes).await?;
        self.sent_at = Instant::now();
        Ok(())
    }

    /// Whether nothing has been said for so long that the client is to be told that the line
    /// lives.
    pub fn is_silent(&self) -> bool {
        self.sent_at.elapsed() >= self.heartbeat
    }

    /// Ends once that is so.
    pub async fn silence(&self) {
        tokio::time::sleep_until(self.sent_at + self.heartbeat).await;
    }

    /// Ends once nobody takes messages any more.
    pub async fn gone(&self) {
        self.outbox.gone().await;
    }
}

/// What a client follows.
pub trait Follow: Send {
    /// What it is told.
    type Message: Send;

    /// Takes a bounded step forwards, or waits until there is one to take.
    fn go_on(&mut self) -> impl Future<Output = Result<(), Ended>> + Send;

    /// The index to resume from: everything below has been put on its way.
    fn next(&self) -> u64;

    /// The line, to say the last word on.
    fn into_line(self) -> Line<Self::Message>;
}

/// Goes on for as long as it can, and tells the client why it ends.
pub async fn follow<F: Follow>(mut followed: F, mut stopping: watch::Receiver<bool>) {
    let go_on = async {
        loop {
            if let Err(ended) = followed.go_on().await {
                return ended;
            }
        }
    };
    let ended = tokio::select! {
        biased;
        // An error means that nobody can tell any more: that is a reason to stop, too.
        _ = stopping.wait_for(|stopping| *stopping) => {
            Ended::Failed(Failure::new(Reason::Stopping, "the daemon is stopping"))
        }
        ended = go_on => ended,
    };
    let resume_from = followed.next();
    let outbox = followed.into_line().outbox;
    match ended {
        Ended::Gone => {}
        Ended::Failed(failure) => outbox.end(failure.resume_from(resume_from)),
        Ended::Slow => {
            let failure = outbox.slow();
            tracing::info!(
                resume_from,
                "a subscriber was dropped that takes no messages"
            );
            outbox.end(failure.resume_from(resume_from));
        }
    }
}
