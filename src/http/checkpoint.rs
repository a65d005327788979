//! `/checkpoint`: the newest signed note, with the cosignatures that have joined it. The first of a
//! run is waited for, as long as one may come: that a daemon was started a moment ago is no reason
//! for a monitor to find nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::absent::Absent;
use super::answer::{Caching, Content};
use super::{Parts, Site};
use crate::checkpoint::PublishedNote;

const MEDIA_TYPE: &str = "text/plain; charset=utf-8";

pub(super) async fn serve(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<Response, Absent> {
    answer(newest(&site.parts).await.as_deref(), &headers)
}

async fn newest(parts: &Parts) -> Option<Arc<PublishedNote>> {
    let mut notes = parts.checkpoints.watch();
    let told = notes.wait_for(|notes| notes.newest.is_some() || notes.has_ended());
    let told = tokio::time::timeout(parts.wait_max, told).await;
    told.ok()?.ok()?.newest.clone()
}

fn answer(newest: Option<&PublishedNote>, request: &HeaderMap) -> Result<Response, Absent> {
    let note = newest.ok_or(Absent::Unsigned)?.note.clone();
    let content = Content::new(MEDIA_TYPE, Caching::Seconds, note.as_bytes());
    Ok(content.answer(request, note))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse as _;
    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::merkle::empty_root;
    use crate::record::Micros;

    fn published(note: &str) -> PublishedNote {
        PublishedNote {
            note: note.to_owned(),
            size: 0,
            root: empty_root(),
            recorded_at: None,
            signed_at: Micros(0),
            keys: Vec::new(),
            witnessed_at: None,
        }
    }

    async fn bytes(body: Body) -> Vec<u8> {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        bytes
    }

    #[tokio::test]
    async fn a_note_is_served_as_it_is_for_seconds_and_again_once_it_has_another_signature() {
        let (note, cosigned) = ("text\n\n— a b=\n", "text\n\n— a b=\n— w c=\n");
        let mut request = HeaderMap::new();
        let answered = answer(Some(&published(note)), &request).unwrap();
        let headers = answered.headers().clone();
        assert_eq!(headers[header::CONTENT_TYPE], MEDIA_TYPE);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=1");
        assert_eq!(bytes(answered.into_body()).await, note.as_bytes());
        request.insert(header::IF_NONE_MATCH, headers[header::ETAG].clone());
        let again = answer(Some(&published(note)), &request).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = answer(Some(&published(cosigned)), &request).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(bytes(other.into_body()).await, cosigned.as_bytes());
    }

    #[tokio::test]
    async fn before_the_first_there_is_none() {
        let absent = answer(None, &HeaderMap::new()).unwrap_err().into_response();
        assert_eq!(absent.status(), StatusCode::NOT_FOUND);
        assert_eq!(absent.headers()[header::CACHE_CONTROL], "no-store");
        let told = bytes(absent.into_body()).await;
        assert!(String::from_utf8(told).unwrap().contains("onrecord status"));
    }
}
