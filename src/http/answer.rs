//! What an answer says of itself: its type, how long it may be kept, and an `ETag` by which it is
//! asked for again without being sent again (RFC 9110, sections 8.8.3 and 13.1.2).

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;

/// How many bytes of a BLAKE3 hash make an `ETag`: 128 bits are never the same by chance.
const ETAG_BYTES: usize = 16;

/// A type is the one that is named, whatever the bytes look like.
pub(super) const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caching {
    /// For ever: the bytes at this path never change.
    Immutable,
    /// For a second, as long as a checkpoint is the newest.
    Seconds,
}

impl Caching {
    const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Seconds => "public, max-age=1",
        })
    }
}

/// What an answer is, but for its body.
pub(super) struct Content {
    pub media_type: &'static str,
    pub caching: Caching,
    etag: String,
}

impl Content {
    /// The content whose bytes `committed` decide, be it that they are these bytes.
    pub fn new(media_type: &'static str, caching: Caching, committed: &[u8]) -> Self {
        let hash = blake3::hash(committed);
        let hash = hash.as_bytes().get(..ETAG_BYTES).unwrap_or_default();
        Self {
            media_type,
            caching,
            etag: format!("\"{}\"", HEXLOWER.encode(hash)),
        }
    }

    /// Whether whoever asks has it already.
    pub fn is_known(&self, request: &HeaderMap) -> bool {
        let given = request.get_all(header::IF_NONE_MATCH).iter();
        let tags = given.filter_map(|value| value.to_str().ok());
        tags.flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
    }

    /// The answer with `body`.
    pub fn with(self, body: Body) -> Response {
        let media_type = HeaderValue::from_static(self.media_type);
        let mut response = self.bare(StatusCode::OK, body);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        response
    }

    /// The answer that says that nothing has changed. Its body names no length, as a length would
    /// be that of the body that is not sent (RFC 9110, section 8.6).
    pub fn not_modified(self) -> Response {
        let nothing = tokio_stream::empty::<Result<Bytes, Infallible>>();
        self.bare(StatusCode::NOT_MODIFIED, Body::from_stream(nothing))
    }

    /// The answer with `body`, unless whoever asks has it already.
    pub fn answer(self, request: &HeaderMap, body: impl Into<Body>) -> Response {
        if self.is_known(request) {
            return self.not_modified();
        }
        self.with(body.into())
    }

    fn bare(self, status: StatusCode, body: Body) -> Response {
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, self.caching.header());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
        // Hexadecimal digits between quotation marks.
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_somebody_has_already_is_known_by_its_etag_in_every_form_of_the_header() {
        let content = || Content::new("text/plain", Caching::Immutable, b"bytes");
        let (tag, other) = (
            content().etag,
            Content::new("", Caching::Seconds, b"other").etag,
        );
        assert_ne!(tag, other);
        let weak = format!("W/{tag}");
        let list = format!("{other} , {tag}");
        for known in [&[&tag[..]][..], &[&weak], &[&list], &[&other, &tag], &["*"]] {
            assert!(content().is_known(&asked(known)), "{known:?}");
            let response = content().answer(&asked(known), "bytes");
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        }
        for unknown in [&[][..], &[&other[..]], &[tag.trim_matches('"')], &["\"\""]] {
            assert!(!content().is_known(&asked(unknown)), "{unknown:?}");
        }
    }
}
