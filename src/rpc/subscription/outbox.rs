//! What waits for one subscriber: messages on their way to the transport, so many bytes of them
//! at most.
//!
//! The transport takes a message when the client has given it room for one. Where a client gives
//! no room, messages wait here; where they have filled what may wait, and no room comes free in
//! time, the subscription ends. What waited is still delivered, should the client read on, and
//! after it the status that names the index to resume from.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::Stream;
use tonic::Status;

use crate::rpc::{Failure, Reason};

/// How many bytes of messages wait for one subscriber: 256 KiB, twice the largest message.
/// With 1,000 subscriptions 250 MiB at worst.
const WAITING_BYTES_MAX: usize = 256 << 10;

/// A message counts as at least so many bytes, with what surrounds it in memory.
const MESSAGE_BYTES_MIN: usize = 1 << 10;

/// How many messages wait for one subscriber: 256, and the status that comes after.
const WAITING_MAX: usize = WAITING_BYTES_MAX / MESSAGE_BYTES_MIN + 1;

/// Why a subscription ends.
pub enum Ended {
    /// The client is gone.
    Gone,
    /// The client takes its messages too slowly.
    Slow,
    /// It cannot go on.
    Failed(Failure),
}

/// A message, and the room that it takes while it waits.
struct Waiting<T> {
    message: Result<T, Status>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Where the messages to one subscriber go.
pub struct Outbox<T> {
    messages: mpsc::Sender<Waiting<T>>,
    /// Bytes that are free.
    room: Arc<Semaphore>,
    slow_after: Duration,
}

/// The messages to one subscriber, as the transport takes them.
pub struct Outgoing<T> {
    messages: mpsc::Receiver<Waiting<T>>,
    /// Given free when the transport lets go of the call: until then something may wait here.
    _place: OwnedSemaphorePermit,
}

/// A way to one subscriber, whose subscription takes `place`.
pub fn channel<T>(slow_after: Duration, place: OwnedSemaphorePermit) -> (Outbox<T>, Outgoing<T>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let outbox = Outbox {
        messages: sender,
        room: Arc::new(Semaphore::new(WAITING_BYTES_MAX)),
        slow_after,
    };
    let outgoing = Outgoing {
        messages: receiver,
        _place: place,
    };
    (outbox, outgoing)
}

impl<T> Outbox<T> {
    /// Puts a message of about so many bytes on its way, once there is room for it.
    pub async fn send(&self, message: T, bytes: usize) -> Result<(), Ended> {
        let bytes = bytes.clamp(MESSAGE_BYTES_MIN, WAITING_BYTES_MAX);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = match Arc::clone(&self.room).try_acquire_many_owned(bytes) {
            Ok(room) => room,
            Err(_) => self.wait_for_room(bytes).await?,
        };
        let waiting = Waiting {
            message: Ok(message),
            _room: Some(room),
        };
        // There is a place for every message that there is room for.
        self.messages.try_send(waiting).map_err(|_| Ended::Gone)
    }

    async fn wait_for_room(&self, bytes: u32) -> Result<OwnedSemaphorePermit, Ended> {
        tokio::select! {
            biased;
            () = self.gone() => Err(Ended::Gone),
            room = Arc::clone(&self.room).acquire_many_owned(bytes) => {
                room.map_err(|_| Ended::Gone)
            }
            () = tokio::time::sleep(self.slow_after) => Err(Ended::Slow),
        }
    }

    /// Ends once nobody takes messages any more.
    pub async fn gone(&self) {
        self.messages.closed().await;
    }

    /// What a client is told that does not keep up.
    pub fn slow(&self) -> Failure {
        let message = format!(
            "{WAITING_BYTES_MAX} bytes of messages wait for the client, which made no room for more in {} s; take messages faster, or ask for fewer with a filter",
            self.slow_after.as_secs()
        );
        Failure::new(Reason::SlowClient, message)
    }

    /// Ends the subscription: the client is told why, after everything that waits.
    pub fn end(self, failure: Failure) {
        let waiting = Waiting {
            message: Err(failure.into()),
            _room: None,
        };
        // The last place is left for this; nobody is there to be told if it fails.
        let _ = self.messages.try_send(waiting);
    }
}

impl<T> Stream for Outgoing<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let waiting = self.messages.poll_recv(context);
        waiting.map(|waiting| waiting.map(|waiting| waiting.message))
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;
    use tonic::Code;

    use super::*;
    use crate::rpc::proto::subscribe_response::Message;
    use crate::rpc::proto::{Head, SubscribeResponse};

    const SLOW_AFTER: Duration = Duration::from_secs(30);

    fn heartbeat(size: u64) -> SubscribeResponse {
        let head = Head {
            size,
            ..Head::default()
        };
        SubscribeResponse {
            message: Some(Message::Heartbeat(head)),
        }
    }

    fn new() -> (
        Outbox<SubscribeResponse>,
        Outgoing<SubscribeResponse>,
        Arc<Semaphore>,
    ) {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().unwrap();
        let (outbox, outgoing) = channel(SLOW_AFTER, place);
        (outbox, outgoing, places)
    }

    /// Puts messages of so many bytes on their way until no room is left; how many.
    async fn fill(outbox: &Outbox<SubscribeResponse>, bytes: usize) -> u64 {
        let mut sent = 0;
        loop {
            let sending = outbox.send(heartbeat(sent), bytes);
            // Polled once: what has room goes at once.
            match at_once(sending).await {
                Some(result) => assert!(result.is_ok()),
                None => return sent,
            }
            sent += 1;
        }
    }

    /// What a future gives without waiting.
    async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_bytes_wait_and_small_messages_count_for_more_than_they_have() {
        let (outbox, mut outgoing, _places) = new();
        let large = WAITING_BYTES_MAX / 2;
        assert_eq!(fill(&outbox, large).await, 2);
        outgoing.next().await.unwrap().unwrap();
        assert_eq!(fill(&outbox, large).await, 1);

        let (outbox, _outgoing, _places) = new();
        assert_eq!(fill(&outbox, 0).await, WAITING_MAX as u64 - 1);
        let (outbox, _outgoing, _places) = new();
        assert_eq!(fill(&outbox, 10 * WAITING_BYTES_MAX).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_slow_once_no_room_came_free_in_time_and_is_told_after_what_waits() {
        let (outbox, mut outgoing, _places) = new();
        let waiting = fill(&outbox, 0).await;
        let begun = tokio::time::Instant::now();
        let ended = outbox.send(heartbeat(0), 0).await;
        assert!(matches!(ended, Err(Ended::Slow)));
        assert_eq!(begun.elapsed().as_secs(), SLOW_AFTER.as_secs());
        let failure = outbox.slow();
        outbox.end(failure.resume_from(7));
        for size in 0..waiting {
            assert_eq!(outgoing.next().await.unwrap().unwrap(), heartbeat(size));
        }
        let status = outgoing.next().await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Aborted);
        assert!(outgoing.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_goes_once_there_is_room_and_none_goes_to_a_client_that_left() {
        let (outbox, mut outgoing, places) = new();
        fill(&outbox, 0).await;
        let take_one = async {
            tokio::time::sleep(SLOW_AFTER / 2).await;
            outgoing.next().await
        };
        let (sent, taken) = tokio::join!(outbox.send(heartbeat(0), 0), take_one);
        assert!(sent.is_ok() && taken.is_some());

        let leave = async {
            tokio::time::sleep(SLOW_AFTER / 2).await;
            assert_eq!(places.available_permits(), 0);
            drop(outgoing);
        };
        let (sent, ()) = tokio::join!(outbox.send(heartbeat(0), 0), leave);
        assert!(matches!(sent, Err(Ended::Gone)));
        assert_eq!(places.available_permits(), 1);
    }
}
