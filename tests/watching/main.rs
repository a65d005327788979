//! `WatchPositions`: every change of a position is told, in order and once, whatever brought it,
//! whoever asks, and wherever the watch begins.
#![cfg(feature = "daemon")]

#[path = "../common/mod.rs"]
mod common;
mod ledger;
mod life;
mod oracle;

use common::Client;
use onrecord::rpc::proto::{Head, WatchPositionsRequest, WatchPositionsResponse, WatchedPosition};
use tonic::{Status, Streaming};

/// A watch, as a client sees it.
struct Watched(Streaming<WatchPositionsResponse>);

/// What comes.
#[derive(Clone, Debug, PartialEq)]
enum Message {
    Change(Box<WatchPositionsResponse>),
    CaughtUp(Head),
    Heartbeat(Head),
}

impl Watched {
    async fn new(client: &mut Client, request: WatchPositionsRequest) -> Self {
        Self::try_new(client, request).await.expect("watched")
    }

    async fn try_new(client: &mut Client, request: WatchPositionsRequest) -> Result<Self, Status> {
        let response = client.positions.watch_positions(request).await?;
        Ok(Self(response.into_inner()))
    }

    async fn next(&mut self) -> Result<Message, Status> {
        let mut response = self.0.message().await?.expect("no end without a status");
        let message = match (response.caught_up.take(), response.heartbeat.take()) {
            (None, None) => return Ok(Message::Change(Box::new(response))),
            (Some(head), None) => Message::CaughtUp(head),
            (None, Some(head)) => Message::Heartbeat(head),
            both => panic!("one of the two: {both:?}"),
        };
        assert_eq!(response, WatchPositionsResponse::default());
        Ok(message)
    }

    /// The next message, which must be a change.
    async fn change(&mut self) -> WatchPositionsResponse {
        loop {
            match self.next().await.unwrap() {
                Message::Change(change) => return *change,
                Message::Heartbeat(_) => {}
                Message::CaughtUp(head) => panic!("caught up at {}", head.size),
            }
        }
    }

    /// The changes up to the mark, and the mark.
    async fn until_the_mark(&mut self) -> (Vec<WatchPositionsResponse>, Head) {
        let mut changes = Vec::new();
        loop {
            match self.next().await.unwrap() {
                Message::Change(change) => changes.push(*change),
                Message::CaughtUp(head) => return (changes, head),
                Message::Heartbeat(_) => {}
            }
        }
    }
}

fn from(start: u64) -> WatchPositionsRequest {
    WatchPositionsRequest {
        start: Some(start),
        ..WatchPositionsRequest::default()
    }
}

/// Which entry changed whose position on what.
fn place(change: &WatchPositionsResponse) -> (u64, WatchedPosition) {
    let position = change.position.as_ref().expect("a position");
    let watched = WatchedPosition {
        actor: position.actor.clone(),
        topic: position.topic.clone(),
    };
    (change.index, watched)
}
