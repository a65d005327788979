//! Asking a witness over HTTP, with every wait and every answer bounded.

use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;

/// How long a witness has for all of an answer. A stalled one costs a thread of its own, and
/// holds the others up by no more than this once.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long it has to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The largest answer that is read, in bytes: far more than a few signature lines of 200.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// What a witness's URL has to be.
pub const URL_ACCEPTED: &str = "an http or https URL without a query, to which /add-checkpoint is added: https://witness.example/log";

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// The way to a witness.
pub trait Transport: Send + Sync {
    /// POSTs `body` to the witness's `add-checkpoint`. Comes back within a bounded time.
    fn add_checkpoint(&self, body: &str) -> Result<Answer, TransportError>;
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// It could not be asked, did not answer in time, or answered what is not HTTP.
    #[error("no answer: {0}")]
    Http(#[from] Box<ureq::Error>),
}

/// A witness at a URL.
#[derive(Clone, Debug)]
pub struct HttpWitness {
    agent: Agent,
    url: String,
}

impl HttpWitness {
    /// The witness whose URLs start with `prefix`, which [`check_url`] has passed.
    #[must_use]
    pub fn at(prefix: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .timeout_connect(Some(CONNECT_WITHIN))
            // A checkpoint goes to the witness that was named and to nobody else.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("onrecord/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            url: format!("{}/add-checkpoint", prefix.trim_end_matches('/')),
        }
    }
}

impl Transport for HttpWitness {
    fn add_checkpoint(&self, body: &str) -> Result<Answer, TransportError> {
        let request = self.agent.post(&self.url);
        let request = request.header("content-type", "text/plain; charset=utf-8");
        let mut response = request.send(body).map_err(Box::new)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config();
        let body = body.limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok(Answer {
            status,
            body: body.map_err(Box::new)?,
        })
    }
}

/// Whether a witness can be asked at `url`.
#[must_use]
pub fn check_url(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let scheme = uri.scheme_str();
    (scheme == Some("https") || scheme == Some("http"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.query().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_asked_at_http_urls_alone() {
        for url in [
            "https://witness.example",
            "http://127.0.0.1:7000/a/b/",
            "http://[::1]:80",
        ] {
            assert!(check_url(url), "{url}");
        }
        for url in [
            "",
            "witness.example",
            "ftp://witness.example",
            "https://",
            "https://witness.example/?log=1",
            "file:///etc/passwd",
        ] {
            assert!(!check_url(url), "{url}");
        }
    }
}
