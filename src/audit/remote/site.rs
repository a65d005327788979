//! Where an archive is read over HTTP: its checkpoint, tiles and bundles, at the paths of C2SP
//! tlog-tiles, from the archive itself or from any mirror. Nothing that comes from there is
//! believed: that is for [`super::tree`] and [`super::entries`].

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;

/// How long a site has for all of an answer: the largest is a bundle of 16 MiB.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// How long it has to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How often a site is asked that is away, or says that it is overloaded.
const TRIES_MAX: u32 = 4;

/// How long to wait before the second try; then twice as long each time: 1.4 s in all.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How many connections are kept open: as many as there are threads that read.
const CONNECTIONS_MAX: usize = super::entries::READERS;

/// What a site's URL has to be.
pub const URL_ACCEPTED: &str = "an http or https URL without a query: https://archive.example.org";

/// Where an archive is read.
pub trait Site: Sync {
    /// What stands at a path below the archive's address, at most `bytes_max` bytes.
    fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SiteError>;
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It could not be asked, did not answer in time, or is overloaded.
    #[error("{url} does not answer: {reason}")]
    Away {
        /// What was asked for.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such thing there.
    #[error("{url} is not there")]
    Missing {
        /// What was asked for.
        url: String,
    },
    /// It answers something else than was asked for.
    #[error("{url} answers {reason}")]
    Refused {
        /// What was asked for.
        url: String,
        /// What it answered.
        reason: String,
    },
}

/// An archive, or a mirror of one, at a URL.
pub struct HttpSite {
    agent: Agent,
    url: String,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl HttpSite {
    /// The site whose URLs start with `url`; none if that is no such URL.
    #[must_use]
    pub fn at(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let is_http = matches!(uri.scheme_str(), Some("https" | "http"));
        if !is_http || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
            return None;
        }
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .timeout_connect(Some(CONNECT_WITHIN))
            .http_status_as_error(false)
            .max_idle_connections(CONNECTIONS_MAX)
            .max_idle_connections_per_host(CONNECTIONS_MAX)
            .user_agent(concat!("onrecord/", env!("CARGO_PKG_VERSION")))
            .build();
        Some(Self {
            agent: Agent::new_with_config(config),
            url: url.trim_end_matches('/').to_owned(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// How many answers were read so far, and how many bytes they had.
    #[must_use]
    pub fn read_so_far(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.requests), read(&self.bytes))
    }

    fn try_once(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, SiteError> {
        let away = |reason: String| SiteError::Away {
            url: url.to_owned(),
            reason,
        };
        let answer = self.agent.get(url).call();
        let mut answer = answer.map_err(|error| away(reason(url, &error)))?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => {
                let url = url.to_owned();
                return Err(SiteError::Missing { url });
            }
            status @ (429 | 500..=599) => return Err(away(format!("status {status}"))),
            status => {
                return Err(SiteError::Refused {
                    url: url.to_owned(),
                    reason: format!("status {status}"),
                });
            }
        }
        let body = answer.body_mut().with_config().limit(bytes_max as u64);
        let bytes = body.read_to_vec().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => SiteError::Refused {
                url: url.to_owned(),
                reason: format!("more than {bytes_max} bytes"),
            },
            error => away(error.to_string()),
        })?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

impl Site for HttpSite {
    fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SiteError> {
        let url = format!("{}/{path}", self.url);
        let mut wait = AGAIN_AFTER;
        for _ in 1..TRIES_MAX {
            match self.try_once(&url, bytes_max) {
                Err(SiteError::Away { .. }) => thread::sleep(wait),
                answer => return answer,
            }
            wait *= 2;
        }
        self.try_once(&url, bytes_max)
    }
}

/// Whether an address asks for TLS.
#[must_use]
pub fn is_tls(url: &str) -> bool {
    let scheme = url.get(..6);
    scheme.is_some_and(|it| it.eq_ignore_ascii_case("https:"))
}

/// Why nothing is read from `url`. Where TLS is what fails, its own words do not say what to do.
fn reason(url: &str, error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(fault) if is_tls(url) && fault.kind() == io::ErrorKind::InvalidData => {
            format!(
                "{error}; https is for a TLS proxy with a certificate that browsers trust, and a daemon itself is read at http://HOST:PORT"
            )
        }
        error => error.to_string(),
    }
}

impl fmt::Debug for HttpSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSite")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn where_no_tls_is_spoken_an_auditor_is_told_how_a_daemon_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("HTTPS://{}", listener.local_addr().unwrap());
        let daemon = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = [0; 1];
            stream.read_exact(&mut hello).unwrap();
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .unwrap();
        });
        let site = HttpSite::at(&url).unwrap();
        let away = site.try_once(&format!("{url}/checkpoint"), 1).unwrap_err();
        daemon.join().unwrap();
        let says = away.to_string();
        assert!(says.contains("read at http://HOST:PORT"), "{says}");
    }
}
