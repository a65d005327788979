//! The opening of a connection: what has to come in time, so that silence holds no place.
//!
//! The head of an HTTP/1 request (RFC 9112, section 2.1) ends with a blank line, and the preface
//! of HTTP/2 (RFC 9113, section 3.4) has one: an opening is over at the first. What comes after
//! it is HTTP's to bound, not this module's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// The opening of one connection.
#[derive(Debug)]
pub struct Opening {
    deadline: Pin<Box<Sleep>>,
    /// Whether the line that is being read is blank so far, and not the first.
    line_is_blank: bool,
}

impl Opening {
    /// Begins, and may take so long.
    pub fn new(time_max: Duration) -> Self {
        Self {
            deadline: Box::pin(tokio::time::sleep(time_max)),
            line_is_blank: false,
        }
    }

    /// Whether these bytes, which came next, end it.
    pub fn is_over(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\n' if self.line_is_blank => return true,
                b'\n' => self.line_is_blank = true,
                b'\r' => {}
                _ => self.line_is_blank = false,
            }
        }
        false
    }

    /// The error to close the connection with, once the deadline has passed.
    pub fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_stream::StreamExt as _;

    use super::super::incoming::{Connection, connections};
    use super::*;
    use crate::config::Connections;

    const TIME_MAX: Duration = Duration::from_secs(10);

    /// Both ends of a connection.
    async fn opened() -> (TcpStream, Connection) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let bounds = Connections {
            opening_seconds_max: TIME_MAX.as_secs(),
            ..Connections::default()
        };
        let mut incoming = connections(listener, &bounds);
        let client = TcpStream::connect(address).await.unwrap();
        (client, incoming.next().await.unwrap().unwrap())
    }

    /// Reads as long as something comes.
    async fn read(connection: &mut Connection) -> io::Error {
        loop {
            if let Err(error) = connection.read_u8().await {
                return error;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_ends_a_request_is_closed_at_the_deadline() {
        for begun in ["", "GET / HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2.0\r\n"] {
            let (mut client, mut connection) = opened().await;
            client.write_all(begun.as_bytes()).await.unwrap();
            let error = read(&mut connection).await;
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{begun:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_said_what_it_wants_may_be_silent_for_long() {
        for head in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            let (mut client, mut connection) = opened().await;
            client.write_all(head.as_bytes()).await.unwrap();
            connection
                .read_exact(&mut vec![0; head.len()])
                .await
                .unwrap();
            tokio::time::advance(100 * TIME_MAX).await;
            client.write_all(b"!").await.unwrap();
            assert_eq!(connection.read_u8().await.unwrap(), b'!');
        }
    }

    #[tokio::test]
    async fn a_blank_line_ends_an_opening_wherever_the_bytes_are_cut() {
        for head in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\n\n"] {
            for cut in 0..head.len() {
                let (one, other) = head.as_bytes().split_at(cut);
                let mut opening = Opening::new(TIME_MAX);
                assert!(!opening.is_over(one), "{head:?} at {cut}");
                assert!(opening.is_over(other), "{head:?} at {cut}");
            }
        }
    }
}
