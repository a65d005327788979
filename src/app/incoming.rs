//! Connections as they come in: without delay of small packets (tonic does not see to that
//! where it is handed its connections), and no more of them at a time than there may be, in all
//! and from one peer. One that does not say in time what it wants is closed (`opening.rs`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::opening::Opening;
use super::peers::{PeerPlace, Peers};
use crate::config::Connections;

/// How long to wait after a connection could not be accepted, for want of file descriptors
/// most likely.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The connections that come in at `listener`, as many at a time as `bounds` allow; the others
/// wait in the operating system's queue, but for those of a peer that has all its places: they
/// are closed. Ends when the stream is dropped.
pub fn connections(
    listener: TcpListener,
    bounds: &Connections,
) -> ReceiverStream<Result<Connection, io::Error>> {
    let (connections, accepted) = mpsc::channel(1);
    let door = Door {
        listener,
        places: Arc::new(Semaphore::new(bounds.open_max.min(Semaphore::MAX_PERMITS))),
        peers: Peers::new(bounds.open_per_peer_max),
        opening_max: Duration::from_secs(bounds.opening_seconds_max),
    };
    tokio::spawn(accept_all(door, connections));
    ReceiverStream::new(accepted)
}

/// Where connections come in, and what bounds them.
struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    peers: Peers,
    opening_max: Duration,
}

async fn accept_all(door: Door, connections: mpsc::Sender<Result<Connection, io::Error>>) {
    loop {
        let accepted = tokio::select! {
            () = connections.closed() => return,
            accepted = door.accept() => accepted,
        };
        match accepted {
            Ok(None) => {}
            Ok(Some(connection)) => {
                if connections.send(Ok(connection)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

impl Door {
    /// The next connection; none if its peer has all its places.
    async fn accept(&self) -> io::Result<Option<Connection>> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let (stream, address) = self.listener.accept().await?;
        let Some(peer_place) = self.peers.enter(address.ip()) else {
            tracing::debug!(peer = %address.ip(), "a peer has all its connections");
            return Ok(None);
        };
        stream.set_nodelay(true)?;
        Ok(Some(Connection {
            stream,
            opening: Some(Opening::new(self.opening_max)),
            _place: place,
            _peer_place: peer_place,
        }))
    }
}

/// A connection, which gives its places free when it is dropped.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// None from when its peer has said what it wants.
    opening: Option<Opening>,
    _place: OwnedSemaphorePermit,
    _peer_place: PeerPlace,
}

impl Connection {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(opening) = &mut this.opening else {
            return read;
        };
        if read.is_pending() {
            return opening.poll_late(context).map(Err);
        }
        if opening.is_over(buffer.filled().get(before..).unwrap_or_default()) {
            this.opening = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
