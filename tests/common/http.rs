//! A small client of HTTP/1.1, apart from everything that the daemon is built of: one request a
//! connection, over a plain socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer that does not come in so long is a failure to be seen.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header that stands there once at most.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(found, _)| found == name);
        let (first, more) = (found.next(), found.next());
        assert_eq!(more, None, "{name} stands there twice");
        first.map(|(_, value)| &value[..])
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// Asks for a path.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[])
}

/// Sends a request without a body.
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(address).expect("the daemon is reached");
    stream
        .set_read_timeout(Some(ANSWER_MAX))
        .expect("a timeout can be set");
    stream.write_all(head.as_bytes()).expect("it is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it is answered");
    parse(&answer, method == "HEAD")
}

fn parse(answer: &[u8], is_head: bool) -> Answer {
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n");
    let (head, rest) = answer.split_at(end.expect("a head"));
    let rest = &rest[4..];
    let mut lines = std::str::from_utf8(head).expect("text").split("\r\n");
    let status = lines.next().expect("a status line");
    let status = status.strip_prefix("HTTP/1.1 ").expect("HTTP/1.1");
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer {
        status: status[..3].parse().expect("a status"),
        headers,
        body: Vec::new(),
    };
    if is_head || answer.status == 304 {
        assert_eq!(rest, b"", "there must be no body");
    } else if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = unchunked(rest);
    } else {
        let length = answer.header("content-length").expect("a length");
        assert_eq!(length, rest.len().to_string());
        answer.body = rest.to_vec();
    }
    answer
}

/// Puts the chunks of a whole body together.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|it| it == b"\r\n");
        let (size, after) = rest.split_at(end.expect("the size of a chunk"));
        let size = std::str::from_utf8(size).expect("text");
        let size = usize::from_str_radix(size, 16).expect("a size");
        let (chunk, after) = after[2..].split_at(size);
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").expect("the end of a chunk");
        if size == 0 {
            assert_eq!(rest, b"", "nothing follows the last chunk");
            return body;
        }
    }
}
